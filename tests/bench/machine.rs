//! What a measurement was made on: the line above every table.

use std::fs;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// Processor, cores, memory, kernel, date, compiler, versions of the crates that are compared.
pub fn line() -> String {
    let facts = [
        format!("{}, {} cores", processor(), std::thread::available_parallelism().map_or(0, usize::from)),
        format!("{:.0} GiB", memory_gib()),
        format!("Linux {}", read("/proc/sys/kernel/osrelease").trim()),
        format!("load {}", read("/proc/loadavg").split(' ').next().unwrap_or("unknown")),
        date(),
        first_line("rustc", &["--version"]),
        format!("sessions-doctor {} ({})", env!("CARGO_PKG_VERSION"), commit()),
        format!("serde_json {}", locked("serde_json")),
        format!("simd-json {}", locked("simd-json")),
    ];
    facts.join("; ")
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn processor() -> String {
    let info = read("/proc/cpuinfo");
    let line = info.lines().find_map(|line| line.strip_prefix("model name"));
    line.map_or_else(
        || std::env::consts::ARCH.to_owned(),
        |name| name.trim_start_matches(['\t', ' ', ':']).to_owned(),
    )
}

fn memory_gib() -> f64 {
    let info = read("/proc/meminfo");
    let kib = info.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    kib.and_then(|kib| kib.trim().trim_end_matches(" kB").parse::<f64>().ok())
        .map_or(0.0, |kib| kib / 1024.0 / 1024.0)
}

fn date() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let time = humantime::format_rfc3339_seconds(UNIX_EPOCH + now).to_string();
    time.split('T').next().unwrap_or_default().to_owned()
}

fn commit() -> String {
    let at = first_line("git", &["-C", env!("CARGO_MANIFEST_DIR"), "describe", "--always", "--dirty"]);
    if at.is_empty() { "no commit".to_owned() } else { at }
}

fn first_line(program: &str, arguments: &[&str]) -> String {
    let answer = Command::new(program).args(arguments).output();
    let text = answer.map(|answer| String::from_utf8_lossy(&answer.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

/// The version of a package in Cargo.lock.
fn locked(package: &str) -> String {
    let lock = include_str!("../../Cargo.lock");
    let (_, rest) = lock.split_once(&format!("name = \"{package}\"\nversion = \"")).unwrap_or_default();
    rest.split('"').next().unwrap_or_default().to_owned()
}
