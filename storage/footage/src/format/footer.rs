//! The end of a sealed segment: index blocks, directory of streams, trailer.

use sightline_model::{Timestamp, media::StreamKey};

use super::{
    Bad, VERSION,
    cursor::{Cursor, checked, put_crc, put_varint, put_zigzag},
    merkle::Hash,
    record::{stream_code, stream_from_code},
};

const MAGIC: [u8; 8] = *b"SLFOOT02";
/// Length of the trailer, the last bytes of a sealed segment.
pub(crate) const TRAILER_BYTES: u64 = 128;
/// A row of the directory takes at least this.
const LEAST_ROW_BYTES: usize = 11;
/// Stands for "none" in a directory's times.
const NO_TIME: i64 = i64::MIN;

/// A checksummed stretch of a segment file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Section {
    pub(crate) offset: u64,
    pub(crate) length: u32,
    pub(crate) crc: u32,
}

impl Section {
    /// The section that `bytes` will be when written at `offset`.
    pub(crate) fn of(bytes: &[u8], offset: u64) -> Self {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        Self { offset, length, crc: crate::format::crc::crc32c(bytes) }
    }

    pub(crate) fn end(&self) -> u64 {
        self.offset.saturating_add(u64::from(self.length))
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.offset.to_le_bytes());
        out.extend_from_slice(&self.length.to_le_bytes());
        out.extend_from_slice(&self.crc.to_le_bytes());
    }

    fn decode(cursor: &mut Cursor<'_>) -> Option<Self> {
        Some(Self { offset: cursor.u64()?, length: cursor.u32()?, crc: cursor.u32()? })
    }
}

/// First and last instant of something; `None` when there is nothing.
pub(crate) type Hull = Option<(Timestamp, Timestamp)>;

/// `hull` widened to hold `from..to`.
pub(crate) fn widen(hull: Hull, from: Timestamp, to: Timestamp) -> Hull {
    Some(hull.map_or((from, to), |(first, last)| (first.min(from), last.max(to))))
}

/// What the directory says of one stream: enough to know whether its block is worth reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DirectoryRow {
    pub(crate) key: StreamKey,
    pub(crate) summary: Summary,
    pub(crate) block: Section,
}

/// The sums over a stream's block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Summary {
    pub(crate) gops: u32,
    pub(crate) gaps: u32,
    /// Bytes that the records of its GOPs take.
    pub(crate) bytes: u64,
    /// From the earliest start to the latest end of GOPs.
    pub(crate) footage: Hull,
    /// The same of gaps.
    pub(crate) missing: Hull,
    /// End of the GOP that was written last.
    pub(crate) last_gop_end: Option<Timestamp>,
    /// End of the GOP or gap that was written last: from here on nothing is known.
    pub(crate) known_until: Option<Timestamp>,
}

/// What a row of the directory leaves out or gives.
const HAS_FOOTAGE: u8 = 1;
const HAS_MISSING: u8 = 1 << 1;
const LAST_GOP_END_GIVEN: u8 = 1 << 2;
const KNOWN_UNTIL_GIVEN: u8 = 1 << 3;

/// What a row is told apart from.
#[derive(Debug, Clone, Copy, Default)]
struct RowBefore {
    from: i64,
    block_end: u64,
}

impl DirectoryRow {
    fn encode(&self, before: RowBefore, out: &mut Vec<u8>) -> RowBefore {
        let Summary { gops, gaps, bytes, footage, missing, last_gop_end, known_until } = self.summary;
        let last_given = last_gop_end != footage.map(|hull| hull.1);
        let known_given = known_until != last_gop_end;
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        let camera = self.key.camera.as_str().as_bytes();
        out.push(u8::try_from(camera.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(camera);
        out.push(stream_code(self.key.stream));
        out.push(
            bit(footage.is_some(), HAS_FOOTAGE)
                | bit(missing.is_some(), HAS_MISSING)
                | bit(last_given, LAST_GOP_END_GIVEN)
                | bit(known_given, KNOWN_UNTIL_GIVEN),
        );
        put_varint(out, u64::from(gops));
        put_varint(out, u64::from(gaps));
        put_varint(out, bytes);
        let mut base = before.from;
        for (from, to) in footage.into_iter().chain(missing) {
            put_zigzag(out, from.0.wrapping_sub(base));
            put_varint(out, to.0.wrapping_sub(from.0).cast_unsigned());
            base = from.0;
        }
        for time in [(last_given, last_gop_end), (known_given, known_until)] {
            if let (true, at) = time {
                put_zigzag(out, at.map_or(NO_TIME, |at| at.0).wrapping_sub(base));
            }
        }
        put_zigzag(out, self.block.offset.wrapping_sub(before.block_end).cast_signed());
        put_varint(out, u64::from(self.block.length));
        out.extend_from_slice(&self.block.crc.to_le_bytes());
        RowBefore { from: base, block_end: self.block.end() }
    }

    fn decode(cursor: &mut Cursor<'_>, before: RowBefore) -> Option<(Self, RowBefore)> {
        let length = usize::from(cursor.u8()?);
        let camera = std::str::from_utf8(cursor.take(length)?).ok()?.parse().ok()?;
        let stream = stream_from_code(cursor.u8()?)?;
        let flags = cursor.u8()?;
        let (gops, gaps, bytes) = (cursor.varint_u32()?, cursor.varint_u32()?, cursor.varint()?);
        let mut base = before.from;
        let mut hull = |cursor: &mut Cursor<'_>, bit: u8| {
            if flags & bit == 0 {
                return Some(None);
            }
            let from = base.wrapping_add(cursor.zigzag()?);
            base = from;
            Some(Some((Timestamp(from), Timestamp(from.wrapping_add(cursor.varint()?.cast_signed())))))
        };
        let footage = hull(cursor, HAS_FOOTAGE)?;
        let missing = hull(cursor, HAS_MISSING)?;
        let time = |cursor: &mut Cursor<'_>, bit: u8, otherwise: Option<Timestamp>| {
            if flags & bit == 0 {
                return Some(otherwise);
            }
            let at = cursor.zigzag()?.wrapping_add(base);
            Some((at != NO_TIME).then_some(Timestamp(at)))
        };
        let last_gop_end = time(cursor, LAST_GOP_END_GIVEN, footage.map(|hull| hull.1))?;
        let known_until = time(cursor, KNOWN_UNTIL_GIVEN, last_gop_end)?;
        let offset = before.block_end.wrapping_add(cursor.zigzag()?.cast_unsigned());
        let block = Section { offset, length: cursor.varint_u32()?, crc: cursor.u32()? };
        let summary = Summary { gops, gaps, bytes, footage, missing, last_gop_end, known_until };
        let row = Self { key: StreamKey { camera, stream }, summary, block };
        Some((row, RowBefore { from: base, block_end: block.end() }))
    }
}

/// Appends the directory's rows, with their number in front.
pub(crate) fn encode_directory(rows: &[DirectoryRow], out: &mut Vec<u8>) {
    put_varint(out, rows.len() as u64);
    rows.iter().fold(RowBefore::default(), |before, row| row.encode(before, out));
}

/// Reads a directory back.
pub(crate) fn decode_directory(bytes: &[u8]) -> Result<Vec<DirectoryRow>, Bad> {
    directory(&mut Cursor::new(bytes)).ok_or("the footer's directory makes no sense")
}

fn directory(cursor: &mut Cursor<'_>) -> Option<Vec<DirectoryRow>> {
    let count = usize::try_from(cursor.varint()?).ok()?;
    let mut rows = Vec::with_capacity(count.min(cursor.remaining() / LEAST_ROW_BYTES));
    let mut before = RowBefore::default();
    for _ in 0..count {
        let (row, next) = DirectoryRow::decode(cursor, before)?;
        rows.push(row);
        before = next;
    }
    cursor.is_empty().then_some(rows)
}

/// The fixed end of a sealed segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trailer {
    pub(crate) segment: u64,
    /// Where the records end and the index blocks begin.
    pub(crate) records_end: u64,
    pub(crate) directory: Section,
    pub(crate) records: u32,
    pub(crate) gops: u32,
    pub(crate) merkle_root: Hash,
    pub(crate) sealed_at: Timestamp,
}

impl Trailer {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&[0; 6]);
        out.extend_from_slice(&self.segment.to_le_bytes());
        out.extend_from_slice(&self.records_end.to_le_bytes());
        self.directory.encode(out);
        out.extend_from_slice(&self.records.to_le_bytes());
        out.extend_from_slice(&self.gops.to_le_bytes());
        out.extend_from_slice(&self.merkle_root);
        out.extend_from_slice(&self.sealed_at.0.to_le_bytes());
        out.extend_from_slice(&[0; 28]);
        put_crc(out, start);
    }

    /// Reads the trailer of segment `segment` from the last bytes of a file of `file_bytes`.
    pub(crate) fn decode(bytes: &[u8], segment: u64, file_bytes: u64) -> Result<Self, Bad> {
        if !bytes.starts_with(&MAGIC) {
            return Err("there is no footer");
        }
        let body = checked(bytes).ok_or("the trailer does not match its checksum")?;
        let trailer = Self::fields(body).ok_or("the trailer makes no sense")?;
        let body_end = file_bytes.saturating_sub(TRAILER_BYTES);
        let inside = trailer.records_end <= body_end && trailer.directory.end() <= body_end;
        if trailer.segment != segment || !inside {
            return Err("the trailer belongs to another file");
        }
        Ok(trailer)
    }

    fn fields(body: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(body);
        cursor.take(16)?;
        Some(Self {
            segment: cursor.u64()?,
            records_end: cursor.u64()?,
            directory: Section::decode(&mut cursor)?,
            records: cursor.u32()?,
            gops: cursor.u32()?,
            merkle_root: cursor.array()?,
            sealed_at: Timestamp(cursor.i64()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testkit;

    #[test]
    fn a_directory_reads_back_and_a_cut_one_is_refused() {
        let summary = Summary { gops: 3, footage: Some((Timestamp(1), Timestamp(9))), ..Summary::default() };
        let block = Section { offset: 128, length: 40, crc: 5 };
        let full = Summary {
            gaps: 2,
            missing: Some((Timestamp(-4), Timestamp(3))),
            last_gop_end: Some(Timestamp(8)),
            known_until: Some(Timestamp(11)),
            ..summary
        };
        let nothing = Summary::default();
        let rows = [summary, full, nothing]
            .map(|summary| DirectoryRow { key: testkit::key("a"), summary, block })
            .to_vec();
        let mut bytes = Vec::new();
        encode_directory(&rows, &mut bytes);
        assert_eq!(decode_directory(&bytes), Ok(rows));
        assert!(decode_directory(&bytes[..bytes.len() - 1]).is_err());
    }

    #[test]
    fn a_trailer_reads_back_only_in_its_own_file() {
        let section = Section { offset: 1000, length: 24, crc: 1 };
        let trailer = Trailer {
            segment: 4,
            records_end: 900,
            directory: section,
            records: 9,
            gops: 7,
            merkle_root: [7; 32],
            sealed_at: Timestamp(5),
        };
        let mut bytes = Vec::new();
        trailer.encode(&mut bytes);
        assert_eq!(bytes.len() as u64, TRAILER_BYTES);
        assert_eq!(Trailer::decode(&bytes, 4, 1024 + TRAILER_BYTES), Ok(trailer));
        assert!(Trailer::decode(&bytes, 5, 1024 + TRAILER_BYTES).is_err(), "another segment");
        assert!(Trailer::decode(&bytes, 4, 1000 + TRAILER_BYTES).is_err(), "a shorter file");
    }

    proptest! {
        #[test]
        fn any_bytes_decode_to_a_value_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            drop(decode_directory(&bytes));
            let _ = Trailer::decode(&bytes, 0, 1000);
        }
    }
}
