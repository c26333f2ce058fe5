//! Tiers: sealed segments in any S3-compatible store, or in a folder of another machine.
//!
//! Belongs here: names and layout of objects, upload, reading, listing, removal. Does not belong here: which segment goes
//! when (the mover and the policies decide that).
//!
//! Invariants:
//!
//! - A segment counts only with its manifest, which is created last, after every chunk was read back and compared.
//! - A local copy goes only against a [`Verified`].
//! - The manifests alone are enough to know all footage of a tier.
//! - Everything runs on threads of its own: a dead store stops neither recording nor reads of the local disk.

mod ahead;
mod cache;
mod check;
mod config;
mod connect;
mod fetch;
mod footage;
mod inner;
mod link;
mod list;
mod manifest;
pub(crate) mod mover;
mod names;
mod pace;
mod problem;
mod read;
mod source;
#[cfg(test)]
mod tests;
mod upload;

use std::{fmt, path::Path, sync::Arc};

use futures_util::StreamExt;
use sightline_model::Timestamp;

pub use check::TierReport;
pub use config::TierConfig;
pub(crate) use footage::{first_segment, link};
pub(crate) use link::Link;
pub use link::{TierState, TierStatus};
pub use list::Orphan;
pub use problem::TierProblem;
pub use upload::Verified;

use crate::{
    Error,
    disk::{Disk, DiskFile, RealDisk},
};
use connect::connect;
use inner::{Inner, Options};
use read::{PAGE_BYTES, RemoteFile};
use source::Source;

/// A tier of one node. Cheap to clone. All functions block: call them where that is allowed.
#[derive(Clone)]
pub struct Tier {
    inner: Arc<Inner>,
}

impl fmt::Debug for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tier({} in {})", self.inner.options.node, self.inner.label)
    }
}

/// A segment of a tier, as its manifest tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierSegment {
    /// Its number.
    pub segment: u64,
    /// Node that wrote it.
    pub node: String,
    /// Length of its file.
    pub bytes: u64,
    /// Objects it consists of, the manifest not counted.
    pub chunks: u64,
    /// When it was sent.
    pub uploaded: Timestamp,
}

/// What a tier has done since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TierMetrics {
    /// Segments sent whole.
    pub segments_sent: u64,
    /// Bytes of chunks sent.
    pub bytes_sent: u64,
    /// Bytes of chunks read back.
    pub bytes_verified: u64,
    /// Chunks that had to be sent again because they were not stored as sent.
    pub chunks_sent_again: u64,
    /// Requests for footage.
    pub requests: u64,
    /// Bytes of footage read.
    pub bytes_read: u64,
}

/// A segment in a tier, opened for reading.
#[derive(Debug)]
pub struct TierFile(RemoteFile);

impl TierFile {
    /// Its length.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.bytes()
    }

    /// Fills `buffer` from `offset` on; blocks. Whoever reads on from where the last read ended is read ahead for.
    ///
    /// # Errors
    /// When the store does not answer, or the segment ends before.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), Error> {
        self.0.read_at(offset, buffer).map_err(Error::io("read", self.0.to_string()))
    }
}

impl Tier {
    /// Opens the tier of `node`. Nothing is asked of the store yet.
    ///
    /// # Errors
    /// When the configuration cannot work, the secret cannot be read, or the folder does not exist.
    pub fn open(config: &TierConfig, node: &str) -> Result<Self, Error> {
        let url = config.check(node)?;
        let connected = connect(config, &url)?;
        let options = Options {
            node: node.to_owned(),
            chunk_bytes: config.chunk_bytes,
            page_bytes: PAGE_BYTES,
            cache_bytes: config.cache_bytes,
            rate_bytes_per_s: config.rate_bytes_per_s,
            attributes: connected.attributes,
            folder: connected.folder,
        };
        let inner = Inner::new(connected.objects, connected.root, config.url.clone(), options)?;
        Ok(Self { inner })
    }

    /// Asks the store whether it is there and lets us in.
    ///
    /// # Errors
    /// When it is not, or does not.
    pub fn probe(&self) -> Result<(), Error> {
        let inner = Arc::clone(&self.inner);
        self.inner.wait(async move { inner.nodes().await.map(drop) })
    }

    /// Sends a sealed segment file, every chunk read back and compared. Goes on where an earlier upload was cut off; sent
    /// again, it mends what the store has lost.
    ///
    /// # Errors
    /// When the file is no sealed segment, the store refuses, or does not keep what it is given.
    pub fn upload(&self, file: &Path) -> Result<Verified, Error> {
        let source = Arc::new(open_source(file)?);
        let inner = Arc::clone(&self.inner);
        self.inner.wait(async move { inner.upload(source).await })
    }

    /// Looks whether the tier holds exactly the bytes of a local segment file, without reading them all again.
    ///
    /// # Errors
    /// When it does not, or the store does not answer.
    pub fn confirm(&self, file: &Path) -> Result<Verified, Error> {
        let source = Arc::new(open_source(file)?);
        let inner = Arc::clone(&self.inner);
        self.inner.wait(async move { inner.confirm(source).await })
    }

    /// Segments of this node, in the order of their ids; of all nodes if `all_nodes`.
    ///
    /// # Errors
    /// When the store does not answer, or a manifest is damaged.
    pub fn segments(&self, all_nodes: bool) -> Result<Vec<TierSegment>, Error> {
        let inner = Arc::clone(&self.inner);
        self.inner.wait(async move {
            let nodes = if all_nodes { inner.nodes().await? } else { vec![inner.node.clone()] };
            let mut found = Vec::new();
            for node in nodes {
                let mut manifests = std::pin::pin!(inner.manifests(&node).await?);
                while let Some(manifest) = manifests.next().await {
                    let manifest = manifest?;
                    found.push(TierSegment {
                        segment: manifest.segment,
                        bytes: manifest.bytes,
                        chunks: manifest.chunks.len() as u64,
                        uploaded: manifest.uploaded,
                        node: manifest.node,
                    });
                }
            }
            Ok(found)
        })
    }

    /// Opens a segment of this node for reading.
    ///
    /// # Errors
    /// When it is not there, or the store does not answer.
    pub fn open_segment(&self, segment: u64) -> Result<TierFile, Error> {
        RemoteFile::open(&self.inner, segment).map(TierFile)
    }

    /// Reads everything that this node has in the tier and compares it with the manifests. `progress` gets the bytes done
    /// and the bytes there are.
    ///
    /// # Errors
    /// When the store does not answer. What is wrong with segments stands in the report.
    pub fn check(&self, progress: impl Fn(u64, u64) + Send + 'static) -> Result<TierReport, Error> {
        let inner = Arc::clone(&self.inner);
        self.inner.wait(async move { inner.check(progress).await })
    }

    /// Takes a segment of this node out of the store.
    ///
    /// # Errors
    /// When the store refuses; what is left is no segment any more as soon as its manifest is gone.
    pub fn remove(&self, segment: u64) -> Result<(), Error> {
        let inner = Arc::clone(&self.inner);
        self.inner.wait(async move { inner.remove(segment).await })
    }

    /// Chunks of this node without a manifest, older than a day: what uploads left that were never gone on with.
    ///
    /// # Errors
    /// When the store does not answer.
    pub fn orphans(&self, now: Timestamp) -> Result<Vec<Orphan>, Error> {
        let inner = Arc::clone(&self.inner);
        self.inner.wait(async move { inner.orphans(now).await })
    }

    /// Removes an orphan, unless it got its manifest meanwhile. Answers whether it was removed.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn remove_orphan(&self, orphan: &Orphan) -> Result<bool, Error> {
        let (inner, orphan) = (Arc::clone(&self.inner), orphan.clone());
        self.inner.wait(async move { inner.remove_orphan(&orphan).await })
    }

    /// What it has done since it was opened.
    #[must_use]
    pub fn metrics(&self) -> TierMetrics {
        self.inner.counters.snapshot()
    }
}

fn open_source(path: &Path) -> Result<Source, Error> {
    let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let file = RealDisk::read_only(folder).open(&name).map_err(Error::io("open", path))?;
    Source::open(file, path.to_owned())
}
