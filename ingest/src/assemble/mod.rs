//! Access units to GOPs: where one begins, where a long one is cut, where one ends, and what is left out.
//!
//! ```text
//!            ┌────────── no key frame: skipped ─────────┐
//!            v                                          │
//! Closed ─ key frame ─> Begin ─> Unit ... ─> End ── key frame ─> Begin (next number)
//!    ^                                        │
//!    │                                        ├─ longer than `part`, larger than `part_bytes` ─> Begin (next part)
//!    │                                        ├─ frames lost ─> Absent(PacketLoss) ─> Begin (next part)
//!    └── close, or the media clock jumped ────┘
//! ```
//!
//! - Output is `Begin Unit+ End`, over and over; `Absent` stands only between.
//! - `start.media_90k + unit.pts_90k` is the media time of a unit, in every part.
//! - A GOP lasts until the next begins; the last before a break lasts until its newest frame and one frame more.
//! - Under [`Policy::Keyframes`] only the first picture is kept, and of later units what signs the video: a camera sends its
//!   signatures with any frame. The times of all units are followed.
//! - **Loss**: when frames are missing for longer than [`LOSS_90K`], the part ends where footage ends, the gap is on
//!   record, and what follows is kept as a further part. It decodes with damage until the next key frame, which is
//!   better evidence than nothing. Shorter losses only count: they are below what a gap record can say.
//! - New parameter sets take effect with the next key frame, as does a new policy.
//!
//! Does not belong here: reading clocks, codecs.

mod open;
#[cfg(test)]
mod signed;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use sightline_model::{
    Timestamp,
    gap::GapReason,
    media::{AccessUnit, Codec, GopStart, ParameterSets, Policy, ticks_to_micros},
    signature::signatures,
    tail::TailItem,
};

use self::open::Open;
use crate::timeline::{Placed, Reading, Timeline};

/// Missing media time that makes a gap, in 1/90,000 s: a quarter of a second.
pub(crate) const LOSS_90K: i64 = 90_000 / 4;

/// Takes the items of one stream in order.
pub(crate) type Out<'a> = &'a mut dyn FnMut(TailItem);

/// What there is to know of an access unit besides its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// RTP timestamp.
    pub(crate) rtp: u32,
    /// When it began to arrive.
    pub(crate) reading: Reading,
    /// Whether decoding can start here.
    pub(crate) key: bool,
    /// Whether packets before it were lost.
    pub(crate) lost: bool,
}

/// What became of an access unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Outcome {
    /// It was kept; otherwise it was skipped.
    pub(crate) kept: bool,
    /// It ended a GOP or a part of one.
    pub(crate) ended: bool,
    /// A clock jumped.
    pub(crate) jumped: bool,
}

/// Where long GOPs are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartLimits {
    pub(crate) length_90k: i64,
    pub(crate) bytes: usize,
}

/// Cuts one stream into GOPs.
#[derive(Debug)]
pub(crate) struct Assembler {
    limits: PartLimits,
    policy: Policy,
    params: Option<Arc<ParameterSets>>,
    timeline: Timeline,
    open: Option<Open>,
    /// Time from frame to frame, as far as known.
    rhythm_90k: i64,
    /// Where footage of this session begins.
    since: Option<Timestamp>,
    /// Where footage ends.
    end: Option<Timestamp>,
    absent: Option<(Timestamp, GapReason)>,
}

impl Assembler {
    pub(crate) fn new(limits: PartLimits, policy: Policy) -> Self {
        Self {
            limits,
            policy,
            params: None,
            timeline: Timeline::default(),
            open: None,
            rhythm_90k: 3_600,
            since: None,
            end: None,
            absent: None,
        }
    }

    /// What is kept from the next key frame on.
    pub(crate) fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
    }

    /// What a decoder needs from the next key frame on.
    pub(crate) fn set_params(&mut self, params: ParameterSets) {
        if self.params.as_deref() != Some(&params) {
            self.params = Some(Arc::new(params));
        }
    }

    /// Takes in an RTCP sender report; says whether it can be believed.
    pub(crate) fn report(&mut self, ntp: u64, rtp: u32, reading: Reading) -> bool {
        self.timeline.report(ntp, rtp, reading)
    }

    /// Where footage of this session begins, once there is some.
    pub(crate) fn since(&self) -> Option<Timestamp> {
        self.since
    }

    /// Where footage ends, once there was some.
    pub(crate) fn end(&self) -> Option<Timestamp> {
        self.end
    }

    /// Takes in an access unit. `data` is called only for one that is of use.
    pub(crate) fn push(&mut self, arrival: Arrival, data: impl FnOnce() -> Bytes, out: Out<'_>) -> Outcome {
        let media_90k = self.timeline.media(arrival.rtp);
        let mut outcome = Outcome::default();
        if self.timeline.misfit(media_90k, arrival.reading.received).is_some() {
            outcome.jumped = true;
            outcome.ended = self.end_open(None, out);
            self.timeline.end_run();
            if !arrival.key {
                self.gap(GapReason::ClockJump, out);
            }
        } else if arrival.lost && self.open.as_ref().is_some_and(|open| self.lost_much(open, media_90k)) {
            self.bridge_loss(media_90k, arrival, out);
            outcome.ended = true;
        }
        if arrival.key && !self.open.as_ref().is_some_and(|open| open.same_picture(media_90k)) {
            self.begin_gop(media_90k, arrival.reading, &mut outcome, out);
        } else if self.must_cut(media_90k) {
            self.begin_part(media_90k, arrival.reading, &mut outcome, out);
        }
        let Some(open) = &mut self.open else { return outcome };
        outcome.kept = open.keeps(media_90k);
        if outcome.kept {
            let data = data();
            open.kept(media_90k, data.len());
            out(TailItem::Unit(AccessUnit { pts_90k: open.pts_90k(media_90k), key: arrival.key, data }));
        } else {
            open.skipped(media_90k);
            if let Some(data) = only_signatures(open.params().codec, &data()) {
                out(TailItem::Unit(AccessUnit { pts_90k: open.pts_90k(media_90k), key: false, data }));
            }
        }
        outcome
    }

    /// The session is over, for whatever reason: ends the open GOP. Says whether there was one.
    pub(crate) fn close(&mut self, out: Out<'_>) -> bool {
        let ended = self.end_open(None, out);
        self.timeline.restart();
        self.since = None;
        ended
    }

    /// Says that there is no footage; from where it ended, or from `start` if there never was any. Says it once for
    /// each reason.
    pub(crate) fn absent(&mut self, reason: GapReason, start: Timestamp, out: Out<'_>) {
        let since = self.end.unwrap_or(start);
        if self.absent != Some((since, reason)) {
            self.absent = Some((since, reason));
            out(TailItem::Absent { since, reason });
        }
    }

    fn begin_gop(&mut self, media_90k: i64, reading: Reading, outcome: &mut Outcome, out: Out<'_>) {
        let Some(params) = self.params.clone() else { return };
        outcome.ended |= self.end_open(Some(media_90k), out);
        let placed = self.timeline.begin_gop(media_90k, reading, self.end);
        outcome.jumped |= placed.jump.is_some();
        let hole_us = self.end.map_or(0, |end| placed.at.micros_since(end));
        if placed.number == 0 && self.absent.is_none() && hole_us > ticks_to_micros(LOSS_90K) {
            self.gap(GapReason::ClockJump, out);
        }
        self.begin(placed, 0, media_90k, self.policy, params, out);
    }

    /// Begins a further part; where that cannot be, the GOP is over and a key frame is waited for.
    fn begin_part(&mut self, media_90k: i64, reading: Reading, outcome: &mut Outcome, out: Out<'_>) {
        let Some(open) = &self.open else { return };
        let (part, policy, params) = (open.next_part(), open.policy(), Arc::clone(open.params()));
        outcome.ended |= self.end_open(Some(media_90k), out);
        let placed = self.timeline.begin_part(media_90k, reading);
        match (placed, part) {
            (Some(placed), Some(part)) => self.begin(placed, part, media_90k, policy, params, out),
            _ => {
                outcome.jumped |= placed.is_none();
                self.timeline.end_run();
            }
        }
    }

    fn begin(
        &mut self,
        placed: Placed,
        part: u16,
        media_90k: i64,
        policy: Policy,
        params: Arc<ParameterSets>,
        out: Out<'_>,
    ) {
        self.absent = None;
        self.since.get_or_insert(placed.at);
        let start = GopStart {
            run: placed.run,
            number: placed.number,
            part,
            at: placed.at,
            camera_clock: placed.camera_clock,
            media_90k,
            policy,
            params,
        };
        self.open = Some(Open::new(start.clone()));
        out(TailItem::Begin(start));
    }

    /// Frames are missing: ends the part where footage ends, and begins another unless a key frame does.
    fn bridge_loss(&mut self, media_90k: i64, arrival: Arrival, out: Out<'_>) {
        let Some(open) = &self.open else { return };
        let (part, policy, params) = (open.next_part(), open.policy(), Arc::clone(open.params()));
        self.end_open(None, out);
        self.gap(GapReason::PacketLoss, out);
        if arrival.key || policy == Policy::Keyframes {
            return;
        }
        let placed = self.timeline.begin_part(media_90k, arrival.reading);
        match (placed, part) {
            (Some(placed), Some(part)) => self.begin(placed, part, media_90k, policy, params, out),
            _ => self.timeline.end_run(),
        }
    }

    fn lost_much(&self, open: &Open, media_90k: i64) -> bool {
        media_90k - open.newest_90k() > LOSS_90K + self.rhythm_90k
    }

    fn must_cut(&self, media_90k: i64) -> bool {
        self.open.as_ref().is_some_and(|open| open.must_cut(media_90k, self.limits))
    }

    fn gap(&mut self, reason: GapReason, out: Out<'_>) {
        if let Some(end) = self.end {
            self.absent(reason, end, out);
        }
    }

    /// Ends the open part at `next_90k`, or one frame after its newest. Says whether there was one.
    fn end_open(&mut self, next_90k: Option<i64>, out: Out<'_>) -> bool {
        let Some(open) = self.open.take() else { return false };
        self.rhythm_90k = open.rhythm_90k(next_90k).unwrap_or(self.rhythm_90k);
        let duration_90k = open.duration_90k(next_90k.unwrap_or(open.newest_90k() + self.rhythm_90k));
        self.end = Some(open.end(duration_90k));
        out(TailItem::End { duration_90k });
        true
    }
}

/// What of an access unit signs the video, as an access unit of its own.
fn only_signatures(codec: Codec, data: &Bytes) -> Option<Bytes> {
    let found: Vec<Bytes> = signatures(codec, data).map(|nal| data.slice(nal)).collect();
    match found.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        many => Some(Bytes::from(many.concat())),
    }
}

impl Arrival {
    /// For callers that read both clocks themselves.
    pub(crate) fn new(rtp: u32, received: Instant, wall: Timestamp, key: bool, lost: bool) -> Self {
        Self { rtp, reading: Reading { received, wall }, key, lost }
    }
}
