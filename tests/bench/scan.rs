//! The scanners and their rivals on the six stores, in one run and in turns, so that drift of the machine hits all alike.
//!
//! ```text
//! cargo bench --bench scan                          # a, b, d, e, f
//! cargo bench --bench scan -- --stores a,c --rounds 5
//! cargo bench --bench scan -- --verdicts            # who takes what for valid
//! cargo bench --bench scan -- --stores a --make     # make the stores and print where they are
//! ```
//!
//! The stores are made once, below `$SESSIONS_DOCTOR_SHAPES` or the target directory, and stay there. Every row opens and maps the file
//! anew each time, as a command would; the page cache is warm.

#[path = "../generate/lib.rs"]
mod generate;
mod machine;
#[path = "../support/recorded.rs"]
mod recorded;
mod rivals;
#[path = "../support/scanners.rs"]
mod scanners;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use generate::shapes::{STORES, Store};
use rivals::{RIVALS, Rival};
use scanners::SCANNERS;
use sessions_doctor::scan::members;
use sessions_doctor::scan::source::FileSource;

/// Measures scanners and their rivals
#[derive(Parser)]
struct Arguments {
    /// Which stores; c has 4 GB
    #[arg(long, value_delimiter = ',', default_value = "a,b,d,e,f")]
    stores: Vec<String>,
    /// How often each row is measured
    #[arg(long, default_value_t = 11)]
    rounds: usize,
    /// Rows whose name holds this text
    #[arg(long, default_value = "")]
    only: String,
    /// Measure the time on a processor instead of the time that passes, and one thread only: for a machine that others use
    #[arg(long)]
    cpu: bool,
    /// Make the stores, print their paths, and measure nothing
    #[arg(long)]
    make: bool,
    /// Write store, row, threads (0: a rival), median seconds, GB/s and proportion to the first row as lines of tab-separated values
    #[arg(long)]
    record: Option<PathBuf>,
    /// Compare who takes what for valid, and measure nothing
    #[arg(long)]
    verdicts: bool,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

/// A store on disk.
pub struct Input {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Where the value of each entry stands.
    pub values: Vec<Range<usize>>,
}

/// Seconds since some moment.
type Clock = fn() -> Result<f64>;

fn passing() -> Result<f64> {
    static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
    Ok(BEGIN.elapsed().as_secs_f64())
}

/// What this thread has had of a processor.
fn computing() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = text.split(' ').next().unwrap_or_default().parse()?;
    Ok(nanoseconds / 1e9)
}

/// What is measured.
#[derive(Clone, Copy)]
enum Row {
    Rival(&'static Rival),
    Scanner(&'static scanners::Row),
}

impl Row {
    fn all() -> impl Iterator<Item = Row> {
        RIVALS.iter().map(Row::Rival).chain(SCANNERS.iter().map(Row::Scanner))
    }

    fn name(self) -> &'static str {
        match self {
            Row::Rival(rival) => rival.name,
            Row::Scanner(scanner) => &scanner.name,
        }
    }

    fn does(self) -> &'static str {
        match self {
            Row::Rival(rival) => rival.lacks,
            Row::Scanner(_) => "everything: grammar, UTF-8, spans, facts",
        }
    }

    /// Of a scanner; 0 for a rival.
    fn threads(self) -> usize {
        match self {
            Row::Rival(_) => 0,
            Row::Scanner(scanner) => scanner.crew.threads,
        }
    }

    /// Reads the store once; seconds. What it found has to be right.
    fn measure(self, input: &Input, clock: Clock) -> Result<f64> {
        let begin = clock()?;
        let seen = match self {
            Row::Rival(rival) => (rival.run)(input)?,
            Row::Scanner(scanner) => {
                let scan = scanner.file(&input.path)?;
                ensure!(scan.outcome.fault.is_none(), "{}: {:?}", scanner.name, scan.outcome.fault);
                Some(scan.entries.len() as u64)
            }
        };
        let seconds = clock()? - begin;
        let all = input.values.len() as u64;
        let right = seen.is_none_or(|seen| seen == all || matches!(self, Row::Rival(_)) && seen + 1 == all);
        ensure!(right, "{} saw {seen:?} of {all} entries", self.name());
        Ok(seconds)
    }

    fn accepts(self, text: &[u8]) -> bool {
        match self {
            Row::Rival(rival) => (rival.accepts)(text),
            Row::Scanner(scanner) => {
                let scan = scanner.bytes(text, usize::MAX);
                scan.outcome.fault.is_none() && !scan.bom
            }
        }
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if arguments.verdicts {
        verdicts();
        return Ok(());
    }
    let directory = std::env::var_os("SESSIONS_DOCTOR_SHAPES")
        .map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("shapes"), PathBuf::from);
    let mut stores = Vec::new();
    for name in &arguments.stores {
        let Some(store) = STORES.iter().find(|store| store.name == name) else {
            bail!("no store is called {name}");
        };
        let path = store.file_in(&directory).with_context(|| directory.display().to_string())?;
        if arguments.make {
            println!("{}", path.display());
        } else {
            stores.push((store, path));
        }
    }
    if arguments.make {
        return Ok(());
    }
    ensure!(arguments.rounds > 0, "at least one round");
    let clock = if arguments.cpu { computing } else { passing };
    let rows = Row::all().filter(|row| row.name().contains(&arguments.only));
    let rows: Vec<Row> = rows.filter(|row| !arguments.cpu || row.threads() <= 1).collect();
    ensure!(!rows.is_empty(), "no row has {:?} in its name", arguments.only);

    let clock_name = if arguments.cpu { "time on a processor" } else { "time that passed" };
    println!("{}; {clock_name}.\n", machine::line());
    let mut columns = Vec::new();
    for (store, path) in stores {
        eprintln!("{}: {}", store.name, store.title);
        columns.push((store, column(&rows, store, path, arguments.rounds, clock)?));
    }
    table(&rows, &columns);
    if let Some(path) = arguments.record {
        std::fs::write(&path, record(&rows, &columns)).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// Seconds of every row, by round.
struct Column {
    bytes: u64,
    seconds: Vec<Vec<f64>>,
}

fn column(rows: &[Row], store: &Store, path: PathBuf, rounds: usize, clock: Clock) -> Result<Column> {
    let mut source = FileSource::open(&path, true)?;
    let portable = SCANNERS[0].file(&path)?;
    let values = portable.entries.iter().map(|entry| {
        let value = members::value_span(&mut source, entry)?;
        Ok(usize::try_from(value.start)?..usize::try_from(value.end)?)
    });
    let values = values.collect::<Result<Vec<_>>>()?;
    ensure!(values.len() as u64 == store.entries(), "{} entries in {}", values.len(), path.display());
    let input = Input { bytes: std::fs::metadata(&path)?.len(), path, values };
    let mut seconds = vec![Vec::new(); rows.len()];
    for round in 0..=rounds {
        for (row, seconds) in rows.iter().zip(&mut seconds) {
            let measured = row.measure(&input, clock)?;
            // The first round only warms up.
            if round > 0 {
                seconds.push(measured);
            }
        }
    }
    Ok(Column { bytes: input.bytes, seconds })
}

impl Column {
    fn seconds(&self, row: usize) -> f64 {
        median(self.seconds[row].iter().copied())
    }

    fn speed(&self, row: usize) -> f64 {
        self.bytes as f64 / 1e9 / self.seconds(row)
    }

    /// To the first row of the same round.
    fn proportion(&self, row: usize) -> f64 {
        median(self.seconds[0].iter().zip(&self.seconds[row]).map(|(first, own)| first / own))
    }
}

/// GB/s and proportions; medians both.
fn table(rows: &[Row], columns: &[(&Store, Column)]) {
    let heads: Vec<&str> = columns.iter().map(|(store, _)| store.name).collect();
    println!("| GB/s (times {}) | {} | what it does |", rows[0].name(), heads.join(" | "));
    println!("|---|{}---|", "---|".repeat(heads.len()));
    for (at, row) in rows.iter().enumerate() {
        let cells = columns
            .iter()
            .map(|(_, column)| format!("{:.2} ({:.2})", column.speed(at), column.proportion(at)));
        println!("| {} | {} | {} |", row.name(), cells.collect::<Vec<_>>().join(" | "), row.does());
    }
    println!();
    for (store, column) in columns {
        let rounds = column.seconds[0].len();
        println!("{}: {} ({} bytes), {rounds} rounds", store.name, store.title, column.bytes);
    }
}

/// The same as lines for scripts.
fn record(rows: &[Row], columns: &[(&Store, Column)]) -> String {
    let mut text = String::new();
    for (store, column) in columns {
        for (at, row) in rows.iter().enumerate() {
            text += &format!(
                "{}\t{}\t{}\t{:.6}\t{:.4}\t{:.4}\n",
                store.name,
                row.name(),
                row.threads(),
                column.seconds(at),
                column.speed(at),
                column.proportion(at)
            );
        }
    }
    text
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) { (values[middle - 1] + values[middle]) / 2.0 } else { values[middle] }
}

/// Who takes which of the recorded cases otherwise than `JSON.parse`.
fn verdicts() {
    let cases = recorded::cases();
    println!("{} recorded cases.\n", cases.len());
    println!("| parser | wrongly accepted | wrongly refused |");
    println!("|---|---|---|");
    for row in Row::all() {
        let wrong = |valid: bool| {
            let wrong = cases.iter().filter(|case| case.judgment.valid == valid);
            groups(wrong.filter(|case| row.accepts(&case.input) != valid))
        };
        println!("| {} | {} | {} |", row.name(), wrong(false), wrong(true));
    }
}

/// How many cases, and of which groups.
fn groups<'a>(cases: impl Iterator<Item = &'a recorded::Case>) -> String {
    let mut groups = std::collections::BTreeMap::new();
    for case in cases {
        *groups.entry(case.name.split('/').next().unwrap_or_default()).or_insert(0) += 1;
    }
    let count: i32 = groups.values().sum();
    let named: Vec<String> = groups.iter().map(|(group, count)| format!("{group} {count}")).collect();
    if count == 0 { "none".to_owned() } else { format!("{count} ({})", named.join(", ")) }
}
