//! What can go wrong with the files that keys lie in.

use std::{
    io,
    path::{Path, PathBuf},
};

use sightline_footage::KeyError;

use super::master::MasterId;

/// An error of the key folder or the master key. Every variant names the file and the way out.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The operating system refused an operation.
    #[error("could not {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has the folder open for writing.
    #[error(
        "the key folder {} is in use by another process: stop it, or choose another folder (keys.dir)",
        path.display()
    )]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// There are keys, but the master key that opens them is gone.
    #[error(
        "the master key {} is missing, and {} holds the keys of {days} days that only it opens: restore it from its \
         copy, or name the right file (keys.master_file)",
        path.display(), folder.display()
    )]
    MasterMissing {
        /// Where it should be.
        path: PathBuf,
        /// The key folder.
        folder: PathBuf,
        /// Days in it.
        days: usize,
    },
    /// The master key file does not hold a master key.
    #[error("{} is not a master key ({what}): restore it from its copy", path.display())]
    MasterInvalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Others than its owner may read the master key.
    #[error(
        "the master key {} may be used by others than its owner (mode {mode:03o}): run `chmod 600` on it",
        path.display()
    )]
    MasterExposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The keys were made under another master key.
    #[error(
        "{} was made with the master key {needed}, but {} holds {found}: name the right file (keys.master_file) or \
         restore it from its copy",
        path.display(), master_file.display()
    )]
    WrongMaster {
        /// The file that cannot be opened.
        path: PathBuf,
        /// The master key in use.
        master_file: PathBuf,
        /// The master key that is needed.
        needed: MasterId,
        /// The master key in use.
        found: MasterId,
    },
    /// A key file does not match its checksums.
    #[error("{} is damaged ({what}): restore it from a backup of the key folder", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A key file was written by a later version.
    #[error("{} has format version {found}, this program reads up to {supported}: use a newer program", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u16,
        /// The newest version that can be read.
        supported: u16,
    },
    /// The folder was opened for reading alone.
    #[error("the key folder {} was opened for reading alone", path.display())]
    ReadOnly {
        /// The folder.
        path: PathBuf,
    },
    /// The cipher, or the system's random numbers.
    #[error(transparent)]
    Cipher(#[from] KeyError),
}

impl KeyFileError {
    /// A closure for `map_err` that adds what was tried and on what.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    /// As the store of footage hears it.
    pub(super) fn into_key_error(self) -> KeyError {
        match self {
            Self::Cipher(error) => error,
            other => KeyError::Unavailable { detail: other.to_string() },
        }
    }
}
