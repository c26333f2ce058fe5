//! What can go wrong with stored footage. Every variant says what happened, to what, and the way out.

use std::{io, path::PathBuf};

use sightline_model::{Timestamp, media::StreamKey};

use crate::tier::TierProblem;

/// An error of the footage store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A configuration value cannot work.
    #[error("footage configuration: {field} {problem}")]
    Config {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
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
    /// Another process has the store open.
    #[error(
        "the footage folder {} is in use by {holder}: stop that process, or choose another folder (footage.dir)",
        path.display()
    )]
    Locked {
        /// The folder.
        path: PathBuf,
        /// Who holds it, as far as the lock file tells.
        holder: String,
    },
    /// There is too little space to record.
    #[error(
        "the disk of {} is full: {free_bytes} bytes free, {needed_bytes} needed; free some space, \
         choose another folder (footage.dir) or lower footage.min_free_bytes",
        path.display()
    )]
    DiskFull {
        /// The folder.
        path: PathBuf,
        /// Bytes free now.
        free_bytes: u64,
        /// Bytes that must be free.
        needed_bytes: u64,
    },
    /// A segment was written by a later version of the format.
    #[error("{} has format version {found}, this program reads {supported}: use the program that wrote it", path.display())]
    Version {
        /// The segment file.
        path: PathBuf,
        /// Its version.
        found: u16,
        /// The newest version that can be read.
        supported: u16,
    },
    /// The stream already has a writer.
    #[error("{key} already has a writer: drop the first one before opening a second")]
    WriterBusy {
        /// The stream.
        key: StreamKey,
    },
    /// Stored bytes do not match their checksum or make no sense.
    #[error("damaged at byte {offset} of {}: {what}; run `sightline footage check` to see the extent", path.display())]
    Damaged {
        /// The segment file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What does not fit.
        what: String,
    },
    /// The key of encrypted footage cannot be had.
    #[error(transparent)]
    Key(#[from] crate::KeyError),
    /// The GOP is no longer held anywhere.
    #[error("the footage of {key} at {start} is no longer there: ask for the timeline again")]
    Gone {
        /// The stream.
        key: StreamKey,
        /// When the GOP began.
        start: Timestamp,
    },
    /// The disk keeps refusing; footage is being let go and the loss recorded as gaps.
    #[error("footage cannot be written to {}: {detail}", path.display())]
    NotWriting {
        /// The folder.
        path: PathBuf,
        /// What is wrong, in words.
        detail: String,
    },
    /// The rows about sealed segments cannot be read or written. They are derived: no footage is lost with them.
    #[error("the footage catalogue: {0}")]
    Catalogue(#[from] sightline_records::Error),
    /// A tier could not do what it was asked.
    #[error("could not {action} {what} in {store}: {problem}")]
    Tier {
        /// What was tried.
        action: &'static str,
        /// On what.
        what: String,
        /// In which store.
        store: String,
        /// Why not.
        problem: TierProblem,
    },
    /// The store was shut down.
    #[error("the footage store has been shut down")]
    Stopped,
}

impl Error {
    /// A closure for `map_err` that adds what was tried and on what.
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
