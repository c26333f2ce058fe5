//! The segments that the lanes write to: begun, synced, closed, given up.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use sightline_model::Timestamp;

use super::{
    Writer,
    lane::{OpenSegment, Unsynced},
};
use crate::{format::header::SegmentHeader, index::Segment, metrics::Counters, shared::Shared};

impl Writer {
    /// Makes sure that the lane has a segment with room.
    pub(super) fn open_lane(&mut self, lane: usize) -> io::Result<()> {
        let full = |open: &OpenSegment| open.end() >= self.shared.config.segment_bytes;
        match self.lanes.get(lane) {
            Some(Some(open)) if full(open) => {
                if let Err(error) = self.sync_lane(lane) {
                    self.abandon(lane);
                    return Err(error);
                }
                self.seal_lane(lane);
            }
            Some(Some(_)) => return Ok(()),
            _ => {}
        }
        let id = self.next_id;
        self.next_id += 1;
        let header = SegmentHeader {
            id,
            class: 0,
            lane: u8::try_from(lane).unwrap_or(u8::MAX),
            created: Timestamp::now(),
            node: self.shared.config.node.clone(),
        };
        let (file, segment) = OpenSegment::create(&*self.shared.files.disk, header)?;
        let segment = self.shared.index.write().add_open(segment);
        Counters::add(&self.shared.counters.segments_created, 1);
        if let Some(slot) = self.lanes.get_mut(lane) {
            *slot = Some(OpenSegment::new(file, segment));
        }
        Ok(())
    }

    /// Gives a lane's segment up; its unsynced records go to the front of the queue again.
    pub(super) fn abandon(&mut self, lane: usize) {
        let Some(open) = self.lanes.get_mut(lane).and_then(Option::take) else { return };
        let gops = open.unsynced.gops();
        self.shared.counters.gops_appended.fetch_sub(gops, Ordering::AcqRel);
        for job in open.abandon().into_iter().rev() {
            self.queue.push_front(job);
        }
    }

    pub(super) fn sync_lane(&mut self, lane: usize) -> io::Result<()> {
        let Some(Some(open)) = self.lanes.get_mut(lane) else { return Ok(()) };
        if open.unsynced.jobs.is_empty() {
            return Ok(());
        }
        let began = Instant::now();
        let synced = open.sync()?;
        self.shared.counters.synced(began.elapsed());
        let segment = Arc::clone(&open.segment);
        publish(&self.shared, &segment, synced);
        Ok(())
    }

    pub(super) fn seal_due(&mut self, all: bool) {
        for lane in 0..self.lanes.len() {
            if all
                || self
                    .lanes
                    .get(lane)
                    .is_some_and(|slot| slot.as_ref().is_some_and(|open| self.is_due(open)))
            {
                self.seal_lane(lane);
            }
        }
    }

    fn is_due(&self, open: &OpenSegment) -> bool {
        let config = &self.shared.config;
        let old = open.begun.elapsed() >= config.segment_max_age;
        open.unsynced.jobs.is_empty() && (old || open.end() >= config.segment_bytes)
    }

    pub(super) fn seal_lane(&mut self, lane: usize) {
        let Some(open) = self.lanes.get_mut(lane).and_then(Option::take) else { return };
        match open.seal(Timestamp::now()) {
            Ok((footer, bytes)) => {
                self.shared.index.write().seal(&open.segment, &footer, bytes);
                Counters::add(&self.shared.counters.segments_sealed, 1);
                Counters::add(&self.shared.counters.bytes_appended, footer.bytes.len() as u64);
            }
            Err(error) => {
                // Its index stays in memory, and the next start closes it.
                Counters::add(&self.shared.counters.write_errors, 1);
                let path = self.shared.files.path(open.segment.id());
                tracing::warn!(segment = %path.display(), "segment could not be closed, the next start will: {error}");
            }
        }
    }
}

fn publish(shared: &Shared, segment: &Segment, synced: Unsynced) {
    let gops = synced.gops();
    Counters::add(&shared.counters.bytes_synced, synced.bytes);
    Counters::add(&shared.counters.gops_synced, gops);
    segment.add_params(synced.params);
    shared.index.write().publish(segment.id(), synced.added);
    Counters::add(&shared.counters.gops_indexed, gops);
    // Only now: a query looks at the ring first and at the index then, so it finds every GOP at least once.
    for job in synced.jobs {
        job.tail.ring.lock().release(job.no, job.work.end());
    }
}
