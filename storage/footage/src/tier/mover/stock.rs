//! The sealed segments as the mover last saw them. The catalogue is read as a whole now and then, and in between only from the
//! oldest segment that was not filed the time before: a number that was given out and is filed late (a segment that is written
//! again) is seen by the next whole reading.

use std::{
    collections::BTreeMap,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use super::schedule::{Candidate, Step};
use crate::{Error, catalogue::Place, shared::Shared, tier::link::Counts};

/// Rows read at once.
const PAGE: usize = 4096;
/// How old the last whole reading may be.
const WHOLE_PAUSE: Duration = Duration::from_secs(600);

/// See the module's words.
#[derive(Debug, Default)]
pub(super) struct Stock {
    segments: BTreeMap<u64, Candidate>,
    /// Everything below was filed when last looked.
    read_from: u64,
    /// When everything was read last.
    whole: Option<Instant>,
}

impl Stock {
    /// Takes in what was filed since.
    pub(super) fn update(&mut self, shared: &Shared) -> Result<(), Error> {
        // Before the catalogue: what is filed in between is read again the next time.
        let unfiled = shared.index.read().segments.keys().next().copied();
        let next = shared.next_segment.load(Ordering::Acquire);
        if self.whole.is_none_or(|at| at.elapsed() >= WHOLE_PAUSE) {
            self.read_from = 0;
        }
        if self.read_from == 0 {
            self.segments.clear();
            self.whole = Some(Instant::now());
        }
        let mut after = self.read_from.checked_sub(1);
        loop {
            let page = shared.catalogue.segments(after, PAGE)?;
            after = page.last().map(|segment| segment.id);
            let whole = page.len() < PAGE;
            self.segments.extend(page.into_iter().map(|segment| {
                let (sealed_at, place, bytes) = (segment.sealed_at, segment.place, segment.bytes);
                (segment.id, Candidate { id: segment.id, bytes, sealed_at, place })
            }));
            if whole {
                break;
            }
        }
        self.read_from = unfiled.unwrap_or(next);
        Ok(())
    }

    /// The next update reads everything again.
    pub(super) fn forget(&mut self) {
        self.read_from = 0;
    }

    /// It is not there any more.
    pub(super) fn remove(&mut self, segment: u64) {
        self.segments.remove(&segment);
    }

    pub(super) fn done(&mut self, step: Step) {
        if let Some(segment) = self.segments.get_mut(&step.segment()) {
            segment.place = match step {
                Step::Send(_) => Place::Both,
                Step::Evict(_) => Place::Tier,
            };
        }
    }

    pub(super) fn all(&self) -> Vec<Candidate> {
        self.segments.values().copied().collect()
    }

    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for segment in self.segments.values() {
            match segment.place {
                Place::Local => {
                    counts.local_segments += 1;
                    counts.local_bytes += segment.bytes;
                }
                Place::Tier => {
                    counts.tier_segments += 1;
                    counts.tier_bytes += segment.bytes;
                }
                Place::Both => {}
            }
        }
        counts
    }
}
