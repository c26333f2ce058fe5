//! What can go wrong on the way from a key frame to a picture.

use std::time::Duration;

use sightline_model::media::Codec;

/// A picture that could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A setting that cannot work.
    #[error("picture.{field} cannot be {value}: {way_out}")]
    Config {
        /// Which one, as it is written in the file.
        field: &'static str,
        /// What it was.
        value: String,
        /// What it may be.
        way_out: &'static str,
    },
    /// The GOP, or part of one, does not begin with a key frame.
    #[error("part {part} of the GOP does not begin with a key frame: ask with part 0")]
    NoKeyFrame {
        /// Number of the part that was given.
        part: u16,
    },
    /// More than the limits that protect memory.
    #[error("the key frame has {what} of {value}, the limit is {limit}: check the camera's settings")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// What it is.
        value: u64,
        /// What it may be.
        limit: u64,
    },
    /// The bytes are not a picture.
    #[error("the key frame cannot be decoded: {reason}. Another moment of the same camera may do")]
    Undecodable {
        /// What the decoder said.
        reason: String,
    },
    /// This machine lacks a decoder.
    #[error(
        "no decoder for {codec:?} on this machine: install GStreamer's libav plugins (Debian: gstreamer1.0-libav, \
         gstreamer1.0-plugins-bad)"
    )]
    NoDecoder {
        /// The coding.
        codec: Codec,
    },
    /// All places in the queue are taken.
    #[error(
        "{waiting} pictures are waiting for a decoder already: ask again in a second, or for fewer pictures"
    )]
    Busy {
        /// Places in the queue.
        waiting: usize,
    },
    /// One picture took too long: the worker was killed.
    #[error("decoding took longer than {after:?} and was stopped: another moment of the same camera may do")]
    Timeout {
        /// The limit.
        after: Duration,
    },
    /// No worker took it in time.
    #[error("no decoder was free within {after:?}: ask again later, or raise picture.workers")]
    Waited {
        /// The limit.
        after: Duration,
    },
    /// The worker ended in the middle of this picture, twice.
    #[error(
        "the decoder process died over this key frame, twice ({reason}): the camera may send broken video"
    )]
    WorkerDied {
        /// How it ended.
        reason: String,
    },
    /// No worker can be started.
    #[error("no decoder process is running ({reason}): it is started again by itself; see the log")]
    Unavailable {
        /// Why the last one did not start or ended.
        reason: String,
    },
    /// The pool is shutting down.
    #[error("pictures are no longer made: the node is stopping")]
    Stopping,
}

impl Error {
    /// Stable name for metrics and machines, from a closed set.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Config { .. } => "config",
            Self::NoKeyFrame { .. } => "no_key_frame",
            Self::TooLarge { .. } => "too_large",
            Self::Undecodable { .. } => "undecodable",
            Self::NoDecoder { .. } => "no_decoder",
            Self::Busy { .. } => "busy",
            Self::Timeout { .. } => "timeout",
            Self::Waited { .. } => "waited",
            Self::WorkerDied { .. } => "worker_died",
            Self::Unavailable { .. } => "unavailable",
            Self::Stopping => "stopping",
        }
    }
}
