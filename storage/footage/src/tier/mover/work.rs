//! What is done with one segment. All of it blocks.

use std::sync::Arc;

use crate::{
    Error,
    index::Segment,
    shared::Shared,
    tier::{TierProblem, link::Link, mover::Whereabouts, source::Source},
};

fn segment(shared: &Shared, id: u64) -> Result<Arc<Segment>, Error> {
    let segment = shared.index.read().segments.get(&id).cloned();
    // Deleted meanwhile: whoever asked will not find it the next time either.
    segment.filter(|segment| segment.is_sealed()).ok_or(Error::Stopped)
}

fn source(shared: &Shared, segment: &Segment) -> Result<Arc<Source>, Error> {
    let place = segment.place();
    Source::open(shared.files.local(place)?, shared.files.path(place)).map(Arc::new)
}

/// Copies a segment to the tier, unless it is there.
pub(crate) fn send(shared: &Shared, link: &Link, id: u64) -> Result<(), Error> {
    let segment = segment(shared, id)?;
    let inner = link.inner()?;
    let source = source(shared, &segment)?;
    let (asked, bytes) = (Arc::clone(&inner), source.bytes);
    let there = inner.wait_unless(&link.stop, async move { asked.manifest(&asked.node, id).await })?;
    // What it says is looked at more closely before the local copy goes.
    if there.is_none_or(|there| there.bytes != bytes) {
        let sending = Arc::clone(&inner);
        inner.wait_unless(&link.stop, async move { sending.upload(source).await })?;
        tracing::info!(segment = %format_args!("{id:016x}"), bytes, "segment sent to the tier");
    }
    segment.set_whereabouts(Whereabouts::Both);
    Ok(())
}

/// Removes the local copy of a segment whose every byte the tier has.
pub(crate) fn evict(shared: &Shared, link: &Link, id: u64) -> Result<(), Error> {
    let segment = segment(shared, id)?;
    let inner = link.inner()?;
    let source = source(shared, &segment)?;
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
    shared.files.evict(&verified, segment.place().disk)?;
    segment.set_whereabouts(Whereabouts::Tier);
    tracing::info!(segment = %format_args!("{id:016x}"), bytes, "local copy removed, the tier has it");
    Ok(())
}

/// Takes a segment out of the tier.
pub(crate) fn remove(link: &Link, id: u64) -> Result<(), Error> {
    let inner = link.inner()?;
    let removing = Arc::clone(&inner);
    inner.wait_unless(&link.stop, async move { removing.remove(id).await })
}
