//! Which frame is due when: pure arithmetic between the server's clock, frame numbers and RTP time.

use std::time::Duration;

use sightline_model::media::{micros_to_ticks, ticks_to_micros};

/// The endless loop of one stream, moved by an offset.
///
/// `due(n) + offset = n * frame length`, so `frame_at(due(n)) = n` up to one tick of rounding; RTP time runs on
/// over the end of the clip.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timebase {
    frame_ticks: u32,
    offset: Duration,
    rtp_base: u32,
}

impl Timebase {
    pub(crate) fn new(frame_ticks: u32, offset: Duration, rtp_base: u32) -> Self {
        Self { frame_ticks, offset, rtp_base }
    }

    /// Number of the first frame that is due at or after `elapsed` since the server's start.
    pub(crate) fn next_frame(&self, elapsed: Duration) -> u64 {
        self.ticks(elapsed).div_ceil(u64::from(self.frame_ticks))
    }

    /// When `frame` is due, since the server's start; zero for what lies before it.
    pub(crate) fn due(&self, frame: u64) -> Duration {
        let ticks = i64::try_from(frame.saturating_mul(u64::from(self.frame_ticks))).unwrap_or(i64::MAX);
        let micros = u64::try_from(ticks_to_micros(ticks)).unwrap_or(0);
        Duration::from_micros(micros).saturating_sub(self.offset)
    }

    /// RTP timestamp of `frame`.
    pub(crate) fn rtp_of_frame(&self, frame: u64) -> u32 {
        self.rtp(frame.wrapping_mul(u64::from(self.frame_ticks)))
    }

    /// RTP timestamp of the instant `elapsed`, as sender reports pair it with the wall clock.
    pub(crate) fn rtp_at(&self, elapsed: Duration) -> u32 {
        self.rtp(self.ticks(elapsed))
    }

    fn ticks(&self, elapsed: Duration) -> u64 {
        let micros = i64::try_from((elapsed + self.offset).as_micros()).unwrap_or(i64::MAX);
        u64::try_from(micros_to_ticks(micros)).unwrap_or(0)
    }

    fn rtp(&self, ticks: u64) -> u32 {
        // RTP time is the low 32 bits of an endless count (RFC 3550 section 5.1).
        let low = u32::try_from(ticks & u64::from(u32::MAX)).unwrap_or(0);
        self.rtp_base.wrapping_add(low)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn frames_fall_due_in_order_and_keep_their_number(
            frame_ticks in 1500_u32..90_000, offset_ms in 0_u64..100_000, elapsed_ms in 0_u64..1_000_000_000,
        ) {
            let base = Timebase::new(frame_ticks, Duration::from_millis(offset_ms), 7);
            let elapsed = Duration::from_millis(elapsed_ms);
            let next = base.next_frame(elapsed);
            let slack = Duration::from_micros(12);
            prop_assert!(base.due(next) + slack >= elapsed, "the next frame is not in the past");
            prop_assert!(next == 0 || base.due(next - 1) <= elapsed + slack, "none is left out");
            let step = base.rtp_of_frame(next + 1).wrapping_sub(base.rtp_of_frame(next));
            prop_assert_eq!(step, frame_ticks);
            let drift = base.rtp_of_frame(next).wrapping_sub(base.rtp_at(base.due(next)));
            prop_assert!(base.due(next).is_zero() || drift <= 1, "drift {drift}");
        }
    }

    #[test]
    fn rtp_time_wraps() {
        let base = Timebase::new(9000, Duration::ZERO, u32::MAX - 4500);
        assert_eq!(base.rtp_of_frame(1), 4499);
    }
}
