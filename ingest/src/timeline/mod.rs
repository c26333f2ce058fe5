//! Three clocks on one line: the receiver's wall clock, the camera's media clock, and the camera's own wall clock.
//!
//! A GOP is indexed by the receiver's wall clock. Inside a run that time follows the media clock strictly and is only
//! corrected slowly towards the wall clock, so network jitter does not reach the index. Where the two disagree beyond
//! what a network does, or the wall clock is set, a new run begins; nothing before it is touched.
//!
//! Does not belong here: reading a clock. Invariants: inside a run `at(n) < at(n + 1)`, and
//! `|at(n + 1) - at(n) - media(n + 1) + media(n)| <= 2%` of the step and 100 ms; a frame is never more than [`AHEAD_US`]
//! early or [`LATE_US`] late on the line.

mod camera;
#[cfg(test)]
mod tests;

use std::time::Instant;

use sightline_model::{
    Timestamp,
    media::{CameraClock, RunId, ticks_to_micros},
};

use self::camera::CameraTime;

/// A frame this much earlier than the line says comes from a media clock that jumped ahead.
pub(crate) const AHEAD_US: i64 = 2_000_000;
/// A frame this much later than the line says comes from a media clock that jumped back, or from a hopeless queue.
pub(crate) const LATE_US: i64 = 10_000_000;
/// Frames are reordered (B-frames) by less than this, in 1/90,000 s.
pub(crate) const REORDER_90K: i64 = 2 * 90_000;
/// A stream in which for this long, in 1/90,000 s, every frame was late has a media clock that stood still for a while. After
/// a network that stood still the backlog comes at once, and some frame is not late.
const LATE_WINDOW_90K: i64 = 10 * 90_000;
/// Late, in that sense.
const LATE_ALL_US: i64 = 1_000_000;
/// The wall clock was set when it moves by this much more or less than the monotonic one.
const WALL_STEP_US: i64 = 1_000_000;
/// One part in this many of a frame's lateness is corrected a step.
const CORRECTION_GAIN: i64 = 16;
/// And at most one part in this many of the step's length.
const CORRECTION_SLEW: i64 = 50;
/// And at most this much a step.
const CORRECTION_MAX_US: i64 = 100_000;

/// Both clocks of the receiver when a frame began to arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) received: Instant,
    pub(crate) wall: Timestamp,
}

/// Why a run ended without the session ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Jump {
    /// The receiver's wall clock was set.
    Wall,
    /// The camera's media clock jumped.
    Media,
}

/// Where a GOP or a part of one stands on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) run: RunId,
    pub(crate) number: u32,
    pub(crate) at: Timestamp,
    pub(crate) camera_clock: Option<CameraClock>,
    /// Set when a new run had to begin here.
    pub(crate) jump: Option<Jump>,
}

/// The newest point of a run: what the next one is measured from.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    at: Timestamp,
    media_90k: i64,
    reading: Reading,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    id: RunId,
    number: u32,
    anchor: Anchor,
    newest_90k: i64,
    /// Where the window for the least late frame began, and how late that one was.
    window_90k: i64,
    least_late_us: i64,
}

/// The time line of one stream.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    run: Option<Run>,
    last_run: Option<RunId>,
    media_90k: Option<i64>,
    camera: CameraTime,
}

impl Timeline {
    /// A new session: media clock and camera clock start anew.
    pub(crate) fn restart(&mut self) {
        *self = Self { last_run: self.last_run, ..Self::default() };
    }

    /// The next GOP starts a run, in the same session.
    pub(crate) fn end_run(&mut self) {
        self.run = None;
    }

    /// Unwraps the 32 bits of an RTP timestamp: the value nearest to the one before.
    pub(crate) fn media(&mut self, rtp: u32) -> i64 {
        let media_90k = match self.media_90k {
            None => i64::from(rtp),
            Some(last) => last.saturating_add(i64::from(rtp.wrapping_sub(low_bits(last)).cast_signed())),
        };
        self.media_90k = Some(media_90k);
        media_90k
    }

    /// Takes in an RTCP sender report; says whether it can be believed.
    pub(crate) fn report(&mut self, ntp: u64, rtp: u32, reading: Reading) -> bool {
        self.camera.report(ntp, rtp, self.media_90k, reading)
    }

    /// Whether a frame fits the run; `None` also when there is no run to disagree with.
    pub(crate) fn misfit(&mut self, media_90k: i64, received: Instant) -> Option<Jump> {
        let run = self.run.as_mut()?;
        let late_us = run.late_us(media_90k, received);
        let fits = (-AHEAD_US..=LATE_US).contains(&late_us) && media_90k > run.newest_90k - REORDER_90K;
        run.newest_90k = run.newest_90k.max(media_90k);
        run.least_late_us = run.least_late_us.min(late_us);
        (!fits).then_some(Jump::Media)
    }

    /// Places the first frame of a GOP. `after` is where the footage before ends.
    pub(crate) fn begin_gop(&mut self, media_90k: i64, reading: Reading, after: Option<Timestamp>) -> Placed {
        let jump = self.run.as_ref().and_then(|run| run.jump(media_90k, reading));
        match self.run.as_mut().filter(|_| jump.is_none()) {
            Some(run) => {
                run.number = run.number.saturating_add(1);
                run.advance(media_90k, reading);
                if media_90k - run.window_90k > LATE_WINDOW_90K {
                    (run.window_90k, run.least_late_us) = (media_90k, i64::MAX);
                }
            }
            None => self.begin_run(media_90k, reading, after),
        }
        self.placed(jump)
    }

    /// Places the first frame of a further part; `None` when there is no run, or not one that it follows. A wall clock
    /// that was set is left for the next GOP to find: the part follows the line.
    pub(crate) fn begin_part(&mut self, media_90k: i64, reading: Reading) -> Option<Placed> {
        let run = self.run.as_mut().filter(|run| media_90k > run.anchor.media_90k)?;
        let wall = match run.wall_step_us(reading) {
            step_us if step_us.abs() > WALL_STEP_US => reading.wall.plus_micros(-step_us),
            _ => reading.wall,
        };
        run.advance(media_90k, Reading { wall, ..reading });
        Some(self.placed(None))
    }

    fn begin_run(&mut self, media_90k: i64, reading: Reading, after: Option<Timestamp>) {
        // The last frame of the run before has an estimated length: a run must not begin inside it. When the clock was
        // set back for real, it begins where the clock says.
        let at = match after {
            Some(end) if (0..WALL_STEP_US).contains(&end.micros_since(reading.wall)) => end,
            _ => reading.wall,
        };
        let mut id = RunId(u64::try_from(reading.wall.0).unwrap_or(0));
        if self.last_run == Some(id) {
            id.0 = id.0.saturating_add(1);
        }
        self.last_run = Some(id);
        let anchor = Anchor { at, media_90k, reading };
        self.run = Some(Run {
            id,
            number: 0,
            anchor,
            newest_90k: media_90k,
            window_90k: media_90k,
            least_late_us: i64::MAX,
        });
    }

    fn placed(&self, jump: Option<Jump>) -> Placed {
        let (id, number, anchor) = match &self.run {
            Some(run) => (run.id, run.number, Some(run.anchor)),
            None => (RunId(0), 0, None),
        };
        let at = anchor.map_or(Timestamp::default(), |anchor| anchor.at);
        let camera_clock =
            anchor.and_then(|anchor| self.camera.at(anchor.media_90k, anchor.at, anchor.reading));
        Placed { run: id, number, at, camera_clock, jump }
    }
}

impl Run {
    /// How much later than on the line a frame came; negative when it was early.
    fn late_us(&self, media_90k: i64, received: Instant) -> i64 {
        let anchor = &self.anchor;
        let line_us = ticks_to_micros(media_90k.saturating_sub(anchor.media_90k));
        let then_us = anchor.reading.wall.micros_since(anchor.at);
        then_us + micros_between(anchor.reading.received, received) - line_us
    }

    /// By how much the wall clock was set since the anchor.
    fn wall_step_us(&self, reading: Reading) -> i64 {
        let wall_us = reading.wall.micros_since(self.anchor.reading.wall);
        wall_us.saturating_sub(micros_between(self.anchor.reading.received, reading.received))
    }

    fn jump(&self, media_90k: i64, reading: Reading) -> Option<Jump> {
        if self.wall_step_us(reading).abs() > WALL_STEP_US {
            return Some(Jump::Wall);
        }
        let late_us = self.late_us(media_90k, reading.received);
        let all_late =
            media_90k - self.window_90k > LATE_WINDOW_90K && self.least_late_us.min(late_us) > LATE_ALL_US;
        let fits = media_90k > self.anchor.media_90k && (-AHEAD_US..=LATE_US).contains(&late_us) && !all_late;
        (!fits).then_some(Jump::Media)
    }

    /// Moves the anchor along the media clock, a little towards the wall clock.
    fn advance(&mut self, media_90k: i64, reading: Reading) {
        let step_us = ticks_to_micros(media_90k - self.anchor.media_90k);
        let line = self.anchor.at.plus_micros(step_us);
        let most_us = (step_us / CORRECTION_SLEW).min(CORRECTION_MAX_US);
        let late_us = reading.wall.micros_since(line);
        let at = line.plus_micros((late_us / CORRECTION_GAIN).clamp(-most_us, most_us));
        self.anchor = Anchor { at, media_90k, reading };
        self.newest_90k = self.newest_90k.max(media_90k);
    }
}

/// The low 32 bits: what the camera sent.
fn low_bits(media_90k: i64) -> u32 {
    u32::try_from(media_90k & i64::from(u32::MAX)).unwrap_or_default()
}

/// Signed microseconds from `earlier` to `later`.
fn micros_between(earlier: Instant, later: Instant) -> i64 {
    let signed = |length: std::time::Duration| i64::try_from(length.as_micros()).unwrap_or(i64::MAX);
    match later.checked_duration_since(earlier) {
        Some(forward) => signed(forward),
        None => -signed(earlier.duration_since(later)),
    }
}
