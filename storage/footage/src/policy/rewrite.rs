//! Writes a segment again without what goes.
//!
//! Records that stay are copied byte for byte, encrypted as they are; only their place in the file changes, which is not
//! part of what encryption binds them to. A thinned GOP keeps its key frame's access unit as the camera sent it, signed
//! SEI units included, sealed again with a fresh nonce. The new segment has the class of the old one and says whom it
//! replaces; it is complete and synced before it gets its name.

use std::{
    collections::HashMap,
    io::{self, IoSlice},
};

use bytes::Bytes;
use sightline_model::{
    Timestamp,
    gap::{Gap, GapReason},
    media::{Policy, StreamKey, ticks_to_micros},
};

use super::{
    plan::Cut,
    whole::{GopName, WholeGop},
};
use crate::{
    Error,
    crypt::{self, CameraHour, KeyError, KeyProvider},
    disk::{DiskFile, read_vec},
    format::{
        ALIGN, align,
        block::Entry,
        header::{RECORDS_START, SegmentHeader},
        merkle::{leaf, payload_hash},
        payload::{UNIT_ROW_BYTES, decode_gap, encode_gap},
        record::{Before, Kind, RECORD_HEADER_BYTES, RecordHeader, TAG_BYTES},
    },
    index::builder::{Added, Footer, SegmentBuilder},
    recovery::scan::{Found, scan},
};

const HEADER: usize = RECORD_HEADER_BYTES as usize;
/// Bytes gathered for one write.
const WRITE_BYTES: usize = 4 << 20;

/// What is to happen to a GOP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Keep,
    Thin,
    Drop,
}

/// Verdicts on all GOPs of a segment.
pub(crate) type Verdicts = HashMap<(StreamKey, GopName), Verdict>;

/// What the cuts of a plan say about a GOP. What is held stays as it is, whatever else is said.
pub(crate) fn judge(key: StreamKey, gop: &WholeGop, drop: &[Cut], thin: &[Cut], keep: &[Cut]) -> Verdict {
    let of = |cut: &&Cut| cut.stream.is_none_or(|stream| stream == key);
    let reaches =
        |cut: &Cut| gop.from < cut.range.to && (gop.to > cut.range.from || gop.from >= cut.range.from);
    let begins = |cut: &Cut| cut.range.contains(gop.from);
    if keep.iter().filter(of).any(reaches) {
        Verdict::Keep
    } else if drop.iter().filter(of).any(begins) {
        Verdict::Drop
    } else if thin.iter().filter(of).any(begins) && gop.full {
        Verdict::Thin
    } else {
        Verdict::Keep
    }
}

/// The segment that is written again.
pub(crate) struct Source<'a> {
    pub(crate) file: &'a dyn DiskFile,
    pub(crate) header: &'a SegmentHeader,
    pub(crate) bytes: u64,
    pub(crate) verdicts: &'a Verdicts,
    pub(crate) keys: Option<&'a dyn KeyProvider>,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    pub(crate) kept: u64,
    pub(crate) thinned: u64,
    pub(crate) dropped: u64,
    /// GOPs that could not be thinned, because their keys are gone.
    pub(crate) sealed_for_good: u64,
}

/// Writes what stays of `source` into `file`, which becomes segment `header.id`. `pace` is told of every record's bytes
/// and may wait or say stop.
pub(crate) fn write_again(
    source: &Source<'_>,
    file: &dyn DiskFile,
    header: &SegmentHeader,
    now: Timestamp,
    pace: &mut dyn FnMut(u64) -> io::Result<()>,
) -> Result<(Footer, u64, Tally), Error> {
    let mut copy = Copy {
        source,
        out: Out::new(file, header)?,
        params: HashMap::new(),
        holes: HashMap::new(),
        tally: Tally::default(),
    };
    let mut failed = None;
    let scanned = scan(source.file, source.header.id, source.bytes, &mut |found| {
        let bytes = match &found {
            Found::Record { header, .. } => u64::from(header.total_bytes),
            Found::Damaged { bytes, .. } => *bytes,
        };
        pace(bytes)?;
        copy.take(found).map_err(|error| {
            failed = Some(error);
            io::Error::other("stopped")
        })
    });
    match (scanned, failed) {
        (_, Some(error)) => return Err(error),
        (Err(error), None) => return Err(Error::io("scan", "a segment to be written again")(error)),
        (Ok(_), None) => {}
    }
    copy.fill_holes()?;
    let (footer, bytes) = copy.out.finish(now).map_err(Error::io("write", "a segment again"))?;
    Ok((footer, bytes, copy.tally))
}

struct Copy<'a> {
    source: &'a Source<'a>,
    out: Out<'a>,
    /// Parameter sets of the old segment, by their place; with their new place once they have one.
    params: HashMap<u32, (RecordHeader, Bytes, Option<u32>)>,
    /// The stretch that was dropped last of each stream.
    holes: HashMap<StreamKey, Gap>,
    tally: Tally,
}

impl Copy<'_> {
    fn take(&mut self, found: Found) -> Result<(), Error> {
        match found {
            Found::Record { header, payload, .. } if header.kind == Kind::Params => {
                self.params.entry(header.params).or_insert((header, payload, None));
                Ok(())
            }
            Found::Record { header, payload, .. } if header.kind == Kind::Gap => self.gap(header, &payload),
            Found::Record { offset, header, .. } => self.gop(header, offset),
            Found::Damaged { header: Some(header), .. } if header.kind == Kind::Gop => self.lost(&header),
            Found::Damaged { .. } => Ok(()),
        }
    }

    fn gap(&mut self, header: RecordHeader, payload: &[u8]) -> Result<(), Error> {
        let gap = decode_gap(&header, payload).map_err(|what| self.damaged(0, what))?;
        self.out.gap(header.key, gap)
    }

    fn verdict(&self, header: &RecordHeader) -> Verdict {
        let name = (header.key, (header.run, header.number));
        self.source.verdicts.get(&name).copied().unwrap_or(Verdict::Keep)
    }

    fn gop(&mut self, header: RecordHeader, offset: u64) -> Result<(), Error> {
        let verdict = self.verdict(&header);
        if verdict == Verdict::Drop {
            self.tally.dropped += 1;
            return self.hole(&header);
        }
        self.fill_hole(header.key)?;
        let length = usize::try_from(header.total_bytes).unwrap_or(0).saturating_sub(HEADER);
        let payload = read_vec(self.source.file, offset + RECORD_HEADER_BYTES, length)
            .map_err(Error::io("read", "a segment to be written again"))?;
        let (mut header, payload) = match verdict {
            Verdict::Thin => self.thin(header, payload, offset)?,
            _ => {
                self.tally.kept += 1;
                (header, payload)
            }
        };
        header.params = self.params(header.params)?;
        self.out.gop(header, &payload)
    }

    /// The key frame alone; of a further part nothing but the time it covers.
    fn thin(
        &mut self,
        header: RecordHeader,
        mut payload: Vec<u8>,
        offset: u64,
    ) -> Result<(RecordHeader, Vec<u8>), Error> {
        let mut sealing = None;
        if header.is_encrypted() {
            let of = CameraHour::of(header.key.camera, header.start);
            let unknown = KeyError::Unknown { id: header.key_id, of };
            let key = match self.source.keys.ok_or(unknown).and_then(|keys| keys.get(header.key_id, of)) {
                Ok(key) => key,
                Err(KeyError::Destroyed { .. } | KeyError::Unknown { .. }) => {
                    self.tally.sealed_for_good += 1;
                    return Ok((header, payload));
                }
                Err(error) => return Err(Error::Key(error)),
            };
            crypt::open(&key, header.nonce, &header.aad(), &mut payload)
                .map_err(|_| self.damaged(offset, "the payload is not what was encrypted"))?;
            payload.truncate(payload.len().saturating_sub(TAG_BYTES as usize));
            sealing = Some(key);
        }
        let mut thin = key_frame(&header, &payload)
            .ok_or_else(|| self.damaged(offset, "the unit table is cut short"))?;
        let units = u32::from(header.part == 0);
        let media = thin.len() as u64 - u64::from(units) * UNIT_ROW_BYTES;
        let mut header = RecordHeader {
            policy: Policy::Keyframes,
            units,
            media_bytes: u32::try_from(media).unwrap_or(u32::MAX),
            ..header
        };
        if let Some(key) = sealing {
            header.nonce = crypt::new_nonce().map_err(Error::Key)?;
            crypt::seal(&key, header.nonce, &header.aad(), &mut thin).map_err(Error::Key)?;
        }
        self.tally.thinned += 1;
        Ok((header, thin))
    }

    /// The new place of parameter sets, which are written when the first GOP needs them.
    fn params(&mut self, old: u32) -> Result<u32, Error> {
        let Some((header, payload, place)) = self.params.get_mut(&old) else {
            // Damaged before: the GOP says so when it is read, as it did.
            return Ok(old);
        };
        if let Some(place) = place {
            return Ok(*place);
        }
        let new = self.out.params(*header, payload)?;
        *place = Some(new);
        Ok(new)
    }

    /// Notes that a GOP goes.
    fn hole(&mut self, header: &RecordHeader) -> Result<(), Error> {
        let to = end(header);
        match self.holes.get_mut(&header.key) {
            Some(gap) if header.start <= gap.to.plus_micros(1_000_000) && header.start >= gap.from => {
                gap.to = gap.to.max(to);
                Ok(())
            }
            _ => {
                self.fill_hole(header.key)?;
                let gap = Gap { from: header.start, to, reason: GapReason::Expired };
                self.holes.insert(header.key, gap);
                Ok(())
            }
        }
    }

    fn fill_hole(&mut self, key: StreamKey) -> Result<(), Error> {
        match self.holes.remove(&key).filter(|gap| gap.from < gap.to) {
            Some(gap) => self.out.gap(key, gap),
            None => Ok(()),
        }
    }

    /// What went between kept footage stands as a gap; where nothing of a stream stays, nothing has to be explained.
    fn fill_holes(&mut self) -> Result<(), Error> {
        let mut keys: Vec<StreamKey> = self.holes.keys().copied().collect();
        keys.sort_unstable();
        keys.retain(|key| {
            self.out.builder.streams.get(key).is_some_and(|(_, block)| !block.entries.is_empty())
        });
        keys.into_iter().try_for_each(|key| self.fill_hole(key))
    }

    /// A GOP whose media was damaged already: that it was there stays known.
    fn lost(&mut self, header: &RecordHeader) -> Result<(), Error> {
        let gap = Gap { from: header.start, to: end(header), reason: GapReason::Damaged };
        if self.verdict(header) == Verdict::Drop || gap.from >= gap.to {
            return Ok(());
        }
        self.out.gap(header.key, gap)
    }

    fn damaged(&self, offset: u64, what: &str) -> Error {
        let path = crate::format::header::file_name(self.source.header.id).into();
        Error::Damaged { path, offset, what: what.to_owned() }
    }
}

fn end(header: &RecordHeader) -> Timestamp {
    header.start.plus_micros(ticks_to_micros(i64::from(header.duration_90k)))
}

/// What stays of an open payload: its first row and unit for part 0, nothing for a further part.
fn key_frame(header: &RecordHeader, payload: &[u8]) -> Option<Vec<u8>> {
    if header.part != 0 || header.units == 0 {
        return Some(Vec::new());
    }
    let row_bytes = usize::try_from(UNIT_ROW_BYTES).ok()?;
    let row = payload.get(..row_bytes)?;
    let length = u32::from_le_bytes(row.get(4..8)?.try_into().ok()?) & !(1 << 31);
    let from = row_bytes.checked_mul(usize::try_from(header.units).ok()?)?;
    let unit = payload.get(from..from.checked_add(usize::try_from(length).ok()?)?)?;
    Some([row, unit].concat())
}

/// The segment being written.
struct Out<'a> {
    file: &'a dyn DiskFile,
    id: u64,
    /// Where the buffer goes.
    at: u64,
    buffer: Vec<u8>,
    builder: SegmentBuilder,
}

impl<'a> Out<'a> {
    fn new(file: &'a dyn DiskFile, header: &SegmentHeader) -> Result<Self, Error> {
        file.write_at(0, &mut [IoSlice::new(&header.encode())])
            .map_err(Error::io("write", "a segment again"))?;
        let builder = SegmentBuilder::default();
        Ok(Self { file, id: header.id, at: RECORDS_START, buffer: Vec::new(), builder })
    }

    fn end(&self) -> u64 {
        self.at + self.buffer.len() as u64
    }

    fn gap(&mut self, key: StreamKey, gap: Gap) -> Result<(), Error> {
        let mut payload = Vec::new();
        encode_gap(&gap, &mut payload);
        let header = RecordHeader::new(Kind::Gap, key, gap.from);
        self.append(header, &payload)?;
        self.builder.add(key, &Added::Gap(gap));
        Ok(())
    }

    /// Writes parameter sets, twice: without them no picture can be shown.
    fn params(&mut self, mut header: RecordHeader, payload: &[u8]) -> Result<u32, Error> {
        header.params = u32::try_from(self.end() / ALIGN).unwrap_or(u32::MAX);
        self.append(header, payload)?;
        self.append(header, payload)?;
        Ok(header.params)
    }

    fn gop(&mut self, mut header: RecordHeader, payload: &[u8]) -> Result<(), Error> {
        let before = self.builder.last(header.key).filter(|before| header.joined && goes_on(before, &header));
        header.before =
            before.map(|before| Before { offset: before.offset, total_bytes: before.record_bytes });
        let offset = self.end();
        let header = self.append(header, payload)?;
        self.builder.add(header.key, &Added::Gop(Entry::from_header(&header, offset)));
        Ok(())
    }

    fn append(&mut self, mut header: RecordHeader, payload: &[u8]) -> Result<RecordHeader, Error> {
        (header.segment, header.seq) = (self.id, self.builder.next_seq());
        header.total_bytes = u32::try_from(HEADER + payload.len()).unwrap_or(u32::MAX);
        header.payload_crc = crate::format::crc::crc32c(payload);
        let from = self.buffer.len();
        header.encode(&mut self.buffer);
        self.builder.record(leaf(self.buffer.get(from..).unwrap_or_default(), &payload_hash(payload)));
        self.buffer.extend_from_slice(payload);
        self.buffer.resize(self.buffer.len().next_multiple_of(ALIGN as usize), 0);
        if self.buffer.len() >= WRITE_BYTES {
            self.write().map_err(Error::io("write", "a segment again"))?;
        }
        Ok(header)
    }

    fn write(&mut self) -> io::Result<()> {
        self.file.write_at(self.at, &mut [IoSlice::new(&self.buffer)])?;
        self.at = self.end();
        self.buffer.clear();
        Ok(())
    }

    fn finish(&mut self, now: Timestamp) -> io::Result<(Footer, u64)> {
        self.write()?;
        let at = align(self.at);
        let footer = self.builder.footer(self.id, at, now);
        self.file.write_at(at, &mut [IoSlice::new(&footer.bytes)])?;
        let bytes = at + footer.bytes.len() as u64;
        self.file.set_length(bytes)?;
        self.file.sync()?;
        Ok((footer, bytes))
    }
}

fn goes_on(before: &Entry, header: &RecordHeader) -> bool {
    (before.run, before.number) == (header.run, header.number)
        && Some(header.part) == before.part.checked_add(before.pieces)
}
