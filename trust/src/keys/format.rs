//! The bytes of a day's key file: pure encoding and decoding; `KEYS.md` has the tables. Decoders take any bytes whatever and
//! answer with a value or with what is wrong.

use sightline_footage::{CameraHour, KeyId, WRAPPED_KEY_BYTES};
use sightline_model::{CameraId, id::CODE_BYTES};

use super::master::{MASTER_ID_BYTES, MasterId};

/// First bytes of every key file.
pub(super) const MAGIC: [u8; 8] = *b"SLKEYS01";
/// Newest version that this program writes and reads.
pub(super) const VERSION: u16 = 1;
/// Length of the header.
pub(super) const HEADER_BYTES: usize = 128;
/// Length of a row.
pub(super) const ROW_BYTES: usize = 104;

const FLAG_DESTROYED: u16 = 1;
const KIND_KEY: u8 = 1;
const KIND_DESTROYED: u8 = 2;

/// What is wrong with a key file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bad {
    /// The header is not that of a key file, or was changed.
    Damaged(&'static str),
    /// A later version.
    Version(u16),
}

/// The header of a day's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Days since 1970 (UTC).
    pub day: u32,
    /// Whether the day's keys were destroyed; what stands in the file was kept, or made since.
    pub destroyed: bool,
    /// The master key that wraps the day key.
    pub master: MasterId,
    /// The day key.
    pub wrapped: [u8; WRAPPED_KEY_BYTES],
}

/// One key of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub id: KeyId,
    /// What it is for.
    pub of: CameraHour,
    /// The data key wrapped by the day key; `None` once it was destroyed.
    pub wrapped: Option<[u8; WRAPPED_KEY_BYTES]>,
}

/// A key file in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    /// Its header.
    pub header: Header,
    /// Its rows in order, up to the last good one; `None` where one is damaged.
    pub rows: Vec<Option<Row>>,
    /// Bytes behind the last good row: what a crash tore.
    pub torn_bytes: usize,
}

impl Header {
    pub(super) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut out = Vec::with_capacity(HEADER_BYTES);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&(if self.destroyed { FLAG_DESTROYED } else { 0 }).to_le_bytes());
        out.extend_from_slice(&self.day.to_le_bytes());
        out.extend_from_slice(&self.master.0);
        out.extend_from_slice(&self.wrapped);
        finish(out)
    }

    /// Reads a header from the front of `bytes`.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Bad> {
        let (header, _) =
            bytes.split_first_chunk::<HEADER_BYTES>().ok_or(Bad::Damaged("its header is cut short"))?;
        if !header.starts_with(&MAGIC) {
            return Err(Bad::Damaged("it does not begin as a key file does"));
        }
        let mut fields =
            Fields(checked(header).ok_or(Bad::Damaged("its header does not match its checksum"))?);
        Self::fields(&mut fields).unwrap_or(Err(Bad::Damaged("its header is cut short")))
    }

    fn fields(fields: &mut Fields<'_>) -> Option<Result<Self, Bad>> {
        fields.take::<8>()?;
        let version = u16::from_le_bytes(fields.take()?);
        if version != VERSION {
            return Some(Err(Bad::Version(version)));
        }
        let flags = u16::from_le_bytes(fields.take()?);
        let day = u32::from_le_bytes(fields.take()?);
        let master = MasterId(fields.take::<MASTER_ID_BYTES>()?);
        let wrapped = fields.take()?;
        Some(Ok(Self { day, destroyed: flags & FLAG_DESTROYED != 0, master, wrapped }))
    }

    /// What the wrapped day key is bound to.
    pub(super) fn binding(day: u32) -> [u8; 12] {
        let mut out = *b"SLKDAY\0\x01\0\0\0\0";
        if let Some(place) = out.last_chunk_mut() {
            *place = day.to_le_bytes();
        }
        out
    }
}

impl Row {
    pub(super) fn encode(&self) -> [u8; ROW_BYTES] {
        let mut out = Vec::with_capacity(ROW_BYTES);
        out.push(if self.wrapped.is_some() { KIND_KEY } else { KIND_DESTROYED });
        out.extend_from_slice(&[0; 3]);
        out.extend_from_slice(&self.of.hour.to_le_bytes());
        out.extend_from_slice(&self.of.camera.to_bytes());
        out.extend_from_slice(&self.id.0.to_le_bytes());
        out.extend_from_slice(&self.wrapped.unwrap_or([0; WRAPPED_KEY_BYTES]));
        finish(out)
    }

    /// `None` when it is damaged or makes no sense in the file of `day`.
    fn decode(bytes: &[u8; ROW_BYTES], day: u32) -> Option<Self> {
        let mut fields = Fields(checked(bytes)?);
        let [kind, _, _, _] = fields.take()?;
        let hour = u32::from_le_bytes(fields.take()?);
        let camera = CameraId::from_bytes(fields.take::<CODE_BYTES>()?).ok()?;
        let (id, of) = (KeyId(u64::from_le_bytes(fields.take()?)), CameraHour { camera, hour });
        let wrapped = fields.take()?;
        let wrapped = match kind {
            KIND_KEY => Some(wrapped),
            KIND_DESTROYED => None,
            _ => return None,
        };
        (id != KeyId::NONE && id.day() == day && of.day() == day).then_some(Self { id, of, wrapped })
    }

    /// What a wrapped data key is bound to.
    pub(super) fn binding(id: KeyId, of: CameraHour) -> [u8; 44] {
        let mut out = [0; 44];
        let hour = of.hour.to_le_bytes();
        let (camera, id) = (of.camera.to_bytes(), id.0.to_le_bytes());
        let parts = b"SLKROW\0\x01".iter().chain(&hour).chain(&camera).chain(&id);
        for (to, from) in out.iter_mut().zip(parts) {
            *to = *from;
        }
        out
    }
}

/// Reads a whole key file. Damaged rows between good ones stay as holes: each costs its own camera-hour alone.
///
/// # Errors
/// When the header cannot be read.
pub fn parse(bytes: &[u8]) -> Result<KeyFile, Bad> {
    let header = Header::decode(bytes)?;
    let (rows, _) = bytes.get(HEADER_BYTES..).unwrap_or_default().as_chunks::<ROW_BYTES>();
    let mut rows: Vec<_> = rows.iter().map(|row| Row::decode(row, header.day)).collect();
    while rows.pop_if(|row| row.is_none()).is_some() {}
    let torn_bytes = bytes.len() - HEADER_BYTES - rows.len() * ROW_BYTES;
    Ok(KeyFile { header, rows, torn_bytes })
}

/// Reads one row of the file of `day`.
pub(super) fn parse_row(bytes: &[u8; ROW_BYTES], day: u32) -> Option<Row> {
    Row::decode(bytes, day)
}

/// Pads with zeros and puts the checksum into the last 4 bytes.
fn finish<const N: usize>(mut out: Vec<u8>) -> [u8; N] {
    out.resize(N - 4, 0);
    let crc = checksum(&out);
    out.extend_from_slice(&crc.to_le_bytes());
    let mut whole = [0; N];
    for (to, from) in whole.iter_mut().zip(out) {
        *to = from;
    }
    whole
}

fn checked<const N: usize>(bytes: &[u8; N]) -> Option<&[u8]> {
    let (body, crc) = bytes.split_last_chunk::<4>()?;
    (checksum(body) == u32::from_le_bytes(*crc)).then_some(body)
}

/// Reads fields off the front.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (front, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*front)
    }
}

/// CRC-32C (RFC 3720).
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    u32::try_from(crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, bytes)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: u32 = 20_779;

    fn header() -> Header {
        Header { day: DAY, destroyed: true, master: MasterId([3; 16]), wrapped: [4; 60] }
    }

    fn row(n: u32, live: bool) -> Row {
        let of = CameraHour { camera: format!("gate-{n}").parse().unwrap(), hour: DAY * 24 + n % 24 };
        Row { id: KeyId::random(DAY).unwrap(), of, wrapped: live.then_some([5; 60]) }
    }

    fn file(rows: &[Row]) -> Vec<u8> {
        let mut bytes = header().encode().to_vec();
        for row in rows {
            bytes.extend_from_slice(&row.encode());
        }
        bytes
    }

    #[test]
    fn a_file_reads_back_and_every_flipped_bit_is_noticed() {
        let rows = [row(1, true), row(2, false), row(3, true)];
        let bytes = file(&rows);
        let whole = parse(&bytes).unwrap();
        assert_eq!((whole.header, whole.torn_bytes), (header(), 0));
        assert_eq!(whole.rows, rows.map(Some));
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            match parse(&bad) {
                Err(_) => assert!(bit / 8 < HEADER_BYTES),
                Ok(found) => {
                    let lost = (bit / 8 - HEADER_BYTES) / ROW_BYTES;
                    for (n, row) in rows.iter().enumerate() {
                        let stays = found.rows.get(n).copied().flatten();
                        assert_eq!(stays, (n != lost).then_some(*row), "bit {bit}, row {n}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_torn_tail_is_told_at_every_length() {
        let rows = [row(1, true), row(2, true)];
        let bytes = file(&rows);
        for length in 0..=bytes.len() {
            match parse(&bytes[..length]) {
                Err(bad) => assert!(length < HEADER_BYTES && matches!(bad, Bad::Damaged(_))),
                Ok(found) => {
                    let whole = (length - HEADER_BYTES) / ROW_BYTES;
                    assert_eq!(found.rows, rows[..whole].iter().copied().map(Some).collect::<Vec<_>>());
                    assert_eq!(found.torn_bytes, (length - HEADER_BYTES) % ROW_BYTES);
                }
            }
        }
        let mut zeros = bytes.clone();
        zeros.resize(bytes.len() + 3 * ROW_BYTES + 7, 0);
        assert_eq!(parse(&zeros).unwrap().torn_bytes, 3 * ROW_BYTES + 7, "space that was never written");
    }

    #[test]
    fn a_later_version_is_told() {
        let mut bytes = header().encode();
        bytes[8] = 2;
        let crc = checksum(&bytes[..HEADER_BYTES - 4]).to_le_bytes();
        bytes[HEADER_BYTES - 4..].copy_from_slice(&crc);
        assert_eq!(Header::decode(&bytes), Err(Bad::Version(2)));
    }

    #[test]
    fn a_row_of_another_day_is_not_taken() {
        let mut other = row(1, true);
        other.of.hour += 24;
        assert_eq!(parse(&file(&[other])).unwrap().rows, []);
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_error_or_a_value(bytes: Vec<u8>, from: usize, with in 0..3) {
            let whole = file(&[row(1, true), row(2, false), row(3, true)]);
            let mut input = match with {
                0 => bytes.clone(),
                1 => [&whole[..HEADER_BYTES], &bytes].concat(),
                _ => whole.clone(),
            };
            if with == 2 && !bytes.is_empty() {
                let from = from % input.len();
                for (to, byte) in input[from..].iter_mut().zip(&bytes) {
                    *to = *byte;
                }
            }
            if let Ok(found) = parse(&input) {
                let told = HEADER_BYTES + found.rows.len() * ROW_BYTES + found.torn_bytes;
                prop_assert_eq!(told, input.len());
            }
        }
    }
}
