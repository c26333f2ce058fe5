//! The real disk.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, IoSlice, IoSliceMut, Read, Write},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::fs::{CWD, FallocateFlags, FlockOperation, Mode, OFlags, ResolveFlags, flock, openat2, statvfs};
use rustix::io::ReadWriteFlags;

use super::{Disk, DiskFile, PAGE_BYTES};
use crate::Error;

/// Most slices one call may take (`IOV_MAX` of Linux).
const MAX_SLICES: usize = 1024;
const LOCK_NAME: &str = "LOCK";

/// A folder of the operating system.
#[derive(Debug)]
pub(crate) struct RealDisk {
    path: PathBuf,
    read_only: bool,
    direct: bool,
}

impl RealDisk {
    /// A disk that creates and writes; large writes go past the page cache if `direct`.
    pub(crate) fn new(path: PathBuf, direct: bool) -> Self {
        Self { path, read_only: false, direct }
    }

    /// A disk whose files are opened for reading alone.
    pub(crate) fn read_only(path: PathBuf) -> Self {
        Self { path, read_only: true, direct: false }
    }
}

impl Disk for RealDisk {
    fn path(&self) -> &Path {
        &self.path
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn lengths(&self, each: &mut dyn FnMut(&str, u64)) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if let Some(name) = entry.file_name().to_str() {
                each(name, entry.metadata()?.len());
            }
        }
        Ok(())
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(self.path.join(name))?;
        // Some file systems have no direct I/O, and say so here.
        let flags = i32::try_from(OFlags::DIRECT.bits()).unwrap_or(0);
        let direct = self
            .direct
            .then(|| OpenOptions::new().write(true).custom_flags(flags).open(self.path.join(name)).ok());
        Ok(Arc::new(RealFile { file, direct: direct.flatten() }))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let file = OpenOptions::new().read(true).write(!self.read_only).open(self.path.join(name))?;
        Ok(Arc::new(RealFile { file, direct: None }))
    }

    fn open_now(&self, name: &str) -> Option<Arc<dyn DiskFile>> {
        // Only when the way to it and the file itself are in the kernel's caches (Linux 5.12).
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let path = self.path.join(name);
        let file = openat2(CWD, path, flags, Mode::empty(), ResolveFlags::CACHED).ok()?;
        Some(Arc::new(RealFile { file: file.into(), direct: None }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let stat = statvfs(&self.path)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

/// A file, and a second way into it that goes past the page cache: a recorder writes far more than anybody reads soon,
/// and the copy into the cache and out again is what writing costs most.
#[derive(Debug)]
struct RealFile {
    file: File,
    direct: Option<File>,
}

impl RealFile {
    fn way(&self, offset: u64, slices: &[IoSlice<'_>]) -> &File {
        let page = usize::try_from(PAGE_BYTES).unwrap_or(4096);
        let aligned = |slice: &IoSlice<'_>| {
            slice.len().is_multiple_of(page) && slice.as_ptr().addr().is_multiple_of(page)
        };
        match &self.direct {
            Some(direct) if offset.is_multiple_of(PAGE_BYTES) && slices.iter().all(aligned) => direct,
            _ => &self.file,
        }
    }
}

impl DiskFile for RealFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn write_at(&self, mut offset: u64, slices: &mut [IoSlice<'_>]) -> io::Result<()> {
        let mut rest = slices;
        IoSlice::advance_slices(&mut rest, 0);
        while !rest.is_empty() {
            let count = rest.len().min(MAX_SLICES);
            let window = rest.get(..count).unwrap_or_default();
            match rustix::io::pwritev(self.way(offset, window), window, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    offset = offset.saturating_add(written as u64);
                    IoSlice::advance_slices(&mut rest, written);
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }

    fn read_now(&self, offset: u64, buffer: &mut [u8]) -> io::Result<bool> {
        let length = buffer.len();
        let mut slices = [IoSliceMut::new(buffer)];
        // Not every file system can say whether it would wait: then it would.
        let read = rustix::io::preadv2(&self.file, &mut slices, offset, ReadWriteFlags::NOWAIT);
        Ok(read.is_ok_and(|read| read == length))
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn allocate(&self, offset: u64, length: u64) {
        let _ = rustix::fs::fallocate(&self.file, FallocateFlags::KEEP_SIZE, offset, length);
    }
}

/// Holds a footage folder for one process; let go when dropped or when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of `folder`, which must exist.
    pub(crate) fn take(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(LOCK_NAME);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(Error::io("open", &path))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut holder = String::new();
                let told = file.read_to_string(&mut holder).is_ok() && !holder.trim().is_empty();
                let holder =
                    if told { format!("process {}", holder.trim()) } else { "another process".to_owned() };
                return Err(Error::Locked { path: folder.to_owned(), holder });
            }
            Err(error) => return Err(Error::io("lock", &path)(error.into())),
        }
        // The number is for the message above alone; failing to write it changes nothing.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Self { _file: file })
    }
}
