//! A lane: the one segment that a share of the cameras is being written to.

use std::{
    io::{self, IoSlice},
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use sightline_model::{
    Timestamp,
    media::{ParameterSets, StreamKey},
};

use super::stage::Staged;
use crate::{
    disk::{Disk, DiskFile},
    format::header::{SEGMENT_HEADER_BYTES, SegmentHeader, file_name},
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
            Work::Gap(_) => 144,
        }
    }
}

/// What was appended and is not synced.
#[derive(Debug, Default)]
pub(crate) struct Unsynced {
    pub(crate) jobs: Vec<Job>,
    pub(crate) added: Vec<(StreamKey, Added)>,
    pub(crate) params: Vec<Arc<ParameterSets>>,
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
    pub(crate) begun: Instant,
    pub(crate) unsynced: Unsynced,
}

impl OpenSegment {
    /// Makes a segment file: written under another name, synced, then named, so that every `.seg` has a whole header.
    pub(crate) fn create(disk: &dyn Disk, header: SegmentHeader) -> io::Result<(Arc<dyn DiskFile>, Segment)> {
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
        Ok((file, Segment::open(header, SEGMENT_HEADER_BYTES)))
    }

    pub(crate) fn new(file: Arc<dyn DiskFile>, segment: Arc<Segment>) -> Self {
        Self {
            segment,
            file,
            builder: SegmentBuilder::default(),
            end: SEGMENT_HEADER_BYTES,
            synced_end: SEGMENT_HEADER_BYTES,
            begun: Instant::now(),
            unsynced: Unsynced::default(),
        }
    }

    /// Bytes of the file so far.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Appends `jobs`; says how many bytes. After an error the segment is as it was, and so are the jobs.
    pub(crate) fn append(&mut self, jobs: &mut Vec<Job>) -> io::Result<u64> {
        let mut staged = Staged::new(&self.builder, self.segment.id(), self.end);
        for job in jobs.iter() {
            staged.push(&self.builder, job.tail.key, &job.work);
        }
        if let Err(error) = self.file.write_at(self.end, &mut staged.slices()) {
            // A half-written record behind the end would be cut by recovery; without it there is nothing to cut.
            let _ = self.file.set_length(self.end);
            return Err(error);
        }
        let bytes = staged.end() - self.end;
        self.end = staged.end();
        let committed = staged.commit(&mut self.builder);
        self.unsynced.jobs.append(jobs);
        self.unsynced.added.extend(committed.added);
        self.unsynced.params.extend(committed.params);
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

    /// Writes the footer. Everything must be synced.
    pub(crate) fn seal(&self, now: Timestamp) -> io::Result<(Footer, u64)> {
        let footer = self.builder.footer(self.segment.id(), self.end, now);
        self.file.write_at(self.end, &mut [IoSlice::new(&footer.bytes)])?;
        self.file.sync()?;
        let bytes = self.end + footer.bytes.len() as u64;
        Ok((footer, bytes))
    }
}

/// The lane of a camera: stable, so that a camera's records of one time are all in one segment.
pub(crate) fn lane_of(key: StreamKey, lanes: usize) -> usize {
    let hash = crc32c::crc32c(key.camera.as_str().as_bytes());
    usize::try_from(hash).unwrap_or(0) % lanes.max(1)
}
