//! `generate-store`: writes a state directory of any size, and the answer that the tool must give.
//!
//! ```text
//! cargo run --release --example generate-store -- --shape issue-61633 /tmp/store
//! ```

#[path = "lib.rs"]
mod generate;

use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use clap::{Parser, ValueEnum};
use generate::{DEFAULT_ENTRY_BYTES, Options, Shape, Transcripts};

#[derive(Clone, Copy, ValueEnum)]
enum TranscriptsArgument {
    None,
    Some,
    All,
}

/// Writes an OpenClaw state directory to OUT/state, the expected verdict on every entry to OUT/expected.jsonl, the sums to
/// OUT/summary.json and stdout
#[derive(Parser)]
struct Arguments {
    /// Where to write; an empty or missing directory
    out: PathBuf,
    /// issue-61633, rapid, slow-running, slow-none or quiet
    #[arg(long, default_value = "issue-61633", value_parser = shape)]
    shape: Shape,
    /// Number of entries [default: the shape's own]
    #[arg(long)]
    entries: Option<u64>,
    /// Mean bytes of an entry
    #[arg(long, default_value_t = DEFAULT_ENTRY_BYTES)]
    entry_bytes: u64,
    /// Blanks per level; 0 for a compact store
    #[arg(long, default_value_t = 2)]
    indent: usize,
    /// Share of entries (0 to 1) with non-ASCII texts
    #[arg(long, default_value_t = 0.0)]
    non_ascii: f64,
    /// Seed of all chance
    #[arg(long, default_value_t = 61_633)]
    seed: u64,
    /// The present, RFC 3339
    #[arg(long, default_value = "2026-11-21T01:14:30Z", value_parser = time)]
    now: i64,
    /// The agent
    #[arg(long, default_value = "main")]
    agent: String,
    /// Which entries get a transcript
    #[arg(long, value_enum, default_value_t = TranscriptsArgument::Some)]
    transcripts: TranscriptsArgument,
    /// Write an openclaw.json (with the defaults in it) as well
    #[arg(long)]
    config: bool,
}

fn shape(name: &str) -> Result<Shape, String> {
    let found = Shape::ALL.iter().find(|(known, _)| *known == name);
    found
        .map(|(_, shape)| *shape)
        .ok_or_else(|| format!("one of {}", Shape::ALL.map(|(name, _)| name).join(", ")))
}

fn time(text: &str) -> Result<i64, String> {
    let time = humantime::parse_rfc3339(text).map_err(|error| error.to_string())?;
    let since = time.duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?;
    i64::try_from(since.as_millis()).map_err(|error| error.to_string())
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let options = Options {
        shape: arguments.shape,
        entries: arguments.entries,
        entry_bytes: arguments.entry_bytes,
        indent: arguments.indent,
        non_ascii: arguments.non_ascii,
        seed: arguments.seed,
        now: arguments.now,
        agent: arguments.agent,
        transcripts: match arguments.transcripts {
            TranscriptsArgument::None => Transcripts::None,
            TranscriptsArgument::Some => Transcripts::Some,
            TranscriptsArgument::All => Transcripts::All,
        },
        config: arguments.config,
    };
    let summary = generate::generate(&arguments.out, &options)?;
    println!("{}", serde_json::to_string_pretty(&summary)?);
    Ok(())
}
