//! The whole look, from the state directory to verdicts.

use std::cell::RefCell;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::read::{self, ReadOptions};
use super::recovery::has_originals;
use super::recovery::loss::{self, Look, Loss};
use super::settle;
use super::{Condition, Diagnosed, Diagnosis, Judged, Trouble, cron, nodes};
use crate::apply::liveness::Liveness;
use crate::apply::{Cancel, Disk, Limits};
use crate::cli::request::Request;
use crate::evidence::discover::{self, DiscoverError, Situation};
use crate::evidence::gateway::{self, GatewayEvidence};
use crate::evidence::jobs::JobsReading;
use crate::evidence::marks::Marks;
use crate::evidence::outside::{self, Outside};
use crate::evidence::sessions::{LockJudge, SessionsDir};
use crate::evidence::{migration, runs};
use crate::exit::Exit;
use crate::host::{Host, RealSystem, Service, System, files, memory, service};
use crate::model::evidence::{Evidence, Life};
use crate::model::policy::Budget;
use crate::model::store::StoreFile;
use crate::plan::forecast;
use crate::progress::Progress;
use crate::report::model::{Era, EvidenceState};
use crate::rules::store as rules;
use crate::scan::entries::KeyContext;
use crate::scan::parallel::Crew;

/// What a look takes from the edge.
pub struct Edge<'a> {
    /// This host.
    pub host: &'a Host,
    /// Its operating system.
    pub system: &'a RealSystem,
    /// What is asked for.
    pub request: &'a Request,
    /// Shows how far it is.
    pub progress: &'a Progress,
    /// Set when the user wants to stop.
    pub cancel: &'a Cancel,
    /// How files are changed.
    pub writer: Writer<'a>,
    /// Where the report goes.
    pub out: &'a RefCell<dyn Write + 'a>,
}

impl Edge<'_> {
    /// How many threads may work.
    pub fn threads(&self) -> usize {
        self.request.threads.map_or(self.host.cores, |threads| threads.get().into())
    }

    /// How stores and copies of them are read.
    pub fn read_options<'b>(
        &'b self,
        keys: KeyContext<'b>,
        default_agent: &'b str,
        fingerprint: bool,
    ) -> ReadOptions<'b> {
        ReadOptions {
            map: self.request.map,
            crew: Crew::of(self.threads()),
            fingerprint,
            progress: self.progress,
            cancel: self.cancel,
            keys,
            default_agent,
        }
    }
}

/// How files are changed: replaced in crash tests.
#[derive(Clone, Copy)]
pub struct Writer<'a> {
    /// The one door to changing files.
    pub disk: &'a dyn Disk,
    /// Whether the owner of a lock lives.
    pub liveness: &'a dyn Liveness,
    /// How long things may take.
    pub limits: Limits,
}

/// Why there is no diagnosis at all.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// A named path makes no sense.
    #[error(transparent)]
    Discover(#[from] DiscoverError),
    /// `--keep` is no glob.
    #[error("--keep: {0}")]
    Glob(#[from] globset::Error),
    /// A file could not be read that was readable a moment ago.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A signal.
    #[error("interrupted; nothing was changed")]
    Cancelled(Exit),
}

/// Looks at everything. `fingerprint`: whether the stores are about to be replaced.
pub fn diagnose(edge: &Edge<'_>, fingerprint: bool) -> Result<Diagnosis, LookError> {
    diagnose_in(edge, discover::discover(edge.host, &edge.request.whereabouts)?, fingerprint)
}

/// The same where it is known already what there is.
pub fn diagnose_in(edge: &Edge<'_>, situation: Situation, fingerprint: bool) -> Result<Diagnosis, LookError> {
    let request = edge.request;
    let resolved = situation.config_error.is_none().then_some(&situation.config);
    let policy = request.limits.policy(resolved);
    let now = request.now.unwrap_or(edge.host.now_ms);
    let gateway = gateway::weigh(&situation, edge.host, edge.system, request.gateway, now);
    let Outside { mut jobs, mut runs, registry, database } = outside::read(&situation, now);
    let marks = Marks::new(&request.limits.keep, &request.agents, jobs.targets.clone())?;
    let (service, heap_limit) = heap(edge, &situation, &gateway);
    let cron = cron::Jobs {
        list: std::mem::take(&mut jobs.list),
        paces: std::mem::take(&mut runs.paces),
        logs_unread: !runs.unreadable.is_empty(),
        booted: edge.host.boot_time_ms.filter(|_| gateway::is_real_clock(now, edge.host)),
        version: version(&gateway, service.as_ref()),
    };
    let budget = match policy.budget {
        Budget::Off => None,
        // What OpenClaw cannot read at all is too large for any heap.
        Budget::Auto => Some(heap_limit.map_or(u64::MAX, forecast::comfortable_size).min(rules::LARGEST)),
        Budget::Bytes(bytes) => Some(bytes),
    };
    let mut evidence = Evidence { now, gateway: gateway.life, ..Evidence::default() };
    let mut items = vec![situation.config_evidence()];
    let mut troubles = troubles_of(&situation, &jobs, &runs, &registry.trouble);
    items.extend(database);
    items.extend(jobs.evidence);
    items.extend(runs.evidence);
    items.push(registry.evidence);
    (evidence.jobs, evidence.runs, evidence.registry) = (jobs.jobs, runs.runs, registry.registry);
    let mark_key = |key: &crate::model::key::SessionKey<'_>, text: &str| marks.of(key, text);
    let keys = KeyContext { main_key: &situation.config.session.main_key, marks: &mark_key };
    let options = edge.read_options(keys, situation.config.default_agent(), fingerprint);
    let mut stores = Vec::new();
    for file in &situation.stores {
        let judge = lock_judge(edge, &gateway);
        let mut condition = open(file, &options, &judge, &evidence, budget, &situation.state_dir);
        // What is gone was imported: its traces are none of a loss.
        if situation.era == Era::Sqlite && matches!(condition, Condition::Missing) {
            condition = Condition::Absent;
        }
        if let Some(exit) = edge.cancel.requested() {
            return Err(LookError::Cancelled(exit));
        }
        let held = migration::refusal(&situation, &file.path);
        stores.push(Diagnosed { file: file.clone(), condition, loss: Loss::default(), held });
    }
    let (nodes, read) = nodes::open(&situation, &options, &evidence, request.whereabouts.stores.is_empty());
    stores.extend(nodes);
    items.extend(read);
    let named = loss::names(&situation, &stores, now.saturating_sub(policy.prune_after));
    let look = Look {
        options: &options,
        policy: &policy,
        now,
        stopped: gateway.life == Life::Stopped,
        state: &situation.state_dir,
        named: &named,
    };
    loss::look_at_all(&mut stores, &look).map_err(|error| match edge.cancel.requested() {
        Some(exit) => LookError::Cancelled(exit),
        None => error.into(),
    })?;
    let in_files = stores.iter().filter(|store| !store.file.in_database);
    for sessions in in_files.filter_map(|store| store.judged_sessions()) {
        items.push(sessions.evidence());
        if sessions.state == EvidenceState::Unreadable {
            troubles.push(trouble(
                &rules::TRANSCRIPTS_UNREADABLE,
                "the directory could not be listed: every session in it counts as in use",
                Some(&sessions.path),
                1,
            ));
        }
    }
    let complete = is_complete(&situation, &stores);
    evidence.kin.unread =
        stores.iter().any(|store| !matches!(store.condition, Condition::Whole(_) | Condition::Absent));
    settle::settle(&mut stores, &mut evidence, &policy, complete);
    nodes::hold(&mut stores);
    let unused_globs = marks.unused().map(str::to_owned).collect();
    Ok(Diagnosis {
        policy,
        evidence,
        gateway,
        stores,
        items,
        troubles,
        unused_globs,
        heap_limit,
        service,
        situation,
        cron,
    })
}

/// Whether every store of the directory was found and read whole.
fn is_complete(situation: &Situation, stores: &[Diagnosed]) -> bool {
    situation.config_error.is_none()
        && situation.unlisted.is_empty()
        && stores.iter().all(|store| {
            let outside = store.file.named && store.file.outside;
            !outside && matches!(store.condition, Condition::Whole(_) | Condition::Absent)
        })
}

fn lock_judge<'a>(edge: &'a Edge<'_>, gateway: &GatewayEvidence) -> LockJudge<'a> {
    let system = edge.system;
    LockJudge {
        owner: Box::new(move |pid| system.owner(pid)),
        gateway_stopped: gateway.life == Life::Stopped,
    }
}

fn open(
    file: &StoreFile,
    options: &ReadOptions<'_>,
    judge: &LockJudge<'_>,
    evidence: &Evidence,
    budget: Option<u64>,
    state: &Path,
) -> Condition {
    let dir = file.path.parent().unwrap_or(Path::new("/"));
    let name = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let sessions = SessionsDir::list(dir, &name, judge);
    if !file.exists {
        let beside = sessions.transcripts + sessions.leftovers > 0;
        let traces = beside || dir.is_dir() && has_originals(&file.path, state);
        return if traces { Condition::Missing } else { Condition::Absent };
    }
    let reading = match read::read(file, options) {
        Ok(reading) => reading,
        Err(failure) => return failure.into(),
    };
    let damage = rules::damage(&reading.scan, reading.bytes);
    if !damage.is_empty() {
        return Condition::Damaged(Box::new(reading), damage);
    }
    let judged = Judged::new(reading, evidence, sessions, file.outside);
    Condition::Whole(Box::new(Judged { budget, ..judged }))
}

impl Diagnosed {
    fn judged_sessions(&self) -> Option<&SessionsDir> {
        match &self.condition {
            Condition::Whole(judged) => Some(&judged.sessions),
            _ => None,
        }
    }
}

/// How the gateway is run here, and how much heap its Node has.
fn heap(edge: &Edge<'_>, situation: &Situation, gateway: &GatewayEvidence) -> (Option<Service>, Option<u64>) {
    let host = edge.host;
    let env = |name: &str| host.var(name);
    let profile = edge.request.whereabouts.profile.as_ref().map(|profile| profile.name().to_owned());
    let profile = profile.or_else(|| host.var("OPENCLAW_PROFILE"));
    let home = host.home.clone().unwrap_or_else(|| situation.state_dir.clone());
    let query = service::ServiceQuery {
        home: &home,
        uid: host.uid,
        profile: profile.as_deref(),
        env: &env,
        exists: &|path| path.exists(),
        scope: None,
    };
    let service = service::find(&query);
    let read = |path: &Path| files::read_regular(path);
    let names = |dir: &Path| {
        let names = fs::read_dir(dir)?.filter_map(Result::ok);
        Ok(names.filter_map(|entry| entry.file_name().into_string().ok()).collect())
    };
    let named = service::heap_limit_mb(service.as_ref(), &env, &read, &names).map(service::heap_limit_bytes);
    let ram = memory::total_memory(gateway.seen.pid, &read).map(memory::default_node_heap_limit);
    (service, named.or(ram))
}

/// The version that is seen to run, else the one that the service was installed for.
fn version(gateway: &GatewayEvidence, service: Option<&Service>) -> Option<(String, &'static str)> {
    let seen = gateway.seen.version.clone().map(|version| (version, ""));
    let read = |path: &Path| files::read_regular(path);
    seen.or_else(|| Some((service::version(service?, &read)?, " (the version that its service names)")))
}

fn trouble(
    rule: &'static crate::model::verdict::Rule,
    message: &str,
    path: Option<&Path>,
    count: u64,
) -> Trouble {
    Trouble { rule, message: message.to_owned(), path: path.map(|path| path.display().to_string()), count }
}

fn troubles_of(
    situation: &Situation,
    jobs: &JobsReading,
    runs: &runs::RunsReading,
    registry: &Option<String>,
) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    if let Some(error) = &situation.config_error {
        let text = format!(
            "{error}; what depends on it protects until it can be read, and there is no retention but what \
             --run-retention and --prune-after say"
        );
        troubles.push(trouble(&rules::CONFIG_UNREADABLE, &text, Some(&situation.config_path), 1));
    }
    if !jobs.troubles.is_empty() {
        let text = format!("{}; no entry is called an orphan of a deleted job", jobs.troubles.join("; "));
        troubles.push(trouble(&rules::CRON_JOBS_UNREADABLE, &text, Some(&situation.jobs_path), 1));
    }
    for why in &runs.unreadable {
        let text = format!("{why}; runs that it would prove finished are not called so");
        troubles.push(trouble(&rules::RUN_LOG_UNREADABLE, &text, None, 1));
    }
    if let Some(first) = runs.torn.first() {
        let text = format!("'{first}': a line that does not parse; it proves nothing");
        troubles.push(trouble(&rules::RUN_LOG_TORN, &text, None, runs.torn.len() as u64));
    }
    if let Some(why) = registry {
        let text = format!("{why}; every sub-agent counts as resumable");
        troubles.push(trouble(&rules::REGISTRY_UNREADABLE, &text, None, 1));
    }
    troubles
}
