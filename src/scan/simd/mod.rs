//! JSON by vectors: the automaton of [`super::automaton`], moved on 64 bytes at a time.
//!
//! A block of 64 bytes becomes a handful of masks, a bit a byte: quotes, brackets, white space ([`lanes`], in
//! two kinds of vectors). From these follows what lies inside strings and what between ([`block`]). Then
//! there are three ways on, all of which leave the automaton in the state that looking at every byte would:
//!
//! - [`grammar`]: what is nested too deep to be reported is judged as a whole, by arithmetic on masks.
//! - `walk`: elsewhere the automaton is led from token to token.
//! - [`super::portable`]: what is odd is looked at byte by byte: a fault, ill-formed UTF-8, a token that
//!   began in an earlier window, the last bytes of a window. So there is one place that finds faults.

mod avx2;
mod block;
mod grammar;
mod lanes;
mod sse2;
mod utf8;

use self::block::Block;
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

    /// Whether the next byte goes on with an escape, a number or a word.
    fn is_within_token(&self) -> bool {
        matches!(
            self.state,
            State::Escape { .. } | State::Hex { .. } | State::Number(_) | State::Literal { .. }
        )
    }
}

/// Takes a whole window through the automaton.
#[inline(always)]
fn run<L: Lanes, V: Visitor>(automaton: &mut Automaton, window: &[u8], visitor: &mut V) -> Result<(), Stop> {
    let mut ahead = Ahead::default();
    let mut at = 0;
    while window.len() - at >= BLOCK {
        if automaton.utf8.is_open() || automaton.is_within_token() {
            at = automaton.step(&window[..=at], at, visitor)?;
            continue;
        }
        at = skip::<L>(automaton, window, at, &mut ahead);
        if window.len() - at < BLOCK {
            break;
        }
        let string = u64::from(matches!(automaton.state, State::String { .. })).wrapping_neg();
        match Block::look::<L>(window, at, string, &mut ahead) {
            Some(block) => at = walk(automaton, window, at, &block, visitor)?,
            None => {
                automaton.creep(&window[..at + BLOCK], at, visitor)?;
                at += BLOCK;
            }
        }
    }
    automaton.creep(window, at, visitor)
}

/// Goes past blocks that are right and of which nobody is told; returns where to go on.
#[inline(always)]
fn skip<L: Lanes>(automaton: &mut Automaton, window: &[u8], from: usize, ahead: &mut Ahead) -> usize {
    if automaton.nesting.depth() <= automaton.levels {
        return from;
    }
    let mut at = from;
    let mut carry = Carry::of(automaton.state);
    while window.len() - at >= BLOCK {
        let Some(block) = Block::look::<L>(window, at, carry.string, ahead) else { break };
        if !grammar::is_deep(&block, &automaton.nesting, automaton.levels) {
            break;
        }
        let Some(judged) = grammar::judge(&block, &carry, automaton.nesting.top) else { break };
        let Some(next) = grammar::scalars::<L>(window, at, &block) else { break };
        automaton.nesting.top = judged.top;
        automaton.nesting.held += block.open.count_ones();
        automaton.nesting.held -= block.close.count_ones();
        automaton.whitespace += block.whitespace(block.len);
        automaton.utf8.skip(block.surplus(block.len));
        (at, carry) = (next, judged.carry);
    }
    automaton.state = carry.state(automaton.nesting.in_object());
    at
}

/// Leads the automaton from token to token; returns where to go on.
#[inline(always)]
fn walk<V: Visitor>(
    automaton: &mut Automaton,
    window: &[u8],
    at: usize,
    block: &Block,
    visitor: &mut V,
) -> Result<usize, Stop> {
    let mut tokens = block.tokens();
    let mut next = at + block.len;
    let mut result = Ok(());
    while tokens != 0 && result.is_ok() {
        let place = at + tokens.trailing_zeros() as usize;
        tokens &= tokens - 1;
        match automaton.state {
            State::String { key: true } => automaton.key_end(window, place, visitor),
            State::String { key: false } => automaton.scalar_end(window, place, visitor),
            _ => {
                result = automaton.structural(window, place, window[place], visitor);
                if automaton.is_within_token() && result.is_ok() {
                    match scalar(automaton, window, at, place, block, visitor) {
                        Ok(end) => next = next.max(end),
                        Err(stop) => result = Err(stop),
                    }
                }
            }
        }
    }
    let seen = result.as_ref().map_or_else(|stop| stop.at - at, |()| block.len);
    automaton.whitespace += block.whitespace(seen);
    automaton.utf8.skip(block.surplus(seen));
    result.map(|()| next)
}

/// Goes to the end of the number or word that begins at `place`, or of the window.
#[inline(always)]
fn scalar<V: Visitor>(
    automaton: &mut Automaton,
    window: &[u8],
    at: usize,
    place: usize,
    block: &Block,
    visitor: &mut V,
) -> Result<usize, Stop> {
    let mut end = place + 1;
    while end < window.len() && automaton.is_within_token() {
        end = automaton.step(window, end, visitor)?;
    }
    if end < at + block.len && block.scalar >> (end - at) & 1 == 1 {
        automaton.structural(window, end, window[end], visitor)?;
    }
    Ok(end)
}
