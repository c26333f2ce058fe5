//! What keys are called and what they are for.

use std::fmt;

use sightline_model::{CameraId, TimeRange, Timestamp};

use super::{KeyError, cipher};

const HOUR_US: i64 = 3_600_000_000;
const HOURS_A_DAY: u32 = 24;
/// Bits of a key's name that are random; the day stands above them.
const RANDOM_BITS: u32 = 44;
/// The last day that a key's name can hold, in the year 4840.
const LAST_DAY: u32 = (1 << (u64::BITS - RANDOM_BITS)) - 1;
const LAST_HOUR: u32 = LAST_DAY * HOURS_A_DAY + (HOURS_A_DAY - 1);

/// Names a data key: bits 63..44 are the day since 1970 (UTC), the others are random. 0 never names a key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub u64);

impl KeyId {
    /// No key: the payload is not encrypted.
    pub const NONE: Self = Self(0);

    /// A new name for a key of `day` (days since 1970, UTC; at most 2^20 - 1).
    ///
    /// # Errors
    /// [`KeyError::Unavailable`] when the system gives no random numbers.
    pub fn random(day: u32) -> Result<Self, KeyError> {
        loop {
            let mut bytes = [0; 8];
            cipher::fill_random(&mut bytes)?;
            let random = u64::from_le_bytes(bytes) >> (u64::BITS - RANDOM_BITS);
            let id = Self(u64::from(day.min(LAST_DAY)) << RANDOM_BITS | random);
            if id != Self::NONE {
                return Ok(id);
            }
        }
    }

    /// The day of the footage, in days since 1970 (UTC).
    #[must_use]
    pub const fn day(self) -> u32 {
        (self.0 >> RANDOM_BITS) as u32
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One hour of one camera, all its streams: what one data key is for, and the smallest thing that can be made unreadable.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CameraHour {
    /// The camera.
    pub camera: CameraId,
    /// Hours since 1970 (UTC).
    pub hour: u32,
}

impl CameraHour {
    /// The camera-hour that footage beginning at `at` belongs to. Times before 1970 count to the first hour and times behind
    /// the year 4840 to the last: such clocks are wrong, and their footage is kept all the same.
    #[must_use]
    pub fn of(camera: CameraId, at: Timestamp) -> Self {
        let hour = at.0.div_euclid(HOUR_US).clamp(0, i64::from(LAST_HOUR));
        Self { camera, hour: u32::try_from(hour).unwrap_or(LAST_HOUR) }
    }

    /// The day that its key belongs to, in days since 1970 (UTC).
    #[must_use]
    pub const fn day(self) -> u32 {
        self.hour / HOURS_A_DAY
    }

    /// From when to when.
    #[must_use]
    pub fn range(self) -> TimeRange {
        let from = i64::from(self.hour).saturating_mul(HOUR_US);
        TimeRange { from: Timestamp(from), to: Timestamp(from.saturating_add(HOUR_US)) }
    }

    /// All hours of `camera` that `range` touches, in order.
    pub fn touched(camera: CameraId, range: TimeRange) -> impl Iterator<Item = Self> {
        let first = Self::of(camera, range.from).hour;
        let last = Self::of(camera, range.to.plus_micros(-1)).hour;
        (first..=last).map(move |hour| Self { camera, hour })
    }
}

impl fmt::Display for CameraHour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in the hour from {}", self.camera, self.range().from)
    }
}

impl fmt::Debug for CameraHour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}h", self.camera, self.hour)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn camera() -> CameraId {
        "gate-3".parse().unwrap()
    }

    #[test]
    fn a_name_tells_its_day_and_is_never_zero() {
        for day in [0, 1, 20_780, LAST_DAY] {
            let (one, other) = (KeyId::random(day).unwrap(), KeyId::random(day).unwrap());
            assert_eq!((one.day(), other.day()), (day, day));
            assert_ne!(one, other);
            assert_ne!(one, KeyId::NONE);
        }
    }

    #[test]
    fn hours_are_those_of_utc() {
        let at: Timestamp = "2026-11-22T23:59:59.999999Z".parse().unwrap();
        let last = CameraHour::of(camera(), at);
        assert!(last.range().contains(at));
        assert_eq!(last.to_string(), "gate-3 in the hour from 2026-11-22T23:00:00Z");
        let next = CameraHour::of(camera(), at.plus_micros(1));
        assert_eq!((next.hour, next.day()), (last.hour + 1, last.day() + 1));
    }

    #[test]
    fn a_range_touches_the_hours_it_reaches_into() {
        let range = |from, to| TimeRange { from: Timestamp(from), to: Timestamp(to) };
        let hours = |range| CameraHour::touched(camera(), range).map(|of| of.hour).collect::<Vec<_>>();
        assert_eq!(hours(range(0, HOUR_US)), [0]);
        assert_eq!(hours(range(HOUR_US - 1, HOUR_US + 1)), [0, 1]);
        assert_eq!(hours(range(5 * HOUR_US, 8 * HOUR_US)), [5, 6, 7]);
    }

    proptest! {
        #[test]
        fn every_time_has_an_hour_whose_day_fits_a_name(at: i64) {
            let of = CameraHour::of(camera(), Timestamp(at));
            prop_assert!(of.day() <= LAST_DAY);
            prop_assert_eq!(KeyId::random(of.day()).unwrap().day(), of.day());
        }
    }
}
