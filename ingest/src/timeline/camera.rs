//! The camera's own clock, from RTCP sender reports (RFC 3550 section 6.4.1): which wall clock time goes with which
//! media time, by the camera's word.

use sightline_model::{
    Timestamp,
    media::{CameraClock, ticks_to_micros},
};

use super::{Reading, low_bits, micros_between};

/// Encoding and network take some time one way, which nothing measures.
const ONE_WAY_US: i64 = 50_000;
/// How fast two cheap clocks may part: 100 parts in a million.
const DRIFT: i64 = 10_000;
/// A report about a frame this far from the newest one is not about this stream.
const REPORT_RANGE_90K: i64 = 30 * 90_000;
/// A report older than this says nothing any more.
const REPORT_AGE_90K: i64 = 600 * 90_000;
/// Seconds from 1900, where NTP counts from, to 1970.
const NTP_UNIX_SECS: i64 = 2_208_988_800;
const YEAR_US: i64 = 366 * 86_400 * 1_000_000;

#[derive(Debug, Clone, Copy)]
struct Report {
    camera: Timestamp,
    rtp: u32,
    reading: Reading,
}

/// The newest report that can be believed.
#[derive(Debug, Default)]
pub(super) struct CameraTime(Option<Report>);

impl CameraTime {
    pub(super) fn report(&mut self, ntp: u64, rtp: u32, newest_90k: Option<i64>, reading: Reading) -> bool {
        let about_now = newest_90k.is_none_or(|newest| distance(rtp, newest).abs() <= REPORT_RANGE_90K);
        let camera = ntp_time(ntp, reading.wall).filter(|_| about_now);
        if let Some(camera) = camera {
            self.0 = Some(Report { camera, rtp, reading });
        }
        camera.is_some()
    }

    /// The camera's clock at a frame, as its difference from `at`, the receiver's.
    pub(super) fn at(&self, media_90k: i64, at: Timestamp, reading: Reading) -> Option<CameraClock> {
        let report = self.0?;
        let since_90k = -distance(report.rtp, media_90k);
        if since_90k.abs() > REPORT_AGE_90K {
            return None;
        }
        let camera = report.camera.plus_micros(ticks_to_micros(since_90k));
        let age_us = micros_between(report.reading.received, reading.received).abs();
        let late_us = reading.wall.micros_since(at).abs();
        let uncertainty_us = ONE_WAY_US.saturating_add(late_us).saturating_add(age_us / DRIFT);
        Some(CameraClock {
            offset_us: camera.micros_since(at),
            uncertainty_us: u32::try_from(uncertainty_us).unwrap_or(u32::MAX),
        })
    }
}

/// Signed ticks from a frame to what a report is about.
fn distance(rtp: u32, media_90k: i64) -> i64 {
    i64::from(rtp.wrapping_sub(low_bits(media_90k)).cast_signed())
}

/// An NTP timestamp as a time. Before 1970 it is a counter since start-up and no clock, unless NTP's 32 bits of seconds
/// have wrapped (2036) and it is near to our own clock.
fn ntp_time(ntp: u64, wall: Timestamp) -> Option<Timestamp> {
    let secs = i64::try_from(ntp >> 32).ok()?;
    let micros = i64::try_from(((ntp & 0xFFFF_FFFF) * 1_000_000) >> 32).ok()?;
    let time = |secs: i64| Timestamp::from_secs(secs - NTP_UNIX_SECS).plus_micros(micros);
    if secs >= NTP_UNIX_SECS {
        return Some(time(secs));
    }
    let wrapped = time(secs + (1 << 32));
    (wrapped.micros_since(wall).abs() < YEAR_US).then_some(wrapped)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    const NOW: Timestamp = Timestamp(1_795_000_000_000_000);

    fn ntp(at: Timestamp) -> u64 {
        let secs = u64::try_from(at.0.div_euclid(1_000_000) + NTP_UNIX_SECS).unwrap();
        let fraction = (u64::try_from(at.0.rem_euclid(1_000_000)).unwrap() << 32) / 1_000_000;
        ((secs & 0xFFFF_FFFF) << 32) | (fraction + 1)
    }

    fn reading(after: Duration) -> Reading {
        static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        Reading { received: *START.get_or_init(Instant::now) + after, wall: NOW + after }
    }

    #[test]
    fn a_camera_two_hours_ahead_is_two_hours_ahead() {
        let mut camera = CameraTime::default();
        let ahead = Duration::from_secs(7200);
        assert!(camera.report(ntp(NOW + ahead), 4_294_967_000, Some(4_294_966_000), reading(Duration::ZERO)));
        // The next GOP begins 4 s later, across the wrap of the 32 bits.
        let four = Duration::from_secs(4);
        let clock = camera.at(4_294_967_000 + 360_000, NOW + four, reading(four)).unwrap();
        assert!((clock.offset_us - 7_200_000_000).abs() < 5, "{clock:?}");
        assert!((50_000..60_000).contains(&clock.uncertainty_us), "{clock:?}");
    }

    #[test]
    fn the_offset_grows_less_certain_with_age_and_is_given_up() {
        let mut camera = CameraTime::default();
        camera.report(ntp(NOW), 0, Some(0), reading(Duration::ZERO));
        let at = |secs: u64| {
            let later = Duration::from_secs(secs);
            camera.at(i64::try_from(secs).unwrap() * 90_000, NOW + later, reading(later))
        };
        assert!(at(300).unwrap().uncertainty_us > at(5).unwrap().uncertainty_us);
        assert_eq!(at(601), None);
    }

    #[test]
    fn what_is_no_clock_is_not_believed() {
        let mut camera = CameraTime::default();
        let seconds_since_start_up = 3600 << 32;
        assert!(!camera.report(seconds_since_start_up, 0, Some(0), reading(Duration::ZERO)));
        assert!(!camera.report(0, 0, Some(0), reading(Duration::ZERO)));
        let about_another_stream = 90_000 * 60;
        assert!(!camera.report(ntp(NOW), about_another_stream, Some(0), reading(Duration::ZERO)));
        assert_eq!(camera.at(0, NOW, reading(Duration::ZERO)), None);
        let without_battery = Timestamp::from_secs(60);
        assert!(
            camera.report(ntp(without_battery), 0, Some(0), reading(Duration::ZERO)),
            "1970 is what it shows"
        );
    }

    #[test]
    fn the_wrap_of_ntp_in_2036_is_read_by_our_own_clock() {
        let after: Timestamp = "2036-03-01T00:00:00Z".parse().unwrap();
        assert_eq!(ntp_time(ntp(after), after).map(|t| t.0 / 10), Some(after.0 / 10));
        assert_eq!(ntp_time(ntp(after), NOW), None);
    }
}
