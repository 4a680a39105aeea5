//! Whose an entry is: the agent ids of a store's keys, numbered as they first stand in the file.
//!
//! One after the other, keys nearly always name the same agent, so a number is found with one comparison.

/// At most so many agents have a number of their own; a hostile file may name a million.
const MAX_AGENTS: usize = 4096;

/// The number of an agent in the [`Agents`] of the same scan; 0 where a key names none, or one too many.
pub type AgentNumber = u16;

/// The agent ids of a store, as its keys spell them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agents {
    ids: Vec<Box<str>>,
    last: usize,
}

impl Agents {
    /// The number of the agent that a key names.
    #[inline]
    pub fn number(&mut self, id: Option<&str>) -> AgentNumber {
        let Some(id) = id else { return 0 };
        if self.ids.get(self.last).is_none_or(|last| &**last != id) {
            self.last = match self.ids.iter().position(|known| &**known == id) {
                Some(known) => known,
                None if self.ids.len() == MAX_AGENTS => return 0,
                None => {
                    self.ids.push(id.into());
                    self.ids.len() - 1
                }
            };
        }
        self.last as AgentNumber + 1
    }

    /// The id behind a number; `None` for 0.
    pub fn id(&self, number: AgentNumber) -> Option<&str> {
        self.ids.get(usize::from(number).checked_sub(1)?).map(|id| &**id)
    }

    /// How many have a number.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether no key names an agent.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Takes in the agents of the part of the file that follows. Gives back the new number of each of its numbers,
    /// or `None` where they stay what they are.
    pub fn follow(&mut self, next: &Agents) -> Option<Vec<AgentNumber>> {
        let numbers: Vec<AgentNumber> =
            std::iter::once(0).chain(next.ids.iter().map(|id| self.number(Some(id)))).collect();
        let same = numbers.iter().enumerate().all(|(old, &new)| old == usize::from(new));
        (!same).then_some(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_parts_are_numbered_as_one_pass_would() {
        let names = ["b", "a", "b", "", "a", "c", "b"];
        let mut whole = Agents::default();
        let numbers: Vec<AgentNumber> = names.iter().map(|name| whole.number(Some(name))).collect();
        assert_eq!(numbers, [1, 2, 1, 3, 2, 4, 1]);
        assert_eq!((whole.number(None), whole.id(0), whole.id(4)), (0, None, Some("c")));
        for cut in 0..names.len() {
            let (mut first, mut second) = (Agents::default(), Agents::default());
            let mut joined: Vec<AgentNumber> =
                names[..cut].iter().map(|name| first.number(Some(name))).collect();
            let behind: Vec<AgentNumber> =
                names[cut..].iter().map(|name| second.number(Some(name))).collect();
            let renumbered = first.follow(&second);
            joined.extend(
                behind.iter().map(|&old| renumbered.as_ref().map_or(old, |new| new[usize::from(old)])),
            );
            assert_eq!((joined, first.ids), (numbers.clone(), whole.ids.clone()), "cut at {cut}");
        }
    }

    #[test]
    fn a_million_agents_take_the_room_of_a_few_thousand() {
        let mut agents = Agents::default();
        for at in 0..MAX_AGENTS + 9 {
            agents.number(Some(&at.to_string()));
        }
        assert_eq!((agents.len(), agents.number(Some("x")), agents.number(Some("7"))), (MAX_AGENTS, 0, 8));
    }
}
