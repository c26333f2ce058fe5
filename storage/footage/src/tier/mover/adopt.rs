//! Learns of segments that only the tier has. Their manifests are enough.

use std::{collections::BTreeSet, pin::pin, sync::Arc, sync::atomic::Ordering};

use futures_util::StreamExt;
use sightline_model::Timestamp;

use crate::{
    Error,
    format::{
        crc::crc32c,
        footer::{DirectoryRow, TRAILER_BYTES, Trailer, decode_directory},
        header::SegmentHeader,
    },
    index::{NO_DISK, Segment},
    shared::Shared,
    tier::{TierProblem, inner::Inner, link::Link, manifest::Manifest, mover::Whereabouts},
};

/// Manifests put into the index at once.
const BATCH: usize = 64;

/// Puts every segment of the tier that is in no index yet into it. What cannot be understood is logged and left alone.
pub(crate) fn adopt(shared: &Arc<Shared>, link: &Link) -> Result<(), Error> {
    let inner = link.inner()?;
    let (listing, keeper) = (Arc::clone(&inner), Arc::clone(shared));
    let began = Timestamp::now();
    let adopted = inner.wait_unless(&link.stop, async move {
        let ids = listing.segments(&listing.node).await?;
        // New segments never get the name of one that is there.
        if let Some(last) = ids.last() {
            keeper.next_segment.fetch_max(last.saturating_add(1), Ordering::AcqRel);
        }
        let known: BTreeSet<u64> = keeper.index.read().segments.keys().copied().collect();
        let unknown: Vec<u64> = ids.into_iter().filter(|id| !known.contains(id)).collect();
        let mut manifests = pin!(listing.manifests_of(unknown, &listing.node).ready_chunks(BATCH));
        let mut adopted = 0u64;
        while let Some(batch) = manifests.next().await {
            for manifest in batch {
                match manifest.and_then(|manifest| read(&listing, &manifest)) {
                    Ok((segment, rows)) => {
                        keeper.index.write().adopt(segment, &rows);
                        adopted += 1;
                    }
                    // The store itself: everything is asked again later.
                    Err(error @ Error::Tier { problem: TierProblem::Unreachable { .. }, .. }) => {
                        return Err(error);
                    }
                    Err(error) => tracing::error!("a segment of the tier is left out: {error}"),
                }
            }
        }
        Ok(adopted)
    })?;
    if adopted > 0 {
        let took = Timestamp::now().duration_since(began);
        tracing::info!(segments = adopted, ?took, "found segments in the tier that no disk has");
    }
    Ok(())
}

fn read(inner: &Inner, manifest: &Manifest) -> Result<(Segment, Vec<DirectoryRow>), Error> {
    let damaged = |what: &str| {
        let problem = TierProblem::Damaged { what: what.to_owned() };
        inner.failed("understand", inner.name(manifest.segment))(problem)
    };
    let header = SegmentHeader::decode(&manifest.header).map_err(|_| damaged("its header makes no sense"))?;
    let (rows, trailer) = footer(manifest).map_err(damaged)?;
    if header.id != manifest.segment {
        return Err(damaged("its header is of another segment"));
    }
    let segment = Segment::sealed(header, NO_DISK, manifest.bytes, &trailer);
    segment.set_whereabouts(Whereabouts::Tier);
    Ok((segment, rows))
}

fn footer(manifest: &Manifest) -> Result<(Vec<DirectoryRow>, Trailer), &'static str> {
    let tail = &manifest.tail;
    let trailer_bytes = usize::try_from(TRAILER_BYTES).unwrap_or(usize::MAX);
    let trailer = tail.len().checked_sub(trailer_bytes).and_then(|at| tail.get(at..));
    let trailer = Trailer::decode(trailer.ok_or("it has no trailer")?, manifest.segment, manifest.bytes)?;
    let tail_from = manifest.bytes - tail.len() as u64;
    let section = trailer.directory;
    let inside = |offset: u64| offset.checked_sub(tail_from).and_then(|at| usize::try_from(at).ok());
    let directory =
        inside(section.offset).zip(inside(section.end())).and_then(|(from, to)| tail.get(from..to));
    let directory = directory.ok_or("its directory is not in the manifest")?;
    if crc32c(directory) != section.crc {
        return Err("its directory does not match its checksum");
    }
    Ok((decode_directory(directory)?, trailer))
}
