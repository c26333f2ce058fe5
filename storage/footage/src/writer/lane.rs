//! A lane: the one segment that a share of the cameras of one class is being written to.

use std::{
    io::{self, IoSlice},
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use sightline_model::{Timestamp, media::StreamKey};

use super::{head::head, prepare::Batch};
use crate::{
    disk::{Disk, DiskFile},
    format::{
        align,
        header::{RECORDS_START, SegmentHeader, file_name},
    },
    index::{
        Segment,
        builder::{Added, Footer, SegmentBuilder},
    },
    tail::{Tail, chunk::Work},
};

/// A piece of work and where it came from.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) tail: Arc<Tail>,
    /// Number of its chunk in the ring.
    pub(crate) no: u64,
    pub(crate) work: Work,
}

impl Job {
    pub(crate) fn is_gop(&self) -> bool {
        matches!(self.work, Work::Gop(_))
    }

    /// Roughly what it will take on disk.
    pub(crate) fn bytes(&self) -> usize {
        match &self.work {
            Work::Gop(piece) => piece.gop.bytes(),
            Work::Gap(_) => 176,
        }
    }
}

/// Which lane of a disk: class, and number in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LaneKey {
    pub(crate) class: u8,
    pub(crate) lane: u8,
}

/// The lane of a camera: stable, so that a camera's records of one time are all in one segment.
pub(crate) fn lane_of(key: StreamKey, class: u8, lanes: u8) -> LaneKey {
    let hash = crate::format::crc::crc32c(key.camera.as_str().as_bytes());
    LaneKey { class, lane: u8::try_from(hash % u32::from(lanes.max(1))).unwrap_or(0) }
}

/// What was appended and is not synced.
#[derive(Debug, Default)]
pub(crate) struct Unsynced {
    pub(crate) jobs: Vec<Job>,
    pub(crate) added: Vec<(StreamKey, Added)>,
    pub(crate) bytes: u64,
}

impl Unsynced {
    pub(crate) fn gops(&self) -> u64 {
        self.jobs.iter().filter(|job| job.is_gop()).count() as u64
    }
}

/// A segment that is being written. `synced_end <= end`.
#[derive(Debug)]
pub(crate) struct OpenSegment {
    pub(crate) segment: Arc<Segment>,
    file: Arc<dyn DiskFile>,
    builder: SegmentBuilder,
    end: u64,
    synced_end: u64,
    /// How far room was asked for.
    allocated_end: u64,
    pub(crate) begun: Instant,
    pub(crate) unsynced: Unsynced,
}

impl OpenSegment {
    /// Makes a segment file: written under another name, synced, then named, so that every `.seg` has a whole header.
    pub(crate) fn create(
        disk: &dyn Disk,
        disk_no: u8,
        header: SegmentHeader,
    ) -> io::Result<(Arc<dyn DiskFile>, Segment)> {
        let name = file_name(header.id);
        let draft = format!("{name}.tmp");
        let make = || {
            let file = disk.create(&draft)?;
            file.write_at(0, &mut [IoSlice::new(&header.encode())])?;
            file.sync()?;
            disk.rename(&draft, &name)?;
            disk.sync_folder()?;
            Ok(file)
        };
        let file = make().inspect_err(|_: &io::Error| {
            // It may be there or not; the next start removes what is left.
            let _ = disk.remove(&draft);
        })?;
        Ok((file, Segment::open(header, disk_no, RECORDS_START)))
    }

    pub(crate) fn new(file: Arc<dyn DiskFile>, segment: Arc<Segment>) -> Self {
        Self {
            segment,
            file,
            builder: SegmentBuilder::default(),
            end: RECORDS_START,
            synced_end: RECORDS_START,
            allocated_end: 0,
            begun: Instant::now(),
            unsynced: Unsynced::default(),
        }
    }

    /// Bytes of the file so far.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Appends `batch` and takes its jobs; says by how many bytes the segment grew. After an error the segment is as it
    /// was, and so is the batch.
    pub(crate) fn append(&mut self, batch: &mut Batch, allocate_bytes: u64) -> io::Result<u64> {
        let headed = head(batch, &self.builder, self.segment.id(), self.end);
        if allocate_bytes > 0 && headed.end > self.allocated_end {
            let ahead = headed.end.next_multiple_of(allocate_bytes);
            self.file.allocate(self.allocated_end, ahead - self.allocated_end);
            self.allocated_end = ahead;
        }
        let write = || {
            if !headed.params_bytes.is_empty() {
                self.file.write_at(headed.params_at, &mut [IoSlice::new(&headed.params_bytes)])?;
            }
            self.file.write_at(headed.at, &mut [IoSlice::new(batch.buffer.bytes())])
        };
        if let Err(error) = write() {
            // A half-written record behind the end would be cut by recovery; without it there is nothing to cut.
            let _ = self.file.set_length(self.end);
            return Err(error);
        }
        let bytes = headed.end - self.end;
        self.end = headed.end;
        self.unsynced.added.extend(headed.commit(&mut self.builder));
        self.unsynced.jobs.extend(batch.records.drain(..).map(|record| record.job));
        self.unsynced.bytes += bytes;
        Ok(bytes)
    }

    /// Makes everything appended durable and hands it over.
    pub(crate) fn sync(&mut self) -> io::Result<Unsynced> {
        self.file.sync()?;
        self.synced_end = self.end;
        self.segment.bytes.store(self.end, Ordering::Release);
        Ok(std::mem::take(&mut self.unsynced))
    }

    /// Gives the segment up where it was synced last; what came after goes elsewhere. After a failed sync nothing that
    /// was written since the one before can be trusted to be on disk, whatever a later sync says.
    pub(crate) fn abandon(self) -> Vec<Job> {
        let _ = self.file.set_length(self.synced_end);
        self.unsynced.jobs
    }

    /// Writes the footer, and gives back the room that was asked for and not needed. Everything must be synced.
    pub(crate) fn seal(&self, now: Timestamp) -> io::Result<(Footer, u64)> {
        let at = align(self.end);
        let footer = self.builder.footer(self.segment.id(), at, now);
        self.file.write_at(at, &mut [IoSlice::new(&footer.bytes)])?;
        let bytes = at + footer.bytes.len() as u64;
        self.file.set_length(bytes)?;
        self.file.sync()?;
        Ok((footer, bytes))
    }
}
