//! From footers to rows.

use super::{Part, Place, Sealed, SealedSegment};
use crate::format::{
    footer::{DirectoryRow, Trailer, widen},
    header::SegmentHeader,
};

/// `again`: of a segment that was written again. What is known last of a stream is told by segments in the order of their
/// numbers, and this one is older than its number.
fn part(DirectoryRow { summary, block, .. }: &DirectoryRow, again: bool) -> Part {
    Part {
        gops: summary.gops,
        gaps: summary.gaps,
        bytes: summary.bytes,
        footage: summary.footage,
        missing: summary.missing,
        last_gop_end: summary.last_gop_end.filter(|_| !again),
        known_until: summary.known_until.filter(|_| !again),
        block_offset: block.offset,
        block_bytes: block.length,
        block_crc: block.crc,
    }
}

/// The rows of a sealed segment of `bytes` on disk number `disk`.
pub(crate) fn sealed(
    header: &SegmentHeader,
    disk: u8,
    bytes: u64,
    trailer: &Trailer,
    rows: &[DirectoryRow],
) -> Sealed {
    let hulls = rows.iter().filter_map(|row| row.summary.footage);
    let segment = SealedSegment {
        id: header.id,
        disk,
        class: header.class,
        lane: header.lane,
        place: Place::Local,
        bytes,
        records_end: trailer.records_end,
        gops: u64::from(trailer.gops),
        gaps: rows.iter().map(|row| u64::from(row.summary.gaps)).sum(),
        streams: rows.len() as u64,
        created: header.created,
        sealed_at: trailer.sealed_at,
        footage: hulls.fold(None, |hull, (from, to)| widen(hull, from, to)),
        merkle_root: trailer.merkle_root,
    };
    let again = header.replaces != 0;
    Sealed { segment, parts: rows.iter().map(|row| (row.key, part(row, again))).collect() }
}
