//! Learns of segments that only the tier has. Their manifests are enough.

use std::{
    collections::BTreeSet,
    pin::pin,
    sync::{Arc, atomic::Ordering},
};

use futures_util::StreamExt;
use sightline_model::Timestamp;

use crate::{
    Error,
    catalogue::{Place, Sealed, convert::sealed},
    format::{
        crc::crc32c,
        footer::{DirectoryRow, TRAILER_BYTES, Trailer, decode_directory},
        header::SegmentHeader,
    },
    index::NO_DISK,
    shared::Shared,
    tier::{TierProblem, inner::Inner, link::Link, manifest::Manifest},
};

/// Segments filed at once.
const BATCH: usize = 256;

/// Files every segment of the tier that nobody knows yet. What cannot be understood is logged and left alone.
pub(super) fn adopt(shared: &Shared, link: &Link) -> Result<(), Error> {
    let began = Timestamp::now();
    let inner = link.inner()?;
    let listing = Arc::clone(&inner);
    let ids = inner.wait_unless(&link.stop, async move { listing.segments(&listing.node).await })?;
    // New segments never get the name of one that is there.
    if let Some(last) = ids.last() {
        shared.next_segment.fetch_max(last.saturating_add(1), Ordering::AcqRel);
    }
    let mut known: BTreeSet<u64> = shared.index.read().segments.keys().copied().collect();
    known.extend(shared.catalogue.known()?.iter().map(|one| one.id));
    let unknown: Vec<u64> = ids.into_iter().filter(|id| !known.contains(id)).collect();
    let mut adopted = 0;
    for batch in unknown.chunks(BATCH) {
        let (asked, batch) = (Arc::clone(&inner), batch.to_vec());
        let found = inner.wait_unless(&link.stop, async move { ask(&asked, batch).await })?;
        adopted += found.len();
        shared.file_adopted(&found)?;
    }
    if adopted > 0 {
        let took = Timestamp::now().duration_since(began);
        tracing::info!(
            segments = adopted,
            ?took,
            "found segments in the tier that the catalogue did not have"
        );
    }
    Ok(())
}

async fn ask(inner: &Inner, ids: Vec<u64>) -> Result<Vec<Sealed>, Error> {
    let mut found = Vec::new();
    let mut manifests = pin!(inner.manifests_of(ids, &inner.node));
    while let Some(manifest) = manifests.next().await {
        match manifest.and_then(|manifest| read(inner, &manifest)) {
            Ok(sealed) => found.push(sealed),
            Err(error @ Error::Tier { .. }) if !is_of_the_segment(&error) => return Err(error),
            Err(error) => tracing::error!("a segment of the tier is left out: {error}"),
        }
    }
    Ok(found)
}

fn is_of_the_segment(error: &Error) -> bool {
    matches!(error, Error::Tier { problem, .. } if problem.is_of_the_segment())
}

fn read(inner: &Inner, manifest: &Manifest) -> Result<Sealed, Error> {
    let damaged = |what: &str| {
        let problem = TierProblem::Damaged { what: what.to_owned() };
        inner.failed("understand", inner.name(manifest.segment))(problem)
    };
    let header = SegmentHeader::decode(&manifest.header).map_err(|_| damaged("its header makes no sense"))?;
    let (rows, trailer) = footer(manifest).map_err(damaged)?;
    if header.id != manifest.segment {
        return Err(damaged("its header is of another segment"));
    }
    let mut sealed = sealed(&header, NO_DISK, manifest.bytes, &trailer, &rows);
    sealed.segment.place = Place::Tier;
    Ok(sealed)
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
