//! What was typed, as clap hands it over. Meaning is given to it in [`super::request`].

use std::num::NonZeroU16;
use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// Finds, removes and gives back what keeps an OpenClaw sessions.json from loading.
///
/// Without a command it checks. Nothing is written without --apply, and what is removed can be had back
/// with `undo`.
#[derive(Debug, Parser)]
#[command(name = "sessions-doctor", version, max_term_width = 100, subcommand_negates_reqs = true)]
#[command(
    after_help = "In a crash loop: stop the gateway, then `sessions-doctor prune`, read what it says, \
                        and run it again with --apply."
)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub common: CommonArgs,
    /// Options of `check`, which is the command where none is named.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// The command.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Diagnose every store of a state directory; never writes
    Check(CheckArgs),
    /// Plan, or with --apply do, the removal and healing of what `check` condemned
    Prune(PruneArgs),
    /// Plan, or with --apply do, the stripping of caches that OpenClaw builds again
    Slim(SlimArgs),
    /// Plan, or with --apply do, the rebuilding of a damaged, emptied or vanished store
    Recover(RecoverArgs),
    /// Plan, or with --apply do, the clearing away of files that nothing needs any more
    Sweep(SweepArgs),
    /// Stuck and runaway cron jobs; with --apply, clear the markers of runs that are over
    Cron(CronArgs),
    /// Look just before the gateway starts: bounded time, certain verdicts, exit 0
    Guard(GuardArgs),
    /// For CI: would OpenClaw load these files whole, and is every entry well-formed
    Validate(ValidateArgs),
    /// Put back what a run took out; without RUN, list the runs
    Undo(UndoArgs),
    /// What a rule or an exit code means, or why one session got its verdict
    Explain(ExplainArgs),
    /// Units of systemd: `guard` before each start, and a timer; --install writes them
    Hook(HookArgs),
    /// Man pages, shell completions and JSON Schemas, on stdout
    Generate(GenerateArgs),
}

/// `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Its limits.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Write the findings to FILE as metrics for node_exporter's textfile collector
    #[arg(long, value_name = "FILE")]
    pub metrics: Option<PathBuf>,
    /// Keep looking, and print only what changed
    #[arg(long, value_name = "INTERVAL")]
    pub watch: Option<String>,
}

/// `prune`.
#[derive(Debug, Args)]
pub struct PruneArgs {
    /// Its limits.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// How it writes.
    #[command(flatten)]
    pub write: WriteArgs,
    /// Write the pruned store to FILE and leave the original alone
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Strip caches from idle entries that stay, as `slim` does
    #[arg(long)]
    pub slim: bool,
}

/// `slim`.
#[derive(Debug, Args)]
pub struct SlimArgs {
    /// How it writes.
    #[command(flatten)]
    pub write: WriteArgs,
    /// The caches that go, with commas between them [default: skillsSnapshot,systemPromptReport]
    #[arg(long, value_name = "LIST")]
    pub fields: Option<String>,
    /// Drop white space from the whole store as well; OpenClaw writes its own again
    #[arg(long)]
    pub compact: bool,
}

/// `recover`.
#[derive(Debug, Args)]
pub struct RecoverArgs {
    /// How it writes.
    #[command(flatten)]
    pub write: WriteArgs,
    /// Write the recovered store to FILE and leave the original alone
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Give a conversation whose key nothing tells to KEY (repeatable)
    #[arg(long, value_name = "TRANSCRIPT=KEY")]
    pub assign: Vec<String>,
    /// Bring back as well what a run of this tool or OpenClaw itself took out on purpose
    #[arg(long)]
    pub include_pruned: bool,
    /// The weakest evidence that is acted on [default: certain]
    #[arg(long, value_enum, value_name = "HOW")]
    pub confidence: Option<ConfidenceArg>,
}

/// `sweep`.
#[derive(Debug, Args)]
pub struct SweepArgs {
    /// How it writes.
    #[command(flatten)]
    pub write: WriteArgs,
    /// Leave alone what showed life more recently [default: 24h]
    #[arg(long, value_name = "DUR")]
    pub older_than: Option<String>,
    /// Rename transcripts as OpenClaw does, so that its retention deletes them
    #[arg(long, conflicts_with = "delete")]
    pub archive: bool,
    /// Delete for good; nothing of it can be had back
    #[arg(long)]
    pub delete: bool,
}

/// `guard`.
#[derive(Debug, Args)]
pub struct GuardArgs {
    /// Its limits; --budget is auto and --confidence certain unless told otherwise.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Give up, with nothing changed, after this time
    #[arg(long, value_name = "DUR", default_value = "15s")]
    pub time_budget: String,
    /// Exit with the code of what was found instead of 0
    #[arg(long)]
    pub strict: bool,
    /// Only say what would be done
    #[arg(long)]
    pub check_only: bool,
}

/// `cron`.
#[derive(Debug, Args)]
pub struct CronArgs {
    /// How it writes.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// `validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// Files, directories that are walked for files of OpenClaw, or `-` for stdin
    #[arg(value_name = "FILE|DIR|-", required = true)]
    pub paths: Vec<PathBuf>,
    /// How problems are told
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<FormatArg>,
    /// The version of OpenClaw that would load the files [default: the newest that reads sessions.json]
    #[arg(long, value_name = "VERSION")]
    pub openclaw: Option<String>,
    /// What the files hold [default: what their names say, else their shape]
    #[arg(long, value_enum, value_name = "KIND")]
    pub kind: Option<KindArg>,
    /// Make every warning an error
    #[arg(long, value_enum, value_name = "WHAT")]
    pub deny: Option<DenyArg>,
    /// Leave problems of this rule out (repeatable)
    #[arg(long, value_name = "RULE")]
    pub allow: Vec<String>,
}

/// `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    /// For people
    Human,
    /// As one object
    Json,
    /// As annotations of GitHub Actions
    Github,
    /// As SARIF 2.1.0
    Sarif,
    /// As a JUnit report
    Junit,
}

/// `--kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KindArg {
    /// A sessions.json
    Store,
    /// A list of cron jobs, jobs.json
    Jobs,
    /// The state of cron jobs, jobs-state.json
    JobsState,
    /// The run log of a cron job
    RunLog,
}

/// `--deny`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DenyArg {
    /// Warnings
    Warning,
}

/// `undo`.
#[derive(Debug, Args)]
pub struct UndoArgs {
    /// The run, as `undo` lists it; a unique beginning is enough, `latest` is the newest
    #[arg(value_name = "RUN")]
    pub run: Option<String>,
    /// Write the store with the run undone to FILE and leave the store alone
    #[arg(long, value_name = "FILE", requires = "run")]
    pub to: Option<PathBuf>,
    /// How it writes.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A rule id, an exit code, or a session key
    #[arg(value_name = "RULE|KEY")]
    pub subject: String,
    /// For a session key: the limits of its verdict.
    #[command(flatten)]
    pub policy: PolicyArgs,
}

/// `hook`.
#[derive(Debug, Default, Clone, Args)]
pub struct HookArgs {
    /// Write the files; one that is not there as written by this command is left alone
    #[arg(long, conflicts_with = "uninstall")]
    pub install: bool,
    /// Remove what --install wrote
    #[arg(long)]
    pub uninstall: bool,
    /// The user's systemd [default: the one that has the gateway's unit, else the user's]
    #[arg(long, conflicts_with = "system")]
    pub user: bool,
    /// The system's
    #[arg(long)]
    pub system: bool,
    /// A timer as well that writes metrics to FILE every 5 minutes, as `check --metrics` does
    #[arg(long, value_name = "FILE", conflicts_with = "uninstall")]
    pub metrics: Option<PathBuf>,
}

/// `generate`.
#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// Which of them.
    #[command(subcommand)]
    pub what: Generate,
}

/// What `generate` prints.
#[derive(Debug, Clone, Subcommand)]
pub enum Generate {
    /// A page of the manual, in roff
    Man {
        /// The verb whose page it is, such as `prune` or `generate man` [default: the program's own]
        #[arg(value_name = "VERB")]
        verb: Vec<String>,
    },
    /// A script that makes a shell complete the command line
    Completions {
        /// The shell
        #[arg(value_enum, value_name = "SHELL")]
        shell: Shell,
    },
    /// A JSON Schema, draft 2020-12
    Schema {
        /// Of what
        #[arg(value_enum, value_name = "WHAT")]
        what: SchemaArg,
    },
}

/// What there is a schema of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaArg {
    /// What `--json` prints
    Report,
    /// A sessions.json, as `validate` judges one
    Store,
}

/// Consent.
#[derive(Debug, Default, Clone, Args)]
pub struct WriteArgs {
    /// Write; without it, only say what would be done
    #[arg(long, help_heading = "Writing")]
    pub apply: bool,
    /// Ask no question on a terminal
    #[arg(long, help_heading = "Writing")]
    pub yes: bool,
    /// Let OpenClaw's lock alone suffice: only beside a running gateway proven older than 2026.5.2
    #[arg(long, help_heading = "Writing")]
    pub live: bool,
    /// Write though nothing proves that the gateway is stopped; no verdict rests on it
    #[arg(long, help_heading = "Writing")]
    pub assume_stopped: bool,
}

/// Options of every command.
#[derive(Debug, Default, Clone, Args)]
pub struct CommonArgs {
    /// The state directory [default: OpenClaw's own rules]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Where to look")]
    pub state_dir: Option<PathBuf>,
    /// The profile whose state directory is meant
    #[arg(long, global = true, value_name = "NAME", help_heading = "Where to look")]
    pub profile: Option<String>,
    /// One store file instead of discovery (repeatable)
    #[arg(long, global = true, value_name = "FILE", help_heading = "Where to look")]
    pub store: Vec<PathBuf>,
    /// Where jobs.json, jobs-state.json and runs/ lie
    #[arg(long, global = true, value_name = "DIR", help_heading = "Where to look")]
    pub cron_dir: Option<PathBuf>,
    /// Act only on keys of this agent (repeatable); evidence is that of all agents
    #[arg(long, global = true, value_name = "ID", help_heading = "Where to look")]
    pub agent: Vec<String>,
    /// The clock of every verdict: RFC 3339 or epoch milliseconds [default: now]
    #[arg(long, global = true, value_name = "TIME", help_heading = "What to believe")]
    pub now: Option<String>,
    /// What to hold of the gateway's life
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "STATE",
        help_heading = "What to believe"
    )]
    pub gateway: GatewayArg,
    /// Print the report as JSON and nothing else
    #[arg(long, global = true, help_heading = "Output")]
    pub json: bool,
    /// Which entries the JSON report lists
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHICH", help_heading = "Output")]
    pub entries: EntriesArg,
    /// Say less: verdict lines and errors
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Output")]
    pub quiet: bool,
    /// Say more: every change with its reasons
    #[arg(short, long, global = true, help_heading = "Output")]
    pub verbose: bool,
    /// Colours
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", help_heading = "Output")]
    pub color: WhenArg,
    /// Progress on stderr, for work over a second
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", help_heading = "Output")]
    pub progress: WhenArg,
    /// Replace every string that comes from user data by a keyed tag
    #[arg(long, global = true, help_heading = "Output")]
    pub redact: bool,
    /// How many threads may scan [default: all cores]
    #[arg(long, global = true, value_name = "N", help_heading = "How to read")]
    pub threads: Option<NonZeroU16>,
    /// Read files instead of mapping them
    #[arg(long, global = true, help_heading = "How to read")]
    pub no_mmap: bool,
}

/// Limits of verdicts and plans.
#[derive(Debug, Default, Clone, Args)]
pub struct PolicyArgs {
    /// Nothing touched more recently is removed, save runs whose end is certain [default: 2h]
    #[arg(long, value_name = "DUR", help_heading = "Limits")]
    pub grace: Option<String>,
    /// Silence after which a claimed run is overdue [default: 2h]
    #[arg(long, value_name = "DUR", help_heading = "Limits")]
    pub max_running: Option<String>,
    /// Age from which a run record that is over is stale [default: cron.sessionRetention, else 24h]
    #[arg(long, value_name = "DUR", help_heading = "Limits")]
    pub run_retention: Option<String>,
    /// Age from which ended synthetic sessions are stale [default: session.maintenance.pruneAfter, else 30d]
    #[arg(long, value_name = "DUR", help_heading = "Limits")]
    pub prune_after: Option<String>,
    /// Let conversations be stale or surplus too; never main
    #[arg(long, help_heading = "Limits")]
    pub conversations: bool,
    /// Bring the store down to this size: SIZE, auto or off [default: off]
    #[arg(long, value_name = "SIZE", help_heading = "Limits")]
    pub budget: Option<String>,
    /// Cap over unprotected entries of every status, oldest first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Limits")]
    pub max_entries: Option<u64>,
    /// Act only on this class (repeatable)
    #[arg(long, value_enum, value_name = "CLASS", help_heading = "Limits")]
    pub only: Vec<ClassArg>,
    /// Keep what matches, by the whole key or the part behind `agent:ID:` (repeatable)
    #[arg(long, value_name = "GLOB", help_heading = "Limits")]
    pub keep: Vec<String>,
    /// The weakest verdict that is acted on [default: likely]
    #[arg(long, value_enum, value_name = "HOW", help_heading = "Limits")]
    pub confidence: Option<ConfidenceArg>,
    /// Share of a family, in percent, that may be removed [default: 25]
    #[arg(long, value_name = "PERCENT", help_heading = "Limits")]
    pub allow_removal: Option<String>,
}

impl Cli {
    /// The command that is called by these words, with all its options; the program itself for none.
    pub fn command_at(path: &[String]) -> Option<clap::Command> {
        let mut command = Cli::command().disable_help_subcommand(true);
        command.build();
        path.iter().try_fold(command, |command, name| command.find_subcommand(name).cloned())
    }
}

impl PolicyArgs {
    /// Whether nothing was typed.
    pub fn is_empty(&self) -> bool {
        let texts = [&self.grace, &self.max_running, &self.run_retention, &self.prune_after, &self.budget];
        texts.iter().all(|text| text.is_none())
            && !self.conversations
            && self.max_entries.is_none()
            && self.only.is_empty()
            && self.keep.is_empty()
            && self.confidence.is_none()
            && self.allow_removal.is_none()
    }
}

/// `--gateway`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum GatewayArg {
    /// Look
    #[default]
    Auto,
    /// It runs
    Running,
    /// It is stopped
    Stopped,
    /// Nobody knows
    Unknown,
}

/// `--entries`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum EntriesArg {
    /// None
    None,
    /// Those that change
    #[default]
    Changed,
    /// All
    All,
}

/// `--color` and `--progress`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum WhenArg {
    /// On a terminal
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// `--only`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ClassArg {
    /// Claims to run, and does not
    Zombie,
    /// What it belongs to is gone
    Orphaned,
    /// Over, and old
    Stale,
    /// One too many
    Surplus,
    /// Not as OpenClaw would write it
    Malformed,
}

/// `--confidence`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ConfidenceArg {
    /// The evidence leaves no other way
    Certain,
    /// Everything points to it
    Likely,
}
