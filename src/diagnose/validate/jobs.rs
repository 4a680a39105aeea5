//! Opens lists of jobs, and what is kept of their state: JSON, else JSON5, in the shape that a version wants.

use std::io;
use std::ops::Range;

use super::documents::{Document, Parts, conclude};
use super::{Body, Follower, Lens, Reads, Validation, text_start};
use crate::diagnose::read::ReadOptions;
use crate::evidence::named::FileKind;
use crate::model::problem::{Found, Gravity};
use crate::openclaw::json::{self, Tree};
use crate::openclaw::versions::Version;
use crate::rules::store::Damaged;
use crate::rules::validate::documents::{Against, JOBS_JSON5, UNREADABLE};
use crate::scan::automaton::Kind;
use crate::scan::entries::{Scan, scan_by};
use crate::scan::members;
use crate::scan::source::{FileSource, Source, read_range};
use crate::scan::value::Value;

/// No list of jobs is larger.
const LARGEST: u64 = 512 << 20;
/// The version of the format that OpenClaw wants of the state of jobs.
const STATE_VERSION: f64 = 1.0;

/// Validates a list of jobs, or what is kept of their state.
pub fn open(
    mut source: FileSource,
    kind: FileKind,
    lens: &Lens<'_>,
    options: &ReadOptions<'_>,
    name: &str,
) -> io::Result<Validation> {
    let against = lens.against();
    if source.len() > LARGEST {
        return Err(io::Error::from(io::ErrorKind::FileTooLarge));
    }
    let task = options.progress.start(&format!("reading {name}"), source.len());
    let watch = |_: Range<u64>| Follower { task: &task, cancel: options.cancel };
    let (scan, _) = scan_by(options.crew, &mut source, &options.keys, &watch)?;
    drop(task);
    let len = source.len();
    let text = read_range(&mut source, 0..len)?;
    source.unchanged()?;
    if scan.outcome.fault.is_some() {
        return json5(source, kind, &scan, &text, against, options);
    }
    let Some(inside) = inside(&mut source, kind, &scan, against.version)? else {
        return Ok(unreadable(source, kind, &scan, shape(kind, against.version)));
    };
    let parts = match kind {
        FileKind::JobsState => Parts::States { text, jobs: inside },
        _ => Parts::Jobs { text, list: inside },
    };
    let whole =
        scan.bom.then(|| said("the file begins with a byte order mark, which only JSON5 allows", against));
    conclude(source, kind, text_start(&scan), Document::new(parts, whole, against), options)
}

/// Where the jobs stand; `None` where OpenClaw finds none.
fn inside(
    source: &mut FileSource,
    kind: FileKind,
    scan: &Scan,
    version: Version,
) -> io::Result<Option<Range<u64>>> {
    let root = scan.outcome.root_start..scan.outcome.root_end;
    if kind == FileKind::Jobs && scan.outcome.root == Some(Kind::Array) && version >= Version::DROPS_ON_LOAD {
        return Ok(Some(root));
    }
    if scan.outcome.root != Some(Kind::Object) {
        return Ok(None);
    }
    let found = members::find(source, root, &["version", "jobs"])?;
    let [format, jobs] = found.as_slice() else { return Ok(None) };
    let wanted = if kind == FileKind::Jobs { Kind::Array } else { Kind::Object };
    let Some(jobs) = jobs.as_ref().filter(|jobs| jobs.kind == wanted) else { return Ok(None) };
    if kind == FileKind::JobsState {
        let Some(format) = format else { return Ok(None) };
        let text = read_range(source, format.value.clone())?;
        if Value::new(&text, 0).number() != Some(STATE_VERSION) {
            return Ok(None);
        }
    }
    Ok(Some(jobs.value.clone()))
}

fn shape(kind: FileKind, version: Version) -> String {
    match kind {
        FileKind::JobsState => {
            "OpenClaw needs an object with version 1 and an object of jobs, and takes this for no state at all".to_owned()
        }
        _ if version >= Version::DROPS_ON_LOAD => "no list of jobs: OpenClaw takes it for an empty one".to_owned(),
        _ => "no object with a list of jobs: OpenClaw takes it for an empty one".to_owned(),
    }
}

/// What is no JSON may be JSON5, which OpenClaw reads as well. Places in it are not known.
fn json5(
    source: FileSource,
    kind: FileKind,
    scan: &Scan,
    text: &[u8],
    against: Against,
    options: &ReadOptions<'_>,
) -> io::Result<Validation> {
    let fault = scan.outcome.fault.as_ref().map(ToString::to_string).unwrap_or_default();
    let tree = match json::parse_json5(text) {
        Ok(tree) => tree,
        Err(why) => {
            let fate = match kind {
                FileKind::JobsState => "OpenClaw goes on without it",
                _ => "OpenClaw runs no job until it is mended",
            };
            return Ok(unreadable(source, kind, scan, format!("{fault}; nor is it JSON5 ({why}): {fate}")));
        }
    };
    let (wanted, text) = (tree.get("jobs"), tree.get("jobs").map(|jobs| jobs.to_json().into_bytes()));
    let parts = match (kind, wanted, text) {
        (FileKind::JobsState, Some(Tree::Object(_)), Some(text))
            if tree.get("version").and_then(Tree::number) == Some(STATE_VERSION) =>
        {
            Parts::States { jobs: 0..text.len() as u64, text }
        }
        (FileKind::Jobs, Some(Tree::List(_)), Some(text)) => Parts::Jobs { list: 0..text.len() as u64, text },
        _ => return Ok(unreadable(source, kind, scan, shape(kind, against.version))),
    };
    // Its parts can be counted, but nobody knows where they stand.
    let (_, keys, reads) = Document::new(parts, None, against).counted(&source, options.cancel)?;
    let whole = said(&format!("the file is JSON5 ({fault})"), against);
    let document = Document::new(Parts::Nothing, Some(whole), against);
    let validation = conclude(source, kind, text_start(scan), document, options)?;
    Ok(Validation { keys, reads, ..validation })
}

fn said(what: &str, against: Against) -> Found {
    let places = if what.contains("JSON5 (") { "; what is wrong inside is only told of JSON" } else { "" };
    let message =
        format!("{what}: OpenClaw {} reads it, other tools may not{places}", against.version.name());
    Found { rule: &JOBS_JSON5, gravity: Gravity::Warning, offset: 0, message, value: None }
}

/// What OpenClaw reads nothing of.
fn unreadable(source: FileSource, kind: FileKind, scan: &Scan, detail: String) -> Validation {
    let fault = scan.outcome.fault.as_ref();
    let place =
        fault.map_or((scan.outcome.root_start, 1, 1), |fault| (fault.offset, fault.line, fault.column));
    let (start, line, column) = place;
    let damage = vec![Damaged { rule: UNREADABLE, start, end: source.len(), line, column, detail }];
    let reads = Reads { entries: 0, outcome: "empty" };
    Validation { kind, source, text_start: text_start(scan), damage, keys: 0, reads, body: Body::Nothing }
}
