//! Writes a state directory as it is made, entry by entry.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use super::caches::Caches;
use super::cron::{self, DELETED, JOBS};
use super::entry::Entry;
use super::expected::Summary;
use super::json::{Json, Style, object};
use super::others;
use super::rng::Rng;
use super::{Counts, Options, Transcripts, World};

/// Sizes of entries differ from their mean by up to this part of it.
const SPREAD: f64 = 0.05;

/// A state directory being written.
struct Writer<'a> {
    options: &'a Options,
    style: Style,
    caches: Caches,
    sessions: PathBuf,
    store: BufWriter<File>,
    expected: BufWriter<File>,
    /// By job; `None` for a job that the shape does not have.
    logs: Vec<Option<BufWriter<File>>>,
    /// Lines that come after all others of their log.
    last_lines: Vec<(usize, String)>,
    rows: Vec<(String, Json)>,
    transcribed: HashSet<String>,
    text: String,
    summary: Summary,
}

/// Writes everything; see [`super::generate`].
pub fn write(out: &Path, options: &Options, world: &World, counts: Counts) -> io::Result<Summary> {
    let state = out.join("state");
    let sessions = state.join("agents").join(&world.agent).join("sessions");
    fs::create_dir_all(out)?;
    if fs::read_dir(out)?.next().is_some() {
        let message = format!("{} is not empty", out.display());
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
    }
    for directory in [&state, &state.join("agents"), &state.join("cron"), &state.join("cron/runs")] {
        DirBuilder::new().mode(0o700).create(directory)?;
    }
    DirBuilder::new().recursive(true).create(&sessions)?;

    let pretty = Style { indent: 2 };
    let totals = counts.records.map(|(total, _)| total);
    let known: Vec<usize> = counts.bases.iter().copied().filter(|&job| job != DELETED).collect();
    let jobs = cron::jobs_file(world, &known, totals, counts.kinds.len() > 1);
    create(&state.join("cron/jobs.json"))?.write_all(pretty.document(&jobs).as_bytes())?;
    if options.config {
        create(&state.join("openclaw.json"))?.write_all(CONFIG.as_bytes())?;
    }

    let mut logs = Vec::with_capacity(JOBS);
    for job in 0..JOBS {
        let path = state.join("cron/runs").join(format!("{}.jsonl", world.jobs[job]));
        logs.push(if counts.bases.contains(&job) { Some(BufWriter::new(create(&path)?)) } else { None });
    }
    let style = Style { indent: options.indent };
    let mut writer = Writer {
        options,
        style,
        caches: Caches::new(style, options.entry_bytes as usize),
        store: BufWriter::with_capacity(1 << 20, create(&sessions.join("sessions.json"))?),
        sessions,
        expected: BufWriter::with_capacity(1 << 18, create(&out.join("expected.jsonl"))?),
        logs,
        last_lines: Vec::new(),
        rows: Vec::new(),
        transcribed: HashSet::new(),
        text: String::new(),
        summary: Summary::default(),
    };
    writer.entries(world, counts)?;
    let (mut summary, rows) = writer.finish()?;
    if !rows.is_empty() {
        let registry = object([("version", 2.into()), ("runs", Json::Object(rows))]);
        DirBuilder::new().mode(0o700).create(state.join("subagents"))?;
        create(&state.join("subagents/runs.json"))?.write_all(pretty.document(&registry).as_bytes())?;
    }
    summary.store_bytes =
        fs::metadata(state.join("agents").join(&world.agent).join("sessions/sessions.json"))?.len();
    let mut file = create(&out.join("summary.json"))?;
    serde_json::to_writer_pretty(&mut file, &summary)?;
    file.write_all(b"\n")?;
    Ok(summary)
}

impl Writer<'_> {
    /// Bases and the main session first, then everything else mixed, each part in its own order.
    fn entries(&mut self, world: &World, counts: Counts) -> io::Result<()> {
        let transcripts = self.options.transcripts != Transcripts::None;
        for &job in &counts.bases {
            let mut base = cron::base(world, job, counts.records[job].0, transcripts);
            self.last_lines.extend(base.traces.line.take());
            self.transcribed.insert(base.session_id.clone());
            self.entry(base, true)?;
        }
        let mut kinds = counts.kinds.into_iter();
        if let Some(main) = kinds.next() {
            self.entry(main, false)?;
        }

        let kinds: Vec<Entry> = kinds.collect();
        let mut left = counts.records.map(|(total, _)| total).to_vec();
        left.extend([kinds.len() as u64, counts.more]);
        let mut kinds = kinds.into_iter();
        let mut rng = Rng::new(world.seed, "order", 0);
        let mut rest: u64 = left.iter().sum();
        while rest > 0 {
            let mut at = rng.below(rest);
            let part = left.iter().position(|&count| {
                let here = at < count;
                at = at.saturating_sub(if here { 0 } else { count });
                here
            });
            let part = part.expect("a part with entries left");
            let entry = if part < JOBS {
                let (total, marked) = counts.records[part];
                Some(cron::record(world, part, total - left[part], total, marked))
            } else if part == JOBS {
                kinds.next()
            } else {
                Some(others::more(world, counts.more - left[part]))
            };
            self.entry(entry.expect("a kind for every count"), false)?;
            left[part] -= 1;
            rest -= 1;
        }
        Ok(())
    }

    fn entry(&mut self, mut entry: Entry, base: bool) -> io::Result<()> {
        let index = self.summary.total;
        let mut rng = Rng::new(self.options.seed, "entry", index);
        entry.foreign = rng.chance(self.options.non_ascii);
        if let Some(label) = entry.label.as_mut().filter(|_| entry.foreign) {
            label.push_str(" – Übersicht 概要");
        }

        // The mean counts the comma, the line break and the blanks before the key as well.
        self.text.clear();
        if index == 0 {
            self.text.push('{');
        }
        self.style.separate(&mut self.text, usize::from(index > 0), 1);
        let start = self.text.len();
        let part = 1.0 - SPREAD + 2.0 * SPREAD * rng.below(1_000) as f64 / 999.0;
        let size = (self.options.entry_bytes as f64 * part) as usize;
        let chance = rng.next();
        entry.render(&mut self.text, self.style, &self.caches, size.saturating_sub(start), chance);
        let bytes = (self.text.len() - start) as u64;
        self.store.write_all(self.text.as_bytes())?;

        let answer = entry.expected(bytes);
        serde_json::to_writer(&mut self.expected, &answer)?;
        self.expected.write_all(b"\n")?;
        self.summary.add(&answer);

        if let Some((job, line)) = entry.traces.line.take() {
            self.log(job, &line)?;
        }
        self.rows.extend(entry.traces.row.take());
        let wanted = match self.options.transcripts {
            Transcripts::None => false,
            Transcripts::Some => entry.traces.transcript,
            Transcripts::All => true,
        };
        if wanted && (base || !self.transcribed.contains(&entry.session_id)) {
            self.transcript(&entry)?;
        }
        if entry.traces.lock && self.options.transcripts != Transcripts::None {
            self.lock(&entry)?;
        }
        Ok(())
    }

    fn log(&mut self, job: usize, line: &str) -> io::Result<()> {
        let log = self.logs[job].as_mut().expect("a job with runs has a log");
        writeln!(log, "{line}")
    }

    /// A transcript of one question and one answer; its last line is the last sign of life.
    fn transcript(&self, entry: &Entry) -> io::Result<()> {
        let end = entry.traces.transcript_end.unwrap_or(entry.updated_at);
        let start = end - 900;
        let lines = [
            object([
                ("type", "session".into()),
                ("version", 3.into()),
                ("id", entry.session_id.as_str().into()),
                ("timestamp", iso(start).into()),
                ("cwd", "/home/user/.openclaw/workspace".into()),
            ]),
            message("0000a001", None, "user", "Go on", start + 5),
            message("0000a002", Some("0000a001"), "assistant", "Nothing new.", end),
        ];
        let mut file = File::create(self.sessions.join(format!("{}.jsonl", entry.session_id)))?;
        let mut text = String::new();
        for line in &lines {
            text.push_str(&Style { indent: 0 }.document(line));
            text.push('\n');
        }
        file.write_all(text.as_bytes())
    }

    /// What a killed process leaves: the lock of a pid that no Linux can give.
    fn lock(&self, entry: &Entry) -> io::Result<()> {
        let lock = object([
            ("pid", 99_999_999.into()),
            ("createdAt", iso(entry.updated_at).into()),
            ("starttime", 99_446.into()),
        ]);
        let mut file = File::create(self.sessions.join(format!("{}.jsonl.lock", entry.session_id)))?;
        file.write_all(Style { indent: 2 }.document(&lock).as_bytes())
    }

    fn finish(mut self) -> io::Result<(Summary, Vec<(String, Json)>)> {
        self.text.clear();
        self.style.line(&mut self.text, 0);
        self.text.push('}');
        self.store.write_all(self.text.as_bytes())?;
        self.store.flush()?;
        self.expected.flush()?;
        for (job, line) in std::mem::take(&mut self.last_lines) {
            self.log(job, &line)?;
        }
        self.logs.iter_mut().flatten().try_for_each(Write::flush)?;
        Ok((self.summary, self.rows))
    }
}

fn message(id: &str, parent: Option<&str>, role: &str, text: &str, at: i64) -> Json {
    let content = object([("type", "text".into()), ("text", text.into())]);
    object([
        ("type", "message".into()),
        ("id", id.into()),
        ("parentId", parent.map_or_else(|| Json::Rendered("null".into()), Json::from)),
        ("timestamp", iso(at).into()),
        (
            "message",
            object([("role", role.into()), ("content", Json::List(vec![content])), ("timestamp", at.into())]),
        ),
    ])
}

fn iso(at: i64) -> String {
    let time = UNIX_EPOCH + Duration::from_millis(at.max(0).unsigned_abs());
    humantime::format_rfc3339_millis(time).to_string()
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

const CONFIG: &str = "{
  // What OpenClaw takes for granted anyway.
  cron: { sessionRetention: '24h' },
  session: { maintenance: { mode: 'warn', pruneAfter: '30d' } },
}
";
