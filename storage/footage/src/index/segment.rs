//! One segment file, as everybody but its writer sees it.

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;
use sightline_model::{TimeRange, Timestamp};

use crate::{
    Error,
    catalogue::Place as Kept,
    disk::{Disk, DiskFile, read_vec},
    format::{
        footer::Section,
        header::{SegmentHeader, file_name},
    },
    lru::Lru,
    pool::{Buffer, Pool},
    tier::{Link, Verified},
};

/// Open files kept for reading.
const OPEN_FILES: usize = 256;

/// Number of the disk of a segment that this machine never had.
pub(crate) const NO_DISK: u8 = u8::MAX;

/// Where a segment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) id: u64,
    /// Number of the disk.
    pub(crate) disk: u8,
}

/// See the module's words.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) header: SegmentHeader,
    disk: u8,
    /// Bytes of the file that count: records, and the footer once it is sealed.
    pub(crate) bytes: AtomicU64,
    pub(crate) gops: AtomicU64,
    pub(crate) sealed: AtomicBool,
}

impl Segment {
    pub(crate) fn open(header: SegmentHeader, disk: u8, bytes: u64) -> Self {
        Self {
            header,
            disk,
            bytes: AtomicU64::new(bytes),
            gops: AtomicU64::new(0),
            sealed: AtomicBool::new(false),
        }
    }

    pub(crate) fn id(&self) -> u64 {
        self.header.id
    }

    pub(crate) fn place(&self) -> Place {
        Place { id: self.header.id, disk: self.disk }
    }

    pub(crate) fn is_sealed(&self) -> bool {
        self.sealed.load(Ordering::Acquire)
    }
}

/// The segment files of all disks, opened when needed and a bounded number kept open. What is on no disk is opened in the
/// tier, and nobody who reads sees the difference.
#[derive(Debug)]
pub(crate) struct Files {
    disks: Vec<Arc<dyn Disk>>,
    tier: Option<Arc<Link>>,
    open: Mutex<Lru<Place, Arc<dyn DiskFile>>>,
    pool: Arc<Pool>,
}

impl Files {
    /// Each disk at the place of its number.
    pub(crate) fn new(disks: Vec<Arc<dyn Disk>>, tier: Option<Arc<Link>>) -> Self {
        Self { disks, tier, open: Mutex::new(Lru::new(OPEN_FILES)), pool: Arc::default() }
    }

    pub(crate) fn path(&self, place: Place) -> PathBuf {
        let folder = self.disks.get(usize::from(place.disk)).map(|disk| disk.path().to_owned());
        folder.unwrap_or_default().join(file_name(place.id))
    }

    pub(crate) fn damaged(&self, place: Place, offset: u64, what: &str) -> Error {
        Error::Damaged { path: self.path(place), offset, what: what.to_owned() }
    }

    pub(crate) fn file(&self, place: Place) -> Result<Arc<dyn DiskFile>, Error> {
        if let Some(file) = self.open.lock().get(&place) {
            return Ok(file);
        }
        let file = match (self.local(place), &self.tier) {
            (Err(error), Some(tier)) if is_missing(&error) => tier.file(place.id)?.ok_or(error)?,
            (file, _) => file?,
        };
        self.open.lock().insert(place, Arc::clone(&file), 1);
        Ok(file)
    }

    /// The file, if it can be had without waiting for the disk.
    fn file_now(&self, place: Place) -> Option<Arc<dyn DiskFile>> {
        if let Some(file) = self.open.lock().get(&place) {
            return Some(file);
        }
        let file = self.disks.get(usize::from(place.disk))?.open_now(&file_name(place.id))?;
        self.open.lock().insert(place, Arc::clone(&file), 1);
        Some(file)
    }

    /// Opens the file on its disk, without keeping it open.
    pub(crate) fn local(&self, place: Place) -> Result<Arc<dyn DiskFile>, Error> {
        let disk = self.disks.get(usize::from(place.disk)).ok_or(io::ErrorKind::NotFound.into());
        let file = disk.and_then(|disk| disk.open(&file_name(place.id)));
        file.map_err(Error::io("open", self.path(place)))
    }

    /// Closes a file that is about to be removed.
    pub(crate) fn close(&self, place: Place) {
        self.open.lock().remove(&place);
    }

    /// Removes the local copy of a segment that the tier holds.
    pub(crate) fn evict(&self, held: &Verified, disk_no: u8) -> Result<(), Error> {
        let place = Place { id: held.segment(), disk: disk_no };
        let Some(disk) = self.disks.get(usize::from(disk_no)) else { return Ok(()) };
        disk.remove(&file_name(place.id)).map_err(Error::io("remove", self.path(place)))?;
        disk.sync_folder().map_err(Error::io("sync", disk.path()))?;
        // Whoever opens it from here on gets it from the tier; an open one would hold the space.
        self.close(place);
        Ok(())
    }

    pub(crate) fn read(&self, place: Place, offset: u64, length: usize) -> Result<Vec<u8>, Error> {
        read_vec(&*self.file(place)?, offset, length).map_err(self.unread(place))
    }

    /// Reads into memory of the pool; `None` when that would need waiting for the disk and `io` does not allow it.
    pub(crate) fn read_pooled(
        &self,
        place: Place,
        offset: u64,
        length: usize,
        io: bool,
    ) -> Result<Option<Buffer>, Error> {
        let file = if io { Some(self.file(place)?) } else { self.file_now(place) };
        let Some(file) = file else { return Ok(None) };
        let mut buffer = self.pool.take(length);
        if io {
            file.read_at(offset, buffer.as_mut()).map_err(self.unread(place))?;
            return Ok(Some(buffer));
        }
        Ok(file.read_now(offset, buffer.as_mut()).map_err(self.unread(place))?.then_some(buffer))
    }

    /// What a failed reading is called: the tier's errors say more than those of a file.
    fn unread(&self, place: Place) -> impl FnOnce(io::Error) -> Error {
        let path = self.path(place);
        move |error| error.downcast::<Error>().unwrap_or_else(Error::io("read", path))
    }

    /// Reads a section if that needs no waiting for the disk; nothing when it is damaged.
    pub(crate) fn section_now(&self, place: Place, section: Section) -> Option<Buffer> {
        let length = usize::try_from(section.length).ok()?;
        let bytes = self.read_pooled(place, section.offset, length, false).ok()??;
        (crate::format::crc::crc32c(bytes.as_ref()) == section.crc).then_some(bytes)
    }

    /// Reads a section and checks it.
    pub(crate) fn section(&self, place: Place, section: Section, what: &str) -> Result<Vec<u8>, Error> {
        let length = usize::try_from(section.length).unwrap_or(usize::MAX);
        let bytes = self.read(place, section.offset, length)?;
        if crate::format::crc::crc32c(&bytes) != section.crc {
            return Err(self.damaged(place, section.offset, &format!("{what} do not match their checksum")));
        }
        Ok(bytes)
    }
}

/// Whether an error says that there is no such file.
pub(crate) fn is_missing(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
}

/// A segment, for people: what `sightline footage ls` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentInfo {
    /// Its number, which is also its file's name.
    pub id: u64,
    /// Number of the disk it is on, in the order of the configuration.
    pub disk: u8,
    /// Retention class.
    pub class: u8,
    /// Lane it was written in.
    pub lane: u8,
    /// Node that wrote it.
    pub node: String,
    /// When it was begun.
    pub created: Timestamp,
    /// Whether it is complete and has a footer.
    pub sealed: bool,
    /// Where it can be read.
    pub place: Kept,
    /// Its size.
    pub bytes: u64,
    /// GOPs (parts counted) in it.
    pub gops: u64,
    /// Streams in it.
    pub streams: u64,
    /// From the first to the last footage in it.
    pub range: Option<TimeRange>,
}
