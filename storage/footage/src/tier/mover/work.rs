//! What is done with one segment. All of it blocks.

use std::sync::Arc;

use crate::{
    Error,
    catalogue::{Place as Kept, SealedSegment},
    index::{Place, is_missing},
    shared::Shared,
    tier::{TierProblem, link::Link, source::Source},
};

fn segment(shared: &Shared, id: u64) -> Result<SealedSegment, Error> {
    let found = shared.catalogue.segments(id.checked_sub(1), 1)?;
    // Deleted, or not sealed: whoever asked will not find it the next time either.
    found.into_iter().find(|segment| segment.id == id).ok_or(Error::Stopped)
}

fn source(shared: &Shared, segment: &SealedSegment) -> Result<Arc<Source>, Error> {
    let place = Place { id: segment.id, disk: segment.disk };
    Source::open(shared.files.local(place)?, shared.files.path(place)).map(Arc::new)
}

/// Copies a segment to the tier, unless it is there.
pub(crate) fn send(shared: &Shared, link: &Link, id: u64) -> Result<(), Error> {
    let segment = segment(shared, id)?;
    let inner = link.inner()?;
    let source = source(shared, &segment)?;
    let (asked, bytes) = (Arc::clone(&inner), source.bytes);
    let there = inner.wait_unless(&link.stop, async move { asked.manifest(&asked.node, id).await });
    // What it says is looked at more closely before the local copy goes.
    if !matches!(there, Ok(Some(there)) if there.bytes == bytes) {
        let sending = Arc::clone(&inner);
        inner.wait_unless(&link.stop, async move { sending.upload(source).await })?;
        tracing::info!(segment = %format_args!("{id:016x}"), bytes, "segment sent to the tier");
    }
    shared.catalogue.set_place(&[id], Kept::Both)
}

/// Removes the local copy of a segment whose every byte the tier has.
pub(crate) fn evict(shared: &Shared, link: &Link, id: u64) -> Result<(), Error> {
    let segment = segment(shared, id)?;
    let inner = link.inner()?;
    let source = match source(shared, &segment) {
        Ok(source) => source,
        Err(error) if is_missing(&error) => return settle(shared, link, id, error),
        Err(error) => return Err(error),
    };
    let (bytes, confirming) = (source.bytes, Arc::clone(&inner));
    let verified = inner.wait_unless(&link.stop, async move {
        match confirming.confirm(Arc::clone(&source)).await {
            // Not, or no longer, whole in the tier: sending it again mends that.
            Err(Error::Tier { problem: TierProblem::Missing | TierProblem::Damaged { .. }, .. }) => {
                confirming.upload(source).await
            }
            confirmed => confirmed,
        }
    })?;
    // Before the file goes: a row that says there is a local file alone would go with it.
    shared.catalogue.set_place(&[id], Kept::Both)?;
    shared.files.evict(&verified, segment.disk)?;
    shared.catalogue.set_place(&[id], Kept::Tier)?;
    tracing::info!(segment = %format_args!("{id:016x}"), bytes, "local copy removed, the tier has it");
    Ok(())
}

/// There is no local copy (any more): only the row has to say so.
fn settle(shared: &Shared, link: &Link, id: u64, missing: Error) -> Result<(), Error> {
    let inner = link.inner()?;
    let asked = Arc::clone(&inner);
    match inner.wait_unless(&link.stop, async move { asked.manifest(&asked.node, id).await })? {
        Some(_) => shared.catalogue.set_place(&[id], Kept::Tier),
        None => Err(missing),
    }
}

/// Takes a segment out of the tier.
pub(crate) fn remove(link: &Link, id: u64) -> Result<(), Error> {
    let inner = link.inner()?;
    let removing = Arc::clone(&inner);
    inner.wait_unless(&link.stop, async move { removing.remove(id).await })
}
