//! Whether a stream is alive, on the evidence of what came in: never of an open socket.
//!
//! ```text
//! Connecting ── PLAY accepted ──> Playing ── no frame for frame_timeout, or no key frame for key_frame_timeout ──> Stalled
//!     └── connect_timeout ──> Silent
//! ```
//!
//! Does not belong here: timers. The driver asks, and is told when to ask again, so a frame costs one store and no
//! timer is moved.

use std::time::Duration;

use crate::Config;

/// What is waited for, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) connect: Duration,
    pub(crate) frame: Duration,
    pub(crate) key_frame: Duration,
}

impl From<&Config> for Limits {
    fn from(config: &Config) -> Self {
        Self {
            connect: config.connect_timeout,
            frame: config.frame_timeout,
            key_frame: config.key_frame_timeout,
        }
    }
}

/// When something was last seen; all on one monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Seen {
    /// The try began.
    pub(crate) started: Duration,
    /// PLAY was accepted.
    pub(crate) playing: Option<Duration>,
    /// The last access unit.
    pub(crate) frame: Option<Duration>,
    /// The last access unit that a decoder can start at.
    pub(crate) key_frame: Option<Duration>,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The camera did not answer, or not to the end of the handshake.
    Silent(Duration),
    /// It plays, and nothing comes.
    NoFrame(Duration),
    /// Frames come, and none that a decoder can start at.
    NoKeyFrame(Duration),
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing is late; ask again then.
    Well { ask_again: Duration },
    /// Give this session up.
    Ill(Trouble),
}

/// Judges by what was seen until `now`.
pub(crate) fn judge(seen: &Seen, limits: &Limits, now: Duration) -> Verdict {
    let Some(playing) = seen.playing else {
        // PLAY may be accepted at any moment, and the shorter limits hold from then on.
        let soon = now.saturating_add(limits.frame.min(limits.key_frame));
        return match late(seen.started, limits.connect, now, Trouble::Silent) {
            Verdict::Well { ask_again } => Verdict::Well { ask_again: ask_again.min(soon) },
            ill => ill,
        };
    };
    let frame = late(seen.frame.unwrap_or(playing), limits.frame, now, Trouble::NoFrame);
    let key_frame = late(seen.key_frame.unwrap_or(playing), limits.key_frame, now, Trouble::NoKeyFrame);
    match (frame, key_frame) {
        (Verdict::Well { ask_again: one }, Verdict::Well { ask_again: other }) => {
            Verdict::Well { ask_again: one.min(other) }
        }
        (Verdict::Well { .. }, ill) | (ill, _) => ill,
    }
}

fn late(since: Duration, limit: Duration, now: Duration, trouble: fn(Duration) -> Trouble) -> Verdict {
    let due = since.saturating_add(limit);
    if now < due { Verdict::Well { ask_again: due } } else { Verdict::Ill(trouble(limit)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits {
        connect: Duration::from_secs(10),
        frame: Duration::from_secs(5),
        key_frame: Duration::from_secs(60),
    };

    fn at(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn each_trouble_has_its_hour() {
        let start = Seen { started: at(100), ..Seen::default() };
        assert_eq!(judge(&start, &LIMITS, at(109)), Verdict::Well { ask_again: at(110) });
        assert_eq!(judge(&start, &LIMITS, at(110)), Verdict::Ill(Trouble::Silent(at(10))));
        let in_time = Verdict::Well { ask_again: at(106) };
        assert_eq!(
            judge(&start, &LIMITS, at(101)),
            in_time,
            "PLAY at 101 and then nothing is a stall at 106"
        );

        let mute = Seen { playing: Some(at(105)), ..start };
        assert_eq!(judge(&mute, &LIMITS, at(109)), Verdict::Well { ask_again: at(110) });
        assert_eq!(judge(&mute, &LIMITS, at(110)), Verdict::Ill(Trouble::NoFrame(at(5))));

        let keyless = Seen { frame: Some(at(164)), ..mute };
        assert_eq!(judge(&keyless, &LIMITS, at(164)), Verdict::Well { ask_again: at(165) });
        assert_eq!(judge(&keyless, &LIMITS, at(165)), Verdict::Ill(Trouble::NoKeyFrame(at(60))));

        let smart_codec = Seen { frame: Some(at(164)), key_frame: Some(at(135)), ..mute };
        assert_eq!(judge(&smart_codec, &LIMITS, at(165)), Verdict::Well { ask_again: at(169) });
    }

    proptest! {
        #[test]
        fn asking_when_told_finds_every_trouble_and_never_spins(
            started in 0_u64..1000, playing in proptest::option::of(0_u64..20),
            frame in proptest::option::of(0_u64..20), key in proptest::option::of(0_u64..20), now in 0_u64..100,
        ) {
            let seen = Seen {
                started: at(started),
                playing: playing.map(|s| at(started + s)),
                frame: frame.map(|s| at(started + 20 + s)),
                key_frame: key.map(|s| at(started + 20 + s)),
            };
            if let Verdict::Well { ask_again } = judge(&seen, &LIMITS, at(started + now)) {
                prop_assert!(ask_again > at(started + now));
                let playing = seen.playing.is_some();
                prop_assert!(!playing || matches!(judge(&seen, &LIMITS, ask_again), Verdict::Ill(_)));
                let just_before = ask_again - Duration::from_nanos(1);
                let well = matches!(judge(&seen, &LIMITS, just_before), Verdict::Well { .. });
                prop_assert!(well);
            }
        }
    }
}
