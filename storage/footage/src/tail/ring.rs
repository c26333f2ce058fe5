//! One stream's bounded, numbered ring: pure, no lock, no clock, no task.
//!
//! Every item (`Begin`, `Unit`, `End`, `Absent`) has a number that only grows; items are held in chunks, one for each GOP,
//! so that a complete GOP is one `Arc` for every reader. Invariants:
//!
//! - `released <= taken <= first_no + chunks.len()`: the disk has published, taken, can take
//! - `bytes <= bound` after every push, except for a single unit that is larger by itself
//! - the open part holds at most a quarter of the bound, and at most `commit` of a `full` stream's time: what is longer goes
//!   on in a further part. A part that was begun for time alone is *joined*: queries put it together with the one before.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use sightline_model::{
    Timestamp,
    gap::{Gap, GapReason},
    media::{AccessUnit, Gop, GopStart, Policy, micros_to_ticks, ticks_to_micros},
    tail::TailItem,
};

use super::{
    chunk::{Body, Chunk, Effect, Open, Piece, Work},
    gaps::GapTracker,
};

/// What a chunk and a unit cost beside their media, for the bound.
const CHUNK_BYTES: usize = 256;
const UNIT_BYTES: usize = 48;
/// Length of a frame when a GOP of one frame is cut off: 1/25 s.
const FRAME_90K: i64 = 3600;
/// The longest that parts are joined for: at this length a GOP goes on in a part of its own.
pub(crate) const JOIN_MAX_US: i64 = 8_000_000;

/// The ring. See the module's words.
#[derive(Debug)]
pub(crate) struct Ring {
    pub(super) bound: usize,
    pub(super) commit_90k: i64,
    pub(super) recorded: bool,
    pub(super) closed: bool,
    pub(super) readers: usize,
    pub(super) chunks: VecDeque<Chunk>,
    pub(super) first_no: u64,
    pub(super) next_item: u64,
    pub(super) bytes: usize,
    pub(super) open: Option<Open>,
    /// Parts that this ring added to the GOP that began last.
    pub(super) extra_parts: u16,
    /// Number of the newest chunk that is a complete part 0.
    pub(super) newest_key: Option<u64>,
    pub(super) tracker: GapTracker,
    pub(super) taken: u64,
    pub(super) released: u64,
    pub(super) enlisted: bool,
    /// End of what the disk has taken or published last.
    pub(super) taken_end: Option<Timestamp>,
    pub(super) released_end: Option<Timestamp>,
    /// Start of the first chunk that fell off before it was taken, or was given up.
    pub(super) lost_from: Option<Timestamp>,
    /// Why it is not on disk.
    pub(super) lost_reason: GapReason,
}

impl Ring {
    pub(crate) fn new(bound: usize, commit: Duration, known_until: Option<Timestamp>) -> Self {
        let commit_us = i64::try_from(commit.as_micros()).unwrap_or(i64::MAX);
        Self {
            bound,
            commit_90k: micros_to_ticks(commit_us),
            recorded: false,
            closed: false,
            readers: 0,
            chunks: VecDeque::new(),
            first_no: 0,
            next_item: 0,
            bytes: 0,
            open: None,
            extra_parts: 0,
            newest_key: None,
            tracker: GapTracker::new(known_until),
            taken: 0,
            released: 0,
            enlisted: false,
            taken_end: known_until,
            released_end: known_until,
            lost_from: None,
            lost_reason: GapReason::DiskOverload,
        }
    }

    /// Whether the stream is kept on disk.
    pub(crate) fn recorded(&self) -> bool {
        self.recorded
    }

    fn next_no(&self) -> u64 {
        self.first_no + self.chunks.len() as u64
    }

    /// Starts or stops keeping the stream on disk. What came before a start is not written any more.
    pub(crate) fn set_recorded(&mut self, recorded: bool) {
        if recorded && !self.recorded {
            self.taken = self.next_no();
            self.released = self.taken;
            self.lost_from = None;
        }
        self.recorded = recorded;
    }

    /// Takes no more items from the source, for good; the open GOP is closed as it is, and an open gap whose reason was
    /// told keeps it until `now`.
    pub(crate) fn close(&mut self, now: Timestamp) -> Effect {
        let mut effect = Effect::default();
        self.cut_open(&mut effect);
        if let Some(gap) = self.tracker.stop(now).filter(|_| self.recorded) {
            self.append(Body::Gap(gap), CHUNK_BYTES);
        }
        self.closed = true;
        self.settle(effect)
    }

    /// Ends the open GOP, as when its source is gone.
    pub(crate) fn source_gone(&mut self) -> Effect {
        let mut effect = Effect::default();
        self.cut_open(&mut effect);
        self.settle(effect)
    }

    pub(crate) fn add_reader(&mut self) {
        self.readers += 1;
    }

    pub(crate) fn remove_reader(&mut self) {
        self.readers = self.readers.saturating_sub(1);
        self.evict(&mut Effect::default());
    }

    /// Takes the next item of the source. Whatever the order of items, the ring holds well-formed GOPs.
    pub(crate) fn push(&mut self, item: TailItem) -> Effect {
        let mut effect = Effect::default();
        if self.closed {
            return effect;
        }
        match item {
            TailItem::Begin(start) => self.begin(start, &mut effect),
            TailItem::Unit(unit) => self.unit(unit, &mut effect),
            TailItem::End { duration_90k } => {
                let base = self.open.as_ref().map_or(0, |open| open.base_90k);
                self.complete(i64::from(duration_90k) - base, &mut effect);
            }
            TailItem::Absent { since, reason } => self.absent(since, reason, &mut effect),
        }
        self.settle(effect)
    }

    fn begin(&mut self, mut start: GopStart, effect: &mut Effect) {
        self.cut_open(effect);
        if start.part == 0 {
            self.extra_parts = 0;
        }
        start.part = start.part.saturating_add(self.extra_parts);
        self.open_part(start, 0, None);
    }

    /// Opens a part, joined to one that ended with these sums.
    fn open_part(&mut self, start: GopStart, base_90k: i64, before: Option<(i64, usize)>) {
        if let Some(gap) = self.tracker.begin(start.at).filter(|_| self.recorded) {
            self.append(Body::Gap(gap), CHUNK_BYTES);
        }
        let first_item = self.next_item;
        self.next_item += 1;
        let (before_90k, before_bytes) = before.unwrap_or_default();
        self.open = Some(Open {
            first_item,
            start: Arc::new(start),
            units: Vec::new(),
            bytes: CHUNK_BYTES,
            base_90k,
            joined: before.is_some(),
            before_90k,
            before_bytes,
        });
    }

    fn unit(&mut self, mut unit: AccessUnit, effect: &mut Effect) {
        let Some(open) = &self.open else { return };
        let cost = unit.data.len() + UNIT_BYTES;
        let elapsed_90k = i64::from(unit.pts_90k) - open.base_90k;
        let full = open.bytes + cost > self.bound / 4;
        // Of a `keyframes` stream only the first frame is kept: further parts would hold nothing.
        let long = elapsed_90k >= self.commit_90k && open.start.policy == Policy::Full;
        if (full || long) && elapsed_90k > 0 && !open.units.is_empty() {
            self.split(elapsed_90k, full, effect);
        }
        let Some(open) = &mut self.open else { return };
        unit.pts_90k = i32::try_from(i64::from(unit.pts_90k) - open.base_90k).unwrap_or(unit.pts_90k);
        open.units.push(unit);
        open.bytes += cost;
        self.next_item += 1;
    }

    /// Completes the open part and goes on in a further one.
    fn split(&mut self, elapsed_90k: i64, full: bool, effect: &mut Effect) {
        let Some(open) = &self.open else { return };
        let base_90k = open.base_90k + elapsed_90k;
        let mut start = GopStart::clone(&open.start);
        start.at = start.at.plus_micros(ticks_to_micros(elapsed_90k));
        start.media_90k = start.media_90k.saturating_add(elapsed_90k);
        start.part = start.part.saturating_add(1);
        self.extra_parts = self.extra_parts.saturating_add(1);
        let (before_90k, before_bytes) = (open.before_90k + elapsed_90k, open.before_bytes + open.bytes);
        // What is joined is read at once: it stays as small as a GOP usually is.
        let fits = !full && before_90k < micros_to_ticks(JOIN_MAX_US) && before_bytes < self.bound / 4;
        self.complete(elapsed_90k, effect);
        self.open_part(start, base_90k, fits.then_some((before_90k, before_bytes)));
    }

    fn absent(&mut self, since: Timestamp, reason: GapReason, effect: &mut Effect) {
        self.cut_open(effect);
        if let Some(gap) = self.tracker.absent(since, reason).filter(|_| self.recorded) {
            effect.ready_bytes += CHUNK_BYTES;
            self.append(Body::Gap(gap), CHUNK_BYTES);
        }
        let repeated = matches!(self.chunks.back(), Some(Chunk { body: Body::Absent { since: s, reason: r }, .. })
            if *s == since && *r == reason);
        if !repeated {
            self.append(Body::Absent { since, reason }, CHUNK_BYTES);
        }
    }

    /// Completes the open GOP, if any, with the length that its frames suggest.
    fn cut_open(&mut self, effect: &mut Effect) {
        let Some(open) = &self.open else { return };
        let last = open.units.iter().map(|unit| i64::from(unit.pts_90k)).max().unwrap_or(0);
        let frames = i64::try_from(open.units.len()).unwrap_or(i64::MAX);
        let frame = if frames > 1 && last > 0 { last / (frames - 1) } else { FRAME_90K };
        let duration = if open.units.is_empty() { 0 } else { last + frame };
        self.complete(duration, effect);
    }

    fn complete(&mut self, duration_90k: i64, effect: &mut Effect) {
        let Some(open) = self.open.take() else { return };
        let duration_90k = u32::try_from(duration_90k.max(0)).unwrap_or(u32::MAX);
        let gop = Gop { start: GopStart::clone(&open.start), duration_90k, units: open.units };
        self.tracker.end(gop.end());
        self.next_item += 1;
        if self.recorded && !gop.units.is_empty() {
            effect.ready_bytes += open.bytes;
            effect.completed += 1;
        }
        if gop.start.part == 0 && !gop.units.is_empty() {
            self.newest_key = Some(self.next_no());
        }
        let body = Body::Gop { start: open.start, piece: Piece { gop: Arc::new(gop), joined: open.joined } };
        self.bytes += open.bytes;
        self.chunks.push_back(Chunk { first_item: open.first_item, bytes: open.bytes, body });
    }

    fn append(&mut self, body: Body, bytes: usize) {
        let chunk = Chunk { first_item: self.next_item, bytes, body };
        self.next_item += chunk.items();
        self.bytes += bytes;
        self.chunks.push_back(chunk);
    }

    fn settle(&mut self, mut effect: Effect) -> Effect {
        self.evict(&mut effect);
        if effect.ready_bytes > 0 {
            effect.enlist = !std::mem::replace(&mut self.enlisted, true);
        }
        effect
    }

    /// Lets go of what nobody needs, and of the oldest when the bound is reached whoever needs it.
    fn evict(&mut self, effect: &mut Effect) {
        let unneeded = if self.recorded { self.released } else { u64::MAX };
        let keep_from = self.newest_key.unwrap_or_else(|| self.next_no()).min(unneeded);
        loop {
            let open_bytes = self.open.as_ref().map_or(0, |open| open.bytes);
            let over = self.bytes + open_bytes > self.bound;
            let idle = self.readers == 0 && self.first_no < keep_from;
            if !(over || idle) {
                break;
            }
            let Some(chunk) = self.chunks.pop_front() else { break };
            self.bytes -= chunk.bytes;
            if self.recorded && self.first_no >= self.taken {
                self.lose(&chunk, effect);
            }
            self.first_no += 1;
        }
    }

    fn lose(&mut self, chunk: &Chunk, effect: &mut Effect) {
        if let Body::Gop { piece, .. } = &chunk.body
            && !piece.gop.units.is_empty()
        {
            effect.dropped += 1;
        }
        if self.lost_from.is_none() {
            self.lost_from = chunk.from();
            self.lost_reason = GapReason::DiskOverload;
        }
    }

    /// Lets go, in the disk's name, of everything that it has not taken: its class is not recorded while the disk is full.
    /// What is live goes on.
    pub(crate) fn shed(&mut self) {
        let all_released = self.released >= self.taken;
        let from = self.taken.max(self.first_no);
        let first = (from..self.next_no()).find_map(|no| self.chunk(no)?.from());
        if self.lost_from.is_none() && first.is_some() {
            self.lost_from = first;
            self.lost_reason = GapReason::Shed;
        }
        self.taken = self.next_no();
        if all_released {
            self.released = self.taken;
        }
        self.enlisted = false;
        self.evict(&mut Effect::default());
    }

    /// Hands the disk what it has not taken yet, at most about `budget` bytes and at least one piece.
    /// Says whether more is there.
    pub(crate) fn take(&mut self, mut budget: usize, out: &mut Vec<(u64, Work)>) -> bool {
        let mut no = self.taken.max(self.first_no);
        while let Some(chunk) = self.chunk(no) {
            let (bytes, work) = match &chunk.body {
                Body::Gop { piece, .. } if !piece.gop.units.is_empty() => {
                    (chunk.bytes, Some(Work::Gop(piece.clone())))
                }
                Body::Gap(gap) => (chunk.bytes, Some(Work::Gap(*gap))),
                Body::Gop { .. } | Body::Absent { .. } => (0, None),
            };
            if budget == 0 && bytes > 0 {
                break;
            }
            budget = budget.saturating_sub(bytes);
            if let Some(work) = work {
                if let Some(gap) = self.lost_gap(chunk.from()) {
                    // It stands before this chunk: releasing it must not release the chunk.
                    out.push((no.saturating_sub(1), Work::Gap(gap)));
                }
                self.lost_from = None;
                self.taken_end = Some(work.end());
                out.push((no, work));
            }
            no += 1;
        }
        self.taken = no;
        self.enlisted = no < self.next_no();
        self.enlisted
    }

    /// The gap that stands for what fell off before the disk could take it.
    fn lost_gap(&self, until: Option<Timestamp>) -> Option<Gap> {
        let from = self.taken_end.filter(|_| self.lost_from.is_some()).or(self.lost_from)?;
        let to = until.filter(|to| *to > from)?;
        Some(Gap { from, to, reason: self.lost_reason })
    }

    /// Everything up to chunk `no` is in the index, and ends at `end`.
    pub(crate) fn release(&mut self, no: u64, end: Timestamp) {
        self.released = self.released.max(no + 1);
        self.released_end = Some(end);
        self.evict(&mut Effect::default());
    }

    pub(super) fn chunk(&self, no: u64) -> Option<&Chunk> {
        self.chunks.get(usize::try_from(no.checked_sub(self.first_no)?).ok()?)
    }
}
