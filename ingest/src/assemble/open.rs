//! The GOP, or part of one, that is being assembled.

use std::sync::Arc;

use sightline_model::{
    Timestamp,
    media::{GopStart, ParameterSets, Policy, ticks_to_micros},
};

use super::PartLimits;

/// What has come in since `Begin`.
#[derive(Debug)]
pub(super) struct Open {
    start: GopStart,
    newest_90k: i64,
    frames: i64,
    bytes: usize,
}

/// Frames further apart than this do not tell a rhythm.
const SLOWEST_90K: i64 = 5 * 90_000;

impl Open {
    pub(super) fn new(start: GopStart) -> Self {
        Self { newest_90k: start.media_90k, start, frames: 0, bytes: 0 }
    }

    pub(super) fn policy(&self) -> Policy {
        self.start.policy
    }

    pub(super) fn params(&self) -> &Arc<ParameterSets> {
        &self.start.params
    }

    pub(super) fn newest_90k(&self) -> i64 {
        self.newest_90k
    }

    /// Number of the part after this one, unless there were too many.
    pub(super) fn next_part(&self) -> Option<u16> {
        self.start.part.checked_add(1)
    }

    /// Whether a key frame at `media_90k` is a further piece of the picture this began with: cameras that set the
    /// marker bit after each slice split one picture into several access units.
    pub(super) fn same_picture(&self, media_90k: i64) -> bool {
        self.start.part == 0 && self.start.media_90k == media_90k
    }

    /// Whether a unit at `media_90k` is kept.
    pub(super) fn keeps(&self, media_90k: i64) -> bool {
        self.frames == 0 || self.start.policy == Policy::Full || self.same_picture(media_90k)
    }

    pub(super) fn pts_90k(&self, media_90k: i64) -> i32 {
        let pts_90k = media_90k - self.start.media_90k;
        i32::try_from(pts_90k).unwrap_or(if pts_90k < 0 { i32::MIN } else { i32::MAX })
    }

    pub(super) fn kept(&mut self, media_90k: i64, bytes: usize) {
        self.bytes += bytes;
        self.skipped(media_90k);
    }

    pub(super) fn skipped(&mut self, media_90k: i64) {
        self.frames += 1;
        self.newest_90k = self.newest_90k.max(media_90k);
    }

    /// Whether a unit at `media_90k` begins a further part. Only the newest frame so far can, so that reordered frames
    /// do not make a part that lasts less than nothing. At twice the limits any later frame can.
    pub(super) fn must_cut(&self, media_90k: i64, limits: PartLimits) -> bool {
        if self.start.policy == Policy::Keyframes {
            return false;
        }
        let length_90k = media_90k - self.start.media_90k;
        let newest = media_90k > self.newest_90k;
        let over = |times: usize| {
            length_90k >= limits.length_90k * i64::try_from(times).unwrap_or(1)
                || self.bytes >= limits.bytes * times
        };
        length_90k > 0 && (newest && over(1) || over(2))
    }

    /// Time from frame to frame, if these frames tell.
    pub(super) fn rhythm_90k(&self, next_90k: Option<i64>) -> Option<i64> {
        let rhythm_90k = match next_90k {
            Some(next_90k) if self.frames > 0 => (next_90k - self.start.media_90k) / self.frames,
            None if self.frames > 1 => (self.newest_90k - self.start.media_90k) / (self.frames - 1),
            _ => return None,
        };
        (1..=SLOWEST_90K).contains(&rhythm_90k).then_some(rhythm_90k)
    }

    pub(super) fn duration_90k(&self, until_90k: i64) -> u32 {
        u32::try_from((until_90k - self.start.media_90k).max(1)).unwrap_or(u32::MAX)
    }

    pub(super) fn end(&self, duration_90k: u32) -> Timestamp {
        self.start.at.plus_micros(ticks_to_micros(i64::from(duration_90k)))
    }
}
