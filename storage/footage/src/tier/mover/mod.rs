//! Moves sealed segments to the tier and lets local copies go, in a thread of its own, one segment at a time.
//!
//! When it starts it learns what the tier has that the catalogue does not know: on a new machine that is everything.

mod adopt;
mod schedule;
mod stock;
mod work;

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use sightline_model::Timestamp;

use super::link::{Link, random};
use crate::{Error, shared::Shared};
pub(crate) use schedule::Ages;
use schedule::{Next, Schedule, Step};
use stock::Stock;
pub(crate) use work::{evict, remove};

/// Starts the mover of a store that has a tier.
pub(crate) fn start(shared: &Arc<Shared>) -> io::Result<()> {
    let Some(link) = shared.tier.clone() else { return Ok(()) };
    let mover =
        Mover { shared: Arc::clone(shared), link, stock: Stock::default(), schedule: Schedule::default() };
    std::thread::Builder::new().name("footage-mover".to_owned()).spawn(move || mover.run()).map(drop)
}

struct Mover {
    shared: Arc<Shared>,
    link: Arc<Link>,
    stock: Stock,
    schedule: Schedule,
}

/// Tells those who wait for the end, even if the thread should die.
impl Drop for Mover {
    fn drop(&mut self) {
        self.link.ended.send_replace(true);
    }
}

impl Mover {
    fn run(mut self) {
        while !self.link.is_stopping() && !self.learned() {}
        while !self.link.is_stopping() {
            if let Err(error) = self.stock.update(&self.shared, &self.link) {
                tracing::error!("the mover cannot see what there is: {error}");
                self.schedule.unreachable(Instant::now(), random());
            }
            self.link.note(self.stock.counts());
            match self.schedule.next(&self.stock.all(), self.link.ages(), Timestamp::now(), Instant::now()) {
                Next::Wait(pause) => self.link.sleep(pause),
                Next::Do(step) => self.apply(step),
            }
        }
    }

    /// Whether it is known what the tier has; if not, waits before it may be asked again.
    fn learned(&mut self) -> bool {
        match adopt::adopt(&self.shared, &self.link) {
            Ok(()) => {
                self.link.accepted();
                self.schedule.done();
                return true;
            }
            Err(Error::Stopped) => {}
            Err(error) => {
                self.link.refused(&error);
                self.link.pause(self.schedule.unreachable(Instant::now(), random()));
            }
        }
        false
    }

    fn apply(&mut self, step: Step) {
        let result = match step {
            Step::Send(id) => work::send(&self.shared, &self.link, id),
            Step::Evict(id) => work::evict(&self.shared, &self.link, id),
        };
        match result {
            Ok(()) => {
                self.link.accepted();
                self.schedule.done();
                self.stock.done(step);
                self.link.steps.fetch_add(1, Ordering::Relaxed);
            }
            // Deleted meanwhile; or the store stops, and then nobody asks again.
            Err(Error::Stopped) => self.stock.remove(step.segment()),
            Err(error) => {
                let problem = match &error {
                    Error::Tier { problem, .. } => Some(problem),
                    _ => None,
                };
                let of_the_store = problem.is_some_and(|problem| !problem.is_of_the_segment());
                self.schedule.failed(step, problem, Instant::now(), random());
                if of_the_store {
                    self.link.refused(&error);
                } else {
                    tracing::error!(segment = %format_args!("{:016x}", step.segment()), "a segment stays where it is: {error}");
                }
                // It may be gone, or elsewhere.
                self.link.filed(0);
            }
        }
    }
}
