//! Which segment is moved next, and when again after a failure. Pure.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use sightline_model::Timestamp;

use crate::{
    catalogue::Place,
    tier::{TierProblem, pace::Pauses},
};

/// Pause before a segment that failed by itself is tried again.
const SEGMENT_PAUSE: Duration = Duration::from_secs(3600);
/// How often it is looked whether anything is due, when nothing is.
const IDLE: Duration = Duration::from_secs(10);

/// A sealed segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) id: u64,
    pub(crate) bytes: u64,
    pub(crate) sealed_at: Timestamp,
    pub(crate) place: Place,
}

/// When segments change their place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ages {
    pub(crate) after: Duration,
    pub(crate) keep_local: Duration,
}

/// One thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Copy a segment to the tier.
    Send(u64),
    /// Remove the local copy of one that is there.
    Evict(u64),
}

impl Step {
    pub(crate) fn segment(self) -> u64 {
        match self {
            Self::Send(id) | Self::Evict(id) => id,
        }
    }
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Do(Step),
    Wait(Duration),
}

/// What failed lately. See the module's words.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    pauses: Pauses,
    /// The store is left alone until then.
    store_until: Option<Instant>,
    /// These segments are left alone until then.
    segments_until: BTreeMap<u64, Instant>,
}

impl Schedule {
    /// Local copies that may go come first, because they give space back; the oldest segment comes first.
    pub(crate) fn next(&mut self, segments: &[Candidate], ages: Ages, now: Timestamp, at: Instant) -> Next {
        if let Some(until) = self.store_until.filter(|until| *until > at) {
            return Next::Wait(until - at);
        }
        self.segments_until.retain(|_, until| *until > at);
        let due = |wanted: Place, age: Duration| {
            let old = |one: &&Candidate| one.place == wanted && now.duration_since(one.sealed_at) >= age;
            let free = |one: &&Candidate| !self.segments_until.contains_key(&one.id);
            segments.iter().filter(old).filter(free).map(|one| one.id).min()
        };
        // A segment that must leave this disk has to be sent first, whatever `after` says.
        let evict = due(Place::Both, ages.keep_local).map(Step::Evict);
        let step = evict.or_else(|| due(Place::Local, ages.after.min(ages.keep_local)).map(Step::Send));
        step.map_or(Next::Wait(IDLE), Next::Do)
    }

    /// It worked.
    pub(crate) fn done(&mut self) {
        self.pauses.reset();
        self.store_until = None;
    }

    /// It did not. A problem of the store pauses everything, a problem of one segment that segment alone.
    pub(crate) fn failed(&mut self, step: Step, problem: Option<&TierProblem>, at: Instant, random: f64) {
        if problem.is_none_or(TierProblem::is_of_the_segment) {
            self.segments_until.insert(step.segment(), at + SEGMENT_PAUSE);
        } else {
            self.unreachable(at, random);
        }
    }

    /// The store could not even be opened or listed.
    /// Answers for how long it is left alone.
    pub(crate) fn unreachable(&mut self, at: Instant, random: f64) -> Duration {
        let pause = self.pauses.next(random);
        self.store_until = Some(at + pause);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGES: Ages = Ages { after: Duration::from_secs(60), keep_local: Duration::from_secs(600) };

    fn segment(id: u64, sealed_s: i64, place: Place) -> Candidate {
        Candidate { id, bytes: 1, sealed_at: Timestamp::from_secs(sealed_s), place }
    }

    fn next(schedule: &mut Schedule, segments: &[Candidate], now_s: i64, at: Instant) -> Next {
        schedule.next(segments, AGES, Timestamp::from_secs(now_s), at)
    }

    #[test]
    fn segments_go_up_by_age_and_local_copies_go_later() {
        use Place::{Both, Local, Tier};
        let (mut schedule, at) = (Schedule::default(), Instant::now());
        let mut go = |segments: &[Candidate], now_s| next(&mut schedule, segments, now_s, at);
        assert_eq!(go(&[segment(1, 0, Local)], 59), Next::Wait(IDLE));
        assert_eq!(go(&[segment(2, 0, Local), segment(1, 0, Local)], 60), Next::Do(Step::Send(1)));
        assert_eq!(go(&[segment(1, 0, Both)], 599), Next::Wait(IDLE));
        assert_eq!(go(&[segment(1, 0, Local), segment(2, 0, Both)], 600), Next::Do(Step::Evict(2)));
        assert_eq!(go(&[segment(1, 0, Tier)], 9999), Next::Wait(IDLE));
        assert_eq!(go(&[segment(1, 5000, Local)], 0), Next::Wait(IDLE), "sealed in the future");
    }

    #[test]
    fn what_may_not_stay_is_sent_at_once() {
        let ages = Ages { after: Duration::from_secs(60), keep_local: Duration::ZERO };
        let segments = [segment(1, 0, Place::Local)];
        let next = Schedule::default().next(&segments, ages, Timestamp(0), Instant::now());
        assert_eq!(next, Next::Do(Step::Send(1)));
    }

    #[test]
    fn a_dead_store_is_left_alone_ever_longer() {
        let (mut schedule, mut at) = (Schedule::default(), Instant::now());
        let segments = [segment(1, 0, Place::Local)];
        let problem = TierProblem::Unreachable { detail: String::new() };
        for secs in [1, 2, 4, 8] {
            assert_eq!(next(&mut schedule, &segments, 100, at), Next::Do(Step::Send(1)));
            schedule.failed(Step::Send(1), Some(&problem), at, 1.0);
            assert_eq!(next(&mut schedule, &segments, 100, at), Next::Wait(Duration::from_secs(secs)));
            at += Duration::from_secs(secs);
        }
        assert_eq!(next(&mut schedule, &segments, 100, at), Next::Do(Step::Send(1)));
        schedule.done();
        schedule.failed(Step::Send(1), Some(&problem), at, 1.0);
        assert_eq!(next(&mut schedule, &segments, 100, at), Next::Wait(Duration::from_secs(1)));
    }

    #[test]
    fn a_segment_that_cannot_go_does_not_hold_the_others_up() {
        let (mut schedule, at) = (Schedule::default(), Instant::now());
        let segments = [segment(1, 0, Place::Local), segment(2, 0, Place::Local)];
        schedule.failed(Step::Send(1), Some(&TierProblem::Conflict), at, 1.0);
        assert_eq!(next(&mut schedule, &segments, 100, at), Next::Do(Step::Send(2)));
        schedule.failed(Step::Send(2), None, at, 1.0);
        assert_eq!(next(&mut schedule, &segments, 100, at), Next::Wait(IDLE));
        assert_eq!(next(&mut schedule, &segments, 100, at + SEGMENT_PAUSE), Next::Do(Step::Send(1)));
    }
}
