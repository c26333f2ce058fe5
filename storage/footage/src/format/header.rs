//! The first bytes of a segment file.

use sightline_model::Timestamp;

use super::{
    Bad, VERSION,
    cursor::{Cursor, checked, put_crc},
};
use crate::config::NODE_BYTES;

const MAGIC: [u8; 8] = *b"SLSEGMT2";
/// Length of the segment header.
pub(crate) const SEGMENT_HEADER_BYTES: u64 = 128;
/// Where the first record begins: at a page, so that large writes may go past the page cache.
pub(crate) const RECORDS_START: u64 = 4096;
const RESERVED: usize = 60;

/// What a segment says of itself. Never changes after creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) id: u64,
    /// Code of the retention class.
    pub(crate) class: u8,
    pub(crate) lane: u8,
    pub(crate) created: Timestamp,
    pub(crate) node: String,
}

/// Why a segment header cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeaderError {
    Bad(Bad),
    Version(u16),
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.push(self.class);
        out.push(self.lane);
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&self.id.to_le_bytes());
        out.extend_from_slice(&self.created.0.to_le_bytes());
        let mut node = self.node.clone().into_bytes();
        node.resize(NODE_BYTES, 0);
        out.extend_from_slice(&node);
        out.extend_from_slice(&[0; RESERVED]);
        put_crc(&mut out, 0);
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, HeaderError> {
        let body =
            checked(bytes).ok_or(HeaderError::Bad("the segment header does not match its checksum"))?;
        let short = HeaderError::Bad("the segment header is too short");
        let mut cursor = Cursor::new(body);
        if cursor.array::<8>().ok_or(short)? != MAGIC {
            return Err(HeaderError::Bad("this is not a segment"));
        }
        let version = cursor.u16().ok_or(short)?;
        if version != VERSION {
            return Err(HeaderError::Version(version));
        }
        let class = cursor.u8().ok_or(short)?;
        let lane = cursor.u8().ok_or(short)?;
        cursor.take(4).ok_or(short)?;
        let id = cursor.u64().ok_or(short)?;
        let created = Timestamp(cursor.i64().ok_or(short)?);
        let node = cursor.take(NODE_BYTES).ok_or(short)?;
        let node = String::from_utf8_lossy(node).trim_end_matches('\0').to_owned();
        Ok(Self { id, class, lane, created, node })
    }
}

/// Name of the file of segment `id`.
pub(crate) fn file_name(id: u64) -> String {
    format!("{id:016x}.seg")
}

/// The segment id that a file name stands for.
pub(crate) fn parse_file_name(name: &str) -> Option<u64> {
    let stem = name.strip_suffix(".seg").filter(|stem| stem.len() == 16)?;
    u64::from_str_radix(stem, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back_and_a_flipped_bit_is_noticed() {
        let header =
            SegmentHeader { id: 7, class: 0, lane: 3, created: Timestamp(123), node: "north".into() };
        let bytes = header.encode();
        assert_eq!(bytes.len() as u64, SEGMENT_HEADER_BYTES);
        assert_eq!(SegmentHeader::decode(&bytes), Ok(header));
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 0x10;
            assert!(matches!(SegmentHeader::decode(&bad), Err(HeaderError::Bad(_))), "byte {at}");
        }
    }

    #[test]
    fn a_later_version_is_named_and_not_taken_for_damage() {
        let header =
            SegmentHeader { id: 7, class: 0, lane: 3, created: Timestamp(123), node: "north".into() };
        let mut bytes = header.encode();
        bytes.truncate(124);
        bytes[8] = 9;
        put_crc(&mut bytes, 0);
        assert_eq!(SegmentHeader::decode(&bytes), Err(HeaderError::Version(9)));
    }

    #[test]
    fn file_names_read_back() {
        assert_eq!(parse_file_name(&file_name(0xabc)), Some(0xabc));
        assert_eq!(parse_file_name("0000000000000abc.seg.tmp"), None);
        assert_eq!(parse_file_name("abc.seg"), None);
    }
}
