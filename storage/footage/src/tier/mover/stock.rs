//! The sealed segments as the mover last saw them. The catalogue is read once as a whole, and from then on from the oldest
//! segment that was filed since: whoever files one says so.

use std::collections::BTreeMap;

use super::schedule::{Candidate, Step};
use crate::{
    Error,
    catalogue::Place,
    shared::Shared,
    tier::link::{Counts, Link},
};

/// Rows read at once.
const PAGE: usize = 4096;
/// See the module's words.
#[derive(Debug, Default)]
pub(super) struct Stock {
    segments: BTreeMap<u64, Candidate>,
}

impl Stock {
    /// Takes in what was filed since.
    pub(super) fn update(&mut self, shared: &Shared, link: &Link) -> Result<(), Error> {
        let Some(from) = link.take_filed() else { return Ok(()) };
        if from == 0 {
            self.segments.clear();
        }
        self.read(shared, from).inspect_err(|_| link.filed(from))
    }

    fn read(&mut self, shared: &Shared, from: u64) -> Result<(), Error> {
        let mut after = from.checked_sub(1);
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
        Ok(())
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
