//! Prevents: a process that dies because somebody cut the file under its hands, and bytes that were never in the file taken for its own.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use sessions_doctor::model::entry::Flags;
use sessions_doctor::scan::entries::{KeyContext, Scan, scan};
use sessions_doctor::scan::source::{FileSource, MemorySource, Source, WINDOW, read_range};

/// A store of about `bytes`.
fn store(bytes: usize) -> Vec<u8> {
    let note = "x".repeat(900);
    let mut text = b"{".to_vec();
    for number in 0..bytes / 1_000 {
        let comma = if number == 0 { "" } else { "," };
        let key = format!("agent:main:cron:job:run:{number}");
        write!(text, "{comma}\n  \"{key}\": {{\"sessionId\": \"s-{number}\", \"note\": \"{note}\"}}")
            .unwrap();
    }
    text.extend_from_slice(b"\n}\n");
    text
}

fn scanned(source: &mut dyn Source) -> std::io::Result<Scan> {
    let context = KeyContext { main_key: "main", marks: &|_, _| Flags::NONE };
    scan(source, &context, &mut |_| Ok(()))
}

/// The same numbers each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// How often a scan went through, and how often it ended with an error.
#[derive(Default)]
struct Tally {
    right: u32,
    cut: u32,
}

/// Cuts a file anywhere, at any moment of a scan by `readers` at once, `rounds` times.
fn cut_under_a_scan(text: &[u8], map: bool, readers: usize, rounds: u32, tally: &mut Tally) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text).unwrap();
    let expected = scanned(&mut MemorySource::new(text, 1 << 16)).unwrap();
    let begun = Instant::now();
    assert_eq!(scanned(&mut FileSource::open(file.path(), map).unwrap()).unwrap().entries, expected.entries);
    let whole = u64::try_from(begun.elapsed().as_nanos()).unwrap();
    let mut random = Random(text.len() as u64 + u64::from(map));
    for round in 0..rounds {
        let first = FileSource::open(file.path(), map).unwrap();
        let at = Duration::from_nanos(random.below(whole));
        let len = random.below(text.len() as u64);
        let start = Barrier::new(readers + 1);
        let results: Vec<std::io::Result<Scan>> = std::thread::scope(|scope| {
            let scans: Vec<_> = (0..readers)
                .map(|_| {
                    let (mut source, start) = (first.reader(), &start);
                    scope.spawn(move || {
                        start.wait();
                        scanned(&mut source)
                    })
                })
                .collect();
            start.wait();
            let begun = Instant::now();
            while begun.elapsed() < at {
                std::hint::spin_loop();
            }
            file.as_file().set_len(len).unwrap();
            scans.into_iter().map(|scan| scan.join().unwrap()).collect()
        });
        for result in results {
            match result {
                Ok(scan) => {
                    assert_eq!(scan.outcome.fault, None, "round {round}, cut at {len}: a fault was believed");
                    assert_eq!(scan.entries, expected.entries, "round {round}, cut at {len}");
                    tally.right += 1;
                }
                Err(error) => {
                    assert_eq!(
                        error.kind(),
                        ErrorKind::UnexpectedEof,
                        "round {round}, cut at {len}: {error}"
                    );
                    tally.cut += 1;
                }
            }
        }
        file.as_file().write_all_at(&text[usize::try_from(len).unwrap()..], len).unwrap();
    }
}

#[test]
fn cut_a_thousand_times_a_scan_is_right_or_an_error() {
    for map in [true, false] {
        let mut tally = Tally::default();
        cut_under_a_scan(&store(150_000), map, 1, 940, &mut tally);
        cut_under_a_scan(&store(WINDOW + 300_000), map, 1, 60, &mut tally);
        assert_eq!(tally.right + tally.cut, 1_000);
        assert!(tally.cut >= 20 && tally.right >= 1, "map {map}: {} cut, {} right", tally.cut, tally.right);
    }
}

/// Tells threads to stop, also when the test fails: a scope would wait for them for ever.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Opens a file, cuts it and touches what is no longer there, again and again.
fn touch_what_is_gone(rounds: u64) {
    let bytes = vec![b'x'; 40_000];
    let file = tempfile::NamedTempFile::new().unwrap();
    for round in 0..rounds {
        file.as_file().write_all_at(&bytes, 0).unwrap();
        let mut source = FileSource::open(file.path(), true).unwrap();
        assert_eq!(source.window(0).unwrap()[0], b'x');
        file.as_file().set_len(round % 3).unwrap();
        assert_eq!(source.window(0).unwrap()[20_000], 0, "round {round}");
        assert_eq!(source.intact().unwrap_err().kind(), ErrorKind::UnexpectedEof, "round {round}");
    }
}

#[test]
fn threads_that_read_other_files_notice_nothing_of_a_cut() {
    let bytes: Vec<u8> = (0..3 * WINDOW).map(|at| (at * 31 % 251) as u8).collect();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&bytes).unwrap();
    let calm = FileSource::open(file.path(), true).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let bystanders: Vec<_> = (1..=2)
            .map(|seed| {
                let (calm, stop, bytes, mut random) = (&calm, &stop, &bytes, Random(seed));
                scope.spawn(move || {
                    let mut ranges = 0_u64;
                    let mut source = calm.reader();
                    while !stop.load(Ordering::Relaxed) {
                        let start = random.below(bytes.len() as u64 - 3);
                        let range = read_range(&mut source, start..start + 3).unwrap();
                        assert_eq!(range, bytes[start as usize..start as usize + 3]);
                        ranges += 1;
                    }
                    ranges
                })
            })
            .collect();
        let stopping = Stop(&stop);
        let cutters: Vec<_> = (0..2).map(|_| scope.spawn(|| touch_what_is_gone(400))).collect();
        let cut = cutters.into_iter().map(|thread| thread.join()).collect::<Result<Vec<()>, _>>();
        drop(stopping);
        cut.unwrap();
        let ranges: u64 = bystanders.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert!(ranges > 1_000, "{ranges}");
    });
}

#[test]
fn several_threads_on_one_file_are_each_right_or_cut() {
    let mut tally = Tally::default();
    cut_under_a_scan(&store(100_000), true, 3, 100, &mut tally);
    assert!(tally.cut > 0);
}

#[test]
fn more_readers_than_can_be_watched_read_the_same() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&store(10_000)).unwrap();
    let first = FileSource::open(file.path(), true).unwrap();
    let expected = fs::read(file.path()).unwrap();
    let mut readers: Vec<FileSource> = (0..100).map(|_| first.reader()).collect();
    for reader in &mut readers {
        assert!(read_range(reader, 0..first.len()).unwrap() == expected);
    }
    let mapped = readers.iter().filter(|reader| reader.is_mapped()).count();
    assert!(mapped > 0 && mapped < readers.len(), "{mapped} of them are mapped");
}

/// Runs a test of this file again, alone in a process of its own.
fn alone(test: &str) -> std::process::Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env("SCAN_SOURCE_ALONE", test).output().unwrap()
}

fn is_alone(test: &str) -> bool {
    std::env::var_os("SCAN_SOURCE_ALONE").is_some_and(|named| named == test)
}

/// Pages of address space that the process has.
fn address_space() -> u64 {
    let pages: u64 =
        fs::read_to_string("/proc/self/statm").unwrap().split(' ').next().unwrap().parse().unwrap();
    pages * rustix::param::page_size() as u64
}

#[test]
fn where_a_mapping_is_refused_the_file_is_read() {
    const TEST: &str = "source::where_a_mapping_is_refused_the_file_is_read";
    if !is_alone(TEST) {
        let ran = alone(TEST);
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        return;
    }
    let text = store(2 * WINDOW);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&text).unwrap();
    let mut source = FileSource::open(file.path(), true).unwrap();
    source.window(0).unwrap();
    assert!(source.is_mapped());
    let room = |bytes: u64| {
        let limit = Rlimit { current: Some(address_space() + bytes), ..getrlimit(Resource::As) };
        setrlimit(Resource::As, limit).unwrap();
    };
    // Room for a buffer to read into, none for a window: not even after the one before it is given back.
    let mut late = source.reader();
    room(WINDOW as u64 / 2);
    let entries = scanned(&mut late).unwrap().entries;
    assert!(!late.is_mapped());
    // The way back from a window to the next is no new mapping, as far as the limit goes.
    assert_eq!(scanned(&mut source).unwrap().entries, entries);
    room(WINDOW as u64 * 32);
    assert_eq!(entries, scanned(&mut MemorySource::new(&text, 1 << 16)).unwrap().entries);
}

#[test]
fn a_fault_in_a_map_of_somebody_else_still_ends_the_process() {
    const TEST: &str = "source::a_fault_in_a_map_of_somebody_else_still_ends_the_process";
    if !is_alone(TEST) {
        assert_eq!(alone(TEST).status.signal(), Some(Signal::BUS.as_raw()));
        return;
    }
    // No core file, and no fault that comes back for ever.
    for (resource, limit) in [(Resource::Core, 0), (Resource::Cpu, 20)] {
        setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) }).unwrap();
    }
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&store(100_000)).unwrap();
    let mut source = FileSource::open(file.path(), true).unwrap();
    source.window(0).unwrap();
    // SAFETY: Nothing relies on what it holds; the process ends here.
    #[allow(unsafe_code)]
    let foreign = unsafe { memmap2::Mmap::map(&File::open(file.path()).unwrap()) }.unwrap();
    // Ours first: the handler is there, and what it does once does not make it leave.
    file.as_file().set_len(10).unwrap();
    assert_eq!(source.window(0).unwrap()[50_000], 0);
    assert!(source.intact().is_err());
    std::hint::black_box(foreign[50_000]);
    unreachable!("a byte that is not there was read");
}
