//! The caches inside an entry that OpenClaw builds again, and a choice of them.

/// Caches that are to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caches(u8);

/// One of them: where it stands in an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cache {
    /// The member of the entry.
    pub member: &'static str,
    /// The member inside that one which alone goes; `None` where the whole one goes.
    pub inner: Option<&'static str>,
}

/// The prompt of the skills, and what they were made of: rebuilt when it is missing.
pub const SKILLS: &str = "skillsSnapshot";
/// A report on the last prompt: written anew by each run.
pub const REPORT: &str = "systemPromptReport";

/// All that OpenClaw is known to build again.
const KNOWN: [Cache; 3] = [
    Cache { member: SKILLS, inner: None },
    Cache { member: REPORT, inner: None },
    // OpenClaw leaves it out itself by now.
    Cache { member: SKILLS, inner: Some("resolvedSkills") },
];

impl Cache {
    /// Its name in options and records: members with a dot between them.
    pub fn name(self) -> String {
        match self.inner {
            None => self.member.to_owned(),
            Some(inner) => format!("{}.{inner}", self.member),
        }
    }

    /// The cache of that name.
    pub fn of_name(name: &str) -> Option<Cache> {
        KNOWN.into_iter().find(|cache| cache.name() == name)
    }
}

impl Caches {
    /// Both whole members.
    pub const BOTH: Caches = Caches(0b11);

    /// What a list with commas names; an error names what is not known, or nothing where the list is empty.
    pub fn of_list(list: &str) -> Result<Caches, &str> {
        let mut chosen = Caches(0);
        for name in list.split(',').map(str::trim) {
            let at = KNOWN.iter().position(|cache| cache.name() == name).ok_or(name)?;
            chosen.0 |= 1 << at;
        }
        Ok(chosen)
    }

    /// The names that a list may hold.
    pub fn names() -> Vec<String> {
        KNOWN.iter().map(|cache| cache.name()).collect()
    }

    /// Those that were chosen; none that lies inside another.
    pub fn each(self) -> impl Iterator<Item = Cache> {
        let chosen = KNOWN.into_iter().enumerate().filter(move |(at, _)| self.0 >> at & 1 == 1);
        let whole = move |cache: &Cache| self.0 & 1 == 1 && cache.member == SKILLS && cache.inner.is_some();
        chosen.map(|(_, cache)| cache).filter(move |cache| !whole(cache))
    }

    /// The members of an entry of which something is to go.
    pub fn touches(self, member: &str) -> bool {
        self.each().any(|cache| cache.member == member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_what_is_known_and_nothing_else() {
        let names =
            |list| Caches::of_list(list).map(|caches| caches.each().map(Cache::name).collect::<Vec<_>>());
        assert_eq!(
            names("skillsSnapshot,systemPromptReport"),
            Ok(vec![SKILLS.to_owned(), REPORT.to_owned()])
        );
        assert_eq!(names(" systemPromptReport"), Ok(vec![REPORT.to_owned()]));
        assert_eq!(names("skillsSnapshot.resolvedSkills,skillsSnapshot"), Ok(vec![SKILLS.to_owned()]));
        assert_eq!(names("skillsSnapshot.resolvedSkills").map(|names| names.len()), Ok(1));
        assert_eq!(names("cliSessionBindings,skillsSnapshot"), Err("cliSessionBindings"));
        assert_eq!(names(""), Err(""));
        assert_eq!(Caches::of_list("skillsSnapshot,systemPromptReport"), Ok(Caches::BOTH));
    }
}
