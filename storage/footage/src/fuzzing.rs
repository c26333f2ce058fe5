//! What the fuzz targets in `storage/footage/fuzz` call: every parser of bytes from disk, each with arbitrary bytes.
//!
//! A checksum in front of a parser hides it from a fuzzer, so checksums are put right first: a hostile writer can do that
//! too. Each function panics when something is wrong that is not said by an error.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic here is what a fuzzer looks for")]

mod memory;
mod seeds;

use std::sync::Arc;

use bytes::Bytes;
use sightline_model::{
    TimeRange, Timestamp,
    media::{Codec, ParameterSets, StreamKey},
};

use crate::{
    Config, Footage, Seams,
    format::{
        align,
        block::Block,
        crc::crc32c,
        footer::{TRAILER_BYTES, Trailer, decode_directory, encode_directory},
        header::{RECORDS_START, SegmentHeader, file_name},
        payload::{decode_gap, decode_gop, decode_params, encode_params},
        record::{MAX_RECORD_BYTES, RECORD_HEADER_BYTES, RECORD_MAGIC, RecordHeader},
    },
    query::Query,
    store::NewDisk,
};
use memory::MemoryDisk;
pub use seeds::seeds;

/// A fuzz target: its name, which is also that of the folder of its corpus, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 4] =
    [("record", record), ("block", block), ("footer", footer), ("segment", segment)];

const RECORD_HEADER: usize = RECORD_HEADER_BYTES as usize;
const TRAILER: usize = TRAILER_BYTES as usize;
/// The segment that all fuzzed records lie in.
const SEGMENT: u64 = 7;
/// More than this is not asked of one store.
const ENTRIES: usize = 1000;

/// Puts the CRC-32C at the end of `bytes` right.
fn mend(bytes: &mut [u8]) {
    if let Some((body, crc)) = bytes.split_last_chunk_mut::<4>() {
        *crc = crc32c(body).to_le_bytes();
    }
}

fn params() -> Arc<ParameterSets> {
    let (rfc6381, decoder_config) = ("avc1.64001E".to_owned(), Bytes::from_static(b"config"));
    Arc::new(ParameterSets { codec: Codec::H264, width: 640, height: 480, rfc6381, decoder_config })
}

/// A record header and a payload behind it.
pub fn record(bytes: &[u8]) {
    let Some((head, payload)) = bytes.split_at_checked(RECORD_HEADER) else { return };
    let mut head = head.to_vec();
    head[..RECORD_MAGIC.len()].copy_from_slice(&RECORD_MAGIC);
    mend(&mut head);
    let Ok(header) = RecordHeader::decode(&head) else { return };
    let mut again = Vec::new();
    header.encode(&mut again);
    // A camera clock that is not there is not kept, nor is where a piece before would stand that is not there.
    let read = RecordHeader::decode(&again);
    assert_eq!(read, Ok(header), "a header does not read back");
    assert!(u64::from(header.total_bytes) <= MAX_RECORD_BYTES);
    let payload = Bytes::copy_from_slice(payload);
    if let Ok(gop) = decode_gop(&header, &payload, params()) {
        assert_eq!(u32::try_from(gop.units.len()), Ok(header.units));
        assert!(gop.bytes() <= payload.len());
    }
    if let Ok(gap) = decode_gap(&header, &payload) {
        assert!(gap.from < gap.to);
    }
    if let Ok(params) = decode_params(&payload) {
        let mut again = Vec::new();
        encode_params(&params, &mut again);
        assert_eq!(decode_params(&again), Ok(params), "parameter sets do not read back");
    }
}

/// An index block.
pub fn block(bytes: &[u8]) {
    let Some(block) = Block::decode(bytes) else { return };
    for entry in &block.entries {
        let _ = entry.end();
    }
    let mut again = Vec::new();
    block.encode(&mut again);
    assert_eq!(Block::decode(&again), Some(block), "a block does not read back");
}

/// A directory and a trailer: each takes all bytes for its own.
pub fn footer(bytes: &[u8]) {
    if let Ok(rows) = decode_directory(bytes) {
        let mut again = Vec::new();
        encode_directory(&rows, &mut again);
        assert_eq!(decode_directory(&again), Ok(rows), "a directory does not read back");
    }
    let Some(trailer) = bytes.get(..TRAILER) else { return };
    let mut trailer = trailer.to_vec();
    mend(&mut trailer);
    let segment = u64::from_le_bytes(trailer[16..24].try_into().unwrap());
    for length in [bytes.len() as u64, 1 << 40, u64::MAX] {
        if let Ok(trailer) = Trailer::decode(&trailer, segment, length) {
            assert!(trailer.directory.end() <= length && trailer.records_end <= length);
        }
    }
}

/// A whole segment: opened, recovered, asked everything and read, and then opened again. The first byte says which
/// checksums are put right: of record headers, of payloads, of the trailer.
pub fn segment(bytes: &[u8]) {
    let Some((mending, body)) = bytes.split_first() else { return };
    let created = Timestamp(0);
    let header =
        SegmentHeader { id: SEGMENT, class: 0, lane: 0, created, node: "fuzz".to_owned(), replaces: 0 };
    let mut file = header.encode();
    file.resize(usize::try_from(RECORDS_START).unwrap(), 0);
    file.extend_from_slice(body);
    mend_records(&mut file, *mending);
    let disk = MemoryDisk::default();
    disk.put(&file_name(SEGMENT), file);
    if let Some(first) = ask(&disk) {
        assert_eq!(ask(&disk), Some(first), "a second recovery finds something else");
    }
}

/// Walks over what may be records and puts their checksums and their segment right.
fn mend_records(file: &mut [u8], mending: u8) {
    let mut at = usize::try_from(RECORDS_START).unwrap();
    while file.len().saturating_sub(at) >= RECORD_HEADER {
        let rest = &mut file[at..];
        if !rest.starts_with(&RECORD_MAGIC) {
            at += 8;
            continue;
        }
        let length = u32::from_le_bytes(rest[4..8].try_into().unwrap());
        let length = usize::try_from(length).unwrap().clamp(RECORD_HEADER, rest.len());
        if mending & 2 != 0 {
            let crc = crc32c(&rest[RECORD_HEADER..length]);
            rest[8..12].copy_from_slice(&crc.to_le_bytes());
        }
        if mending & 1 != 0 {
            rest[16..24].copy_from_slice(&SEGMENT.to_le_bytes());
            mend(&mut rest[..RECORD_HEADER]);
        }
        at += usize::try_from(align(length as u64)).unwrap();
    }
    if mending & 4 != 0
        && let Some(trailer) = file.len().checked_sub(TRAILER).and_then(|at| file.get_mut(at..))
    {
        trailer[16..24].copy_from_slice(&SEGMENT.to_le_bytes());
        mend(trailer);
    }
}

/// What a store says of one stream: entries, those that can be read, spans and gaps.
type Said = Vec<(StreamKey, usize, usize, usize, usize)>;

/// Opens a store, asks it everything and reads all it lists; `None` when it refuses to open.
fn ask(disk: &MemoryDisk) -> Option<Said> {
    let config = Config { min_free_bytes: 0, dir: "/memory".into(), ..Config::default() };
    let new = NewDisk { disk: Arc::new(disk.clone()), lock: None, out: None };
    let (footage, _) = Footage::open_on(vec![new], config, Seams::default(), Timestamp(0)).ok()?;
    let shared = footage.shared();
    let ever = TimeRange { from: Timestamp(i64::MIN), to: Timestamp(i64::MAX) };
    let keys: Vec<StreamKey> = shared.index.read().streams.keys().copied().collect();
    let mut said = Vec::new();
    for key in keys {
        let query = Query { shared, key, io: true };
        let entries = query.entries(ever, None, ENTRIES).unwrap_or_default();
        let read = entries.iter().filter(|entry| query.read(entry).is_ok()).count();
        for entry in entries.iter().take(8) {
            let _ = query.nearest(entry.start);
            let range = TimeRange { from: entry.start, to: entry.end.plus_micros(1) };
            let _ = query.entries(range, None, 2);
        }
        let timeline = query.timeline(ever, Timestamp(1 << 52)).unwrap_or_default();
        said.push((key, entries.len(), read, timeline.spans.len(), timeline.gaps.len()));
    }
    said.sort_unstable();
    Some(said)
}
