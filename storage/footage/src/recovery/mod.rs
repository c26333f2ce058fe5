//! Opening a folder of segments: reads the footers, scans what has none, cuts torn tails, and says what it did.
//!
//! Segments that a crash left open are closed with a footer here; the writer always begins new ones. Bytes are cut only
//! behind the last record whose checksums fit.

mod report;
pub(crate) mod scan;

use std::{
    io::{self, IoSlice},
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use sightline_model::{
    Timestamp,
    gap::{Gap, GapReason},
    media::ticks_to_micros,
};

use crate::{
    Error,
    disk::{Disk, DiskFile, read_vec},
    format::{
        block::Entry,
        footer::{DirectoryRow, TRAILER_BYTES, Trailer, decode_directory},
        header::{HeaderError, SEGMENT_HEADER_BYTES, SegmentHeader, file_name, parse_file_name},
        payload::{decode_gap, decode_params},
        record::{Kind, RECORD_HEADER_BYTES, RecordHeader},
    },
    index::{
        Index, Place, Segment,
        builder::{Added, SegmentBuilder},
    },
    room::Room,
};
pub use report::Recovery;
use scan::{Found, scan};

/// Opens every segment of all disks that are there.
pub(crate) fn open(rooms: &[Arc<Room>], now: Timestamp) -> Result<(Index, Recovery), Error> {
    let began = Instant::now();
    let mut index = Index::default();
    let mut recovery = Recovery::default();
    let mut places = Vec::new();
    for room in rooms {
        recovery.dirs.push(room.disk.path().to_owned());
        if room.has_left() {
            recovery
                .disks_out
                .push((room.disk.path().to_owned(), room.state().problem().unwrap_or_default()));
            continue;
        }
        let ids = segment_ids(&*room.disk)?;
        places.extend(ids.into_iter().map(|id| Place { id, disk: room.no }));
    }
    // In the order of writing, whatever the disk.
    places.sort_unstable();
    for place in places {
        recovery.highest_id = recovery.highest_id.max(place.id);
        if let Some(room) = rooms.get(usize::from(place.disk)) {
            open_segment(&*room.disk, place, now, &mut index, &mut recovery)?;
        }
    }
    for stream in index.streams.values() {
        for part in &stream.parts {
            recovery.gops += u64::from(part.summary.gops);
            recovery.gaps += u64::from(part.summary.gaps);
        }
    }
    recovery.streams = index.streams.len() as u64;
    recovery.took = began.elapsed();
    Ok((index, recovery))
}

/// The segments of a disk; what was begun and never finished is removed.
fn segment_ids(disk: &dyn Disk) -> Result<Vec<u64>, Error> {
    let mut ids = Vec::new();
    for name in disk.list().map_err(Error::io("list", disk.path()))? {
        if let Some(id) = parse_file_name(&name) {
            ids.push(id);
        } else if name.ends_with(".tmp") {
            // Nothing was ever written behind its header.
            disk.remove(&name).map_err(Error::io("remove", disk.path().join(&name)))?;
        }
    }
    Ok(ids)
}

fn open_segment(
    disk: &dyn Disk,
    place: Place,
    now: Timestamp,
    index: &mut Index,
    recovery: &mut Recovery,
) -> Result<(), Error> {
    let path = disk.path().join(file_name(place.id));
    let opened = match load(disk, place.id) {
        Ok(opened) => opened,
        Err(HeaderProblem::Version(found)) => {
            return Err(Error::Version { path, found, supported: crate::format::VERSION });
        }
        Err(HeaderProblem::Unreadable(what)) => {
            tracing::error!(segment = %path.display(), "segment left alone, it cannot be read: {what}");
            recovery.unreadable.push((path, what));
            return Ok(());
        }
    };
    recovery.segments += 1;
    recovery.bytes += opened.bytes;
    match opened.footer {
        Ok((trailer, rows)) => {
            let segment = Segment::sealed(opened.header, place.disk, opened.bytes, &trailer);
            index.add_sealed(segment, &rows);
        }
        Err(_) => {
            recover(disk, place.disk, opened, now, index, recovery).map_err(Error::io("recover", path))?;
        }
    }
    Ok(())
}

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
                }
            }
            Found::Damaged { offset, bytes, header, what } => {
                rebuilt.damage.push((offset, bytes, what));
                if let Some(gap) =
                    header.filter(|header| header.kind == Kind::Gop).and_then(|h| damaged_gap(&h))
                {
                    rebuilt.builder.add(gap.0, &Added::Gap(gap.1));
                }
            }
        }
        Ok(())
    })?;
    rebuilt.records_end = scanned.end;
    rebuilt.torn_bytes = scanned.torn_bytes;
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
            if !builder.params.values().any(|place| *place == header.params) {
                if let Some((key, gap)) = damaged_gap(header) {
                    builder.add(key, &Added::Gap(gap));
                }
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

/// Scans a segment without a good footer, cuts what is torn, and closes it with a footer.
fn recover(
    disk: &dyn Disk,
    disk_no: u8,
    opened: Opened,
    now: Timestamp,
    index: &mut Index,
    recovery: &mut Recovery,
) -> io::Result<()> {
    let Opened { header, file, bytes, footer } = opened;
    let id = header.id;
    let rebuilt = rebuild(&*file, id, bytes, |_| ())?;
    recovery.rescanned += 1;
    recovery.bytes_rescanned += bytes;
    recovery.damaged += rebuilt.damage.len() as u64;
    let had_footer = footer.is_err_and(|what| what != "there is no footer");
    recovery.footers_rebuilt += u64::from(had_footer);
    if !had_footer {
        recovery.bytes_cut += rebuilt.torn_bytes;
    }
    recovery.bytes = recovery.bytes.saturating_sub(rebuilt.torn_bytes);
    if rebuilt.builder.next_seq() == 0 && rebuilt.damage.is_empty() {
        recovery.segments -= 1;
        recovery.empty_removed += 1;
        disk.remove(&file_name(id))?;
        return disk.sync_folder();
    }
    match close(&*file, id, &rebuilt, now) {
        Ok(footer) => {
            let bytes = rebuilt.records_end + footer.bytes.len() as u64;
            index.add_sealed(Segment::sealed(header, disk_no, bytes, &footer.trailer), &footer.rows);
        }
        Err(error) => {
            // Full or read-only: everything can be read all the same, and the next start tries again.
            tracing::warn!(segment = %file_name(id), "segment could not be closed after a crash: {error}");
            add_unsealed(index, header, disk_no, rebuilt);
        }
    }
    Ok(())
}

fn close(
    file: &dyn DiskFile,
    id: u64,
    rebuilt: &Rebuilt,
    now: Timestamp,
) -> io::Result<crate::index::builder::Footer> {
    file.set_length(rebuilt.records_end)?;
    let footer = rebuilt.builder.footer(id, rebuilt.records_end, now);
    file.write_at(rebuilt.records_end, &mut [IoSlice::new(&footer.bytes)])?;
    file.sync()?;
    Ok(footer)
}

fn add_unsealed(index: &mut Index, header: SegmentHeader, disk_no: u8, rebuilt: Rebuilt) {
    let id = header.id;
    let segment = index.add_open(Segment::open(header, disk_no, rebuilt.records_end));
    segment.bytes.store(rebuilt.records_end, Ordering::Release);
    for (key, (_, block)) in rebuilt.builder.streams {
        // Gaps first: what is known last must be the last GOP.
        let gaps = block.gaps.into_iter().map(Added::Gap);
        index.publish(id, gaps.chain(block.entries.into_iter().map(Added::Gop)).map(|added| (key, added)));
    }
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
