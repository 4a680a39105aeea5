//! Fails when a scanner and Node disagree about a store: whether it loads, how many keys it has, what the
//! entries say, where they stand, where it breaks. OpenClaw reads with `JSON.parse`, so every disagreement is a
//! bug here. And fails when two scanners differ in anything at all, whatever the windows.
//!
//! A run takes a sample of the made-up texts. All of them, and 100,000 mutants of random stores:
//!
//! ```text
//! SESSIONS_DOCTOR_THOROUGH=1 cargo test --release --test scan oracle::
//! SESSIONS_DOCTOR_MUTANTS=1000000 SESSIONS_DOCTOR_SEED=7 cargo test --release --test scan oracle::mutants
//! ```

use crate::agreement::{disagreement, spans};
use crate::blocks;
use crate::node::{Node, Question};
use crate::random_store::{self, Random};
use crate::recorded::{Answer, Case, cases};
use crate::scanners::{SCANNERS, difference};
use sessions_doctor::scan::entries::Scan;

const WINDOWS: [usize; 6] = [usize::MAX, 1, 7, 64, 100, 128];

/// The scan that all others have to equal, and the first that does not; `windows` are those to try.
fn scan(input: &[u8], windows: &[usize]) -> (Scan, Option<String>) {
    let whole = SCANNERS[0].bytes(input, usize::MAX);
    let others = SCANNERS.iter().flat_map(|scanner| windows.iter().map(move |&window| (scanner, window)));
    let differs = others.into_iter().find_map(|(scanner, window)| {
        let what = difference(&whole, &scanner.bytes(input, window))?;
        Some(format!("{} in windows of {window}: {what}", scanner.name))
    });
    (whole, differs)
}

/// Escaped bytes for a message; the inputs are of any length.
fn shown(input: &[u8]) -> String {
    let end = input.len().min(3000);
    format!("{} bytes: {}", input.len(), input[..end].escape_ascii())
}

/// Has `count` texts scanned by every scanner and judged by a live Node, on all cores, and fails with the first disagreements.
fn held_against_node(test: &str, count: usize, text: &(dyn Fn(usize) -> Vec<u8> + Sync)) {
    const BATCH: usize = 200;
    if !Node::available() {
        return eprintln!("skipped: {test} (no `node` on this machine)");
    }
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let work = |worker: usize| {
        let mut node = Node::start();
        let mut problems = Vec::new();
        let mut valid = 0;
        let all: Vec<usize> = (worker..count).step_by(workers).collect();
        for batch in all.chunks(BATCH) {
            let texts: Vec<Vec<u8>> = batch.iter().map(|&at| text(at)).collect();
            let scans: Vec<_> = texts.iter().map(|text| scan(text, &WINDOWS)).collect();
            let questions = texts.iter().zip(&scans);
            let questions: Vec<_> =
                questions.map(|(bytes, (scan, _))| Question { bytes, entries: spans(bytes, scan) }).collect();
            let answers: Vec<Answer> = node.ask(&questions);
            for (at, ((text, (scan, differs)), answer)) in
                batch.iter().zip(texts.iter().zip(&scans).zip(answers))
            {
                let problem = differs.clone().or_else(|| disagreement(text, &answer.judgment, scan));
                let problem = problem.or(answer.wrong_entries);
                problems.extend(problem.map(|problem| format!("number {at}: {problem}\n{}", shown(text))));
                valid += usize::from(answer.judgment.valid);
            }
        }
        (problems, valid)
    };
    let (problems, valid) = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers).map(|worker| scope.spawn(move || work(worker))).collect();
        let mut sum = (Vec::new(), 0);
        for handle in handles {
            let (problems, valid) = handle.join().expect("a worker that does not panic");
            sum.0.extend(problems);
            sum.1 += valid;
        }
        sum
    });
    println!("{test}: {count} texts, {valid} of them valid");
    assert!(
        problems.is_empty(),
        "{} of {count} differ, first:\n{}",
        problems.len(),
        problems[..problems.len().min(5)].join("\n")
    );
}

#[test]
fn the_recorded_judgments_of_node_hold_for_every_window() {
    let cases = cases();
    let differing = cases.iter().filter_map(|case| {
        let (whole, differs) = scan(&case.input, &WINDOWS);
        let problem = differs.or_else(|| disagreement(&case.input, &case.judgment, &whole))?;
        Some(format!("{}: {problem}", case.name))
    });
    let differing: Vec<String> = differing.collect();
    assert!(differing.is_empty(), "{} of {} differ:\n{}", differing.len(), cases.len(), differing.join("\n"));
}

/// A text moved by blanks before it says the same, further on; blanks behind it change nothing but the length.
#[test]
fn the_recorded_cases_say_the_same_at_every_alignment() {
    for (index, case) in cases().iter().enumerate() {
        let base = SCANNERS[0].bytes(&case.input, usize::MAX);
        // A byte order mark is one at the front only, and what is cut off is cut off further on.
        if base.bom {
            continue;
        }
        let ends_early = base.outcome.fault.as_ref().is_some_and(|fault| fault.is_end());
        let alignments = if index % 8 == 0 { 0..131 } else { 0..64 };
        for before in alignments {
            let behind = if ends_early { 0 } else { [0, 1, 63, 64, 200][before % 5] };
            let text = [&vec![b' '; before], &case.input[..], &vec![b' '; behind]].concat();
            let expected = moved(&base, before as u64, behind as u64);
            for scanner in SCANNERS.iter() {
                let window = WINDOWS[(before + index) % WINDOWS.len()];
                let problem = difference(&expected, &scanner.bytes(&text, window));
                assert_eq!(
                    problem, None,
                    "{} moved by {before}, {} in windows of {window}",
                    case.name, scanner.name
                );
            }
        }
    }
}

/// What a scan has to say when `before` blanks stand before the text and `behind` blanks behind it.
fn moved(base: &Scan, before: u64, behind: u64) -> Scan {
    let mut scan = base.clone();
    for entry in scan.entries.iter_mut() {
        *entry = entry.at(entry.start() + before, entry.end() + before);
    }
    let outcome = &mut scan.outcome;
    let seen = before + if outcome.fault.is_none() { behind } else { 0 };
    outcome.units += seen;
    outcome.bytes += seen;
    outcome.whitespace += seen;
    outcome.first_invalid_utf8 = outcome.first_invalid_utf8.map(|at| at + before);
    if outcome.root.is_some() {
        outcome.root_start += before;
    }
    if outcome.root_ended {
        outcome.root_end += before;
    }
    if let Some(fault) = &mut outcome.fault {
        fault.offset += before;
        fault.position += before;
        fault.column += if fault.line == 1 { before } else { 0 };
    }
    scan
}

/// Deep inside a sound store, where whole blocks are judged at once; and between two entries.
#[test]
fn the_recorded_cases_are_judged_inside_other_stores() {
    const AROUND: [(&str, &str); 4] = [
        ("{\"agent:main:x\":{\"m\":{\"n\":[", "]}}}"),
        (
            "{\n  \"agent:main:x\": {\n    \"m\": {\n      \"n\": [\n        1,\n        ",
            "\n      ]\n    },\n    \"status\": \"done\"\n  }\n}",
        ),
        ("{\"agent:main:x\":{\"m\":[{\"n\":[[", "]]},2],\"updatedAt\":1795223619221},\"y\":{}}"),
        (
            "{\"agent:main:x\":{\"status\":\"done\"},\"agent:main:y\":",
            ",\"agent:main:z\":{\"sessionId\":\"z\"}}",
        ),
    ];
    let cases: Vec<Case> = cases().into_iter().filter(|case| case.input.len() < 5000).collect();
    let places = AROUND.len() * if thorough() { 16 } else { 1 };
    held_against_node("recorded cases inside other stores", cases.len() * places, &|at| {
        let (case, place) = (at / places, at % places);
        let (front, back) = AROUND[place % AROUND.len()];
        // A first entry of another length for every case and place, so that all alignments come up.
        let letters = 64 + (case * 29 + place * 5) % 64;
        let front = front.replacen("{\"agent", &format!("{{\"{}\":0,\"agent", "k".repeat(letters)), 1);
        let front = front.replacen("{\n", &format!("{{\n  \"{}\": 0,\n", "k".repeat(letters)), 1);
        [front.as_bytes(), &cases[case].input, back.as_bytes()].concat()
    });
}

/// Several threads, each with a part of a large store, around a text that may be anything, where the parts meet.
#[test]
fn the_recorded_cases_are_told_alike_by_several_threads() {
    const MEGABYTES: usize = 5;
    let mut random = Random::new(1);
    let entry = |at: usize, line: &str| {
        format!("{line}\"agent:main:{at}\":{{{line}\"x\":\"{}\"{line}}},", "z".repeat(20_000))
    };
    for case in cases().iter().filter(|_| thorough() || random.below(50) == 0) {
        for line in ["\n  ", ""] {
            let half: String = (0..MEGABYTES * 25).map(|at| entry(at, line)).collect();
            let more = half.replace("main", "more").trim_end_matches(',').to_owned();
            // A whole entry; a part of one; what a guess may take for keys, and is none.
            let around = [("", ","), ("[", "],"), ("{\"y\":{},\n  \"agent:y\":[{},\"agent:z\":", "]},")];
            for (front, back) in around {
                let front = format!("{{{half}{line}\"agent:case\":{front}");
                let text = [front.as_bytes(), &case.input, back.as_bytes(), more.as_bytes(), b"}"].concat();
                let whole = SCANNERS[0].bytes(&text, 1 << 20);
                for several in SCANNERS.iter().filter(|row| row.crew.threads > 1) {
                    let what = difference(&whole, &several.bytes(&text, 1 << 20));
                    assert_eq!(what, None, "{} by {}", case.name, several.name);
                }
            }
        }
    }
}

#[test]
fn every_token_is_judged_across_every_edge_of_a_block() {
    sample_held_against_node("tokens across the edges of blocks", 12, blocks::straddling());
}

#[test]
fn runs_longer_than_a_block_are_judged() {
    sample_held_against_node("runs longer than a block", 10, blocks::runs());
}

#[test]
fn brackets_are_matched_at_every_depth() {
    sample_held_against_node("nesting", 2, blocks::nested());
}

#[test]
fn brackets_are_matched_a_hundred_thousand_deep() {
    sample_held_against_node("deep nesting", 6, blocks::abysses());
}

#[test]
fn a_live_node_agrees_about_mutants() {
    let count = setting("SESSIONS_DOCTOR_MUTANTS", if thorough() { 100_000 } else { 5_000 });
    let seed = setting("SESSIONS_DOCTOR_SEED", 1);
    held_against_node("mutants", count, &|at| {
        let mut random = Random::new((seed as u64) << 32 | at as u64);
        let mut text = random_store::store(&mut random);
        // One in five stays as it is.
        for _ in 0..[0, 1, 1, 2, 3][random.below(5)] {
            random_store::mutate(&mut text, &mut random);
        }
        text
    });
}

/// One text of `share`, by chance but always the same; all of them in a thorough run.
fn sample_held_against_node(test: &str, share: usize, mut texts: Vec<Vec<u8>>) {
    if !thorough() {
        let mut random = Random::new(0);
        texts.retain(|_| random.below(share) == 0);
    }
    held_against_node(test, texts.len(), &|at| texts[at].clone());
}

fn thorough() -> bool {
    setting("SESSIONS_DOCTOR_THOROUGH", 0) > 0
}

/// A number from the environment.
fn setting(name: &str, otherwise: usize) -> usize {
    std::env::var(name)
        .map_or(otherwise, |text| text.parse().unwrap_or_else(|error| panic!("{name}: {error}")))
}
