//! Which stretches of a stream are gaps, and why: pure, fed by the tail, no clock.
//!
//! ```text
//!              begin(at): gap until..at, if longer than the tolerance
//!   Missing ───────────────────────────────────────────────────────────> Covered
//!   {until, reason} <──────────────────────────────────────────────── end(at)
//!      │    ^
//!      └────┘ absent(since, another reason): gap until..since for the old reason, if there was one
//! ```

use sightline_model::{
    Timestamp,
    gap::{Gap, GapReason},
};

/// A hole up to this long is jitter between clocks and not missing footage.
pub(crate) const TOLERANCE_US: i64 = 250_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No footage yet: nothing can be missing.
    Blank,
    /// A GOP is open.
    Covered,
    /// Everything up to `until` is accounted for; since then, nothing.
    Missing {
        until: Timestamp,
        reason: Option<GapReason>,
        /// A part of this hole is a record already: the rest becomes one too, however short.
        begun: bool,
    },
}

/// The gap state of one stream.
#[derive(Debug, Clone)]
pub(crate) struct GapTracker {
    state: State,
}

impl GapTracker {
    /// For a stream of which the disk knows everything up to `known_until`.
    pub(crate) fn new(known_until: Option<Timestamp>) -> Self {
        let state = known_until.map_or(State::Blank, |until| State::Missing {
            until,
            reason: Some(GapReason::GatewayStopped),
            begun: false,
        });
        Self { state }
    }

    /// The source says that there is nothing since `since`.
    pub(crate) fn absent(&mut self, since: Timestamp, now_reason: GapReason) -> Option<Gap> {
        let State::Missing { until, reason, begun } = &mut self.state else { return None };
        let gap = reason
            .filter(|reason| *reason != now_reason && since.micros_since(*until) > TOLERANCE_US)
            .map(|reason| Gap { from: *until, to: since, reason });
        if gap.is_some() {
            *until = since;
            *begun = true;
        }
        *reason = Some(now_reason);
        gap
    }

    /// A GOP or part begins.
    pub(crate) fn begin(&mut self, at: Timestamp) -> Option<Gap> {
        let before = std::mem::replace(&mut self.state, State::Covered);
        let State::Missing { until, reason, begun } = before else { return None };
        let length = at.micros_since(until);
        let is_gap = length > TOLERANCE_US || (begun && length > 0);
        is_gap.then(|| Gap { from: until, to: at, reason: reason.unwrap_or(GapReason::Unknown) })
    }

    /// The open GOP or part ends.
    pub(crate) fn end(&mut self, until: Timestamp) {
        self.state = State::Missing { until, reason: None, begun: false };
    }

    /// Watching ends at `now`: the gap so far, if its reason was told. What comes after has another.
    pub(crate) fn stop(&mut self, now: Timestamp) -> Option<Gap> {
        let State::Missing { until, reason, .. } = &mut self.state else { return None };
        let told = reason.filter(|reason| *reason != GapReason::GatewayStopped);
        let gap = told.filter(|_| now > *until).map(|reason| Gap { from: *until, to: now, reason })?;
        *until = now;
        *reason = Some(GapReason::GatewayStopped);
        Some(gap)
    }

    /// The gap that is open at `now`.
    pub(crate) fn open(&self, now: Timestamp) -> Option<Gap> {
        let State::Missing { until, reason, .. } = self.state else { return None };
        (now > until).then(|| Gap { from: until, to: now, reason: reason.unwrap_or(GapReason::Unknown) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn gap(from: i64, to: i64, reason: GapReason) -> Option<Gap> {
        Some(Gap { from: s(from), to: s(to), reason })
    }

    #[test]
    fn a_hole_has_the_reason_that_was_told() {
        let mut gaps = GapTracker::new(None);
        assert_eq!(
            gaps.absent(s(0), GapReason::Unreachable),
            None,
            "nothing can be missing before the first GOP"
        );
        assert_eq!(gaps.begin(s(1)), None);
        gaps.end(s(2));
        assert_eq!(gaps.begin(s(2).plus_micros(TOLERANCE_US)), None, "jitter is not a gap");
        gaps.end(s(4));
        assert_eq!(gaps.absent(s(4), GapReason::Stalled), None);
        assert_eq!(gaps.begin(s(9)), gap(4, 9, GapReason::Stalled));
        gaps.end(s(10));
        assert_eq!(gaps.begin(s(12)), gap(10, 12, GapReason::Unknown));
    }

    #[test]
    fn a_changed_reason_ends_one_gap_and_begins_the_next() {
        let mut gaps = GapTracker::new(Some(s(10)));
        assert_eq!(gaps.open(s(15)), gap(10, 15, GapReason::GatewayStopped));
        assert_eq!(gaps.absent(s(20), GapReason::Unreachable), gap(10, 20, GapReason::GatewayStopped));
        assert_eq!(gaps.absent(s(20), GapReason::Unreachable), None);
        assert_eq!(gaps.absent(s(20), GapReason::Unauthorized), None, "the same moment, told better");
        assert_eq!(gaps.open(s(25)), gap(20, 25, GapReason::Unauthorized));
        assert_eq!(gaps.begin(s(30)), gap(20, 30, GapReason::Unauthorized));
        assert_eq!(gaps.open(s(31)), None);
    }

    #[test]
    fn what_was_told_is_kept_when_watching_ends() {
        let mut gaps = GapTracker::new(Some(s(10)));
        assert_eq!(gaps.stop(s(20)), None, "nothing was told: the next start knows as much");
        gaps.absent(s(20), GapReason::Unreachable);
        assert_eq!(gaps.stop(s(30)), gap(20, 30, GapReason::Unreachable));
        assert_eq!(gaps.open(s(40)), gap(30, 40, GapReason::GatewayStopped));
    }

    #[test]
    fn a_clock_that_steps_back_makes_no_gap() {
        let mut gaps = GapTracker::new(None);
        gaps.begin(s(100));
        gaps.end(s(102));
        assert_eq!(gaps.begin(s(50)), None);
        gaps.end(s(52));
        assert_eq!(gaps.begin(s(60)), gap(52, 60, GapReason::Unknown));
    }
}
