//! Decode times. Cameras send presentation times only; a decoder wants both.

use sightline_model::media::AccessUnit;

/// When one access unit is decoded and shown, in 1/90,000 s after the start of its fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Decode time after the fragment's start.
    pub decode_90k: u32,
    /// Time until the next decode time, or until the end of the fragment.
    pub duration_90k: u32,
    /// Presentation time minus decode time; negative where pictures are shown out of order.
    pub composition_offset_90k: i32,
}

/// Gives each unit of a GOP (or part of one) its decode time.
///
/// The sorted presentation times, moved so that the first is 0, are the decode times: they rise, they are as even as the
/// camera's own clock, and without B-frames they equal the presentation times. They are then kept inside the duration,
/// so that the next fragment begins where this one ends. Presentation times count from the first unit.
///
/// For `n` units and `duration_90k >= n`: `0 = decode[0] < decode[1] < ... < duration`. A shorter duration (damaged
/// input) gives equal decode times at the end. The durations always sum to `duration_90k`.
#[must_use]
pub fn samples(units: &[AccessUnit], duration_90k: u32) -> Vec<Sample> {
    let origin = units.first().map_or(0, |unit| i64::from(unit.pts_90k));
    let shown: Vec<i64> = units.iter().map(|unit| i64::from(unit.pts_90k) - origin).collect();
    let decode = decode_times(&shown, duration_90k);
    let ends = decode.iter().copied().skip(1).chain([duration_90k]);
    decode
        .iter()
        .zip(ends)
        .zip(&shown)
        .map(|((&decode_90k, end), &shown)| Sample {
            decode_90k,
            duration_90k: end.saturating_sub(decode_90k),
            composition_offset_90k: clamp_i32(shown - i64::from(decode_90k)),
        })
        .collect()
}

fn decode_times(shown: &[i64], duration_90k: u32) -> Vec<u32> {
    let mut sorted = shown.to_vec();
    sorted.sort_unstable();
    let first = sorted.first().copied().unwrap_or(0);
    let count = u32::try_from(sorted.len()).unwrap_or(u32::MAX);
    let mut next_free = 0_i64;
    (0_u32..)
        .zip(sorted)
        .map(|(index, shown)| {
            let earliest = (shown - first).max(next_free);
            next_free = earliest + 1;
            let latest = duration_90k.saturating_sub(count - index);
            u32::try_from(earliest).unwrap_or(u32::MAX).min(latest)
        })
        .collect()
}

fn clamp_i32(value: i64) -> i32 {
    i32::try_from(value).unwrap_or(if value < 0 { i32::MIN } else { i32::MAX })
}
