//! One segment file, as everybody but its writer sees it.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;
use sightline_model::{TimeRange, Timestamp, media::ParameterSets};

use crate::{
    Error,
    disk::{Disk, DiskFile, read_vec},
    format::{
        footer::{Section, Trailer, decode_params_list},
        header::{SegmentHeader, file_name},
        payload::lost_params,
    },
    lru::Lru,
};

/// Open files kept for reading.
const OPEN_FILES: usize = 256;

/// Where a segment's parameter sets are.
#[derive(Debug)]
enum Params {
    Footer(Section),
    Memory(Vec<Arc<ParameterSets>>),
}

/// See the module's words.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) header: SegmentHeader,
    /// Bytes of the file that count: records, and the footer once it is sealed.
    pub(crate) bytes: AtomicU64,
    pub(crate) gops: AtomicU64,
    pub(crate) sealed: AtomicBool,
    params: Mutex<Params>,
}

impl Segment {
    pub(crate) fn open(header: SegmentHeader, bytes: u64) -> Self {
        Self {
            header,
            bytes: AtomicU64::new(bytes),
            gops: AtomicU64::new(0),
            sealed: AtomicBool::new(false),
            params: Mutex::new(Params::Memory(Vec::new())),
        }
    }

    pub(crate) fn sealed(header: SegmentHeader, bytes: u64, trailer: &Trailer) -> Self {
        Self {
            header,
            bytes: AtomicU64::new(bytes),
            gops: AtomicU64::new(u64::from(trailer.gops)),
            sealed: AtomicBool::new(true),
            params: Mutex::new(Params::Footer(trailer.params)),
        }
    }

    pub(crate) fn id(&self) -> u64 {
        self.header.id
    }

    pub(crate) fn is_sealed(&self) -> bool {
        self.sealed.load(Ordering::Acquire)
    }

    /// Adds parameter sets that are now on disk.
    pub(crate) fn add_params(&self, added: impl IntoIterator<Item = Arc<ParameterSets>>) {
        if let Params::Memory(list) = &mut *self.params.lock() {
            list.extend(added);
        }
    }

    /// The parameter sets of id `id`; read from the footer once, no lock is held meanwhile.
    pub(crate) fn params(&self, files: &Files, id: u32) -> Result<Arc<ParameterSets>, Error> {
        let section = match &*self.params.lock() {
            Params::Memory(list) => return self.pick(files, list, id),
            Params::Footer(section) => *section,
        };
        let bytes = files.section(self.id(), section, "the footer's parameter sets")?;
        let list = decode_params_list(&bytes).map_err(|bad| files.damaged(self.id(), section.offset, bad))?;
        let found = self.pick(files, &list, id);
        *self.params.lock() = Params::Memory(list);
        found
    }

    fn pick(&self, files: &Files, list: &[Arc<ParameterSets>], id: u32) -> Result<Arc<ParameterSets>, Error> {
        let found = usize::try_from(id).ok().and_then(|id| list.get(id)).cloned();
        let found = found.filter(|params| **params != lost_params());
        found.ok_or_else(|| files.damaged(self.id(), 0, &format!("parameter sets {id} are missing")))
    }
}

/// The segment files of one folder, opened when needed and a bounded number kept open.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) disk: Arc<dyn Disk>,
    open: Mutex<Lru<u64, Arc<dyn DiskFile>>>,
}

impl Files {
    pub(crate) fn new(disk: Arc<dyn Disk>) -> Self {
        Self { disk, open: Mutex::new(Lru::new(OPEN_FILES)) }
    }

    pub(crate) fn path(&self, id: u64) -> PathBuf {
        self.disk.path().join(file_name(id))
    }

    pub(crate) fn damaged(&self, id: u64, offset: u64, what: &str) -> Error {
        Error::Damaged { path: self.path(id), offset, what: what.to_owned() }
    }

    fn file(&self, id: u64) -> Result<Arc<dyn DiskFile>, Error> {
        if let Some(file) = self.open.lock().get(&id) {
            return Ok(file);
        }
        let file = self.disk.open(&file_name(id)).map_err(Error::io("open", self.path(id)))?;
        self.open.lock().insert(id, Arc::clone(&file), 1);
        Ok(file)
    }

    pub(crate) fn read(&self, id: u64, offset: u64, length: usize) -> Result<Vec<u8>, Error> {
        read_vec(&*self.file(id)?, offset, length).map_err(Error::io("read", self.path(id)))
    }

    /// Reads a section and checks it.
    pub(crate) fn section(&self, id: u64, section: Section, what: &str) -> Result<Vec<u8>, Error> {
        let length = usize::try_from(section.length).unwrap_or(usize::MAX);
        let bytes = self.read(id, section.offset, length)?;
        if crc32c::crc32c(&bytes) != section.crc {
            return Err(self.damaged(id, section.offset, &format!("{what} do not match their checksum")));
        }
        Ok(bytes)
    }
}

/// A segment, for people: what `sightline footage ls` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentInfo {
    /// Its number, which is also its file's name.
    pub id: u64,
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
    /// Its size.
    pub bytes: u64,
    /// GOPs (parts counted) in it.
    pub gops: u64,
    /// Streams in it.
    pub streams: u64,
    /// From the first to the last footage in it.
    pub range: Option<TimeRange>,
}
