//! The most memory that a command had resident.

use std::fs;
use std::process::Stdio;

use super::world::World;

/// Runs the binary and returns the most memory that it had resident, in bytes, as the kernel remembered it a moment before the end.
pub fn peak(world: &World, args: &[&str], code: i32) -> u64 {
    let mut command = world.doctor(args);
    let mut child = command.args(["--gateway", "stopped"]).stdout(Stdio::null()).spawn().unwrap();
    let path = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let status = loop {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
        peak = kilobytes.map_or(peak, |now| peak.max(now << 10));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    };
    assert_eq!(status.code(), Some(code), "{args:?}");
    assert!(peak > 0, "the kernel told no memory");
    peak
}
