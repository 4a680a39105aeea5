//! Over a control character in a string, to the end of the entry: if that comes where the next entry begins, what
//! lies behind it is no text of that string.

use super::super::automaton::{Automaton, Halt, State};
use super::super::drive::Scanner;
use super::super::fault::Expected;
use super::chain::Part;
use super::gather::Nobody;

/// Reads an entry on as if a string in it had been right.
pub(super) struct Bridge {
    pub automaton: Automaton,
    /// Whether a line feed in a string is taken for the place of its missing quote, and not for a part of it.
    ends_lines: bool,
}

impl Bridge {
    /// Every way to go on behind the control character at which `automaton` halted.
    pub(super) fn over(automaton: Automaton, halt: Halt) -> Vec<Bridge> {
        let bridge = |ends_lines| {
            let mut bridge = Bridge { automaton: automaton.clone(), ends_lines };
            bridge.step_over(halt);
            bridge
        };
        if halt.found == Some(b'\n') { vec![bridge(true), bridge(false)] } else { vec![bridge(true)] }
    }

    /// Reads on from `from`; whether that makes sense still.
    pub(super) fn follow(&mut self, scanner: Scanner, part: Part<'_>, from: usize) -> bool {
        let mut at = from;
        while at < part.to {
            match scanner.push(&mut self.automaton, &part.seen[at..part.to], &mut Nobody) {
                Ok(()) => break,
                Err(halt) if halt.expected == Expected::Escaped => {
                    at = (self.step_over(halt) - part.base) as usize;
                }
                Err(_) => return false,
            }
        }
        true
    }

    fn step_over(&mut self, halt: Halt) -> u64 {
        let automaton = &mut self.automaton;
        automaton.utf8.break_off(halt.offset);
        automaton.offset = halt.offset + 1;
        if self.ends_lines && halt.found == Some(b'\n') {
            let object = automaton.nesting.in_object();
            automaton.state = if object { State::KeyOrClose } else { State::ValueOrClose };
        }
        automaton.offset
    }
}
