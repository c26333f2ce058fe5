//! The header that every record begins with: the recovery journal is the chain of these headers.

use sightline_model::{
    CameraId, Timestamp,
    id::CODE_BYTES,
    media::{CameraClock, Policy, RunId, StreamKey, StreamKind},
};

use super::{
    Bad,
    cursor::{Cursor, checked, put_crc},
};
use crate::crypt::{self, Aad, KeyId, NONCE_BYTES};

/// First bytes of every record.
pub(crate) const RECORD_MAGIC: [u8; 4] = *b"SLR2";
/// Length of a record header.
pub(crate) const RECORD_HEADER_BYTES: u64 = 160;
/// Longest record: what a reader may be asked to hold at once.
pub(crate) const MAX_RECORD_BYTES: u64 = 1 << 30;

/// What encryption adds to a payload: the authentication tag.
pub(crate) const TAG_BYTES: u64 = crypt::TAG_BYTES as u64;

const FLAG_KEYFRAMES: u16 = 1;
const FLAG_CAMERA_CLOCK: u16 = 1 << 1;
const FLAG_JOINED: u16 = 1 << 2;

/// What a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Gop,
    Gap,
    Params,
}

impl Kind {
    const fn code(self) -> u8 {
        match self {
            Self::Gop => 1,
            Self::Gap => 2,
            Self::Params => 3,
        }
    }

    const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Gop),
            2 => Some(Self::Gap),
            3 => Some(Self::Params),
            _ => None,
        }
    }
}

/// A record header. Fields that a kind does not use are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    pub(crate) kind: Kind,
    /// Header and payload, without the padding behind them.
    pub(crate) total_bytes: u32,
    pub(crate) payload_crc: u32,
    /// The segment it was written to: a stale block of another file is never taken for a record of this one.
    pub(crate) segment: u64,
    /// Its number in the segment.
    pub(crate) seq: u32,
    pub(crate) key: StreamKey,
    pub(crate) run: RunId,
    pub(crate) number: u32,
    pub(crate) part: u16,
    pub(crate) policy: Policy,
    /// Whether it belongs together with the part before it.
    pub(crate) joined: bool,
    pub(crate) start: Timestamp,
    pub(crate) duration_90k: u32,
    pub(crate) media_90k: i64,
    pub(crate) camera_clock: Option<CameraClock>,
    /// Where the first record of its parameter sets stands in the segment, in units of [`super::ALIGN`]; parameter sets
    /// name themselves.
    pub(crate) params: u32,
    pub(crate) units: u32,
    pub(crate) media_bytes: u32,
    /// Key the payload is encrypted with; [`KeyId::NONE`]: not encrypted.
    pub(crate) key_id: KeyId,
    /// Fresh for every payload that is encrypted.
    pub(crate) nonce: [u8; NONCE_BYTES],
    /// The piece before this one, when it stands in the same segment.
    pub(crate) before: Option<Before>,
}

/// Where the piece of a GOP before this one stands in the same segment: pieces are a chain that is read backwards, so
/// that the index needs one entry for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Before {
    pub(crate) offset: u64,
    /// Its length, header included, without padding.
    pub(crate) total_bytes: u32,
}

impl RecordHeader {
    /// A header with everything but kind, stream and start at rest.
    pub(crate) fn new(kind: Kind, key: StreamKey, start: Timestamp) -> Self {
        Self {
            kind,
            total_bytes: 0,
            payload_crc: 0,
            segment: 0,
            seq: 0,
            key,
            run: RunId(0),
            number: 0,
            part: 0,
            policy: Policy::Full,
            joined: false,
            start,
            duration_90k: 0,
            media_90k: 0,
            camera_clock: None,
            params: 0,
            units: 0,
            media_bytes: 0,
            key_id: KeyId::NONE,
            nonce: [0; NONCE_BYTES],
            before: None,
        }
    }

    /// Whether the payload is encrypted.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.key_id != KeyId::NONE
    }

    /// What encryption binds the payload to: everything that says what it is, and nothing that says where it lies.
    pub(crate) fn aad(&self) -> [u8; crypt::AAD_BYTES] {
        let Self { key, run, number, part, start, duration_90k, units, media_bytes, key_id, .. } = *self;
        let flags = self.flags();
        Aad { key, run, number, part, start, duration_90k, units, media_bytes, flags, key_id }.encode()
    }

    fn flags(&self) -> u16 {
        let bit = |set: bool, bit: u16| if set { bit } else { 0 };
        bit(self.policy == Policy::Keyframes, FLAG_KEYFRAMES)
            | bit(self.camera_clock.is_some(), FLAG_CAMERA_CLOCK)
            | bit(self.joined, FLAG_JOINED)
    }

    /// Appends the encoded header.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let flags = self.flags();
        let clock = self.camera_clock.unwrap_or(CameraClock { offset_us: 0, uncertainty_us: 0 });
        out.extend_from_slice(&RECORD_MAGIC);
        out.extend_from_slice(&self.total_bytes.to_le_bytes());
        out.extend_from_slice(&self.payload_crc.to_le_bytes());
        out.push(self.kind.code());
        out.push(stream_code(self.key.stream));
        out.extend_from_slice(&flags.to_le_bytes());
        out.extend_from_slice(&self.segment.to_le_bytes());
        out.extend_from_slice(&self.seq.to_le_bytes());
        out.extend_from_slice(&self.params.to_le_bytes());
        out.extend_from_slice(&self.key.camera.to_bytes());
        out.extend_from_slice(&self.run.0.to_le_bytes());
        out.extend_from_slice(&self.number.to_le_bytes());
        out.extend_from_slice(&self.part.to_le_bytes());
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(&self.start.0.to_le_bytes());
        out.extend_from_slice(&self.duration_90k.to_le_bytes());
        out.extend_from_slice(&self.units.to_le_bytes());
        out.extend_from_slice(&self.media_90k.to_le_bytes());
        out.extend_from_slice(&clock.offset_us.to_le_bytes());
        out.extend_from_slice(&clock.uncertainty_us.to_le_bytes());
        out.extend_from_slice(&self.media_bytes.to_le_bytes());
        out.extend_from_slice(&self.key_id.0.to_le_bytes());
        out.extend_from_slice(&self.nonce);
        let before = self.before.unwrap_or(Before { offset: 0, total_bytes: 0 });
        out.extend_from_slice(&before.offset.to_le_bytes());
        out.extend_from_slice(&before.total_bytes.to_le_bytes());
        out.extend_from_slice(&[0; 12]);
        put_crc(out, start);
    }

    /// Reads a header back from exactly [`RECORD_HEADER_BYTES`] bytes.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Bad> {
        if !bytes.starts_with(&RECORD_MAGIC) {
            return Err("no record begins here");
        }
        let body = checked(bytes).ok_or("the record header does not match its checksum")?;
        Self::fields(body).ok_or("the record header makes no sense")
    }

    fn fields(body: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(body);
        cursor.array::<4>()?;
        let total_bytes = cursor.u32()?;
        let payload_crc = cursor.u32()?;
        let kind = Kind::from_code(cursor.u8()?)?;
        let stream = stream_from_code(cursor.u8()?)?;
        let flags = cursor.u16()?;
        let segment = cursor.u64()?;
        let seq = cursor.u32()?;
        let params = cursor.u32()?;
        let camera = CameraId::from_bytes(cursor.array::<CODE_BYTES>()?).ok()?;
        let run = RunId(cursor.u64()?);
        let number = cursor.u32()?;
        let part = cursor.u16()?;
        cursor.take(2)?;
        let start = Timestamp(cursor.i64()?);
        let duration_90k = cursor.u32()?;
        let units = cursor.u32()?;
        let media_90k = cursor.i64()?;
        let clock = CameraClock { offset_us: cursor.i64()?, uncertainty_us: cursor.u32()? };
        let media_bytes = cursor.u32()?;
        let key_id = KeyId(cursor.u64()?);
        let nonce = cursor.array()?;
        let before = Before { offset: cursor.u64()?, total_bytes: cursor.u32()? };
        let fits = (RECORD_HEADER_BYTES..=MAX_RECORD_BYTES).contains(&u64::from(total_bytes));
        fits.then_some(Self {
            kind,
            total_bytes,
            payload_crc,
            segment,
            seq,
            key: StreamKey { camera, stream },
            run,
            number,
            part,
            policy: if flags & FLAG_KEYFRAMES == 0 { Policy::Full } else { Policy::Keyframes },
            joined: flags & FLAG_JOINED != 0,
            start,
            duration_90k,
            media_90k,
            camera_clock: (flags & FLAG_CAMERA_CLOCK != 0).then_some(clock),
            params,
            units,
            media_bytes,
            key_id,
            nonce,
            before: (before.offset != 0).then_some(before),
        })
    }
}

/// The number that stands for a stream on disk.
pub(crate) const fn stream_code(stream: StreamKind) -> u8 {
    match stream {
        StreamKind::Main => 1,
        StreamKind::Sub => 2,
    }
}

/// The stream of a number on disk.
pub(crate) const fn stream_from_code(code: u8) -> Option<StreamKind> {
    match code {
        1 => Some(StreamKind::Main),
        2 => Some(StreamKind::Sub),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> RecordHeader {
        let key = StreamKey { camera: "gate-3".parse().unwrap(), stream: StreamKind::Sub };
        RecordHeader {
            total_bytes: 900,
            payload_crc: 77,
            segment: 5,
            seq: 12,
            run: RunId(1_795_000_000_000_000),
            number: 3,
            part: 2,
            policy: Policy::Keyframes,
            joined: true,
            duration_90k: 180_000,
            media_90k: -4,
            camera_clock: Some(CameraClock { offset_us: -250, uncertainty_us: 9 }),
            params: 1,
            units: 50,
            media_bytes: 372,
            key_id: KeyId(11),
            nonce: [6; NONCE_BYTES],
            before: Some(Before { offset: 4096, total_bytes: 700 }),
            ..RecordHeader::new(Kind::Gop, key, Timestamp(1_795_000_000_000_001))
        }
    }

    #[test]
    fn a_header_reads_back_and_every_flipped_bit_is_noticed() {
        let mut bytes = Vec::new();
        header().encode(&mut bytes);
        assert_eq!(bytes.len() as u64, RECORD_HEADER_BYTES);
        assert_eq!(RecordHeader::decode(&bytes), Ok(header()));
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(RecordHeader::decode(&bad).is_err(), "bit {bit}");
        }
    }
}
