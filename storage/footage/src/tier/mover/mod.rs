//! Moves sealed segments to the tier and lets local copies go, in a thread of its own, one segment at a time.
//!
//! When it starts it learns what the tier has that no local disk has: on a new machine that is everything.

mod adopt;
mod schedule;
mod work;

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use sightline_model::Timestamp;

use super::link::{Link, random};
use crate::{Error, metrics::Counters, shared::Shared};
pub(crate) use schedule::Ages;
pub use schedule::Whereabouts;
use schedule::{Candidate, Next, Schedule, Step};
pub(crate) use work::{evict, remove};

/// Starts the mover of a store that has a tier.
pub(crate) fn start(shared: &Arc<Shared>) -> io::Result<()> {
    let Some(link) = shared.tier.clone() else { return Ok(()) };
    let mover = Mover { shared: Arc::clone(shared), link };
    std::thread::Builder::new().name("footage-mover".to_owned()).spawn(move || mover.run()).map(drop)
}

struct Mover {
    shared: Arc<Shared>,
    link: Arc<Link>,
}

impl Mover {
    fn run(self) {
        let mut schedule = Schedule::default();
        let mut adopted = false;
        while !self.link.is_stopping() {
            let now = Timestamp::now();
            match schedule.next(&self.candidates(), self.link.ages(), now, Instant::now()) {
                Next::Wait(pause) if adopted || schedule.is_paused(Instant::now()) => self.link.sleep(pause),
                _ if !adopted => match adopt::adopt(&self.shared, &self.link) {
                    Ok(()) => {
                        adopted = true;
                        self.link.accepted();
                        schedule.done();
                    }
                    Err(error) => {
                        self.link.refused(&error);
                        schedule.unreachable(Instant::now(), random());
                    }
                },
                Next::Wait(pause) => self.link.sleep(pause),
                Next::Do(step) => self.apply(step, &mut schedule),
            }
        }
    }

    fn apply(&self, step: Step, schedule: &mut Schedule) {
        let result = match step {
            Step::Send(id) => work::send(&self.shared, &self.link, id),
            Step::Evict(id) => work::evict(&self.shared, &self.link, id),
        };
        match result {
            Ok(()) => {
                self.link.accepted();
                schedule.done();
                Counters::add(&self.link.steps, 1);
            }
            Err(Error::Stopped) => {}
            Err(error) => {
                let problem = match &error {
                    Error::Tier { problem, .. } => Some(problem),
                    _ => None,
                };
                schedule.failed(step, problem, Instant::now(), random());
                if schedule.is_paused(Instant::now()) {
                    self.link.refused(&error);
                } else {
                    tracing::error!(segment = %format_args!("{:016x}", step.segment()), "a segment stays where it is: {error}");
                }
            }
        }
    }

    fn candidates(&self) -> Vec<Candidate> {
        let index = self.shared.index.read();
        let sealed = index.segments.values().filter(|segment| segment.is_sealed());
        sealed
            .map(|segment| Candidate {
                id: segment.id(),
                sealed_at: Timestamp(segment.sealed_at.load(Ordering::Acquire)),
                at: segment.whereabouts(),
            })
            .collect()
    }
}
