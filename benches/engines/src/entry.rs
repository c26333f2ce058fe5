//! What is indexed: entries that follow from a seed, so that every process knows what has to be found.
//!
//! Batch `n` holds the GOP number `n` of every camera, as a node gets them: one GOP of 2 s of each camera every 2 s.

use crate::args::Shape;

/// Length of the encoded key: camera and start, big-endian, so that bytes sort as the numbers do.
pub(crate) const KEY_BYTES: usize = 12;
/// Length of the encoded rest of an entry.
pub(crate) const VALUE_BYTES: usize = 40;
/// Time between the starts of two GOPs of a camera, in microseconds.
pub(crate) const STEP_US: i64 = 2_000_000;
/// Start of GOP number 0: 2026-11-22, in microseconds since 1970.
pub(crate) const BEGIN_US: i64 = 1_795_305_600_000_000;

/// How late a GOP may begin, in microseconds.
const LATE_US: u64 = 4_000;
/// Segments written side by side, as many as the store writes by default; a camera always falls to the same one.
pub(crate) const LANES: u32 = 2;
/// About the size of a GOP at 2 Mbit/s.
const GOP_BYTES: u64 = 500_000;

/// One entry of the index: where a GOP of a stream lies, and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The stream, as a number.
    pub(crate) camera: u32,
    /// Start, microseconds since 1970.
    pub(crate) start_us: i64,
    /// Duration, in 1/90,000 s.
    pub duration_90k: u32,
    /// The segment that holds it.
    pub(crate) segment: u64,
    /// Where in the segment, in bytes.
    pub(crate) offset: u64,
    /// How long, in bytes.
    pub(crate) length: u32,
    /// The run of the camera it belongs to.
    pub(crate) run: u64,
    /// Its number in the run.
    pub(crate) number: u32,
    /// Its access units.
    pub(crate) units: u32,
}

/// Scatters a number (splitmix64): the same answer in every process, for every engine.
pub(crate) const fn scatter(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Random numbers that follow from a seed.
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// Numbers that follow from `seed`; each purpose takes its own `salt`.
    pub(crate) const fn new(seed: u64, salt: u64) -> Self {
        Self(scatter(seed ^ scatter(salt)))
    }

    /// The next number below `bound`.
    pub(crate) const fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        scatter(self.0) % bound
    }
}

impl Entry {
    /// GOP number `number` of `camera`: it lasts until the next one begins.
    pub(crate) fn of(shape: &Shape, camera: u32, number: u32) -> Self {
        let noise = |number: u32| scatter(shape.seed ^ (u64::from(camera) << 32) ^ u64::from(number));
        let start_us = |number: u32| slot_us(number) + (noise(number) % LATE_US).cast_signed();
        let lasts_us = start_us(number + 1) - start_us(number);
        let (gops, noise) = (shape.gops_a_segment(), noise(number));
        let place =
            u64::from(number % gops) * u64::from(shape.cameras.div_ceil(LANES)) + u64::from(camera / LANES);
        Self {
            camera,
            start_us: start_us(number),
            duration_90k: narrow((lasts_us * 9 / 100).cast_unsigned()),
            segment: u64::from(number / gops * LANES + camera % LANES) + 1,
            offset: (4096 + place * GOP_BYTES + (noise >> 8) % 40_000) & !7,
            length: narrow(450_000 + (noise >> 20) % 100_000),
            run: BEGIN_US.cast_unsigned() - 60_000_000 - scatter(u64::from(camera)) % 60_000_000,
            number,
            units: 50,
        }
    }

    /// Whether this is the right answer where `expected` was looked for. The footage store keeps to itself where a GOP
    /// lies; and what it was given to write here is no whole GOP, so that its units and length say nothing.
    pub(crate) fn fits(&self, expected: &Self) -> bool {
        let identity =
            |entry: &Self| (entry.camera, entry.start_us, entry.duration_90k, entry.run, entry.number);
        identity(self) == identity(expected)
            && (self.length == 0 || (self.length, self.units) == (expected.length, expected.units))
            && (self.segment == 0 || (self.segment, self.offset) == (expected.segment, expected.offset))
    }

    /// The entries of a batch.
    pub(crate) fn batch(shape: &Shape, number: u32, out: &mut Vec<Self>) {
        out.clear();
        out.extend((0..shape.cameras).map(|camera| Self::of(shape, camera, number)));
    }

    /// The number of the GOP that stands last at or before a time.
    pub(crate) fn number_at(shape: &Shape, camera: u32, at_us: i64) -> Option<u32> {
        let slot = u32::try_from((at_us - BEGIN_US).div_euclid(STEP_US)).ok()?;
        if Self::of(shape, camera, slot).start_us <= at_us { Some(slot) } else { slot.checked_sub(1) }
    }

    /// The key it is stored under.
    pub(crate) fn key(&self) -> [u8; KEY_BYTES] {
        key(self.camera, self.start_us)
    }

    /// The value it is stored as.
    pub(crate) fn value(&self) -> [u8; VALUE_BYTES] {
        let mut out = [0; VALUE_BYTES];
        out[..4].copy_from_slice(&self.duration_90k.to_le_bytes());
        out[4..12].copy_from_slice(&self.segment.to_le_bytes());
        out[12..20].copy_from_slice(&self.offset.to_le_bytes());
        out[20..24].copy_from_slice(&self.length.to_le_bytes());
        out[24..32].copy_from_slice(&self.run.to_le_bytes());
        out[32..36].copy_from_slice(&self.number.to_le_bytes());
        out[36..].copy_from_slice(&self.units.to_le_bytes());
        out
    }

    /// Reads an entry back from key and value.
    pub(crate) fn decode(key: &[u8], value: &[u8]) -> Self {
        let four = |at: usize| u32::from_le_bytes(value[at..at + 4].try_into().unwrap());
        let eight = |at: usize| u64::from_le_bytes(value[at..at + 8].try_into().unwrap());
        Self {
            camera: u32::from_be_bytes(key[..4].try_into().unwrap()),
            start_us: i64::from_be_bytes(key[4..].try_into().unwrap()),
            duration_90k: four(0),
            segment: eight(4),
            offset: eight(12),
            length: four(20),
            run: eight(24),
            number: four(32),
            units: four(36),
        }
    }
}

/// The key of a camera and a time. No time here lies before 1970.
pub(crate) fn key(camera: u32, start_us: i64) -> [u8; KEY_BYTES] {
    let mut out = [0; KEY_BYTES];
    out[..4].copy_from_slice(&camera.to_be_bytes());
    out[4..].copy_from_slice(&start_us.to_be_bytes());
    out
}

/// No GOP with this number begins before this time, and none with a smaller one after it.
pub(crate) fn slot_us(number: u32) -> i64 {
    BEGIN_US + i64::from(number) * STEP_US
}

fn narrow(value: u64) -> u32 {
    u32::try_from(value).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { entries: 20_000, cameras: 200, seed: 7 };

    #[test]
    fn an_entry_reads_back_and_is_found_at_its_time() {
        for (camera, number) in [(0, 0), (199, 99), (17, 61)] {
            let entry = Entry::of(&SHAPE, camera, number);
            assert_eq!(Entry::decode(&entry.key(), &entry.value()), entry);
            assert_eq!(Entry::number_at(&SHAPE, camera, entry.start_us), Some(number));
            assert_eq!(Entry::number_at(&SHAPE, camera, entry.start_us - 1), number.checked_sub(1));
        }
    }

    #[test]
    fn keys_sort_by_camera_and_time() {
        let mut keys = Vec::new();
        for camera in 0..20 {
            keys.extend((0..20).map(|number| Entry::of(&SHAPE, camera, number).key()));
        }
        assert!(keys.is_sorted());
    }
}
