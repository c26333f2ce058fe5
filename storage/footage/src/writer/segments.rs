//! The segments that the lanes write to: begun, synced, closed, given up.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use sightline_model::Timestamp;

use super::{
    Writer,
    lane::{LaneKey, OpenSegment, Unsynced},
};
use crate::{
    catalogue::convert::sealed, format::header::SegmentHeader, index::Segment, metrics::Counters,
    shared::Shared,
};

impl Writer {
    /// Makes sure that the lane has a segment with room.
    pub(super) fn open_lane(&mut self, lane: LaneKey) -> io::Result<()> {
        match self.lanes.get(&lane) {
            Some(open) if open.end() >= self.shared.config.segment_bytes => {
                if let Err(error) = self.sync_lane(lane) {
                    self.abandon(lane);
                    return Err(error);
                }
                self.seal_lane(lane);
            }
            Some(_) => return Ok(()),
            None => {}
        }
        let header = SegmentHeader {
            id: self.shared.next_segment.fetch_add(1, Ordering::Relaxed),
            class: lane.class,
            lane: lane.lane,
            created: Timestamp::now(),
            node: self.shared.config.node.clone(),
            replaces: 0,
        };
        let (file, segment) = OpenSegment::create(&*self.room.disk, self.room.no, header)?;
        let segment = self.shared.index.write().add_open(segment);
        Counters::add(&self.shared.counters.segments_created, 1);
        self.lanes.insert(lane, OpenSegment::new(file, segment));
        Ok(())
    }

    /// Gives a lane's segment up; its unsynced records are written again elsewhere.
    pub(super) fn abandon(&mut self, lane: LaneKey) {
        let Some(open) = self.lanes.remove(&lane) else { return };
        self.shared.counters.gops_appended.fetch_sub(open.unsynced.gops(), Ordering::AcqRel);
        self.again.extend(open.abandon());
        if !self.again.is_empty() {
            self.retry_at.get_or_insert_with(Instant::now);
        }
    }

    pub(super) fn sync_lane(&mut self, lane: LaneKey) -> io::Result<()> {
        let Some(open) = self.lanes.get_mut(&lane) else { return Ok(()) };
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
        let config = &self.shared.config;
        let is_due = |open: &OpenSegment| {
            let old = open.begun.elapsed() >= config.segment_max_age;
            all || (open.unsynced.jobs.is_empty() && (old || open.end() >= config.segment_bytes))
        };
        let due = self.lanes.iter().filter(|(_, open)| is_due(open)).map(|(lane, _)| *lane);
        for lane in due.collect::<Vec<_>>() {
            self.seal_lane(lane);
        }
    }

    pub(super) fn seal_lane(&mut self, lane: LaneKey) {
        let Some(open) = self.lanes.remove(&lane) else { return };
        match open.seal(Timestamp::now()) {
            Ok((footer, bytes)) => {
                self.shared.index.write().seal(&open.segment, &footer, bytes);
                let place = open.segment.place();
                let rows = sealed(&open.segment.header, place.disk, bytes, &footer.trailer, &footer.rows);
                // Nobody listens any more when the filing thread has died: the next start files it.
                let _ = self.sealed.send(rows);
                Counters::add(&self.shared.counters.segments_sealed, 1);
                Counters::add(&self.shared.counters.bytes_appended, footer.bytes.len() as u64);
            }
            Err(error) => {
                // Its index stays in memory, and the next start closes it.
                Counters::add(&self.shared.counters.write_errors, 1);
                let path = self.shared.files.path(open.segment.place());
                tracing::warn!(segment = %path.display(), "segment could not be closed, the next start will: {error}");
            }
        }
    }
}

fn publish(shared: &Shared, segment: &Segment, synced: Unsynced) {
    let gops = synced.gops();
    Counters::add(&shared.counters.bytes_synced, synced.bytes);
    Counters::add(&shared.counters.gops_synced, gops);
    shared.index.write().publish(segment.id(), synced.added);
    Counters::add(&shared.counters.gops_indexed, gops);
    // Only now: a query looks at the ring first and at the index then, so it finds every GOP at least once.
    for job in synced.jobs {
        job.tail.ring.lock().release(job.no, job.work.end());
    }
}
