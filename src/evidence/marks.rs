//! What the outside sees in a key: `--keep`, `--agent`, the targets of jobs.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use globset::{GlobBuilder, GlobMatcher};

use crate::model::entry::Flags;
use crate::model::key::SessionKey;
use crate::openclaw::grammar::normalize_agent_id;

/// Marks keys while a store is scanned, by several threads or one, and remembers which globs matched.
pub struct Marks {
    keep: Vec<(String, GlobMatcher, AtomicBool)>,
    agents: Vec<String>,
    targets: HashSet<String>,
}

impl Marks {
    /// Compiles the globs. `*` also matches `:` and `/`; matching is case-sensitive.
    pub fn new(keep: &[String], agents: &[String], targets: HashSet<String>) -> Result<Self, globset::Error> {
        let compile = |glob: &String| {
            let matcher = GlobBuilder::new(glob).literal_separator(false).build()?.compile_matcher();
            Ok((glob.clone(), matcher, AtomicBool::new(false)))
        };
        Ok(Marks {
            keep: keep.iter().map(compile).collect::<Result<_, globset::Error>>()?,
            agents: agents.iter().map(|id| normalize_agent_id(id)).collect(),
            targets,
        })
    }

    /// The flags of a key.
    pub fn of(&self, key: &SessionKey<'_>, text: &str) -> Flags {
        let mut flags = Flags::NONE;
        for (_, glob, hits) in &self.keep {
            if glob.is_match(text) || glob.is_match(key.rest) {
                hits.store(true, Ordering::Relaxed);
                flags.set(Flags::KEEP, true);
            }
        }
        let in_scope = |id: &str| self.agents.iter().any(|wanted| *wanted == folded(id));
        flags.set(Flags::OUT_OF_SCOPE, !self.agents.is_empty() && !key.agent.is_some_and(in_scope));
        let named = |part: &str| self.targets.contains(&*folded(part));
        flags.set(Flags::JOB_TARGET, !self.targets.is_empty() && (named(text) || named(key.rest)));
        flags
    }

    /// Globs that matched no key of any store.
    pub fn unused(&self) -> impl Iterator<Item = &str> {
        self.keep
            .iter()
            .filter(|(_, _, hits)| !hits.load(Ordering::Relaxed))
            .map(|(glob, _, _)| glob.as_str())
    }
}

/// The text in lower case; a copy only where it is not yet.
fn folded(text: &str) -> Cow<'_, str> {
    let is_folded = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if is_folded { Cow::Borrowed(text) } else { Cow::Owned(text.to_lowercase()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_sees_the_whole_key_and_the_part_behind_the_agent() {
        let marks = Marks::new(
            &["cron:a*".into(), "agent:x:*".into(), "nothing".into()],
            &["Main".into()],
            HashSet::from(["mine".to_owned()]),
        )
        .unwrap();
        let flags = |text: &str| marks.of(&SessionKey::parse(text, "main"), text);
        assert!(flags("agent:main:cron:abc:run:d/e").has(Flags::KEEP));
        assert!(!flags("agent:main:cron:ABC").has(Flags::KEEP));
        assert!(flags("agent:x:main").has(Flags::KEEP | Flags::OUT_OF_SCOPE));
        assert!(!flags("agent:main:main").has(Flags::OUT_OF_SCOPE));
        assert!(flags("agent:main:Mine").has(Flags::JOB_TARGET));
        assert_eq!(marks.unused().collect::<Vec<_>>(), ["nothing"]);
    }
}
