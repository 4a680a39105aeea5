//! Takes a damaged text through one chain of entries, and through a few more where it is in doubt.
//!
//! Where an entry seems to begin and none is due, one of two things is true: it belongs to the entry that is
//! being read, or that one lost its end. On a line of its own only the second is possible, since no entry holds
//! such a line. Elsewhere both are followed, in a chain each, until one is refuted: the outer one is right if
//! it comes to the key of an entry again. So each byte is looked at by a few automata at most.

use super::super::automaton::Automaton;
use super::super::drive::Scanner;
use super::super::entries::KeyContext;
use super::boundary::{Boundary, Search, blanks_before};
use super::chain::{Chain, Part};
use super::gap::What;
use super::gather::Nobody;
use super::trust::{End, Origin};
use super::view::View;
use crate::model::entries::Entries;
use crate::model::style::Style;

/// So many chains are followed at once.
const MOST_CHAINS: usize = 4;

/// The chains, and what they are made of.
pub(super) struct Machine<'a> {
    scanner: Scanner,
    context: KeyContext<'a>,
    search: Search,
    style: Style,
    /// The first is what is held for true; each other began inside an entry of the one before.
    chains: Vec<Chain<'a>>,
    /// The whole text as `JSON.parse` would read it, where lines alone speak against it.
    plain: Option<Automaton>,
    /// The gap that was closed last, if it was not looked into yet.
    closed: Option<(u64, u64)>,
    refused: bool,
}

impl<'a> Machine<'a> {
    pub(super) fn new(context: KeyContext<'a>, style: Style, start: u64) -> Self {
        Machine {
            scanner: Scanner::best(),
            context,
            search: Search::new(),
            style,
            chains: vec![Chain::text(context, start)],
            plain: None,
            closed: None,
            refused: false,
        }
    }

    /// Looks at what can be told of a view from `at` on; returns how far it came. It stops where a gap ends,
    /// for somebody to look into that.
    pub(super) fn take(&mut self, view: &View<'_>, at: u64) -> u64 {
        let mut from = (at - view.base) as usize;
        let mut search_from = from;
        while self.closed.is_none()
            && let Some(boundary) = self.search.next(view.bytes, search_from, view.limit)
        {
            self.feed(view, from, boundary.at);
            from = boundary.at;
            search_from = from + 1;
            self.meet(view, boundary);
        }
        if self.closed.is_none() {
            self.feed(view, from, view.limit);
            from = view.limit;
        }
        view.base + from as u64
    }

    /// The gap that was closed since the last call.
    pub(super) fn closed_gap(&mut self) -> Option<(u64, u64)> {
        self.closed.take()
    }

    /// Whether bytes were refused since the last call.
    pub(super) fn was_refused(&mut self) -> bool {
        std::mem::take(&mut self.refused)
    }

    /// Entries of the gap that was closed last.
    pub(super) fn put(&mut self, entries: &Entries) {
        self.chains[0].put(entries, self.style.between.len() + 1);
    }

    fn feed(&mut self, view: &View<'_>, from: usize, to: usize) {
        if from == to {
            return;
        }
        let part = Part { seen: view.bytes, base: view.base, from, to };
        if let Some(plain) = &mut self.plain
            && self.scanner.push(plain, &view.bytes[from..to], &mut Nobody).is_err()
        {
            (self.plain, self.refused) = (None, true);
        }
        for chain in &mut self.chains {
            self.refused |= chain.push(self.scanner, part);
        }
        self.drop_refuted();
    }

    /// Of chains, one inside the other, at most one is right.
    fn drop_refuted(&mut self) {
        while let [outer, inner, ..] = &mut self.chains[..] {
            // Whatever began inside of an entry that ended was part of it.
            if outer.is_done() && !inner.is_done() || !inner.forget_until(outer.begun()) {
                self.chains.truncate(1);
            } else if outer.is_lost() {
                self.give_way(false);
            } else {
                return;
            }
        }
    }

    fn give_way(&mut self, doubt: bool) {
        let next = self.chains.remove(1);
        self.chains[0].give_way(next, doubt);
    }

    /// An entry seems to begin here.
    fn meet(&mut self, view: &View<'_>, boundary: Boundary) {
        let at = view.base + boundary.at as u64;
        let blanks = &view.bytes[boundary.at - boundary.blanks..boundary.at];
        let right = self.chains.iter().position(Chain::is_before_key);
        let line = self.style.is_line(blanks);
        match right {
            Some(0) => self.chains.truncate(1),
            Some(right) if line => {
                self.chains.truncate(right + 1);
                while self.chains.len() > 1 {
                    self.break_off();
                    self.give_way(false);
                }
            }
            Some(right) => self.chains.truncate(right + 1),
            None if line => return self.begin_line(at, boundary.blanks as u64),
            // A line that is indented further belongs to an entry.
            None if self.style.is_inner_line(blanks) => return,
            None => {
                let follows = follows_entry(&view.bytes[..boundary.at - boundary.blanks]);
                return self.begin_guess(at, boundary.blanks as u64, follows);
            }
        }
        if let Some(last) = self.chains.last_mut() {
            if line {
                last.confirm(at);
            }
            last.segment();
        }
    }

    /// Whatever is being read, it did not end.
    fn break_off(&mut self) {
        let chain = &mut self.chains[0];
        let what = match chain.open() {
            Some(_) => What::EntryWithoutEnd,
            None if chain.is_done() => What::TrailingBytes,
            None => What::MissingComma,
        };
        if chain.is_running()
            && let Some(automaton) = chain.lose(what)
        {
            self.plain = Some(automaton);
        }
    }

    fn begin_line(&mut self, at: u64, blanks: u64) {
        self.break_off();
        // What began inside of the entry that is lost, and is broken off as well, is part of it.
        self.chains.truncate(1);
        let chain = &mut self.chains[0];
        let in_text = chain.is_in_text();
        self.closed = Some(chain.begin(Origin::Line, at, blanks, in_text));
    }

    fn begin_guess(&mut self, at: u64, blanks: u64, follows: bool) {
        let count = self.chains.len();
        // How deep it would lie in the innermost chain that goes on.
        let depth = self
            .chains
            .iter()
            .rev()
            .find_map(|chain| chain.automaton())
            .map_or(0, |automaton| automaton.nesting.depth());
        let last = &mut self.chains[count - 1];
        let in_text = last.is_in_text();
        // In an entry that is lost, it could be the first of some that lie deeper.
        let deeper = depth == 0 && last.has_lost() && !follows;
        let doubt = deeper || self.style.has_lines();
        if !last.is_running() {
            let gap = last.begin(Origin::Guess { depth }, at, blanks, in_text);
            last.doubt(doubt);
            if count == 1 {
                self.closed = Some(gap);
            }
        } else if count < MOST_CHAINS {
            use super::super::automaton::State;
            let state = last.automaton().map(|automaton| automaton.state);
            if matches!(state, Some(State::Escape { .. } | State::Hex { .. })) {
                return;
            }
            let in_string = matches!(state, Some(State::String { .. }));
            let mut inner = Chain::new(self.context, at);
            inner.depth = depth;
            inner.begin(Origin::Guess { depth }, at, 0, in_text || in_string);
            inner.doubt(doubt);
            self.chains.push(inner);
        }
    }

    /// The file has ended. Returns the chain that is held for true, or nothing if the whole text is JSON as it
    /// stands.
    pub(super) fn finish(mut self, end: u64) -> Option<(Chain<'a>, Option<(u64, u64)>)> {
        if self.plain.as_mut().is_some_and(|plain| plain.finish(&mut Nobody).is_ok()) {
            return None;
        }
        self.choose();
        let mut chain = self.chains.swap_remove(0);
        let done = chain.is_done();
        if chain.is_running() {
            if !done {
                chain.cut();
            }
            chain.settle(if done { End::Clean } else { End::Cut });
            chain.note_root_end();
        }
        if chain.is_fresh() {
            chain.blame(What::CutShort);
        }
        let mut gap = None;
        if !done || chain.is_lost() || !chain.is_running() {
            gap = Some(chain.close_gap(end));
        }
        Some((chain, gap))
    }

    /// Settles which of the chains is right at the end of the file.
    ///
    /// An inner one that comes to its end there may be what follows an entry without an end, or a part of one
    /// that was cut. It is the former if the outer one lacks just one brace; where lines tell entries apart, it
    /// is the latter.
    fn choose(&mut self) {
        self.plain = None;
        let done = self.chains.iter().position(Chain::is_done);
        let right = match done {
            Some(right) => right,
            None if self.chains[0].open().is_some() => self.chains.len() - 1,
            None => 0,
        };
        let surely =
            done.is_some() && self.chains[0].automaton().is_some_and(|outer| outer.nesting.depth() == 1);
        self.chains.truncate(if self.style.has_lines() && !surely { 1 } else { right + 1 });
        while self.chains.len() > 1 {
            self.break_off();
            self.give_way(!surely);
        }
        self.plain = None;
    }
}

/// Whether a comma and a brace stand before a key, as they do unless it is the first of an object.
fn follows_entry(before: &[u8]) -> bool {
    let Some(before) = before.strip_suffix(b",") else { return false };
    before[..before.len() - blanks_before(before, before.len())].ends_with(b"}")
}
