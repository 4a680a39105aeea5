//! The formats that OpenClaw leaves on disk: bytes and strings in, plain values out.
//!
//! What this room may touch: nothing. It opens no file, reads no environment and no clock; contents come in as
//! byte slices, and the few questions it has (does this path exist, what is in that included file) come in as closures.
//! Every reader here is total: hostile bytes give an error value, never a panic, and nesting is limited.

pub mod config;
pub mod cut;
pub mod dotenv;
pub mod entry_fields;
pub mod grammar;
pub mod job_fields;
pub mod jobs;
pub mod json;
pub mod layout;
pub mod lock;
pub mod migration;
pub mod run_log;
pub mod schedule;
pub mod sqlite;
pub mod subagents;
pub mod time;
pub mod trajectory;
pub mod transcript;
pub mod versions;

#[cfg(test)]
mod totality {
    //! No bytes make a reader panic, and none take it long.

    use proptest::prelude::*;

    use super::*;

    fn read_all(bytes: &[u8]) {
        let _ = jobs::parse_jobs(bytes);
        let _ = jobs::parse_jobs_state(bytes);
        let _ = lock::parse(bytes);
        let _ = subagents::parse(bytes);
        let store = std::path::Path::new("/s/a");
        let names = migration::StoreNames::new([store].into_iter(), &[std::path::Path::new("/s")]);
        let _ = (names.are_in_document(bytes), names.are_in(&String::from_utf8_lossy(bytes)));
        let _ = transcript::last_timestamp(bytes, false);
        let head = transcript::HeadReader::default().read(bytes);
        let _ = head.opening.map(|text| transcript::cron_mark(&text).map(str::len));
        let _ = trajectory::TrajectoryReader::default().keys(bytes, "");
        let _ = (cut::close(bytes), cut::close_whole_values(bytes));
        let _ = run_log::RunLogReader::default().line(bytes);
        let _ = config::resolve(std::path::Path::new("/c"), &mut |_| Ok(bytes.to_vec()), &|_| None);
        let text = String::from_utf8_lossy(bytes);
        let _ = layout::classify(&text, "sessions.json");
        let _ = (transcript::cron_mark(&text), transcript::first_words(&text, 3));
        let _ = grammar::flexible_duration_ms(&text, grammar::DurationUnit::Days);
        let _ = grammar::flexible_size(&text);
        let _ = grammar::normalize_agent_id(&text);
        let _ = schedule::shortest_interval_ms(&text, 60_000);
        let _ = layout::expand_home(&text, std::path::Path::new("/h"));
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            read_all(&bytes);
        }

        #[test]
        fn pieces_of_json(text in r#"([\[\]{},: '"$ü]|"[a-z]{0,3}"|\$\{A\}|\\u[dD][89c-f]00|\$include|jobs|id|timestamp|[-+.0-9e]{1,5}){0,40}"#) {
            read_all(text.as_bytes());
        }

        #[test]
        fn names_that_almost_fit(text in r"(sessions\.json|\.|lock|bak|tmp|jsonl|deleted|reset|topic|-|_|[0-9]{1,20}|T|Z|2026-11-21T01|é){0,8}") {
            read_all(text.as_bytes());
        }
    }
}
