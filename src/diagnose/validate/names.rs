//! Tells known members by their names: nearly always the one that followed the last time.

use crate::openclaw::entry_fields::{Known, Wanted};
use crate::rules::validate::{legacy_field, wrong_type};
use crate::scan::automaton::Kind;
use crate::scan::pattern::Spelled;
use crate::scan::text;

/// So many names are remembered; what comes beyond is looked up each time.
const MOST: usize = 256;

/// A known member, and of which kinds of values there is nothing to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Which it is.
    pub known: Known,
    /// A bit for each such kind.
    dull: u8,
}

impl Member {
    fn new(known: Known) -> Self {
        let kinds = [Kind::Object, Kind::Array, Kind::String, Kind::Number, Kind::Bool, Kind::Null];
        let dull = kinds.into_iter().filter(|&kind| is_dull(known, kind));
        Member { known, dull: dull.fold(0, |dull, kind| dull | bit(kind)) }
    }

    /// Whether a value of that kind is what stands there, and nobody asks what it is.
    #[inline(always)]
    pub fn is_dull(self, kind: Kind) -> bool {
        self.dull & bit(kind) != 0
    }
}

fn bit(kind: Kind) -> u8 {
    1 << kind as u8
}

fn is_dull(known: Known, kind: Kind) -> bool {
    let is_read = matches!(
        known,
        Known::SESSION_ID | Known::SESSION_FILE | Known::UPDATED_AT | Known::STARTED_AT | Known::ENDED_AT
    );
    let is_time = known.wanted() == Wanted::Time && kind == Kind::Number;
    !is_read && !is_time && !legacy_field::holds(known) && !wrong_type::holds(known, kind)
}

/// The names of members in the order in which they were seen.
#[derive(Default)]
pub struct Names {
    seen: Vec<(Spelled, Option<Member>)>,
    next: usize,
}

impl Names {
    /// Another entry begins.
    pub fn begin(&mut self) {
        self.next = 0;
    }

    /// The known member whose name is spelled so.
    #[inline(always)]
    pub fn known(&mut self, raw: &[u8]) -> Option<Member> {
        match self.seen.get(self.next) {
            Some((name, member)) if name.is(raw) => {
                self.next += 1;
                *member
            }
            _ => self.look_up(raw),
        }
    }

    #[cold]
    fn look_up(&mut self, raw: &[u8]) -> Option<Member> {
        let is = |(name, _): &(Spelled, _)| name.is(raw);
        let behind = self.seen.iter().skip(self.next).position(is).map(|at| self.next + at);
        if let Some(at) = behind.or_else(|| self.seen.iter().position(is)) {
            self.next = at + 1;
            return self.seen[at].1;
        }
        let member = Known::named(&text::decode(raw)).map(Member::new);
        if self.seen.len() < MOST {
            self.seen.push((Spelled::new(raw), member));
            self.next = self.seen.len();
        }
        member
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_any_order_and_spelling() {
        let mut names = Names::default();
        for _ in 0..2 {
            names.begin();
            for name in ["sessionId", "x", "updatedAt", "label", "st\\u0061tus", "sessionId"] {
                let known = names.known(name.as_bytes()).map(|member| member.known.name());
                assert_eq!(known, Some(name.replace("\\u0061", "a")).filter(|name| name != "x").as_deref());
            }
        }
    }

    #[test]
    fn of_a_value_that_is_wrong_or_read_there_is_something_to_say() {
        let member = |name: &str| Member::new(Known::named(name.as_bytes()).unwrap());
        let dull = |name: &str, kind: Kind| member(name).is_dull(kind);
        assert!(
            dull("label", Kind::String) && dull("label", Kind::Null) && dull("skillsSnapshot", Kind::Object)
        );
        assert!(dull("archivedAt", Kind::Null) && dull("lastThreadId", Kind::Number));
        assert!(!dull("label", Kind::Number) && !dull("archivedAt", Kind::Number));
        assert!(!dull("provider", Kind::String) && !dull("provider", Kind::Null));
        for read in ["sessionId", "sessionFile", "updatedAt", "startedAt", "endedAt"] {
            assert_eq!(member(read).dull, 0, "{read}");
        }
    }
}
