//! How much memory a gateway has, and how large a heap Node gives itself in it.

use std::io;
use std::path::{Path, PathBuf};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The memory that a process can have: that of the host, or less where its control group is limited.
///
/// `pid` is the gateway where it is known, for its service may be limited more than this tool; `read` gives files of
/// `/proc` and `/sys`.
pub fn total_memory(pid: Option<u32>, read: &dyn Fn(&Path) -> io::Result<Vec<u8>>) -> Option<u64> {
    let text = |path: &Path| read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let host = text(Path::new("/proc/meminfo")).and_then(|info| memory_of_host(&info));
    let who = pid.map_or("self".to_owned(), |pid| pid.to_string());
    let groups = text(&Path::new("/proc").join(who).join("cgroup")).unwrap_or_default();
    let limits = limit_files(&groups).into_iter().filter_map(|path| text(&path)?.trim().parse::<u64>().ok());
    host.into_iter().chain(limits).min()
}

/// The heap limit that V8 gives itself on a 64-bit host when nobody names one, in bytes.
///
/// Half of the memory, at most 2 GiB, or 4 GiB where there are 15 GiB or more. The young generation comes on top and
/// is left out, so the forecast is on the careful side.
pub fn default_node_heap_limit(total_ram_bytes: u64) -> u64 {
    let most = if total_ram_bytes >= 15 * GIB { 4 * GIB } else { 2 * GIB };
    (total_ram_bytes / 2).min(most)
}

/// Mebibytes as bytes.
pub fn mib(count: u64) -> u64 {
    count.saturating_mul(MIB)
}

fn memory_of_host(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// The files that may hold a limit: those of the group and of every group above it, of both versions.
fn limit_files(cgroup: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in cgroup.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (fields.next(), fields.next()) else { continue };
        let (mount, name) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            list if list.split(',').any(|one| one == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => continue,
        };
        let group = group.trim_start_matches('/');
        let legal = !group.split('/').any(|part| part == "..");
        let ancestors = Path::new(if legal { group } else { "" }).ancestors().take(64);
        files.extend(ancestors.map(|above| Path::new(mount).join(above).join(name)));
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(files: &[(&str, &str)], pid: Option<u32>) -> Option<u64> {
        total_memory(pid, &|path| {
            let found = files.iter().find(|(name, _)| Path::new(name) == path);
            found.map(|(_, text)| text.as_bytes().to_vec()).ok_or_else(|| io::ErrorKind::NotFound.into())
        })
    }

    #[test]
    fn the_smallest_limit_counts() {
        let host = ("/proc/meminfo", "MemTotal:       16384 kB\nMemFree: 1 kB\n");
        assert_eq!(total(&[host], None), Some(16 << 20));
        let v2 = [
            host,
            ("/proc/7/cgroup", "0::/user.slice/gw.service\n"),
            ("/sys/fs/cgroup/user.slice/gw.service/memory.max", "max\n"),
            ("/sys/fs/cgroup/user.slice/memory.max", "1048576\n"),
        ];
        assert_eq!(total(&v2, Some(7)), Some(1 << 20));
        assert_eq!(total(&v2, None), Some(16 << 20));
        let v1 = [
            host,
            ("/proc/self/cgroup", "5:cpu:/\n4:memory:/a\n"),
            ("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "2097152\n"),
        ];
        assert_eq!(total(&v1, None), Some(2 << 20));
        assert_eq!(total(&[], None), None);
    }

    #[test]
    fn default_heaps() {
        assert_eq!(default_node_heap_limit(GIB), GIB / 2);
        assert_eq!(default_node_heap_limit(8 * GIB), 2 * GIB);
        assert_eq!(default_node_heap_limit(16 * GIB), 4 * GIB);
        assert_eq!(mib(2), 2 << 20);
    }
}
