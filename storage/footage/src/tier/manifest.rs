//! The object that makes an uploaded segment count, and says what there is of it. Pure; `DESIGN.md` has the table.
//!
//! It carries the segment's header and everything behind its records, so that manifests alone are enough to know all
//! footage of a tier. Any bytes decode to a manifest or to what is wrong with them.

use bytes::Bytes;
use sightline_model::Timestamp;

use crate::{
    config::NODE_BYTES,
    format::{
        Bad,
        cursor::{Cursor, checked, put_crc},
        merkle::Hash,
    },
};

const MAGIC: [u8; 8] = *b"SLTIER01";
/// Newest version this program writes and reads.
pub(crate) const VERSION: u16 = 1;

/// See the module's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) segment: u64,
    pub(crate) node: String,
    /// Length of the segment file.
    pub(crate) bytes: u64,
    /// Length of every chunk but the last.
    pub(crate) chunk_bytes: u64,
    pub(crate) uploaded: Timestamp,
    /// BLAKE3 of the whole file.
    pub(crate) whole: Hash,
    /// BLAKE3 of each chunk.
    pub(crate) chunks: Vec<Hash>,
    /// The first bytes of the file.
    pub(crate) header: Bytes,
    /// The last bytes of the file, from the end of its records on.
    pub(crate) tail: Bytes,
}

/// Why a manifest cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ManifestError {
    Bad(Bad),
    Version(u16),
}

impl Manifest {
    /// Whether both are of the same footage cut in the same way.
    pub(crate) fn same_content(&self, other: &Self) -> bool {
        let facts = |m: &Self| (m.segment, m.bytes, m.chunk_bytes, m.whole);
        facts(self) == facts(other) && self.node == other.node && self.chunks == other.chunks
    }

    /// Length of chunk `number`, which must be one of it.
    pub(crate) fn chunk_length(&self, number: u32) -> u64 {
        let from = u64::from(number).saturating_mul(self.chunk_bytes);
        self.bytes.saturating_sub(from).min(self.chunk_bytes)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes();
        let mut out = Vec::with_capacity(256 + 32 * self.chunks.len() + self.header.len() + self.tail.len());
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&[0; 6]);
        out.extend_from_slice(&self.segment.to_le_bytes());
        out.extend_from_slice(&self.bytes.to_le_bytes());
        out.extend_from_slice(&self.chunk_bytes.to_le_bytes());
        out.extend_from_slice(&self.uploaded.0.to_le_bytes());
        let mut node = self.node.clone().into_bytes();
        node.resize(NODE_BYTES, 0);
        out.extend_from_slice(&node);
        out.extend_from_slice(&self.whole);
        out.extend_from_slice(&length(self.chunks.len()));
        out.extend_from_slice(&length(self.header.len()));
        out.extend_from_slice(&length(self.tail.len()));
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(self.chunks.as_flattened());
        out.extend_from_slice(&self.header);
        out.extend_from_slice(&self.tail);
        put_crc(&mut out, 0);
        out
    }

    pub(crate) fn decode(bytes: &Bytes) -> Result<Self, ManifestError> {
        if !bytes.starts_with(&MAGIC) {
            return Err(ManifestError::Bad("it is not a manifest"));
        }
        let body = checked(bytes).ok_or(ManifestError::Bad("it does not match its checksum"))?;
        let mut cursor = Cursor::new(body);
        let version = cursor.take(8).and_then(|_| cursor.u16());
        if let Some(later) = version.filter(|version| *version > VERSION) {
            return Err(ManifestError::Version(later));
        }
        Self::fields(bytes, &mut cursor).ok_or(ManifestError::Bad("it makes no sense"))
    }

    fn fields(all: &Bytes, cursor: &mut Cursor<'_>) -> Option<Self> {
        cursor.take(6)?;
        let segment = cursor.u64()?;
        let bytes = cursor.u64()?;
        let chunk_bytes = cursor.u64()?;
        let uploaded = Timestamp(cursor.i64()?);
        let node = String::from_utf8_lossy(cursor.take(NODE_BYTES)?).trim_end_matches('\0').to_owned();
        let whole = cursor.array()?;
        let mut length = || cursor.u32().and_then(|length| usize::try_from(length).ok());
        let (chunks, header, tail) = (length()?, length()?, length()?);
        cursor.take(4)?;
        let (hashes, rest) = cursor.take(chunks.checked_mul(32)?)?.as_chunks::<32>();
        let header = all.slice_ref(cursor.take(header)?);
        let tail = all.slice_ref(cursor.take(tail)?);
        let sound = cursor.is_empty()
            && rest.is_empty()
            && chunk_bytes > 0
            && bytes.div_ceil(chunk_bytes) == chunks as u64
            && header.len() as u64 + tail.len() as u64 <= bytes;
        let chunks = hashes.to_vec();
        sound.then_some(Self { segment, node, bytes, chunk_bytes, uploaded, whole, chunks, header, tail })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn example() -> Manifest {
        Manifest {
            segment: 7,
            node: "north".to_owned(),
            bytes: 2500,
            chunk_bytes: 1000,
            uploaded: Timestamp(5),
            whole: [1; 32],
            chunks: vec![[2; 32], [3; 32], [4; 32]],
            header: Bytes::from_static(b"head"),
            tail: Bytes::from_static(b"the tail"),
        }
    }

    #[test]
    fn a_manifest_reads_back_and_a_flipped_bit_is_noticed() {
        let manifest = example();
        let bytes = Bytes::from(manifest.encode());
        assert_eq!(Manifest::decode(&bytes), Ok(manifest.clone()));
        assert_eq!((manifest.chunk_length(0), manifest.chunk_length(2)), (1000, 500));
        for at in 0..bytes.len() {
            let mut bad = bytes.to_vec();
            bad[at] ^= 0x10;
            assert!(matches!(Manifest::decode(&bad.into()), Err(ManifestError::Bad(_))), "byte {at}");
        }
        for length in 0..bytes.len() {
            assert!(Manifest::decode(&bytes.slice(..length)).is_err(), "cut at {length}");
        }
    }

    #[test]
    fn a_later_version_is_named_and_nonsense_is_refused() {
        let recoded = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = example().encode();
            bytes.truncate(bytes.len() - 4);
            change(&mut bytes);
            put_crc(&mut bytes, 0);
            Manifest::decode(&bytes.into())
        };
        assert_eq!(recoded(&|bytes| bytes[8] = 9), Err(ManifestError::Version(9)));
        let nonsense = Err(ManifestError::Bad("it makes no sense"));
        assert_eq!(recoded(&|bytes| bytes.push(0)), nonsense, "bytes too many");
        assert_eq!(recoded(&|bytes| bytes[32..40].fill(0)), nonsense, "chunks of no bytes");
        assert_eq!(recoded(&|bytes| bytes[26] = 0xff), nonsense, "a length that needs other chunks");
        assert_eq!(recoded(&|bytes| bytes[112..116].fill(0xff)), nonsense, "four billion chunks");
    }

    #[test]
    fn only_the_same_footage_in_the_same_chunks_is_the_same() {
        let one = example();
        assert!(one.same_content(&Manifest { uploaded: Timestamp(9), ..one.clone() }));
        assert!(!one.same_content(&Manifest { whole: [9; 32], ..one.clone() }));
        assert!(!one.same_content(&Manifest { chunk_bytes: 2500, ..one.clone() }));
        assert!(!one.same_content(&Manifest { node: "south".to_owned(), ..one.clone() }));
    }

    proptest! {
        #[test]
        fn any_bytes_decode_to_a_value_or_an_error(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..400),
            whole: bool,
        ) {
            if whole {
                let start = MAGIC.len().min(bytes.len());
                bytes[..start].copy_from_slice(&MAGIC[..start]);
                put_crc(&mut bytes, 0);
            }
            drop(Manifest::decode(&bytes.into()));
        }
    }
}
