//! What a sealed payload is bound to. It does not hold where the record lies (segment, number in it): a record may be copied
//! to another segment as it is.

use sightline_model::{
    Timestamp,
    media::{RunId, StreamKey},
};

use super::name::KeyId;
use crate::format::record::stream_code;

/// Length of the encoded form.
pub(crate) const AAD_BYTES: usize = 80;
/// Set apart from every other use of a key.
const DOMAIN: [u8; 8] = *b"SLGOP\0\0\x01";

/// The place of a payload among all footage: camera, time and sequence. A payload opens at its own place only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Aad {
    pub(crate) key: StreamKey,
    pub(crate) run: RunId,
    pub(crate) number: u32,
    pub(crate) part: u16,
    pub(crate) start: Timestamp,
    pub(crate) duration_90k: u32,
    pub(crate) units: u32,
    pub(crate) media_bytes: u32,
    pub(crate) flags: u16,
    pub(crate) key_id: KeyId,
}

impl Aad {
    /// The bytes that are authenticated; the table is in `DESIGN.md`. Every field has its fixed place, so no two places have
    /// one form.
    pub(crate) fn encode(&self) -> [u8; AAD_BYTES] {
        let mut out = [0; AAD_BYTES];
        let mut rest = out.as_mut_slice();
        let mut put = |bytes: &[u8]| {
            if let Some((front, behind)) = std::mem::take(&mut rest).split_at_mut_checked(bytes.len()) {
                front.copy_from_slice(bytes);
                rest = behind;
            }
        };
        put(&DOMAIN);
        put(&self.key_id.0.to_le_bytes());
        put(&self.key.camera.to_bytes());
        put(&self.run.0.to_le_bytes());
        put(&self.start.0.to_le_bytes());
        put(&self.number.to_le_bytes());
        put(&self.duration_90k.to_le_bytes());
        put(&self.units.to_le_bytes());
        put(&self.media_bytes.to_le_bytes());
        put(&self.part.to_le_bytes());
        put(&self.flags.to_le_bytes());
        put(&[stream_code(self.key.stream), 0, 0, 0]);
        out
    }
}

#[cfg(test)]
mod tests {
    use sightline_model::media::StreamKind;

    use super::*;

    #[test]
    fn every_field_has_its_place() {
        let camera = "gate-3".parse().unwrap();
        let aad = Aad {
            key: StreamKey { camera, stream: StreamKind::Main },
            run: RunId(1),
            number: 2,
            part: 3,
            start: Timestamp(4),
            duration_90k: 5,
            units: 6,
            media_bytes: 7,
            flags: 8,
            key_id: KeyId(9),
        };
        let others = [
            Aad { key: StreamKey::main("gate-4".parse().unwrap()), ..aad },
            Aad { key: StreamKey { camera, stream: StreamKind::Sub }, ..aad },
            Aad { run: RunId(100), ..aad },
            Aad { number: 100, ..aad },
            Aad { part: 100, ..aad },
            Aad { start: Timestamp(100), ..aad },
            Aad { duration_90k: 100, ..aad },
            Aad { units: 100, ..aad },
            Aad { media_bytes: 100, ..aad },
            Aad { flags: 100, ..aad },
            Aad { key_id: KeyId(100), ..aad },
        ];
        let changed = |other: &Aad| {
            let pairs = other.encode().into_iter().zip(aad.encode());
            pairs.enumerate().filter(|(_, (a, b))| a != b).map(|(at, _)| at).collect::<Vec<_>>()
        };
        let places: Vec<_> = others.iter().map(changed).collect();
        assert!(places.iter().all(|place| place.len() == 1), "one byte each: {places:?}");
        let distinct: std::collections::BTreeSet<_> = places.iter().collect();
        assert_eq!(distinct.len(), others.len());
        assert_eq!(aad.encode()[76], 1, "the last field is whole");
    }
}
