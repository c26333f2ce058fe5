//! A simulated camera: its streams, its fault of the moment, and who is connected.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use sightline_model::{CameraId, media::StreamKind};
use tokio_util::sync::CancellationToken;

use super::{CameraSpec, metrics::Counters};
use crate::{
    Clip, Error, Fault,
    media::{Reel, Timebase},
};

pub(crate) struct Camera {
    pub(crate) id: CameraId,
    pub(crate) credentials: Option<(String, String)>,
    pub(crate) main: Track,
    pub(crate) sub: Option<Track>,
    pub(crate) counters: Counters,
    fault: Mutex<Option<Fault>>,
    /// Cancelled to close every connection to the camera; replaced at once.
    hangup: Mutex<CancellationToken>,
}

/// One stream of a camera.
pub(crate) struct Track {
    /// Its place in the player's list.
    pub(crate) index: usize,
    pub(crate) reel: Arc<Reel>,
    /// What it plays under [`Fault::ParameterChange`].
    pub(crate) alternate: Option<Arc<Reel>>,
    pub(crate) timebase: Timebase,
}

impl Camera {
    /// `index` is the player's place for the main stream; the sub-stream gets the next one.
    pub(crate) fn new(spec: &CameraSpec, index: usize) -> Result<Self, Error> {
        let main = Track::new(&spec.main, spec.offset, index)?;
        let sub = spec.sub.as_ref().map(|clip| Track::new(clip, spec.offset, index + 1)).transpose()?;
        Ok(Self {
            id: spec.id,
            credentials: spec.credentials.clone(),
            main,
            sub,
            counters: Counters::default(),
            fault: Mutex::new(spec.fault.filter(|fault| *fault != Fault::Disconnect)),
            hangup: Mutex::new(CancellationToken::new()),
        })
    }

    pub(crate) fn track(&self, stream: StreamKind) -> Option<&Track> {
        match stream {
            StreamKind::Main => Some(&self.main),
            StreamKind::Sub => self.sub.as_ref(),
        }
    }

    pub(crate) fn fault(&self) -> Option<Fault> {
        *self.fault.lock()
    }

    pub(crate) fn set_fault(&self, fault: Option<Fault>) {
        *self.fault.lock() = fault.filter(|fault| *fault != Fault::Disconnect);
        if fault == Some(Fault::Disconnect) {
            let connected = std::mem::take(&mut *self.hangup.lock());
            connected.cancel();
        }
    }

    /// Cancelled when the camera closes its connections.
    pub(crate) fn hangup(&self) -> CancellationToken {
        self.hangup.lock().child_token()
    }
}

impl Track {
    fn new(clip: &Clip, offset: Duration, index: usize) -> Result<Self, Error> {
        let reel = clip.reel()?;
        let alternate = clip.alternate().map(|other| other.reel()).transpose()?;
        let alternate = alternate.filter(|other| other.frame_ticks() == reel.frame_ticks());
        let timebase = Timebase::new(reel.frame_ticks(), offset, rand::random());
        Ok(Self { index, reel, alternate, timebase })
    }

    /// What is played now, under `fault`.
    pub(crate) fn reel(&self, fault: Option<Fault>) -> &Arc<Reel> {
        self.alternate.as_ref().filter(|_| fault == Some(Fault::ParameterChange)).unwrap_or(&self.reel)
    }

    /// The first key frame that falls due at or after `elapsed`.
    pub(crate) fn next_key_frame(&self, elapsed: Duration, fault: Option<Fault>) -> u64 {
        let reel = self.reel(fault);
        let next = self.timebase.next_frame(elapsed);
        let within_one_loop = (next..).take(reel.units().len());
        let is_key = |frame: &u64| reel.unit(*frame).is_some_and(crate::media::Unit::key);
        within_one_loop.into_iter().find(is_key).unwrap_or(next)
    }
}
