//! Whether what is said goes to systemd's journal, which reads a priority at the start of a line.

use std::os::fd::AsFd;

use super::Host;

/// Whether a stream is the one that systemd named in `JOURNAL_STREAM`, as `device:inode`.
pub fn takes(host: &Host, stream: impl AsFd) -> bool {
    host.var("JOURNAL_STREAM").is_some_and(|named| is_stream(&named, stream))
}

fn is_stream(named: &str, stream: impl AsFd) -> bool {
    rustix::fs::fstat(stream).is_ok_and(|facts| named.trim() == format!("{}:{}", facts.st_dev, facts.st_ino))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_stream_is_the_journal() {
        let file = tempfile::tempfile().unwrap();
        let facts = rustix::fs::fstat(&file).unwrap();
        assert!(is_stream(&format!("{}:{}", facts.st_dev, facts.st_ino), &file));
        assert!(!is_stream(&format!("{}:{}", facts.st_dev, facts.st_ino + 1), &file));
        assert!(!is_stream("", &file));
    }
}
