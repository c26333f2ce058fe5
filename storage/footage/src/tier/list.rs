//! What a tier holds, and taking things out of it.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use object_store::{ObjectStore, ObjectStoreExt, path::Path};
use sightline_model::Timestamp;

use super::{
    inner::Inner,
    manifest::Manifest,
    names::{self, Piece},
    problem::TierProblem,
};
use crate::Error;

/// Manifests asked for at once.
const AT_ONCE: usize = 16;
/// Age from which chunks without a manifest are no upload that is still going on.
pub(crate) const ORPHANED_AFTER: Duration = Duration::from_secs(24 * 3600);

/// Chunks that never got a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    /// The segment they are of.
    pub segment: u64,
    /// How many chunks.
    pub chunks: u64,
    /// How long they are together.
    pub bytes: u64,
    /// When the last of them was written, by the store's clock.
    pub newest: Timestamp,
}

impl Inner {
    /// The folders of all nodes that ever sent something here.
    pub(crate) async fn nodes(&self) -> Result<Vec<Path>, Error> {
        let root = (!self.root.is_root()).then_some(&self.root);
        let found = self.objects.list_with_delimiter(root).await;
        Ok(found.map_err(self.failed("list", "the nodes"))?.common_prefixes)
    }

    /// Segments of a node of which there is anything, in the order of ids.
    pub(crate) async fn segments(&self, node: &Path) -> Result<Vec<u64>, Error> {
        let found = self.objects.list_with_delimiter(Some(node)).await;
        let found = found.map_err(self.failed("list", format!("the segments in {node}")))?;
        let names = found.common_prefixes.iter().filter_map(|folder| folder.filename());
        let mut ids: Vec<u64> = names.filter_map(names::parse_folder).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// The manifests of a node, in the order of ids. Uploads without one are left out; a damaged one is an error of its
    /// own, and the ones after it still come.
    pub(crate) async fn manifests(
        &self,
        node: &Path,
    ) -> Result<impl Stream<Item = Result<Manifest, Error>> + use<'_>, Error> {
        Ok(self.manifests_of(self.segments(node).await?, node))
    }

    /// The manifests of these segments of a node, as [`Inner::manifests`].
    pub(crate) fn manifests_of(
        &self,
        ids: Vec<u64>,
        node: &Path,
    ) -> impl Stream<Item = Result<Manifest, Error>> + use<'_> {
        let node = node.clone();
        let asked = stream::iter(ids).map(move |id| {
            let node = node.clone();
            async move { self.manifest(&node, id).await.transpose() }
        });
        asked.buffered(AT_ONCE).filter_map(async |answer| answer)
    }

    /// Takes a segment of this node out of the store: the manifest first, so that what is left is no segment any more.
    pub(crate) async fn remove(&self, segment: u64) -> Result<(), Error> {
        let failed = |problem: TierProblem| self.failed("remove", self.name(segment))(problem);
        let manifest = names::object(&self.node, segment, Piece::Manifest);
        self.delete(&manifest).await.map_err(failed)?;
        self.tidy(segment).await?;
        for (number, _) in self.listed(segment).await? {
            self.delete(&names::object(&self.node, segment, Piece::Chunk(number))).await.map_err(failed)?;
        }
        Ok(())
    }

    /// Deletes an object that may be gone already.
    pub(crate) async fn delete(&self, at: &Path) -> Result<(), TierProblem> {
        match self.objects.delete(at).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Chunks of this node that were left behind: without a manifest, and all of them older than a day.
    pub(crate) async fn orphans(&self, now: Timestamp) -> Result<Vec<Orphan>, Error> {
        let mut found: BTreeMap<u64, (bool, Orphan)> = BTreeMap::new();
        let mut objects = self.objects.list(Some(&self.node));
        while let Some(meta) = objects.try_next().await.map_err(self.failed("list", "all chunks"))? {
            let Some((segment, piece)) = names::parse(&self.node, &meta.location) else { continue };
            let none = Orphan { segment, chunks: 0, bytes: 0, newest: Timestamp(i64::MIN) };
            let (complete, orphan) = found.entry(segment).or_insert((false, none));
            *complete |= piece == Piece::Manifest;
            orphan.chunks += 1;
            orphan.bytes += meta.size;
            orphan.newest = orphan.newest.max(Timestamp(meta.last_modified.timestamp_micros()));
        }
        let old = |orphan: &Orphan| now.duration_since(orphan.newest) >= ORPHANED_AFTER;
        Ok(found
            .into_values()
            .filter(|(complete, orphan)| !complete && old(orphan))
            .map(|(_, orphan)| orphan)
            .collect())
    }

    /// Removes an orphan, unless it got its manifest meanwhile. Whether it was removed.
    pub(crate) async fn remove_orphan(&self, orphan: &Orphan) -> Result<bool, Error> {
        if self.manifest(&self.node, orphan.segment).await?.is_some() {
            return Ok(false);
        }
        self.remove(orphan.segment).await.map(|()| true)
    }
}
