//! Sends a sealed segment: chunks first, each read back and compared, then the manifest that makes them count.
//!
//! ```text
//! nothing ──chunk sent──► chunks without a manifest ──every chunk read back──► manifest created: the segment counts
//!                          │        ▲
//!                          └────────┘ cut off, and gone on with later: chunks that fit are not sent again
//! ```
//!
//! A second upload of the same segment reads everything back, and mends what the store has lost meanwhile: for as long as
//! that takes, the manifest is gone.

use std::{collections::HashMap, mem, sync::Arc};

use bytes::Bytes;
use futures_util::StreamExt;
use object_store::{
    Attribute, Attributes, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, path::Path,
};
use sightline_model::Timestamp;
use tokio::task::{JoinSet, spawn_blocking};

use super::{
    inner::Inner,
    manifest::Manifest,
    names::{self, Piece},
    problem::TierProblem,
    source::Source,
};
use crate::{Error, format::merkle::Hash, metrics};

/// Chunks in memory at once: while one is read back, the next is sent.
const IN_FLIGHT: usize = 2;
/// How often a chunk is sent before the store is called broken.
const SENDINGS: usize = 2;
/// Name of the attribute that holds a chunk's BLAKE3 in hexadecimal.
const CHECKSUM: Attribute = Attribute::Metadata(std::borrow::Cow::Borrowed("blake3"));

/// The evidence that the tier holds every byte of a segment. Only an upload or a confirmation makes one, and no local copy
/// goes without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    segment: u64,
    bytes: u64,
}

impl Verified {
    /// Which segment.
    #[must_use]
    pub fn segment(&self) -> u64 {
        self.segment
    }

    /// Length of its file.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// A piece of a segment file.
struct Chunk {
    number: u32,
    bytes: Bytes,
    hash: Hash,
}

/// Reads a file from front to back and hashes it.
struct Chunks {
    source: Arc<Source>,
    chunk_bytes: u64,
    hashes: Vec<Hash>,
    whole: blake3::Hasher,
}

impl Chunks {
    fn of(source: &Arc<Source>, chunk_bytes: u64) -> Self {
        Self { source: Arc::clone(source), chunk_bytes, hashes: Vec::new(), whole: blake3::Hasher::new() }
    }

    async fn next(&mut self) -> Result<Option<Chunk>, Error> {
        let offset = (self.hashes.len() as u64).saturating_mul(self.chunk_bytes);
        let length = self.source.bytes.saturating_sub(offset).min(self.chunk_bytes);
        if length == 0 {
            return Ok(None);
        }
        let (source, mut whole) = (Arc::clone(&self.source), mem::take(&mut self.whole));
        let read = spawn_blocking(move || {
            let bytes = Bytes::from(source.read(offset, length)?);
            whole.update(&bytes);
            Ok::<_, Error>((*blake3::hash(&bytes).as_bytes(), bytes, whole))
        });
        let (hash, bytes, whole) = read.await.map_err(|_| Error::Stopped)??;
        self.whole = whole;
        let number = u32::try_from(self.hashes.len()).unwrap_or(u32::MAX);
        self.hashes.push(hash);
        Ok(Some(Chunk { number, bytes, hash }))
    }

    /// What the manifest of everything read says.
    fn manifest(self, uploaded: Timestamp) -> Manifest {
        Manifest {
            segment: self.source.header.id,
            node: self.source.header.node.clone(),
            bytes: self.source.bytes,
            chunk_bytes: self.chunk_bytes,
            uploaded,
            whole: *self.whole.finalize().as_bytes(),
            chunks: self.hashes,
            header: self.source.header_bytes.clone(),
            tail: self.source.tail.clone(),
        }
    }
}

impl Inner {
    /// Sends a segment, or goes on where an upload was cut off, or mends one.
    pub(crate) async fn upload(self: &Arc<Self>, source: Arc<Source>) -> Result<Verified, Error> {
        let segment = source.header.id;
        self.tidy(segment).await?;
        let committed = match self.manifest(&self.node, segment).await {
            // It says nothing of any footage any more, and what it should say lies here.
            Err(Error::Tier { problem: TierProblem::Damaged { .. }, .. }) => {
                let at = names::object(&self.node, segment, Piece::Manifest);
                self.delete(&at).await.map_err(self.failed("mend", self.name(segment)))?;
                None
            }
            manifest => manifest?,
        };
        if let Some(there) = committed {
            let local = read_through(&source, there.chunk_bytes).await?;
            // Before anything is overwritten.
            self.must_match(&there, &local)?;
            if self.holds_all(&there).await? {
                return Ok(Verified { segment, bytes: source.bytes });
            }
            // From here on it does not count: where there is a manifest, every chunk was read back.
            let at = names::object(&self.node, segment, Piece::Manifest);
            self.delete(&at).await.map_err(self.failed("mend", self.name(segment)))?;
        }
        self.send_all(&source).await
    }

    /// Sends what is not there, and commits.
    async fn send_all(self: &Arc<Self>, source: &Arc<Source>) -> Result<Verified, Error> {
        let segment = source.header.id;
        let present: HashMap<u32, u64> = self.listed(segment).await?.into_iter().collect();
        let mut chunks = Chunks::of(source, self.options.chunk_bytes);
        let mut flying = JoinSet::new();
        while let Some(chunk) = chunks.next().await? {
            if flying.len() >= IN_FLIGHT {
                landed(flying.join_next().await)?;
            }
            let there = present.get(&chunk.number).copied();
            let inner = Arc::clone(self);
            flying.spawn(async move { inner.settle(segment, chunk, there).await });
        }
        while let Some(done) = flying.join_next().await {
            landed(Some(done))?;
        }
        let count = chunks.hashes.len() as u64;
        self.remove_chunks(segment, present.into_keys().filter(|number| u64::from(*number) >= count)).await?;
        self.commit(chunks.manifest(Timestamp::now())).await?;
        metrics::Counters::add(&self.counters.segments_sent, 1);
        Ok(Verified { segment, bytes: source.bytes })
    }

    /// Reads every chunk back and compares it with its manifest.
    async fn holds_all(&self, manifest: &Manifest) -> Result<bool, Error> {
        for (number, hash) in (0u32..).zip(&manifest.chunks) {
            let at = names::object(&self.node, manifest.segment, Piece::Chunk(number));
            let held = self.holds(&at, hash, manifest.chunk_length(number)).await;
            let what = || format!("chunk {number} of {}", self.name(manifest.segment));
            if !held.map_err(|problem| self.failed("read back", what())(problem))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Looks, without reading the chunks again, whether the tier holds exactly the bytes of the local file.
    pub(crate) async fn confirm(self: &Arc<Self>, source: Arc<Source>) -> Result<Verified, Error> {
        let segment = source.header.id;
        let failed = |problem| self.failed("confirm", self.name(segment))(problem);
        let there = self.manifest(&self.node, segment).await?.ok_or_else(|| failed(TierProblem::Missing))?;
        self.must_match(&there, &read_through(&source, there.chunk_bytes).await?)?;
        let present: HashMap<u32, u64> = self.listed(segment).await?.into_iter().collect();
        let whole = |number: usize| {
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            present.get(&number) == Some(&there.chunk_length(number))
        };
        if let Some(lost) = (0..there.chunks.len()).find(|number| !whole(*number)) {
            let what = format!("chunk {lost} is lost or has another length, and is sent again");
            return Err(failed(TierProblem::Damaged { what }));
        }
        Ok(Verified { segment, bytes: source.bytes })
    }

    fn must_match(&self, there: &Manifest, local: &Manifest) -> Result<(), Error> {
        if there.same_content(local) {
            return Ok(());
        }
        Err(self.failed("send", self.name(local.segment))(TierProblem::Conflict))
    }

    /// Makes sure that the store holds this chunk.
    async fn settle(&self, segment: u64, chunk: Chunk, there: Option<u64>) -> Result<(), Error> {
        let at = names::object(&self.node, segment, Piece::Chunk(chunk.number));
        let named = |action| self.failed(action, format!("chunk {} of {}", chunk.number, self.name(segment)));
        let length = chunk.bytes.len() as u64;
        let mut stored = there == Some(length)
            && self.holds(&at, &chunk.hash, length).await.map_err(|problem| named("read back")(problem))?;
        for sending in 0..SENDINGS {
            if stored {
                return Ok(());
            }
            self.send(&at, &chunk).await.map_err(|error| named("send")(TierProblem::from(error)))?;
            let held = self.holds(&at, &chunk.hash, length).await;
            stored = held.map_err(|problem| named("read back")(problem))?;
            metrics::Counters::add(&self.counters.chunks_sent_again, u64::from(sending > 0));
        }
        if stored {
            return Ok(());
        }
        let what = format!("what was read back is not what was sent, {SENDINGS} times");
        Err(named("send")(TierProblem::Damaged { what }))
    }

    async fn send(&self, at: &Path, chunk: &Chunk) -> Result<(), object_store::Error> {
        let bytes = chunk.bytes.len() as u64;
        self.pace(bytes).await;
        let mut options = PutOptions::default();
        if self.options.attributes {
            options.attributes = Attributes::from_iter([(CHECKSUM, hex(&chunk.hash))]);
        }
        self.objects.put_opts(at, PutPayload::from(chunk.bytes.clone()), options).await?;
        metrics::Counters::add(&self.counters.bytes_sent, bytes);
        Ok(())
    }

    /// Reads a chunk back and compares.
    async fn holds(&self, at: &Path, hash: &Hash, length: u64) -> Result<bool, TierProblem> {
        let got = match self.objects.get(at).await {
            Ok(got) => got,
            Err(object_store::Error::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let told = got.attributes.get(&CHECKSUM).is_some_and(|told| **told != *hex(hash));
        if told || got.meta.size != length {
            return Ok(false);
        }
        let (mut hasher, mut bytes) = (blake3::Hasher::new(), 0);
        let mut stream = got.into_stream();
        while let Some(piece) = stream.next().await {
            let piece = piece?;
            self.pace(piece.len() as u64).await;
            bytes += piece.len() as u64;
            hasher.update(&piece);
        }
        metrics::Counters::add(&self.counters.bytes_verified, bytes);
        Ok(hasher.finalize().as_bytes() == hash)
    }

    /// Creates the manifest, which must not exist, and reads it back.
    async fn commit(&self, manifest: Manifest) -> Result<(), Error> {
        let segment = manifest.segment;
        let what = format!("the manifest of {}", self.name(segment));
        let at = names::object(&self.node, segment, Piece::Manifest);
        let bytes = Bytes::from(manifest.encode());
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.objects.put_opts(&at, PutPayload::from(bytes.clone()), options).await {
            Ok(_) => {}
            // Somebody else's, or our own whose answer was lost: the comparison below tells.
            Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => {}
            // The store cannot create only when absent. There was none a moment ago.
            Err(object_store::Error::NotImplemented { .. } | object_store::Error::NotSupported { .. }) => {
                self.objects.put(&at, PutPayload::from(bytes)).await.map_err(self.failed("send", &what))?;
            }
            Err(error) => return Err(self.failed("send", what)(TierProblem::from(error))),
        }
        match self.manifest(&self.node, segment).await? {
            Some(there) => self.must_match(&there, &manifest),
            None => Err(self.failed("read back", what)(TierProblem::Missing)),
        }
    }

    /// Chunks of an earlier try that cut the file in smaller pieces.
    async fn remove_chunks(&self, segment: u64, numbers: impl Iterator<Item = u32>) -> Result<(), Error> {
        for number in numbers {
            let at = names::object(&self.node, segment, Piece::Chunk(number));
            self.delete(&at).await.map_err(self.failed("tidy up", self.name(segment)))?;
        }
        Ok(())
    }
}

/// The manifest that the local file would get.
async fn read_through(source: &Arc<Source>, chunk_bytes: u64) -> Result<Manifest, Error> {
    let mut chunks = Chunks::of(source, chunk_bytes);
    while chunks.next().await?.is_some() {}
    Ok(chunks.manifest(Timestamp::now()))
}

type Landed = Result<Result<(), Error>, tokio::task::JoinError>;

fn landed(done: Option<Landed>) -> Result<(), Error> {
    done.map_or(Ok(()), |done| done.unwrap_or(Err(Error::Stopped)))
}

fn hex(hash: &Hash) -> String {
    blake3::Hash::from_bytes(*hash).to_hex().to_string()
}
