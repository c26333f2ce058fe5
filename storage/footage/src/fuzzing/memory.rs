//! A disk in memory that does nothing wrong.

use std::{
    collections::BTreeMap,
    io::{self, IoSlice},
    path::Path,
    sync::Arc,
};

use parking_lot::Mutex;

use crate::disk::{Disk, DiskFile};

#[derive(Debug, Clone, Default)]
struct MemoryFile(Arc<Mutex<Vec<u8>>>);

/// See the module's words.
#[derive(Debug, Clone, Default)]
pub(super) struct MemoryDisk(Arc<Mutex<BTreeMap<String, MemoryFile>>>);

impl MemoryDisk {
    pub(super) fn put(&self, name: &str, bytes: Vec<u8>) {
        self.0.lock().insert(name.to_owned(), MemoryFile(Arc::new(Mutex::new(bytes))));
    }

    /// The longest file there is.
    pub(super) fn largest(&self) -> Vec<u8> {
        let files = self.0.lock();
        files.values().map(|file| file.0.lock().clone()).max_by_key(Vec::len).unwrap_or_default()
    }

    fn take(&self, name: &str) -> io::Result<MemoryFile> {
        self.0.lock().remove(name).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Disk for MemoryDisk {
    fn path(&self) -> &Path {
        Path::new("/memory")
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.0.lock().keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.put(name, Vec::new());
        self.open(name)
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let file = self.0.lock().get(name).cloned().ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(file))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let file = self.take(from)?;
        self.0.lock().insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.take(name).map(drop)
    }

    fn sync_folder(&self) -> io::Result<()> {
        Ok(())
    }

    fn free_bytes(&self) -> io::Result<u64> {
        Ok(1 << 40)
    }
}

impl DiskFile for MemoryFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.0.lock().len() as u64)
    }

    fn write_at(&self, offset: u64, slices: &mut [IoSlice<'_>]) -> io::Result<()> {
        let mut file = self.0.lock();
        let mut at = usize::try_from(offset).map_err(io::Error::other)?;
        for slice in slices.iter() {
            let end = at + slice.len();
            if file.len() < end {
                file.resize(end, 0);
            }
            file.get_mut(at..end).ok_or(io::ErrorKind::InvalidInput)?.copy_from_slice(slice);
            at = end;
        }
        Ok(())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let at = usize::try_from(offset).map_err(io::Error::other)?;
        let file = self.0.lock();
        let bytes = at.checked_add(buffer.len()).and_then(|end| file.get(at..end));
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.0.lock().resize(usize::try_from(length).map_err(io::Error::other)?, 0);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
