//! What a source feeds: the assembler, the pulse and the counters of one stream, and the sink behind them.

use std::{
    mem,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Instant,
};

use bytes::Bytes;
use sightline_model::{
    Timestamp,
    camera::StreamState,
    gap::GapReason,
    media::{ParameterSets, StreamKey, micros_to_ticks},
    tail::TailItem,
};

use crate::{
    Append, Clock, Config, Unit,
    assemble::{Arrival, Assembler, Outcome, PartLimits},
    clock,
    metrics::Counters,
    pacing::Permit,
    pulse::Pulse,
    supervisor::Reporter,
    timeline::Reading,
};

/// Takes in one stream: all that comes from its source goes through here, inline.
pub struct Intake {
    assembler: Assembler,
    append: Append,
    pulse: Arc<Pulse>,
    clock: Clock,
    counters: Arc<Counters>,
    reporter: Reporter,
    tally: Tally,
    permit: Option<Permit>,
    phase: Phase,
    damaged: bool,
}

/// How far the session has come.
///
/// ```text
/// Opening ── PLAY accepted ──> Playing ── first GOP complete ──> Streaming
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Opening,
    Playing,
    Streaming,
}

/// Counts since the last GOP, so that the common counters are touched once a GOP and not once a frame.
#[derive(Debug, Default)]
struct Tally {
    units: u64,
    skipped: u64,
    bytes: u64,
    gops: u64,
    lost: u64,
    jumps: u64,
}

impl Intake {
    pub(crate) fn new(
        append: Append,
        pulse: Arc<Pulse>,
        clock: Clock,
        counters: Arc<Counters>,
        reporter: Reporter,
        config: &Config,
    ) -> Self {
        let length_us = i64::try_from(config.part.as_micros()).unwrap_or(i64::MAX);
        let limits = PartLimits { length_90k: micros_to_ticks(length_us), bytes: config.part_bytes };
        Self {
            assembler: Assembler::new(limits, pulse.policy()),
            append,
            pulse,
            clock,
            counters,
            reporter,
            tally: Tally::default(),
            permit: None,
            phase: Phase::Opening,
            damaged: false,
        }
    }

    /// The stream that is taken in.
    #[must_use]
    pub fn key(&self) -> StreamKey {
        self.reporter.key()
    }

    /// The camera has accepted PLAY.
    pub fn playing(&mut self) {
        self.permit = None;
        self.phase = Phase::Playing;
        self.pulse.playing(clock::now());
        self.counters.connects.fetch_add(1, Relaxed);
        self.reporter.playing(self.clock.wall());
    }

    /// What a decoder needs, as the camera told it; takes effect with the next key frame.
    pub fn params(&mut self, params: ParameterSets) {
        self.assembler.set_params(params);
    }

    /// An access unit. `data` is called only if it is of use.
    pub fn unit(&mut self, unit: Unit, data: impl FnOnce() -> Bytes) {
        if unit.key {
            self.assembler.set_policy(self.pulse.policy());
        }
        let lost = unit.lost > 0 || mem::take(&mut self.damaged);
        let arrival = Arrival::new(unit.rtp, unit.received, unit.wall, unit.key, lost);
        let (append, tally) = (&mut self.append, &mut self.tally);
        let outcome = self.assembler.push(arrival, data, &mut |item| tally.pass(item, append));
        self.pulse.frame(unit.received, unit.key && outcome.kept);
        self.tally.count(unit.lost, outcome);
        if outcome.ended {
            self.completed();
        }
    }

    /// An RTCP sender report (RFC 3550 section 6.4.1): NTP time and the RTP timestamp that goes with it.
    pub fn sender_report(&mut self, ntp: u64, rtp: u32, received: Instant, wall: Timestamp) {
        if self.assembler.report(ntp, rtp, Reading { received, wall }) {
            self.counters.sender_reports.fetch_add(1, Relaxed);
        }
    }

    /// A packet could not be understood; what it carried is lost.
    pub fn bad_packet(&mut self) {
        self.damaged = true;
        self.counters.packets_bad.fetch_add(1, Relaxed);
    }

    /// A session is about to be tried; the permit is given back when the camera plays.
    pub(crate) fn open(&mut self, permit: Permit) {
        self.permit = Some(permit);
        self.phase = Phase::Opening;
        self.damaged = false;
        self.pulse.start(clock::now());
    }

    /// The session is over: ends the GOP and says since when there is no footage, and why.
    pub(crate) fn close(&mut self, reason: GapReason, start: Timestamp) -> Timestamp {
        self.permit = None;
        let (append, tally) = (&mut self.append, &mut self.tally);
        self.assembler.close(&mut |item| tally.pass(item, append));
        self.assembler.absent(reason, start, &mut |item| append(item));
        self.tally.flush(&self.counters);
        self.assembler.end().unwrap_or(start)
    }

    /// A GOP is complete.
    fn completed(&mut self) {
        self.tally.flush(&self.counters);
        if self.phase == Phase::Playing {
            self.phase = Phase::Streaming;
            let since = self.assembler.since().unwrap_or_else(|| self.clock.wall());
            self.reporter.set(StreamState::Streaming { since });
        }
    }
}

impl Tally {
    fn pass(&mut self, item: TailItem, append: &mut Append) {
        match &item {
            TailItem::Unit(unit) => self.bytes += unit.data.len() as u64,
            TailItem::End { .. } => self.gops += 1,
            TailItem::Begin(_) | TailItem::Absent { .. } => {}
        }
        append(item);
    }

    fn count(&mut self, lost: u32, outcome: Outcome) {
        self.units += u64::from(outcome.kept);
        self.skipped += u64::from(!outcome.kept);
        self.jumps += u64::from(outcome.jumped);
        self.lost += u64::from(lost);
    }

    fn flush(&mut self, counters: &Counters) {
        let Self { units, skipped, bytes, gops, lost, jumps } = mem::take(self);
        for (counter, count) in [
            (&counters.units, units),
            (&counters.units_skipped, skipped),
            (&counters.bytes, bytes),
            (&counters.gops, gops),
            (&counters.packets_lost, lost),
            (&counters.clock_jumps, jumps),
        ] {
            if count > 0 {
                counter.fetch_add(count, Relaxed);
            }
        }
    }
}
