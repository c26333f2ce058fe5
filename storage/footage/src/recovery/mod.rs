//! Opening the folders of segments: compares them with the catalogue, reads the footers of what that does not know, scans what
//! has none, cuts torn tails, and says what it did.
//!
//! Segments that a crash left open are closed with a footer here; the writer always begins new ones. Bytes are cut only
//! behind the last record whose checksums fit. Nothing is ever removed because of what a catalogue says.

mod compare;
mod open;
mod report;
pub(crate) mod scan;

use std::{io, sync::Arc};

use sightline_model::{
    gap::{Gap, GapReason},
    media::ticks_to_micros,
};

use crate::{
    disk::{Disk, DiskFile, read_vec},
    format::{
        block::Entry,
        footer::{DirectoryRow, TRAILER_BYTES, Trailer, decode_directory},
        header::{HeaderError, SEGMENT_HEADER_BYTES, SegmentHeader, file_name},
        payload::{decode_gap, decode_params},
        record::{Kind, RECORD_HEADER_BYTES, RecordHeader},
    },
    index::builder::{Added, SegmentBuilder},
};
pub(crate) use open::Opening;
pub use report::Recovery;
use scan::{Found, scan};

/// A segment that could be opened, and its footer if it has one.
pub(crate) struct Opened {
    pub(crate) header: SegmentHeader,
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) bytes: u64,
    pub(crate) footer: Result<(Trailer, Vec<DirectoryRow>), &'static str>,
}

/// Why a segment cannot be opened at all.
pub(crate) enum HeaderProblem {
    Version(u16),
    Unreadable(String),
}

/// Reads the header and the footer of segment `id`.
pub(crate) fn load(disk: &dyn Disk, id: u64) -> Result<Opened, HeaderProblem> {
    let unreadable = |error: io::Error| HeaderProblem::Unreadable(error.to_string());
    let file = disk.open(&file_name(id)).map_err(unreadable)?;
    let bytes = file.length().map_err(unreadable)?;
    if bytes < SEGMENT_HEADER_BYTES {
        return Err(HeaderProblem::Unreadable("the file is shorter than a segment header".to_owned()));
    }
    let header =
        read_vec(&*file, 0, usize::try_from(SEGMENT_HEADER_BYTES).unwrap_or(0)).map_err(unreadable)?;
    let header = SegmentHeader::decode(&header).map_err(|error| match error {
        HeaderError::Bad(what) => HeaderProblem::Unreadable(what.to_owned()),
        HeaderError::Version(found) => HeaderProblem::Version(found),
    })?;
    if header.id != id {
        return Err(HeaderProblem::Unreadable(format!("it is segment {:016x} by its header", header.id)));
    }
    let footer = load_footer(&*file, id, bytes);
    Ok(Opened { header, file, bytes, footer })
}

fn load_footer(
    file: &dyn DiskFile,
    id: u64,
    bytes: u64,
) -> Result<(Trailer, Vec<DirectoryRow>), &'static str> {
    let unreadable = |_| "the footer cannot be read";
    let at = bytes.checked_sub(TRAILER_BYTES).ok_or("there is no footer")?;
    let trailer = read_vec(file, at, usize::try_from(TRAILER_BYTES).unwrap_or(0)).map_err(unreadable)?;
    let trailer = Trailer::decode(&trailer, id, bytes)?;
    let section = trailer.directory;
    let directory = read_vec(file, section.offset, usize::try_from(section.length).unwrap_or(usize::MAX));
    let directory = directory.map_err(unreadable)?;
    if crate::format::crc::crc32c(&directory) != section.crc {
        return Err("the footer's directory does not match its checksum");
    }
    Ok((trailer, decode_directory(&directory)?))
}

/// What a scan made of a segment's records.
#[derive(Debug, Default)]
pub(crate) struct Rebuilt {
    pub(crate) builder: SegmentBuilder,
    /// Stretches that are no record, with what is wrong.
    pub(crate) damage: Vec<(u64, u64, &'static str)>,
    pub(crate) records_end: u64,
    pub(crate) torn_bytes: u64,
    /// Bytes that the disk did not give.
    pub(crate) unreadable_bytes: u64,
}

impl Rebuilt {
    /// A GOP whose header can be read and whose media cannot becomes a gap.
    fn miss(&mut self, header: &RecordHeader) {
        if let Some((key, gap)) = damaged_gap(header).filter(|_| header.kind == Kind::Gop) {
            self.builder.add(key, &Added::Gap(gap));
        }
    }
}

/// Scans the records of a segment up to `until` and builds everything a footer needs.
pub(crate) fn rebuild(
    file: &dyn DiskFile,
    id: u64,
    until: u64,
    mut progress: impl FnMut(u64),
) -> io::Result<Rebuilt> {
    let mut rebuilt = Rebuilt::default();
    let scanned = scan(file, id, until, &mut |found| {
        match found {
            Found::Record { offset, header, payload, leaf } => {
                progress(offset);
                rebuilt.builder.record(leaf);
                if let Err(what) = take_record(&mut rebuilt.builder, &header, offset, &payload) {
                    rebuilt.damage.push((offset, u64::from(header.total_bytes), what));
                    rebuilt.miss(&header);
                }
            }
            Found::Damaged { offset, bytes, header, what } => {
                rebuilt.damage.push((offset, bytes, what));
                if let Some(header) = header {
                    rebuilt.miss(&header);
                }
            }
        }
        Ok(())
    })?;
    rebuilt.records_end = scanned.end;
    rebuilt.torn_bytes = scanned.torn_bytes;
    rebuilt.unreadable_bytes = scanned.unreadable_bytes;
    if scanned.unreadable_bytes > 0 {
        rebuilt.damage.push((scanned.end, scanned.unreadable_bytes, "the disk does not give these bytes"));
    }
    Ok(rebuilt)
}

fn take_record(
    builder: &mut SegmentBuilder,
    header: &RecordHeader,
    offset: u64,
    payload: &[u8],
) -> Result<(), &'static str> {
    match header.kind {
        Kind::Gop => {
            // Nobody can read it without; it may also stand, whole, in a later segment.
            if !builder.params.values().any(|place| *place == header.params) {
                return Err("the parameter sets of a GOP are missing");
            }
            builder.add(header.key, &Added::Gop(Entry::from_header(header, offset)));
        }
        Kind::Gap => builder.add(header.key, &Added::Gap(decode_gap(header, payload)?)),
        Kind::Params => {
            // They stand there twice, under the place of the first.
            builder.params.insert(Arc::new(decode_params(payload)?), header.params);
        }
    }
    Ok(())
}

/// The gap that stands for a GOP whose header is readable and whose media is not.
fn damaged_gap(header: &RecordHeader) -> Option<(sightline_model::media::StreamKey, Gap)> {
    let from = header.start;
    let to = from.plus_micros(ticks_to_micros(i64::from(header.duration_90k)));
    (from < to).then_some((header.key, Gap { from, to, reason: GapReason::Damaged }))
}

/// Checks the header of a record that was read by its entry.
pub(crate) fn verify_header(bytes: &[u8]) -> Result<RecordHeader, &'static str> {
    let header_bytes = usize::try_from(RECORD_HEADER_BYTES).unwrap_or(usize::MAX);
    let head = bytes.get(..header_bytes).ok_or("a record header is cut short")?;
    let header = RecordHeader::decode(head)?;
    if usize::try_from(header.total_bytes).ok() != Some(bytes.len()) {
        return Err("the record has another length");
    }
    Ok(header)
}

/// Checks header and payload of a record that was read by its entry.
pub(crate) fn verify(bytes: &[u8]) -> Result<RecordHeader, &'static str> {
    let header = verify_header(bytes)?;
    let header_bytes = usize::try_from(RECORD_HEADER_BYTES).unwrap_or(usize::MAX);
    let payload = bytes.get(header_bytes..).unwrap_or_default();
    if crate::format::crc::crc32c(payload) != header.payload_crc {
        return Err("the payload does not match its checksum");
    }
    Ok(header)
}
