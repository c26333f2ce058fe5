//! The end of a sealed segment: index blocks, directory of streams, parameter sets, trailer.

use std::sync::Arc;

use sightline_model::{
    CameraId, Timestamp,
    id::CODE_BYTES,
    media::{ParameterSets, StreamKey},
};

use super::{
    Bad, VERSION,
    cursor::{Cursor, checked, put_crc},
    merkle::Hash,
    payload::{decode_params, encode_params},
    record::{stream_code, stream_from_code},
};

const MAGIC: [u8; 8] = *b"SLFOOT01";
/// Length of the trailer, the last bytes of a sealed segment.
pub(crate) const TRAILER_BYTES: u64 = 128;
/// Length of one row of the directory.
const DIRECTORY_ROW_BYTES: usize = 100;
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
        Self { offset, length, crc: crc32c::crc32c(bytes) }
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
    /// From the earliest start to the latest end of GOPs.
    pub(crate) footage: Hull,
    /// The same of gaps.
    pub(crate) missing: Hull,
    /// End of the GOP that was written last.
    pub(crate) last_gop_end: Option<Timestamp>,
    /// End of the GOP or gap that was written last: from here on nothing is known.
    pub(crate) known_until: Option<Timestamp>,
}

impl DirectoryRow {
    fn encode(&self, out: &mut Vec<u8>) {
        let time = |at: Option<Timestamp>| at.map_or(NO_TIME, |at| at.0).to_le_bytes();
        let times = [
            time(self.summary.footage.map(|hull| hull.0)),
            time(self.summary.footage.map(|hull| hull.1)),
            time(self.summary.missing.map(|hull| hull.0)),
            time(self.summary.missing.map(|hull| hull.1)),
            time(self.summary.last_gop_end),
            time(self.summary.known_until),
        ];
        out.extend_from_slice(&self.key.camera.to_bytes());
        out.push(stream_code(self.key.stream));
        out.extend_from_slice(&[0; 3]);
        out.extend_from_slice(&self.summary.gops.to_le_bytes());
        out.extend_from_slice(&self.summary.gaps.to_le_bytes());
        out.extend_from_slice(times.as_flattened());
        self.block.encode(out);
    }

    fn decode(cursor: &mut Cursor<'_>) -> Option<Self> {
        let camera = CameraId::from_bytes(cursor.array::<CODE_BYTES>()?).ok()?;
        let stream = stream_from_code(cursor.u8()?)?;
        cursor.take(3)?;
        let (gops, gaps) = (cursor.u32()?, cursor.u32()?);
        let mut time = || cursor.i64().map(|at| (at != NO_TIME).then_some(Timestamp(at)));
        let footage = time()?.zip(time()?);
        let missing = time()?.zip(time()?);
        let (last_gop_end, known_until) = (time()?, time()?);
        let summary = Summary { gops, gaps, footage, missing, last_gop_end, known_until };
        Some(Self { key: StreamKey { camera, stream }, summary, block: Section::decode(cursor)? })
    }
}

/// Appends the directory's rows, with their number in front.
pub(crate) fn encode_directory(rows: &[DirectoryRow], out: &mut Vec<u8>) {
    out.extend_from_slice(&u32::try_from(rows.len()).unwrap_or(u32::MAX).to_le_bytes());
    for row in rows {
        row.encode(out);
    }
}

/// Reads a directory back.
pub(crate) fn decode_directory(bytes: &[u8]) -> Result<Vec<DirectoryRow>, Bad> {
    let bad = "the footer's directory makes no sense";
    let mut cursor = Cursor::new(bytes);
    let count = usize::try_from(cursor.u32().ok_or(bad)?).map_err(|_| bad)?;
    if count.checked_mul(DIRECTORY_ROW_BYTES) != Some(cursor.remaining()) {
        return Err(bad);
    }
    (0..count).map(|_| DirectoryRow::decode(&mut cursor).ok_or(bad)).collect()
}

/// Appends all parameter sets of a segment, in the order of their ids.
pub(crate) fn encode_params_list(list: &[Arc<ParameterSets>], out: &mut Vec<u8>) {
    out.extend_from_slice(&u32::try_from(list.len()).unwrap_or(u32::MAX).to_le_bytes());
    for params in list {
        let mut one = Vec::new();
        encode_params(params, &mut one);
        out.extend_from_slice(&u32::try_from(one.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.extend_from_slice(&one);
    }
}

/// Reads the parameter sets back.
pub(crate) fn decode_params_list(bytes: &[u8]) -> Result<Vec<Arc<ParameterSets>>, Bad> {
    let bad = "the footer's parameter sets make no sense";
    let mut cursor = Cursor::new(bytes);
    let count = usize::try_from(cursor.u32().ok_or(bad)?).map_err(|_| bad)?;
    let mut list = Vec::with_capacity(count.min(cursor.remaining() / 16));
    for _ in 0..count {
        let length = usize::try_from(cursor.u32().ok_or(bad)?).map_err(|_| bad)?;
        list.push(Arc::new(decode_params(cursor.take(length).ok_or(bad)?)?));
    }
    if cursor.is_empty() { Ok(list) } else { Err(bad) }
}

/// The fixed end of a sealed segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trailer {
    pub(crate) segment: u64,
    /// Where the records end and the index blocks begin.
    pub(crate) records_end: u64,
    pub(crate) directory: Section,
    pub(crate) params: Section,
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
        self.params.encode(out);
        out.extend_from_slice(&self.records.to_le_bytes());
        out.extend_from_slice(&self.gops.to_le_bytes());
        out.extend_from_slice(&self.merkle_root);
        out.extend_from_slice(&self.sealed_at.0.to_le_bytes());
        out.extend_from_slice(&[0; 12]);
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
        let inside = trailer.records_end <= body_end
            && trailer.directory.end() <= body_end
            && trailer.params.end() <= body_end;
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
            params: Section::decode(&mut cursor)?,
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
        let rows = vec![DirectoryRow { key: testkit::key("a"), summary, block }; 2];
        let mut bytes = Vec::new();
        encode_directory(&rows, &mut bytes);
        assert_eq!(bytes.len(), 4 + 2 * DIRECTORY_ROW_BYTES);
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
            params: section,
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
            drop(decode_params_list(&bytes));
            let _ = Trailer::decode(&bytes, 0, 1000);
        }
    }
}
