//! The seam to the cameras. A source runs one session and says why it ended; it never tries again by itself.

use std::{sync::Arc, time::Instant};

use futures_util::future::BoxFuture;
use sightline_model::{Timestamp, media::StreamKey};

use crate::{Failure, Intake, Target};

/// Where one stream comes from.
pub trait Source: Send {
    /// Runs one session with the camera of `target` and feeds `intake` until it ends; says why it ended. Whoever drops
    /// the future ends the session.
    fn run<'a>(&'a mut self, target: &'a Target, intake: &'a mut Intake) -> BoxFuture<'a, Failure>;

    /// Waits a little for the camera to let go of the session that ended, so that the next does not count against its
    /// limit.
    fn close(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// Makes the source of a stream, once for as long as it is wanted.
pub type OpenSource = Arc<dyn Fn(StreamKey) -> Box<dyn Source> + Send + Sync>;

/// An access unit as a source has it, without its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// RTP timestamp, 90,000 ticks a second.
    pub rtp: u32,
    /// When its first packet was received, on the monotonic clock.
    pub received: Instant,
    /// The same on the wall clock.
    pub wall: Timestamp,
    /// Whether decoding can start here.
    pub key: bool,
    /// Packets lost before it.
    pub lost: u32,
}
