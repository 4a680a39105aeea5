//! Prevents a damage, or two of them at once, from costing an entry that it does not touch.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::generate::{self, Options, Shape, Transcripts};
use crate::node::Node;
use crate::samples;
use clap::Parser;
use sessions_doctor::apply::liveness::ProcLiveness;
use sessions_doctor::apply::{Cancel, Limits, RealDisk};
use sessions_doctor::cli::args::Cli;
use sessions_doctor::cli::request::Request;
use sessions_doctor::commands;
use sessions_doctor::diagnose::run::Writer;
use sessions_doctor::exit::Exit;
use sessions_doctor::model::entry::Flags;
use sessions_doctor::scan::entries::{KeyContext, scan};
use sessions_doctor::scan::salvage::salvage;
use sessions_doctor::scan::source::MemorySource;

/// A store in a directory in memory, to be recovered again and again.
struct Bed {
    _dir: tempfile::TempDir,
    store: PathBuf,
    output: PathBuf,
}

impl Bed {
    fn new() -> Self {
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let sessions = dir.path().join("state/agents/main/sessions");
        fs::create_dir_all(&sessions).unwrap();
        Bed { store: sessions.join("sessions.json"), output: dir.path().join("recovered.json"), _dir: dir }
    }

    /// What `recover --output` makes of a store; nothing where it finds no entry.
    fn recover(&self, damaged: &[u8]) -> Option<Vec<u8>> {
        fs::write(&self.store, damaged).unwrap();
        let _ = fs::remove_file(&self.output);
        let state = self.store.ancestors().nth(4).unwrap();
        let words = ["sessions-doctor", "recover", "-q", "--gateway", "stopped", "--now", "1795223670000"];
        let places = [Path::new("--state-dir"), state, Path::new("--output"), &self.output];
        let line = words.iter().map(Path::new).chain(places);
        let request = Request::read(Cli::try_parse_from(line).unwrap()).unwrap();
        let writer = Writer { disk: &RealDisk, liveness: &ProcLiveness, limits: Limits::default() };
        let out: RefCell<Vec<u8>> = RefCell::default();
        let exit = commands::run_with(&request, writer, &Cancel::new(), &out).unwrap();
        let read = fs::read(&self.output).ok();
        assert_eq!(exit, if read.is_some() { Exit::Healthy } else { Exit::Damaged });
        read
    }
}

fn entries_of(text: &[u8]) -> Vec<Range<usize>> {
    let context = KeyContext { main_key: "main", marks: &|_, _| Flags::NONE };
    let scan = scan(&mut MemorySource::new(text, usize::MAX), &context, &mut |_| Ok(())).unwrap();
    assert_eq!(scan.outcome.fault, None);
    scan.entries.iter().map(|entry| entry.start() as usize..entry.end() as usize).collect()
}

/// About 2 MB.
fn store() -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        entries: Some(700),
        entry_bytes: 3000,
        transcripts: Transcripts::None,
        ..Options::new(Shape::Issue61633)
    };
    generate::generate(dir.path(), &options).unwrap();
    fs::read(dir.path().join("state/agents/main/sessions/sessions.json")).unwrap()
}

/// So many numbers below `end`, the same ones each time.
fn numbers(mut seed: u64, count: usize, end: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |_| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % end
    })
}

fn cut_everywhere(seed: u64, count: usize) {
    let (text, bed) = (store(), Bed::new());
    let entries = entries_of(&text);
    assert!(text.len() > 1 << 20 && entries.len() > 300, "{} bytes, {}", text.len(), entries.len());
    let mut node = Node::or_skip("a store that is cut anywhere");
    let mut parsed = BTreeSet::new();
    // Close to where entries begin and end, and anywhere.
    let near = numbers(seed, count / 2, entries.len()).zip(numbers(seed + 1, count / 2, 9));
    let near: Vec<usize> = near.map(|(at, off)| (entries[at].end + off).saturating_sub(4)).collect();
    for cut in near.into_iter().chain(numbers(seed + 2, count / 2, text.len())) {
        let whole = entries.iter().take_while(|entry| entry.end <= cut).last();
        let expected = whole.map(|last| [&text[..last.end], b"\n}"].concat());
        let found = bed.recover(&text[..cut.min(text.len() - 1)]);
        assert!(found == expected, "cut at byte {cut}: not what ends before it, or more than that");
        if let (Some(node), Some(found)) = (&mut node, &found)
            && parsed.insert(found.len())
        {
            let judged = node.judge(found);
            assert!(
                judged["valid"] == true && judged["kind"] == "object",
                "cut at byte {cut}: Node refuses it"
            );
        }
    }
}

#[test]
fn a_store_of_two_megabytes_that_is_cut_at_five_hundred_places_keeps_what_ends_before() {
    cut_everywhere(1, 500);
}

#[test]
fn a_store_of_two_megabytes_that_is_cut_at_five_hundred_other_places_keeps_what_ends_before() {
    cut_everywhere(1001, 500);
}

/// A store whose entries carry numbers, damaged or not.
#[derive(Clone)]
struct Patient {
    text: Vec<u8>,
    keys: Vec<Vec<u8>>,
    touched: BTreeSet<usize>,
}

impl Patient {
    /// Where entry `at` begins, at its quote; the first copy, should there be two.
    fn start(&self, at: usize) -> usize {
        let wanted = [b"\n  ", &self.keys[at][..], b": {"].concat();
        let found = self.text.windows(wanted.len()).position(|window| window == wanted);
        found.unwrap_or_else(|| panic!("entry {at} is not there")) + 3
    }

    fn touch(&mut self, entries: impl IntoIterator<Item = usize>) {
        self.touched.extend(entries);
    }

    fn splice(&mut self, at: usize, gone: usize, new: &[u8]) {
        self.text.splice(at..at + gone, new.iter().copied());
    }
}

type Damage = (&'static str, fn(&mut Patient, usize));

/// Each damages at, or in front of, entry `at`; `at` is neither the first nor the last.
const DAMAGES: [Damage; 16] = [
    ("a byte order mark", |patient, _| patient.splice(0, 0, b"\xef\xbb\xbf")),
    ("NULs behind", |patient, _| patient.text.extend([0; 512])),
    ("rubbish behind", |patient, _| patient.text.extend(b"\n}]\n  x")),
    ("the same once more", |patient, _| patient.text.extend_from_within(..)),
    ("a list", |patient, _| {
        patient.splice(0, 0, b"[");
        patient.text.push(b']');
    }),
    ("cut", |patient, at| {
        let start = patient.start(at);
        patient.text.truncate(start + 30);
        patient.touch(at..patient.keys.len());
    }),
    ("no comma", |patient, at| {
        let start = patient.start(at);
        patient.splice(start - 4, 1, b"");
    }),
    ("two commas", |patient, at| {
        let start = patient.start(at);
        patient.splice(start - 3, 0, b",");
    }),
    ("no closing brace", |patient, at| {
        let start = patient.start(at + 1);
        patient.splice(start - 5, 1, b"");
        patient.touch([at]);
    }),
    ("no opening brace", |patient, at| {
        let brace = patient.start(at) + patient.keys[at].len() + 2;
        patient.splice(brace, 1, b"");
        patient.touch([at]);
    }),
    ("a control character", |patient, at| {
        let start = patient.start(at);
        let quote =
            patient.text[start..].windows(4).position(|text| text == b": \"\x78" || &text[..3] == b": \"");
        patient.splice(start + quote.unwrap() + 3, 0, b"\x01");
        patient.touch([at]);
    }),
    ("a line feed in a string", |patient, at| {
        let start = patient.start(at);
        let quote = patient.text[start..].windows(3).position(|text| text == b": \"").unwrap();
        patient.splice(start + quote + 3, 0, b"\n");
        patient.touch([at]);
    }),
    ("rubbish between", |patient, at| {
        let start = patient.start(at);
        patient.splice(start - 3, 0, b"\n<<<<<<< HEAD {\"x\": [1, \"");
    }),
    ("rubbish inside", |patient, at| {
        let start = patient.start(at);
        patient.splice(start + patient.keys[at].len() + 40, 3, b"}}\"[{\\");
        patient.touch([at]);
    }),
    ("bytes missing", |patient, at| {
        let (start, next) = (patient.start(at), patient.start(at + 1));
        patient.splice(start + 60, next - start, b"");
        patient.touch([at, at + 1]);
    }),
    ("a hole of zeros", |patient, at| {
        let (start, next) = (patient.start(at), patient.start(at + 1));
        let hole = start + 50..next + 40;
        patient.text[hole].fill(0);
        patient.touch([at, at + 1]);
    }),
];

/// The real sample.
fn patient() -> (Patient, Vec<Vec<u8>>) {
    let sample = "openclaw-2026.3.28/normal-then-crash";
    let text = fs::read(samples::directory(sample).join(samples::expected(sample).store)).unwrap();
    let spans = entries_of(&text);
    let entries: Vec<Vec<u8>> = spans.iter().map(|span| text[span.clone()].to_vec()).collect();
    let key =
        |entry: &Vec<u8>| entry[..entry.windows(3).position(|text| text == b"\": ").unwrap() + 1].to_vec();
    (Patient { text, keys: entries.iter().map(key).collect(), touched: BTreeSet::new() }, entries)
}

/// Every entry that nothing touches is had back, without a doubt, and nothing is had that never was.
fn assert_had_back(patient: &Patient, entries: &[Vec<u8>], what: &str) {
    let context = KeyContext { main_key: "main", marks: &|_, _| Flags::NONE };
    let mut source = MemorySource::new(&patient.text, usize::MAX);
    let found = salvage(&mut source, &context, &mut |_, _| Ok(())).unwrap();
    let certain = (0..).zip(found.entries.iter()).filter(|(at, _)| !found.likely.contains(at));
    let found: BTreeSet<&[u8]> =
        certain.map(|(_, entry)| &patient.text[entry.start() as usize..entry.end() as usize]).collect();
    for (at, entry) in entries.iter().enumerate() {
        let had = found.contains(&entry[..]);
        assert!(had || patient.touched.contains(&at), "{what}: entry {at} is lost, and was not touched");
    }
    let made_up: Vec<_> = found.iter().filter(|text| !entries.iter().any(|entry| entry == *text)).collect();
    // Where bytes are missing, what is left may be an entry in itself: nobody can tell.
    assert!(made_up.len() <= usize::from(what.contains("bytes missing")), "{what}: an entry that never was");
}

#[test]
fn each_damage_of_the_real_sample_costs_at_most_the_entries_that_it_touches() {
    let (whole, entries) = patient();
    assert!(entries.len() > 8, "{}", entries.len());
    for (name, damage) in DAMAGES {
        for at in 1..entries.len() - 2 {
            let mut patient = whole.clone();
            damage(&mut patient, at);
            assert_had_back(&patient, &entries, &format!("{name} at entry {at}"));
        }
    }
}

#[test]
fn each_pair_of_damages_costs_at_most_the_entries_that_both_touch() {
    let (whole, entries) = patient();
    let (early, late) = (1, entries.len() - 4);
    for (first, one) in DAMAGES {
        for (second, other) in DAMAGES {
            for (a, b) in [(early, late), (late, early)] {
                let mut patient = whole.clone();
                one(&mut patient, a);
                // A place that the first damage took away cannot be damaged again.
                let key = [b"\n  ", &patient.keys[b][..], b": {"].concat();
                if !patient.text.windows(key.len()).any(|text| text == key) {
                    continue;
                }
                other(&mut patient, b);
                assert_had_back(
                    &patient,
                    &entries,
                    &format!("{first} at entry {a}, then {second} at entry {b}"),
                );
            }
        }
    }
}
