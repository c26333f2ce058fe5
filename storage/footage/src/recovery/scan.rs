//! Walks the records of a segment file: for recovery, for checking, and for whatever has lost its footer.

use std::io;

use bytes::Bytes;

use crate::{
    disk::{DiskFile, PAGE_BYTES},
    format::{
        align,
        header::RECORDS_START,
        merkle::{Hash, leaf, payload_hash},
        record::{Kind, RECORD_HEADER_BYTES, RECORD_MAGIC, RecordHeader},
    },
};

/// How much is read at once.
const WINDOW_BYTES: usize = 1 << 20;

/// Stands for bytes that cannot be read.
const UNREADABLE: u8 = 0xEE;
/// A disk that does not give more than this of one segment is not asked on.
const MOST_UNREADABLE_BYTES: u64 = 16 << 20;

/// One thing found.
#[derive(Debug)]
pub(crate) enum Found {
    /// A record whose checksums fit. The payload of a GOP is left out.
    Record { offset: u64, header: RecordHeader, payload: Bytes, leaf: Hash },
    /// Bytes that are no record, with a good record somewhere behind them; with the header, when that much is readable.
    Damaged { offset: u64, bytes: u64, header: Option<RecordHeader>, what: &'static str },
}

/// How a scan ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scanned {
    /// Where the last good record ends, aligned.
    pub(crate) end: u64,
    /// Bytes behind it that are no record.
    pub(crate) torn_bytes: u64,
    /// Bytes that the disk did not give, wherever they are: what they hold is not known, so nothing may be cut.
    pub(crate) unreadable_bytes: u64,
}

/// Gives `found` every record of `segment` between its header and `until`, in order.
pub(crate) fn scan(
    file: &dyn DiskFile,
    segment: u64,
    until: u64,
    found: &mut dyn FnMut(Found) -> io::Result<()>,
) -> io::Result<Scanned> {
    let mut window = Window { file, until, offset: 0, bytes: Vec::new(), unreadable_bytes: 0 };
    let mut at = RECORDS_START;
    let (mut end, mut padded_end) = (at, at);
    let mut next_seq = 0;
    // Damage is told only once a good record stands behind it: damage at the very end is the torn tail.
    let mut damage: Vec<Found> = Vec::new();
    while at < until {
        match read_record(&mut window, segment, next_seq, at)? {
            Outcome::Good { header, payload, leaf } => {
                for found_damage in damage.drain(..) {
                    found(found_damage)?;
                }
                next_seq = header.seq.saturating_add(1);
                let offset = at;
                at = align(at + u64::from(header.total_bytes));
                end = at;
                found(Found::Record { offset, header, payload, leaf })?;
            }
            Outcome::BadPayload { header, what } => {
                next_seq = header.seq.saturating_add(1);
                let bytes = align(u64::from(header.total_bytes));
                damage.push(Found::Damaged { offset: at, bytes, header: Some(header), what });
                at += bytes;
            }
            Outcome::BadHeader { .. } if is_padding(&mut window, at)? => {
                let next = (at + 1).next_multiple_of(PAGE_BYTES);
                // The last write ended with its page; a whole page of zeros belongs to no write.
                padded_end = if at == end && !at.is_multiple_of(PAGE_BYTES) { next } else { padded_end };
                at = next;
            }
            Outcome::BadHeader { what } => {
                let Some(next) = resync(&mut window, segment, next_seq, at)? else { break };
                damage.push(Found::Damaged { offset: at, bytes: next - at, header: None, what });
                at = next;
            }
        }
    }
    let torn_bytes = if padded_end >= until { 0 } else { until.saturating_sub(end) };
    let unreadable_bytes = window.unreadable_bytes;
    Ok(Scanned { end: end.min(align(until)), torn_bytes, unreadable_bytes })
}

enum Outcome {
    Good { header: RecordHeader, payload: Bytes, leaf: Hash },
    BadPayload { header: RecordHeader, what: &'static str },
    BadHeader { what: &'static str },
}

fn read_record(window: &mut Window<'_>, segment: u64, next_seq: u32, at: u64) -> io::Result<Outcome> {
    let header_bytes = usize::try_from(RECORD_HEADER_BYTES).unwrap_or(usize::MAX);
    let Some(bytes) = window.get(at, header_bytes)? else {
        return Ok(Outcome::BadHeader { what: "a record header is cut short" });
    };
    let header = match RecordHeader::decode(bytes) {
        Ok(header) if header.segment == segment && header.seq >= next_seq => header,
        Ok(_) => return Ok(Outcome::BadHeader { what: "a record of another time or file" }),
        Err(what) => return Ok(Outcome::BadHeader { what }),
    };
    let total = usize::try_from(header.total_bytes).unwrap_or(usize::MAX);
    let Some(bytes) = window.get(at, total)? else {
        return Ok(Outcome::BadHeader { what: "a record reaches beyond the end of the file" });
    };
    let (head, payload) = bytes.split_at_checked(header_bytes).unwrap_or_default();
    if crate::format::crc::crc32c(payload) != header.payload_crc {
        return Ok(Outcome::BadPayload { header, what: "a payload does not match its checksum" });
    }
    // Of media nobody but the reader of a record needs the bytes.
    let small = if header.kind == Kind::Gop { &[] } else { payload };
    let leaf = leaf(head, &payload_hash(payload));
    Ok(Outcome::Good { header, payload: Bytes::copy_from_slice(small), leaf })
}

/// Whether nothing but zeros stands from `at` to the end of its page: large writes begin and end at pages.
fn is_padding(window: &mut Window<'_>, at: u64) -> io::Result<bool> {
    let length = (at + 1).next_multiple_of(PAGE_BYTES) - at;
    let length = usize::try_from(length.min(window.until - at)).unwrap_or(0);
    Ok(window.get(at, length)?.is_some_and(|bytes| bytes.iter().all(|byte| *byte == 0)))
}

/// The next place at or after `at + 1` where a record header of this segment stands.
fn resync(window: &mut Window<'_>, segment: u64, next_seq: u32, at: u64) -> io::Result<Option<u64>> {
    let header_bytes = usize::try_from(RECORD_HEADER_BYTES).unwrap_or(usize::MAX);
    let mut at = align(at + 1);
    loop {
        let Some(bytes) = window.get(at, header_bytes)? else { return Ok(None) };
        if bytes.starts_with(&RECORD_MAGIC)
            && RecordHeader::decode(bytes).is_ok_and(|h| h.segment == segment && h.seq >= next_seq)
        {
            return Ok(Some(at));
        }
        at = align(at + 1);
    }
}

/// A stretch of the file in memory, moved along as needed.
struct Window<'a> {
    file: &'a dyn DiskFile,
    until: u64,
    offset: u64,
    bytes: Vec<u8>,
    unreadable_bytes: u64,
}

impl Window<'_> {
    /// Reads page by page what cannot be read at once. What the disk does not give is filled with bytes that are no record
    /// and no padding; when it gives too little, `error` stands.
    fn read_pages(&mut self, error: io::Error) -> io::Result<()> {
        let mut at = self.offset;
        for page in self.bytes.chunks_mut(usize::try_from(PAGE_BYTES).unwrap_or(4096)) {
            if self.file.read_at(at, page).is_err() {
                page.fill(UNREADABLE);
                self.unreadable_bytes += page.len() as u64;
            }
            at += page.len() as u64;
        }
        if self.unreadable_bytes > MOST_UNREADABLE_BYTES { Err(error) } else { Ok(()) }
    }

    /// `length` bytes from `at` on, or `None` when they reach beyond `until`.
    fn get(&mut self, at: u64, length: usize) -> io::Result<Option<&[u8]>> {
        let end = at.saturating_add(length as u64);
        if end > self.until {
            return Ok(None);
        }
        if at < self.offset || end > self.offset + self.bytes.len() as u64 {
            let left = usize::try_from(self.until - at).unwrap_or(usize::MAX);
            self.bytes.resize(length.max(WINDOW_BYTES).min(left), 0);
            self.offset = at;
            if let Err(error) = self.file.read_at(at, &mut self.bytes)
                && let Err(error) = self.read_pages(error)
            {
                self.bytes.clear();
                return Err(error);
            }
        }
        let from = usize::try_from(at - self.offset).unwrap_or(usize::MAX);
        Ok(self.bytes.get(from..from.saturating_add(length)))
    }
}
