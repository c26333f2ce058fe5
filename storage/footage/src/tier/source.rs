//! A sealed segment file that is to be sent.

use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;

use crate::{
    Error,
    disk::{DiskFile, read_vec},
    format::{
        footer::{TRAILER_BYTES, Trailer},
        header::{HeaderError, SEGMENT_HEADER_BYTES, SegmentHeader},
    },
};

/// See the module's words.
#[derive(Debug)]
pub(crate) struct Source {
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    pub(crate) header: SegmentHeader,
    pub(crate) header_bytes: Bytes,
    pub(crate) bytes: u64,
    /// From the end of the records on.
    pub(crate) tail: Bytes,
}

impl Source {
    /// Reads header and footer; blocks.
    pub(crate) fn open(file: Arc<dyn DiskFile>, path: PathBuf) -> Result<Self, Error> {
        let io = |error| Error::io("read", &path)(error);
        let damaged =
            |offset, what: &str| Error::Damaged { path: path.clone(), offset, what: what.to_owned() };
        let bytes = file.length().map_err(io)?;
        let Some(trailer_at) = bytes.checked_sub(TRAILER_BYTES).filter(|at| *at >= SEGMENT_HEADER_BYTES)
        else {
            return Err(damaged(0, "it is too short for a sealed segment"));
        };
        let read = |from: u64, to: u64| {
            let length = usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX);
            read_vec(&*file, from, length).map(Bytes::from).map_err(io)
        };
        let header_bytes = read(0, SEGMENT_HEADER_BYTES)?;
        let header = SegmentHeader::decode(&header_bytes).map_err(|error| match error {
            HeaderError::Bad(what) => damaged(0, what),
            HeaderError::Version(found) => {
                Error::Version { path: path.clone(), found, supported: crate::format::VERSION }
            }
        })?;
        let trailer = Trailer::decode(&read(trailer_at, bytes)?, header.id, bytes);
        let trailer = trailer.map_err(|what| damaged(trailer_at, what))?;
        let tail = read(trailer.records_end, bytes)?;
        Ok(Self { path, header, header_bytes, bytes, tail, file })
    }

    /// Reads a stretch; blocks.
    pub(crate) fn read(&self, offset: u64, length: u64) -> Result<Vec<u8>, Error> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        read_vec(&*self.file, offset, length).map_err(Error::io("read", &self.path))
    }
}
