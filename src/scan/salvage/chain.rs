//! A row of entries that the grammar holds together, and what becomes of it where the grammar breaks.
//!
//! A *run* begins at a place of which something is known, goes from entry to entry as `JSON.parse` would, and
//! ends where the text ends or makes no sense. Only then is it known how far its entries can be trusted.

use super::super::automaton::{Automaton, Halt, State};
use super::super::drive::Scanner;
use super::super::entries::KeyContext;
use super::super::fault::Expected;
use super::bridge::Bridge;
use super::gap::{Gaps, RawGap, What};
use super::gather::Gather;
use super::trust::{End, Origin, Run, Trust};
use crate::model::entries::Entries;
use crate::model::entry::Flags;

/// What a scan knows of entries: they, and their members.
const LEVELS: u64 = 2;
/// Lists longer than this are joined as they are, shorter ones entry by entry.
const LONG_LIST: usize = 1 << 12;

/// Runs one after the other, and what lies between them.
pub(super) struct Chain<'a> {
    gather: Gather<'a>,
    mode: Mode,
    run: Run,
    /// Entries of the runs before.
    pub entries: Entries,
    /// Those of them that could be something else.
    pub likely: Vec<u32>,
    /// Those that the white space before their last brace may speak for, or against.
    pub unsure: Vec<u32>,
    /// What lies between them.
    pub gaps: Gaps,
    /// Up to here all is told.
    sound: u64,
    /// Why nothing was sound since.
    cause: Option<What>,
    /// The entry that was lost since.
    lost: Option<u64>,
    /// Whether a string with a raw control character in it is why the last run ended.
    in_text: bool,
    /// Go on through the entry in which that was, as if the string had been right.
    bridges: Vec<Bridge>,
    /// Where the root of the first document ended.
    pub root_end: Option<u64>,
    /// Where it all began.
    pub origin: u64,
    /// How deep that lay in what was held for true there.
    pub depth: u64,
}

/// What the next byte is.
pub(super) enum Mode {
    /// Part of a run.
    Run(Box<Automaton>),
    /// Before the first object, or behind one.
    Between {
        /// Whether nothing stood there so far.
        fresh: bool,
    },
    /// Nobody knows.
    Lost,
}

/// Bytes to look at, with some that stand before them.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    /// All that can be seen.
    pub seen: &'a [u8],
    /// Offset of the first byte that can be seen.
    pub base: u64,
    /// The bytes to look at.
    pub from: usize,
    /// One past them.
    pub to: usize,
}

impl<'a> Chain<'a> {
    /// Nothing is known at `at`.
    pub(super) fn new(context: KeyContext<'a>, at: u64) -> Self {
        Chain {
            gather: Gather::new(context),
            mode: Mode::Lost,
            run: Run::new(Origin::Line, at, false),
            entries: Entries::default(),
            likely: Vec::new(),
            unsure: Vec::new(),
            gaps: Gaps::default(),
            sound: at,
            cause: None,
            lost: None,
            in_text: false,
            bridges: Vec::new(),
            root_end: None,
            origin: at,
            depth: 0,
        }
    }

    /// A text begins at `at`.
    pub(super) fn text(context: KeyContext<'a>, at: u64) -> Self {
        Chain { mode: Mode::Between { fresh: true }, ..Chain::new(context, at) }
    }

    /// The automaton, while a run goes on.
    pub(super) fn automaton(&self) -> Option<&Automaton> {
        match &self.mode {
            Mode::Run(automaton) => Some(automaton),
            _ => None,
        }
    }

    /// Whether a run goes on here and the key of an entry is due.
    pub(super) fn is_before_key(&self) -> bool {
        self.automaton().is_some_and(is_before_key)
    }

    /// Whether a run goes on.
    pub(super) fn is_running(&self) -> bool {
        self.automaton().is_some()
    }

    /// Whether there was nothing but white space so far.
    pub(super) fn is_fresh(&self) -> bool {
        matches!(self.mode, Mode::Between { fresh: true })
    }

    /// Whether nothing is known.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self.mode, Mode::Lost)
    }

    /// Whether the text may end here.
    pub(super) fn is_done(&self) -> bool {
        match &self.mode {
            Mode::Run(automaton) => automaton.state == State::Done,
            Mode::Between { .. } => true,
            Mode::Lost => false,
        }
    }

    /// Where the entry begins that is being read.
    pub(super) fn open(&self) -> Option<u64> {
        self.gather.open().filter(|_| self.is_running())
    }

    /// Where the last entry of the run began.
    pub(super) fn begun(&self) -> u64 {
        self.gather.begun()
    }

    /// An entry that can be told by its text begins here: what comes before it is held together on both sides.
    pub(super) fn segment(&mut self) {
        self.run.segment = self.gather.entries().len();
    }

    /// An entry begins here for certain: whatever the run began with, from here on it can be trusted.
    pub(super) fn confirm(&mut self, at: u64) {
        if matches!(self.run.origin, Origin::Guess { .. }) {
            self.settle(End::Joined);
            self.run = Run::new(Origin::Line, at, self.run.in_text);
        }
    }

    /// Whether what follows could as well be text.
    pub(super) fn is_in_text(&self) -> bool {
        self.in_text && !self.bridges.iter().any(|bridge| is_before_key(&bridge.automaton))
    }

    /// Begins a run at `at`, before a key with so many bytes of white space before it. Returns the gap that
    /// ends there.
    pub(super) fn begin(&mut self, origin: Origin, at: u64, blanks: u64, in_text: bool) -> (u64, u64) {
        let automaton = Automaton::before_key(LEVELS, at);
        self.begin_by(automaton, origin, at, at - blanks, in_text)
    }

    fn begin_by(
        &mut self,
        automaton: Automaton,
        origin: Origin,
        at: u64,
        gap_end: u64,
        in_text: bool,
    ) -> (u64, u64) {
        let gap = self.close_gap(gap_end);
        self.mode = Mode::Run(Box::new(automaton));
        self.run = Run::new(origin, at, in_text);
        self.gather.restart();
        self.bridges.clear();
        self.sound = at;
        gap
    }

    /// There may be reasons to doubt the run.
    pub(super) fn doubt(&mut self, doubt: bool) {
        self.run.doubt |= doubt;
    }

    /// What was not sound ends here.
    pub(super) fn close_gap(&mut self, end: u64) -> (u64, u64) {
        let range = self.sound.min(end)..end;
        let bounds = (range.start, range.end);
        let lost = self.lost.take();
        if let Some(what) = self.cause.take() {
            // Of a run of which nothing was kept.
            self.gaps.forget(range.start);
            self.gaps.push(RawGap { range, what, entry: lost });
        }
        bounds
    }

    /// Notes why nothing is sound, unless that is known already.
    pub(super) fn blame(&mut self, what: What) {
        self.cause.get_or_insert(what);
    }

    /// Looks at the next bytes. Returns whether they were refused anywhere.
    pub(super) fn push(&mut self, scanner: Scanner, part: Part<'_>) -> bool {
        let mut at = part.from;
        let mut refused = false;
        while at < part.to {
            let bytes = &part.seen[at..part.to];
            match &mut self.mode {
                Mode::Lost => {
                    self.bridges.retain_mut(|bridge| bridge.follow(scanner, part, at));
                    break;
                }
                Mode::Between { fresh } => {
                    let fresh = *fresh;
                    at += self.between(bytes, part.base + at as u64, fresh);
                }
                Mode::Run(automaton) => match scanner.push(automaton, bytes, &mut self.gather) {
                    Ok(()) => break,
                    Err(halt) => {
                        refused = true;
                        at = (self.halted(halt, part) - part.base) as usize;
                    }
                },
            }
        }
        refused
    }

    /// Looks for an object; returns how far.
    fn between(&mut self, bytes: &[u8], at: u64, fresh: bool) -> usize {
        let mut fresh = fresh;
        for (skip, &byte) in bytes.iter().enumerate() {
            let here = at + skip as u64;
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => continue,
                b'{' => {
                    let first = self.root_end.is_none() && fresh;
                    if self.root_end.is_some() {
                        self.blame(What::SecondDocument);
                    }
                    let origin = if first { Origin::Text } else { Origin::Document };
                    self.begin_by(Automaton::new(LEVELS, here), origin, here, here, false);
                    return skip;
                }
                b',' | b'[' | b']' | b'}' | 0 => {
                    self.blame(match byte {
                        0 => What::Zeros,
                        _ if self.root_end.is_some() => What::TrailingBytes,
                        _ => What::NoObject,
                    });
                    fresh = false;
                }
                _ => {
                    let rest = if self.root_end.is_some() { What::TrailingBytes } else { What::NoObject };
                    self.blame(rest);
                    self.mode = Mode::Lost;
                    return skip;
                }
            }
        }
        self.mode = Mode::Between { fresh };
        bytes.len()
    }

    /// The grammar refuses a byte. Returns where to go on.
    fn halted(&mut self, halt: Halt, part: Part<'_>) -> u64 {
        let Mode::Run(automaton) = &mut self.mode else { return halt.offset };
        let outermost = automaton.nesting.depth() == 1;
        let found = halt.found.unwrap_or(0);
        match (automaton.state, found) {
            (State::Done, _) => {
                let root_end = automaton.outcome(halt.offset).root_end;
                let surplus = is_surplus(found) && !closes_line(part, root_end);
                let doubtful = self.run.in_text || matches!(self.run.origin, Origin::Guess { .. });
                let end = match found {
                    _ if surplus => End::Surplus,
                    // The brace may be that of anything in a text. But then the text goes on, and no text holds a NUL, nor
                    // does it end with the brackets of what it stands in.
                    _ if doubtful && !matches!(found, b'{' | b'}' | b']' | 0) => End::Broken,
                    _ => End::Clean,
                };
                let (kept, read) = (self.entries.len(), self.gather.entries().len());
                self.settle(end);
                if surplus {
                    self.blame(What::of(halt));
                } else if self.entries.len() == kept && read > 0 {
                    self.blame(What::NoObject);
                } else {
                    self.root_end.get_or_insert(root_end);
                    self.sound = self.sound.max(root_end);
                }
                self.mode = Mode::Between { fresh: false };
                halt.offset
            }
            (State::After, b'"') if outermost && !self.ends_oddly() => {
                self.mend(What::MissingComma, halt.offset, halt.offset);
                halt.offset
            }
            (State::Key | State::KeyOrClose, b',') if outermost => {
                self.mend(What::SurplusComma, halt.offset, halt.offset + 1);
                halt.offset + 1
            }
            (State::Key, b'}') if outermost => {
                self.settle(End::Clean);
                self.gaps.push(RawGap {
                    range: self.sound..halt.offset,
                    what: What::SurplusComma,
                    entry: None,
                });
                self.root_end.get_or_insert(halt.offset + 1);
                self.sound = halt.offset + 1;
                self.mode = Mode::Between { fresh: false };
                halt.offset + 1
            }
            _ => {
                let in_string = halt.expected == Expected::Escaped;
                self.in_text = in_string || self.in_text && self.run.in_text;
                self.lost = self.lost.or(self.open());
                let mode = std::mem::replace(&mut self.mode, Mode::Lost);
                self.lose(What::of(halt));
                match mode {
                    Mode::Run(automaton) if in_string => {
                        self.bridges = Bridge::over(*automaton, halt);
                        halt.offset + 1
                    }
                    _ => halt.offset,
                }
            }
        }
    }

    /// Goes on behind a comma that is missing or too many, as if it were right.
    fn mend(&mut self, what: What, end: u64, on: u64) {
        let from = self.gather.entries().last().map_or(self.run.start, |last| last.end());
        self.gaps.push(RawGap { range: from..end, what, entry: None });
        self.gather.restart();
        self.mode = Mode::Run(Box::new(Automaton::before_key(LEVELS, on)));
    }

    /// Whether the last entry is none: a text behind which no comma, but a colon or another text stands.
    fn ends_oddly(&mut self) -> bool {
        self.gather.entries().last().is_none_or(|last| last.is(Flags::NOT_OBJECT))
    }

    /// The run is broken. Returns its automaton if that has read the text from its first byte on.
    pub(super) fn lose(&mut self, what: What) -> Option<Automaton> {
        let pristine = self.run.origin == Origin::Text && self.gaps.count == 0 && self.cause.is_none();
        self.lost = self.lost.or(self.open());
        self.blame(what);
        self.settle(if self.is_done() { End::Surplus } else { End::Broken });
        match std::mem::replace(&mut self.mode, Mode::Lost) {
            Mode::Run(automaton) if pristine => Some(*automaton),
            _ => None,
        }
    }

    /// Whether an entry was lost since the last sound one.
    pub(super) fn has_lost(&self) -> bool {
        self.lost.is_some()
    }

    /// Notes where the root ended, if it did.
    pub(super) fn note_root_end(&mut self) {
        if let Mode::Run(automaton) = &mut self.mode
            && automaton.state == State::Done
        {
            let outcome = automaton.outcome(automaton.offset());
            self.root_end.get_or_insert(outcome.root_end);
        }
    }

    /// The file ends in the middle of the run.
    pub(super) fn cut(&mut self) {
        self.lost = self.lost.or(self.open());
        self.blame(What::CutShort);
    }

    /// The run has ended: what it collected is sorted out.
    pub(super) fn settle(&mut self, end: End) {
        let sound_from = self.sound;
        let list = self.gather.entries();
        let trust = self.run.trust(end, list.first());
        let tail = if matches!(end, End::Clean | End::Joined) {
            list.len()
        } else {
            self.run.segment.min(list.len())
        };
        if trust == Trust::Certain && tail == list.len() {
            self.take_all();
        } else {
            self.take_some(trust, tail, end);
        }
        self.sound = self.entries.last().map_or(sound_from, |last| last.end().max(sound_from));
        self.gather.restart();
    }

    fn take_all(&mut self) {
        let list = self.gather.entries();
        if self.entries.is_empty() || list.len() > LONG_LIST {
            self.entries.append(std::mem::take(list));
        } else {
            list.iter().for_each(|entry| self.entries.push(*entry));
            list.truncate(0);
        }
    }

    fn take_some(&mut self, run: Trust, tail: usize, end: End) {
        let mut list = std::mem::take(self.gather.entries());
        let last = list.len().saturating_sub(1);
        for (at, entry) in list.iter().enumerate() {
            let unsure = run == Trust::Certain && at >= tail;
            let trust = match run {
                Trust::Certain if unsure => end.trust(entry, at == last),
                Trust::Certain => Trust::Certain,
                doubt => doubt.of(entry),
            };
            if trust == Trust::None {
                continue;
            }
            let number = number(self.entries.len());
            self.entries.push(*entry);
            if trust != Trust::Certain {
                self.likely.push(number);
            }
            if unsure {
                self.unsure.push(number);
            }
        }
        list.truncate(0);
        *self.gather.entries() = list;
    }

    /// Forgets the runs that began before `at`. Returns whether the last one is left.
    pub(super) fn forget_until(&mut self, at: u64) -> bool {
        if at > self.origin {
            self.entries.truncate(0);
            self.likely.clear();
            self.unsure.clear();
            self.gaps = Gaps::default();
            self.origin = self.run.start;
        }
        at <= self.run.start
    }

    /// Another chain, which began inside of the entry that this one did not get to the end of, is right.
    pub(super) fn give_way(&mut self, mut next: Chain<'a>, doubt: bool) {
        while let Some(last) = self.entries.last().filter(|last| last.end() > next.origin) {
            (self.lost, self.sound) = (Some(last.start()), last.start());
            self.entries.truncate(self.entries.len() - 1);
            let count = number(self.entries.len());
            for numbers in [&mut self.likely, &mut self.unsure] {
                numbers.truncate(numbers.partition_point(|&at| at < count));
            }
        }
        self.gaps.forget(next.origin);
        self.sound = self.sound.min(next.origin);
        self.close_gap(next.origin);
        let count = number(self.entries.len());
        if doubt {
            self.likely.extend(count..count + number(next.entries.len()));
        } else {
            self.likely.extend(next.likely.iter().map(|at| count + at));
            self.unsure.extend(next.unsure.iter().map(|at| count + at));
        }
        self.entries.append(std::mem::take(&mut next.entries));
        self.gaps.append(next.gaps);
        next.run.doubt |= doubt;
        (self.gather, self.mode, self.run) = (next.gather, next.mode, next.run);
        (self.sound, self.cause, self.lost, self.in_text) = (next.sound, next.cause, next.lost, next.in_text);
        self.bridges = next.bridges;
        self.root_end = self.root_end.or(next.root_end);
    }

    /// Puts in entries that lie in the gap that was closed last, with so many bytes between two of them.
    pub(super) fn put(&mut self, entries: &Entries, between: usize) {
        if entries.is_empty() {
            return;
        }
        self.gaps.part(entries, between as u64);
        for entry in entries.iter() {
            self.likely.push(number(self.entries.len()));
            self.entries.push(*entry);
        }
    }
}

/// Whether the key of an entry is due.
fn is_before_key(automaton: &Automaton) -> bool {
    matches!(automaton.state, State::Key | State::KeyOrClose)
        && automaton.nesting.depth() == 1
        && automaton.nesting.in_object()
}

/// Entries take far more memory than there is before their numbers take more than this.
fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Bytes that an entry which ended too early leaves behind.
fn is_surplus(byte: u8) -> bool {
    matches!(byte, b',' | b'}' | b'"' | b':')
}

/// Whether the brace before `end` stands at the begin of a line, as only that of the root does.
fn closes_line(part: Part<'_>, end: u64) -> bool {
    let before = end.checked_sub(2 + part.base).and_then(|at| part.seen.get(at as usize));
    before == Some(&b'\n')
}
