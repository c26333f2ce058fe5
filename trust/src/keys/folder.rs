//! Files of a folder, written so that a crash at any moment leaves the old content or the new, and so that what was replaced
//! is overwritten.
//!
//! ```text
//! replace NAME:  NAME.new written, synced ─> NAME becomes NAME.old ─> NAME.new becomes NAME ─> NAME.old overwritten, removed
//! after a crash: NAME.new beside NAME     : removed, nothing has happened
//!                NAME.new beside NAME.old : becomes NAME, then as below
//!                NAME.old beside NAME     : overwritten, removed
//! ```
//!
//! Between any two steps file and folder are synced, so no other combination is found.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::error::KeyFileError;

const NEW: &str = ".new";
const OLD: &str = ".old";
/// A file that was never synced under its own name.
pub(super) const UNFINISHED: &str = ".tmp";

/// A folder whose files only the owner may read.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    #[cfg(test)]
    pub(super) fuse: super::tests::fuse::Fuse,
}

impl Folder {
    /// A folder; made, for the owner alone, when missing.
    pub(super) fn at(path: PathBuf) -> Result<Self, KeyFileError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(KeyFileError::io("make the folder", &path))?;
        Ok(Self::existing(path))
    }

    /// A folder that is there.
    pub(super) fn existing(path: PathBuf) -> Self {
        Self {
            path,
            #[cfg(test)]
            fuse: super::tests::fuse::Fuse::of_thread(),
        }
    }

    pub(super) fn is_there(&self) -> Result<bool, KeyFileError> {
        self.path.try_exists().map_err(KeyFileError::io("look for", &self.path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(super) fn list(&self) -> Result<Vec<String>, KeyFileError> {
        let failed = |error| KeyFileError::io("list", &self.path)(error);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            if let Ok(name) = entry.map_err(failed)?.file_name().into_string() {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    pub(super) fn open(&self, name: &str, write: bool) -> Result<File, KeyFileError> {
        let opened = OpenOptions::new().read(true).write(write).open(self.file(name));
        opened.map_err(KeyFileError::io("open", &self.file(name)))
    }

    /// An empty file for the owner alone.
    pub(super) fn create(&self, name: &str) -> Result<File, KeyFileError> {
        let made = self.step().and_then(|()| {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(true).mode(0o600).open(self.file(name))
        });
        made.map_err(KeyFileError::io("make", &self.file(name)))
    }

    /// Writes and syncs all of `bytes` at `offset`.
    pub(super) fn write(
        &self,
        file: &File,
        name: &str,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), KeyFileError> {
        #[cfg(test)]
        self.fuse.tear(file, offset, bytes);
        self.step()
            .and_then(|()| file.write_all_at(bytes, offset))
            .and_then(|()| self.step())
            .and_then(|()| file.sync_all())
            .map_err(KeyFileError::io("write", &self.file(name)))
    }

    pub(super) fn rename(&self, from: &str, to: &str) -> Result<(), KeyFileError> {
        self.step()
            .and_then(|()| fs::rename(self.file(from), self.file(to)))
            .map_err(KeyFileError::io("rename", &self.file(from)))?;
        self.sync()
    }

    pub(super) fn remove(&self, name: &str) -> Result<(), KeyFileError> {
        match self.step().and_then(|()| fs::remove_file(self.file(name))) {
            Err(error) if !is_missing(&error) => Err(KeyFileError::io("remove", &self.file(name))(error)),
            _ => self.sync(),
        }
    }

    fn sync(&self) -> Result<(), KeyFileError> {
        self.step()
            .and_then(|()| File::open(&self.path)?.sync_all())
            .map_err(KeyFileError::io("sync", &self.path))
    }

    /// Makes a file with this content, durably; it appears whole or not at all.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> Result<(), KeyFileError> {
        let unfinished = format!("{name}{UNFINISHED}");
        let file = self.create(&unfinished)?;
        self.write(&file, &unfinished, 0, bytes)?;
        self.rename(&unfinished, name)
    }

    /// Gives a file other content, durably, and overwrites the old.
    pub(super) fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), KeyFileError> {
        let new = format!("{name}{NEW}");
        let file = self.create(&new)?;
        self.write(&file, &new, 0, bytes)?;
        self.sync()?;
        self.swap(&new, name)
    }

    /// Puts the file `new` in the place of `name`, and overwrites what was there.
    pub(super) fn swap(&self, new: &str, name: &str) -> Result<(), KeyFileError> {
        let old = format!("{name}{OLD}");
        self.rename(name, &old)?;
        self.rename(new, name)?;
        self.wipe(&old)
    }

    /// Overwrites a file with zeros, syncs, and removes it. How far that reaches into a flash drive, nobody can say: that is
    /// why keys are wrapped.
    fn wipe(&self, name: &str) -> Result<(), KeyFileError> {
        let overwritten = self.step().and_then(|()| {
            let mut file = OpenOptions::new().write(true).open(self.file(name))?;
            let mut left = file.metadata()?.len();
            let zeros = [0; 4096];
            while left > 0 {
                let piece = zeros.get(..usize::try_from(left).unwrap_or(usize::MAX)).unwrap_or(&zeros);
                file.write_all(piece)?;
                left -= piece.len() as u64;
            }
            self.step()?;
            file.sync_all()
        });
        match overwritten {
            Err(error) if is_missing(&error) => Ok(()),
            Err(error) => Err(KeyFileError::io("overwrite", &self.file(name))(error)),
            Ok(()) => self.remove(name),
        }
    }

    /// Finishes or takes back what a crash interrupted.
    pub(super) fn recover(&self, name: &str) -> Result<(), KeyFileError> {
        let (new, old) = (format!("{name}{NEW}"), format!("{name}{OLD}"));
        match (self.has(name)?, self.has(&new)?, self.has(&old)?) {
            (true, true, _) => self.wipe(&new)?,
            (false, true, true) => self.rename(&new, name)?,
            (false, false, true) => self.rename(&old, name)?,
            _ => {}
        }
        if self.has(&old)? {
            self.wipe(&old)?;
        }
        let unfinished = format!("{name}{UNFINISHED}");
        if self.has(&unfinished)? { self.wipe(&unfinished) } else { Ok(()) }
    }

    pub(super) fn has(&self, name: &str) -> Result<bool, KeyFileError> {
        let path = self.file(name);
        path.try_exists().map_err(KeyFileError::io("look for", &path))
    }

    /// A place where the tests can end the process.
    #[cfg(test)]
    fn step(&self) -> io::Result<()> {
        self.fuse.step()
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the tests end the process here")]
    const fn step(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether an error means that a file is not there.
fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

/// The name behind which `name` is an interrupted step, if it is one.
pub(super) fn interrupted(name: &str) -> Option<&str> {
    [NEW, OLD, UNFINISHED].iter().find_map(|suffix| name.strip_suffix(suffix))
}
