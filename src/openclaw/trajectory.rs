//! Trajectories, `<transcript>.trajectory.jsonl` (from 2026.4.22): what a run did, event by event.
//!
//! Each line names the session it belongs to and, where the run had one, the key of that session: `traceSchema`
//! (`openclaw-trajectory`), `schemaVersion` (1), `traceId`, `source`, `type`, `ts`, `seq`, `sourceSeq`, `sessionId`,
//! `sessionKey`, `runId`, places and models, and last `data`, by far the largest. So the head of a file is enough, even
//! of a line that is cut off. A state directory of 2026.5.12 has beside each transcript a `.trajectory-path.json` that
//! names the file; with `OPENCLAW_TRAJECTORY_DIR` it lies elsewhere, and is not looked for there.

use super::cut;
use super::json::{Lines, Tree, Want};

/// How much of the beginning of a trajectory is worth reading.
pub const HEAD_BYTES: usize = 64 << 10;

/// Keys of one session that are told apart; one more than one is a contradiction already.
const MOST_KEYS: usize = 4;

static WANT: Want =
    Want::Fields(&[("traceSchema", Want::All), ("sessionId", Want::All), ("sessionKey", Want::All)]);

/// Reads heads of trajectories; one reader serves many and reuses its buffers.
#[derive(Debug, Default)]
pub struct TrajectoryReader {
    lines: Lines,
}

impl TrajectoryReader {
    /// The keys under which events of `session` ran, each once, in the order of the file; usually one.
    pub fn keys(&mut self, head: &[u8], session: &str) -> Vec<String> {
        let mut keys = Vec::new();
        for line in head.split(|&byte| byte == b'\n') {
            let Some(key) = self.key(line.trim_ascii(), session) else { continue };
            if !keys.contains(&key) {
                keys.push(key);
            }
            if keys.len() == MOST_KEYS {
                break;
            }
        }
        keys
    }

    fn key(&mut self, line: &[u8], session: &str) -> Option<String> {
        if line.first() != Some(&b'{') {
            return None;
        }
        let whole = self.lines.parse(line, &WANT);
        let tree = whole.or_else(|| self.lines.parse(&cut::close_whole_values(line)?, &WANT))?;
        let is = |name: &str, value: &str| tree.get(name).and_then(Tree::text) == Some(value);
        // An event of another session says nothing of this one.
        (is("traceSchema", "openclaw-trajectory") && is("sessionId", session)).then_some(())?;
        tree.text_of("sessionKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(session: &str, key: &str) -> String {
        format!(
            r#"{{"traceSchema":"openclaw-trajectory","schemaVersion":1,"traceId":"{session}","source":"runtime","type":"session.started","ts":"2026-11-21T01:30:23.350Z","seq":1,"sourceSeq":1,"sessionId":"{session}","sessionKey":"{key}","runId":"r","data":{{"trigger":"cron","nested":[1,{{"sessionKey":"agent:main:fake"}}]}}}}"#
        )
    }

    fn keys(head: &str) -> Vec<String> {
        TrajectoryReader::default().keys(head.as_bytes(), "s")
    }

    #[test]
    fn any_line_of_the_session_tells_and_each_key_once() {
        let (main, cron) = ("agent:main:main", "agent:main:cron:j");
        assert_eq!(keys(&event("s", main)), [main]);
        let many = [event("s", main), event("t", cron), String::new(), event("s", main)].join("\n");
        assert_eq!(keys(&many), [main]);
        assert_eq!(keys(&format!("{}\n{}\n", event("s", main), event("s", cron))), [main, cron]);
        let flood: Vec<String> = (0..500).map(|at| event("s", &format!("agent:main:cron:{at}"))).collect();
        assert_eq!(keys(&flood.join("\n")).len(), MOST_KEYS);
    }

    #[test]
    fn a_line_that_was_cut_off_behind_its_key_tells_as_well() {
        let line = event("s", "agent:main:main");
        let behind_key = line.find("runId").unwrap_or_default();
        for cut in behind_key..line.len() {
            assert_eq!(keys(&line[..cut]), ["agent:main:main"], "{}", &line[..cut]);
        }
    }

    #[test]
    fn a_key_that_was_cut_off_is_no_key() {
        let line = event("s", "agent:main:main");
        let from = line.find("agent:main:main").unwrap_or_default();
        for cut in 0..from + "agent:main:main".len() + 1 {
            assert_eq!(keys(&line[..cut]), [""; 0], "{}", &line[..cut]);
        }
    }

    #[test]
    fn other_lines_tell_nothing() {
        for line in [
            event("s", "k").replace("openclaw-trajectory", "openclaw-trajectory-pointer"),
            event("s", "k").replace(r#""traceSchema":"openclaw-trajectory","#, ""),
            event("s", ""),
            event("s", "k").replace(r#""sessionKey":"k""#, r#""sessionKey":["k"]"#),
            event("S", "k"),
            "\u{0}\u{0}".to_owned(),
            "[]".to_owned(),
        ] {
            assert_eq!(keys(&line), [""; 0], "{line}");
        }
    }
}
