//! The seam to the disk: one trait pair, a real disk and a simulated one that crashes on demand.
//!
//! Everything that touches files goes through here, so that a crash can be put between any two operations.

mod real;
#[cfg(test)]
pub(crate) mod sim;

use std::{
    fmt,
    io::{self, IoSlice},
    path::Path,
    sync::Arc,
};

pub(crate) use real::{Lock, RealDisk};

/// A folder that holds segments.
pub(crate) trait Disk: Send + Sync + fmt::Debug {
    /// For messages.
    fn path(&self) -> &Path;
    /// Names of all files.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Gives `each` name and length of every file. There may be very many: nothing is collected.
    fn lengths(&self, each: &mut dyn FnMut(&str, u64)) -> io::Result<()> {
        for name in self.list()? {
            each(&name, self.open(&name)?.length()?);
        }
        Ok(())
    }
    /// Makes an empty file; it is durable once it and the folder are synced.
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;
    /// Opens a file for reading and writing.
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;
    /// Opens a file for reading if that needs no waiting for the disk.
    fn open_now(&self, name: &str) -> Option<Arc<dyn DiskFile>> {
        let _ = name;
        None
    }
    /// Renames a file, durably after [`Disk::sync_folder`].
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Unlinks a file, durably after [`Disk::sync_folder`].
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes creations, renames and removals durable.
    fn sync_folder(&self) -> io::Result<()>;
    /// Bytes that may still be written.
    fn free_bytes(&self) -> io::Result<u64>;
}

/// An open file of a [`Disk`].
pub(crate) trait DiskFile: Send + Sync + fmt::Debug {
    /// Its length.
    fn length(&self) -> io::Result<u64>;
    /// Writes all of `slices` one after the other from `offset` on. After an error any part may have been written.
    fn write_at(&self, offset: u64, slices: &mut [IoSlice<'_>]) -> io::Result<()>;
    /// Fills `buffer` from `offset` on.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
    /// Fills `buffer` from `offset` on if that needs no waiting for the disk; says whether it did.
    fn read_now(&self, offset: u64, buffer: &mut [u8]) -> io::Result<bool> {
        let _ = (offset, buffer);
        Ok(false)
    }
    /// Cuts or extends (with zeros) to `length`.
    fn set_length(&self, length: u64) -> io::Result<()>;
    /// Makes all writes so far durable.
    fn sync(&self) -> io::Result<()>;
    /// Asks for room for `length` bytes from `offset` on, without changing the length of the file, so that it grows in few
    /// large extents. Where that cannot be had nothing is lost.
    fn allocate(&self, offset: u64, length: u64) {
        let _ = (offset, length);
    }
}

/// Writes whose place, length and memory are multiples of this may go past the page cache.
pub(crate) const PAGE_BYTES: u64 = 4096;

/// Reads `length` bytes from `offset` on.
pub(crate) fn read_vec(file: &dyn DiskFile, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; length];
    file.read_at(offset, &mut buffer)?;
    Ok(buffer)
}

/// Whether an error means that no space is left.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
