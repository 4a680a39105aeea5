//! JSON by vectors: the automaton of [`super::automaton`], moved on 64 bytes at a time.
//!
//! A block of 64 bytes becomes a handful of masks, a bit a byte: quotes, brackets, white space (`lanes`, in
//! two kinds of vectors). From these follows what lies inside strings and what between (`block`). Whether
//! that is JSON is a matter of arithmetic on masks (`grammar`), and so is where members begin and end that
//! somebody is told of (`members`). Where those are short and plain they are gone through one after the other
//! instead (`flat`).
//!
//! All this only ever says yes. A block that is refused goes byte by byte through [`super::portable`], from
//! the very state that the blocks before it led to: where a fault stands is found there and nowhere else, and
//! so is everything odd, be it ill-formed UTF-8, the beginning and the end of a text, or the end of a window.

mod avx2;
mod block;
mod flat;
mod grammar;
mod lanes;
mod members;
mod sse2;
mod utf8;

use self::block::{Between, Strings};
use self::flat::Gaps;
use self::grammar::Carry;
use self::lanes::{BLOCK, Lanes};
use self::utf8::Ahead;
use super::automaton::{Automaton, Halt, State, Stop, Visitor};

/// The kind of vectors to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vectors(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Avx2,
    Sse2,
}

impl Vectors {
    /// What this processor has, the best first.
    pub fn all() -> impl Iterator<Item = Vectors> {
        avx2::is_here().then_some(Kind::Avx2).into_iter().chain([Kind::Sse2]).map(Vectors)
    }

    /// As people call it.
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Avx2 => "AVX2",
            Kind::Sse2 => "SSE2",
        }
    }
}

impl Automaton {
    /// Looks at the next window by vectors. Nothing may be pushed after a halt.
    pub fn push_by<V: Visitor>(
        &mut self,
        vectors: Vectors,
        window: &[u8],
        visitor: &mut V,
    ) -> Result<(), Halt> {
        self.capture.go_on();
        let end = match vectors.0 {
            // SAFETY: `Vectors` are made by `Vectors::all` alone, which has asked the processor.
            #[allow(unsafe_code)]
            Kind::Avx2 => unsafe { avx2::run_here(self, window, visitor) },
            Kind::Sse2 => run::<sse2::Sse2, V>(self, window, visitor),
        };
        self.leave(window, end)
    }

    /// Whether the next byte goes on with a character, an escape, a number or a word.
    fn is_within(&self) -> bool {
        let token = matches!(
            self.state,
            State::Escape { .. } | State::Hex { .. } | State::Number(_) | State::Literal { .. }
        );
        token || self.utf8.is_open()
    }
}

/// Takes a whole window through the automaton.
#[inline(always)]
fn run<L: Lanes, V: Visitor>(automaton: &mut Automaton, window: &[u8], visitor: &mut V) -> Result<(), Stop> {
    let mut ahead = Ahead::default();
    let mut gaps = Gaps::default();
    let mut at = 0;
    while window.len() - at >= BLOCK {
        if automaton.is_within() {
            at = automaton.step(&window[..=at], at, visitor)?;
            continue;
        }
        if automaton.is_flat() {
            at = L::flat(automaton, window, at, &mut gaps, visitor);
        }
        let goes_on: bool;
        (at, goes_on) = leap::<L, V>(automaton, window, at, &mut ahead, visitor);
        if goes_on {
            continue;
        }
        let refused = window.len().min(at + BLOCK);
        automaton.creep(&window[..refused], at, visitor)?;
        at = refused;
    }
    automaton.creep(window, at, visitor)
}

/// Goes past blocks that are right; returns where the first begins that is refused, or the rest of the window,
/// and whether it stopped for another reason: members of an outer object are at hand, between two tokens.
#[inline(always)]
fn leap<L: Lanes, V: Visitor>(
    automaton: &mut Automaton,
    window: &[u8],
    from: usize,
    ahead: &mut Ahead,
    visitor: &mut V,
) -> (usize, bool) {
    let (mut at, mut is_flat) = (from, false);
    let mut carry = Carry::of(automaton.state);
    while window.len() - at >= BLOCK {
        let Some(strings) = Strings::look::<L>(window, at, carry.string, ahead) else { break };
        if strings.is_all() {
            automaton.utf8.skip(strings.surplus());
            at += strings.len;
            continue;
        }
        let block = Between::look::<L>(&strings);
        if !grammar::stays_inside(&block, &automaton.nesting) {
            break;
        }
        let Some(judged) = grammar::judge(&strings, &block, &carry, automaton.nesting.top) else { break };
        let Some(next) = grammar::scalars::<L>(window, at, &strings, &block) else { break };
        let is_near = automaton.nesting.depth() <= automaton.levels + u64::from(block.close.count_ones());
        if is_near && !members::report(automaton, window, at, next, &strings, &block, &judged, visitor) {
            break;
        }
        automaton.nesting.top = judged.top;
        automaton.nesting.held += block.open.count_ones();
        automaton.nesting.held -= block.close.count_ones();
        automaton.whitespace += block.whitespace();
        automaton.utf8.skip(strings.surplus());
        (at, carry) = (next, judged.carry);
        if is_near {
            automaton.state = carry.state(automaton.nesting.in_object());
            is_flat = automaton.is_flat();
            if is_flat {
                break;
            }
        }
    }
    if at > from {
        automaton.state = carry.state(automaton.nesting.in_object());
    }
    (at, is_flat)
}
