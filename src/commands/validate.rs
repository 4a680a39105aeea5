//! `validate`: files of fixtures, backups and live directories, held against what OpenClaw would make of them.
//!
//! One file is open at a time, and what is wrong with it is told before the next.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::speak;
use crate::cli::UsageError;
use crate::cli::args::FormatArg;
use crate::cli::settings::{self, Level, Settings};
use crate::cli::verbs::Validate;
use crate::diagnose::run::Edge;
use crate::diagnose::validate::{self, Lens, Validation, documents, jobs};
use crate::evidence::named::{self, FileKind};
use crate::exit::Exit;
use crate::host::files;
use crate::model::entry::Flags;
use crate::report::human::Verbosity;
use crate::report::model::{Finding, Severity};
use crate::report::redact::Redactor;
use crate::report::style::Style;
use crate::report::validate::github::Github;
use crate::report::validate::human::Human;
use crate::report::validate::json::Json;
use crate::report::validate::junit::Junit;
use crate::report::validate::model::{Closing, FileVerdict, Frame, Problem, Problems, Speaker};
use crate::report::validate::sarif::Sarifs;
use crate::scan::entries::KeyContext;
use crate::scan::source::{FileSource, Source, read_range};
use crate::tell::validate::{FileProblems, Strictness};

/// What `-` is called.
const STDIN: &str = "-";

/// Looks at every file, and says what it came to.
pub fn run(edge: &Edge<'_>, wanted: &Validate) -> anyhow::Result<Exit> {
    let strictness = match strictness(edge, wanted) {
        Ok(strictness) => strictness,
        Err(error) => return speak::end(edge, Exit::Usage, "look-failed", &error.0),
    };
    let redactor = speak::redactor(edge, None);
    let mut round = Round { edge, wanted, strictness, redactor, findings: Vec::new(), exit: Exit::Healthy };
    let mut speaker = speaker(edge, wanted.format);
    match round.speak(&mut *speaker) {
        // Whoever closed the pipe has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(round.exit),
        Err(error) => Err(anyhow::Error::from(error).context("the report could not be written to stdout")),
        Ok(()) => Ok(round.exit),
    }
}

/// What the command line and the file of the project hold of the rules.
fn strictness(edge: &Edge<'_>, wanted: &Validate) -> Result<Strictness, UsageError> {
    let (settings, path) = settings(edge)?;
    let typed = wanted.allowed.iter().map(|id| ("--allow", id));
    for (place, id) in typed.chain(settings.rules.keys().map(|id| (path.as_str(), id))) {
        if !validate::ids().any(|known| known == id.as_str()) {
            let known: Vec<&str> = validate::ids().collect();
            return Err(UsageError(format!(
                "{place} {id}: no rule of validate; name one of {}",
                known.join(", ")
            )));
        }
    }
    Ok(Strictness {
        allowed: [wanted.allowed.clone(), settings.at(Level::Allow)].concat(),
        warned: settings.at(Level::Warning),
        denied: settings.at(Level::Error),
        deny_warnings: wanted.deny_warnings,
    })
}

/// The nearest file of settings, from the current directory upwards, and where it lies.
fn settings(edge: &Edge<'_>) -> Result<(Settings, String), UsageError> {
    for dir in edge.host.cwd.ancestors() {
        let file = dir.join(settings::NAME);
        let path = file.display().to_string();
        match files::read_regular(&file) {
            Ok(bytes) => return Ok((Settings::read(&String::from_utf8_lossy(&bytes), &path)?, path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(UsageError(format!("{path}: {error}"))),
        }
    }
    Ok((Settings::default(), String::new()))
}

fn speaker(edge: &Edge<'_>, format: FormatArg) -> Box<dyn Speaker> {
    let output = &edge.request.output;
    let verbosity = if output.quiet { Verbosity::Quiet } else { Verbosity::Normal };
    match format {
        FormatArg::Human => Box::new(Human::new(Style::new(speak::colour(edge), None), verbosity)),
        FormatArg::Json => Box::new(Json::default()),
        FormatArg::Github => Box::new(Github),
        FormatArg::Sarif => Box::new(Sarifs::default()),
        FormatArg::Junit => Box::new(Junit::default()),
    }
}

/// One look at all files.
struct Round<'a, 'e> {
    edge: &'a Edge<'e>,
    wanted: &'a Validate,
    strictness: Strictness,
    redactor: Redactor,
    findings: Vec<Finding>,
    exit: Exit,
}

impl Round<'_, '_> {
    fn speak(&mut self, speaker: &mut dyn Speaker) -> io::Result<()> {
        let mut out = self.edge.out.borrow_mut();
        speaker.begin(&mut *out, &self.frame())?;
        for path in &self.wanted.paths {
            for path in self.files(path) {
                if let Some(mut validation) = self.look(&path) {
                    self.file(&mut *out, speaker, &path, &mut validation)?;
                }
            }
        }
        let closing = Closing {
            findings: std::mem::take(&mut self.findings),
            complete: matches!(self.exit, Exit::Healthy | Exit::Findings | Exit::Damaged),
            exit_code: self.exit.code(),
        };
        speaker.end(&mut *out, &closing)?;
        out.flush()
    }

    fn frame(&self) -> Frame {
        let blank = speak::blank(self.edge.request.verb.name(), self.now());
        Frame {
            schema: blank.schema,
            version: blank.version,
            tool: blank.tool,
            command: blank.command,
            applied: blank.applied,
            now: blank.now,
            state_dir: blank.state_dir,
            era: blank.era,
            gateway: blank.gateway,
            evidence: blank.evidence,
            cron_jobs: blank.cron_jobs,
            runs: blank.runs,
            openclaw: self.wanted.version.name(),
        }
    }

    fn now(&self) -> i64 {
        self.edge.request.now.unwrap_or(self.edge.host.now_ms)
    }

    /// The files that a word of the command line names.
    fn files(&mut self, path: &Path) -> Vec<PathBuf> {
        if path.as_os_str() == STDIN || !path.is_dir() {
            return vec![path.to_owned()];
        }
        match named::below(path) {
            Ok(found) if found.is_empty() => {
                self.fail(path, Exit::Io, "no file of OpenClaw below it");
                found
            }
            Ok(found) => found,
            Err(error) => {
                self.failed(path, &error);
                Vec::new()
            }
        }
    }

    fn look(&mut self, path: &Path) -> Option<Validation> {
        match self.try_look(path) {
            Ok(validation) => Some(validation),
            Err(error) => {
                self.failed(path, &error);
                None
            }
        }
    }

    fn try_look(&self, path: &Path) -> io::Result<Validation> {
        let edge = self.edge;
        let is_stdin = path.as_os_str() == STDIN;
        let file = if is_stdin { named::spooled(io::stdin().lock())? } else { files::open_regular(path)? };
        let mut source = FileSource::from_file(file, edge.request.map)?;
        let real = if is_stdin { None } else { Some(path.canonicalize()?) };
        let (kind, job) = self.kind(path, &mut source)?;
        let dir = real.as_deref().and_then(Path::parent);
        let lens = Lens { version: self.wanted.version, now: self.now(), dir };
        let keys = KeyContext { main_key: "main", marks: &|_, _| Flags::NONE };
        let options = edge.read_options(keys, "main", false);
        let name = path.display().to_string();
        match kind {
            FileKind::Store => validate::store(source, &lens, &options, &name),
            FileKind::Jobs | FileKind::JobsState => jobs::open(source, kind, &lens, &options, &name),
            FileKind::RunLog => documents::run_log(source, job, &lens, &options),
        }
    }

    /// What the file holds, and the job that the name of a run log tells of.
    fn kind(&self, path: &Path, source: &mut FileSource) -> io::Result<(FileKind, Option<String>)> {
        let named = FileKind::by_name(path);
        let kind = match self.wanted.kind.or(named) {
            Some(kind) => kind,
            None => {
                let head = source.len().min(named::HEAD);
                FileKind::by_shape(&read_range(source, 0..head)?)
            }
        };
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        Ok((kind, stem.filter(|_| named == Some(FileKind::RunLog))))
    }

    fn file(
        &mut self,
        out: &mut dyn Write,
        speaker: &mut dyn Speaker,
        path: &Path,
        validation: &mut Validation,
    ) -> io::Result<()> {
        let (version, strictness, redactor) = (self.wanted.version, &self.strictness, &self.redactor);
        let mut problems =
            Told { inner: FileProblems { validation, version, strictness, redactor }, failed: None };
        let row = problems.inner.row(&path.display().to_string());
        speaker.file(out, &row, &mut problems)?;
        let failed = problems.failed;
        self.exit = self.exit.worst(match row.verdict {
            FileVerdict::Valid => Exit::Healthy,
            FileVerdict::Problems => Exit::Findings,
            FileVerdict::Damaged => Exit::Damaged,
        });
        if let Some(error) = failed {
            self.failed(path, &error);
        }
        Ok(())
    }

    fn failed(&mut self, path: &Path, error: &io::Error) {
        let is_busy = error.kind() == io::ErrorKind::UnexpectedEof;
        let exit = if is_busy { Exit::Busy } else { Exit::Io };
        self.fail(path, exit, &error.to_string());
    }

    fn fail(&mut self, path: &Path, exit: Exit, why: &str) {
        self.exit = self.exit.worst(self.edge.cancel.requested().unwrap_or(exit));
        let path = self.redactor.path(&path.display().to_string());
        let message = format!("{path}: {why}");
        if self.wanted.format == FormatArg::Human {
            speak::say(self.edge, &message);
        }
        self.findings.push(Finding {
            check_id: "store-unreadable",
            severity: Severity::Error,
            message,
            path: Some(path),
            count: None,
            fix_hint: None,
        });
    }
}

/// Problems whose reading may fail after some of them were told: what was begun can still be ended.
struct Told<'a> {
    inner: FileProblems<'a>,
    failed: Option<io::Error>,
}

impl Problems for Told<'_> {
    fn for_each(&mut self, sink: &mut dyn FnMut(&Problem) -> io::Result<()>) -> io::Result<()> {
        let mut broken = None;
        let read = self.inner.for_each(&mut |problem| {
            sink(problem).map_err(|error| {
                let kind = error.kind();
                broken = Some(error);
                kind.into()
            })
        });
        match broken {
            Some(error) => Err(error),
            None => {
                self.failed = read.err();
                Ok(())
            }
        }
    }
}
