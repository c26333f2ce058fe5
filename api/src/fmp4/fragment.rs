//! A fragment: `moof` with every sample's duration, size, flags and composition offset, and the `mdat` behind it.

use bytes::Bytes;
use sightline_model::media::AccessUnit;

use super::{
    boxes::{HEADER_BYTES, boxed, full_box, put_i32, put_u32, put_u64},
    timing::{Sample, samples},
};

const SAMPLE_SYNC: u32 = 0x0200_0000; // depends on no other
const SAMPLE_NON_SYNC: u32 = 0x0101_0000; // depends on others, no sync sample

const TFHD_SAMPLE_ENTRY: u32 = 0x00_0002;
const TFHD_BASE_IS_MOOF: u32 = 0x02_0000;

const TRUN_DATA_OFFSET: u32 = 0x001;
const TRUN_DURATION: u32 = 0x100;
const TRUN_SIZE: u32 = 0x200;
const TRUN_FLAGS: u32 = 0x400;
const TRUN_COMPOSITION: u32 = 0x800;

/// What one fragment is made of.
#[derive(Debug, Clone, Copy)]
pub struct Fragment<'a> {
    /// Number in its file, from 1.
    pub sequence: u32,
    /// Decode time of its first unit, in 1/90,000 s after the file's origin.
    pub base_decode_time_90k: u64,
    /// Length until the next fragment, in 1/90,000 s.
    pub duration_90k: u32,
    /// Which sample entry of the init segment it uses, from 1.
    pub sample_entry: u32,
    /// Access units in decoding order.
    pub units: &'a [AccessUnit],
}

/// The whole fragment in one piece.
#[must_use]
pub fn fragment(fragment: &Fragment<'_>) -> Bytes {
    let samples = samples(fragment.units, fragment.duration_90k);
    fragment_timed(fragment, &samples)
}

/// The whole fragment in one piece, with decode times the caller has chosen (live: the GOP is not complete yet).
pub(crate) fn fragment_timed(fragment: &Fragment<'_>, samples: &[Sample]) -> Bytes {
    let payload: usize = fragment.units.iter().map(|unit| unit.data.len()).sum();
    let mut out = head(fragment, samples, payload);
    for unit in fragment.units {
        out.extend_from_slice(&unit.data);
    }
    out.into()
}

/// Everything of the fragment before the media itself: send the units' own bytes behind it and nothing is copied.
#[must_use]
pub fn fragment_head(fragment: &Fragment<'_>) -> Bytes {
    let samples = samples(fragment.units, fragment.duration_90k);
    head(fragment, &samples, 0).into()
}

fn head(fragment: &Fragment<'_>, samples: &[Sample], reserve: usize) -> Vec<u8> {
    let payload: usize = fragment.units.iter().map(|unit| unit.data.len()).sum();
    let mut out = Vec::with_capacity(128 + 16 * samples.len() + reserve);
    let mut data_offset_at = 0;
    boxed(&mut out, b"moof", |out| {
        full_box(out, b"mfhd", 0, 0, |out| put_u32(out, fragment.sequence));
        boxed(out, b"traf", |out| {
            full_box(out, b"tfhd", 0, TFHD_BASE_IS_MOOF | TFHD_SAMPLE_ENTRY, |out| {
                put_u32(out, 1); // track
                put_u32(out, fragment.sample_entry);
            });
            full_box(out, b"tfdt", 1, 0, |out| put_u64(out, fragment.base_decode_time_90k));
            data_offset_at = run(out, fragment.units, samples);
        });
    });
    // The media begins behind moof and the header of mdat.
    let data_offset = u32::try_from(out.len() + HEADER_BYTES).unwrap_or(u32::MAX);
    if let Some(slot) = out.get_mut(data_offset_at..data_offset_at + 4) {
        slot.copy_from_slice(&data_offset.to_be_bytes());
    }
    put_u32(&mut out, u32::try_from(payload + HEADER_BYTES).unwrap_or(u32::MAX));
    out.extend_from_slice(b"mdat");
    out
}

/// Writes `trun` and returns where its data offset stands.
fn run(out: &mut Vec<u8>, units: &[AccessUnit], samples: &[Sample]) -> usize {
    let reordered = samples.iter().any(|sample| sample.composition_offset_90k != 0);
    let composition = if reordered { TRUN_COMPOSITION } else { 0 };
    let flags = TRUN_DATA_OFFSET | TRUN_DURATION | TRUN_SIZE | TRUN_FLAGS | composition;
    let mut data_offset_at = 0;
    full_box(out, b"trun", 1, flags, |out| {
        put_u32(out, u32::try_from(samples.len()).unwrap_or(u32::MAX));
        data_offset_at = out.len();
        put_u32(out, 0);
        for (unit, sample) in units.iter().zip(samples) {
            put_u32(out, sample.duration_90k);
            put_u32(out, u32::try_from(unit.data.len()).unwrap_or(u32::MAX));
            put_u32(out, if unit.key { SAMPLE_SYNC } else { SAMPLE_NON_SYNC });
            if reordered {
                put_i32(out, sample.composition_offset_90k);
            }
        }
    });
    data_offset_at
}
