//! Reads everything that a node has in a tier and compares it with the manifests.

use std::pin::pin;

use futures_util::StreamExt;
use object_store::{ObjectStoreExt, path::Path};

use super::{
    inner::Inner,
    manifest::Manifest,
    names::{self, Piece},
    problem::TierProblem,
};
use crate::Error;

/// What a check of a tier found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TierReport {
    /// Segments looked at.
    pub segments: u64,
    /// Bytes read.
    pub bytes: u64,
    /// What is wrong, one sentence each, naming the segment.
    pub problems: Vec<String>,
}

impl Inner {
    /// Reads every chunk of every segment of this node. `progress` gets the bytes of segments done and there are.
    pub(crate) async fn check(&self, progress: impl Fn(u64, u64) + Send) -> Result<TierReport, Error> {
        let mut report = TierReport::default();
        let mut found = Vec::new();
        let mut manifests = pin!(self.manifests(&self.node).await?);
        while let Some(manifest) = manifests.next().await {
            match manifest {
                // Only what is compared: the footers of a large tier are many.
                Ok(manifest) => found.push(Manifest { tail: bytes::Bytes::new(), ..manifest }),
                Err(error @ Error::Tier { problem: TierProblem::Damaged { .. }, .. }) => {
                    report.problems.push(error.to_string());
                }
                Err(error) => return Err(error),
            }
        }
        let all = found.iter().map(|manifest| manifest.bytes).sum();
        for manifest in found {
            report.segments += 1;
            report.problems.extend(self.check_segment(&manifest).await?);
            report.bytes += manifest.bytes;
            progress(report.bytes, all);
        }
        Ok(report)
    }

    async fn check_segment(&self, manifest: &Manifest) -> Result<Vec<String>, Error> {
        let mut problems = Vec::new();
        let mut whole = blake3::Hasher::new();
        for (number, hash) in (0u32..).zip(&manifest.chunks) {
            let at = names::object(&self.node, manifest.segment, Piece::Chunk(number));
            let what = format!("chunk {number} of {}", self.name(manifest.segment));
            match self.hash(&at, &mut whole).await {
                Ok(read) if read == *hash => {}
                Ok(_) => problems.push(format!("{what} does not match its checksum")),
                Err(TierProblem::Missing) => problems.push(format!("{what} is missing")),
                Err(problem) => return Err(self.failed("read", what)(problem)),
            }
        }
        if problems.is_empty() && *whole.finalize().as_bytes() != manifest.whole {
            problems.push(format!("{} does not match its checksum", self.name(manifest.segment)));
        }
        Ok(problems)
    }

    async fn hash(&self, at: &Path, whole: &mut blake3::Hasher) -> Result<[u8; 32], TierProblem> {
        let mut hasher = blake3::Hasher::new();
        let mut stream = self.objects.get(at).await?.into_stream();
        while let Some(piece) = stream.next().await {
            let piece = piece?;
            self.pace(piece.len() as u64).await;
            hasher.update(&piece);
            whole.update(&piece);
        }
        Ok(*hasher.finalize().as_bytes())
    }
}
