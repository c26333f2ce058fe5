//! An RTSP session: one stream, one transport, one client. It lives on one connection and ends with it.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use sightline_model::media::StreamKind;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    Shared,
    camera::{Camera, Track},
    metrics,
    outbox::Outbox,
    player::Command,
    viewer::{Output, Viewer},
};
use crate::Fault;

/// A stream that a URL names.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) camera: Arc<Camera>,
    pub(crate) stream: StreamKind,
}

impl Target {
    /// Targets are made only for streams that exist.
    pub(crate) fn track(&self) -> &Track {
        self.camera.track(self.stream).unwrap_or(&self.camera.main)
    }
}

/// When a client was last heard of.
#[derive(Clone)]
pub(crate) struct Liveness {
    epoch: Instant,
    heard_ms: Arc<AtomicU64>,
}

impl Liveness {
    pub(crate) fn new(epoch: Instant) -> Self {
        let liveness = Self { epoch, heard_ms: Arc::default() };
        liveness.touch();
        liveness
    }

    pub(crate) fn touch(&self) {
        let elapsed = u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard_ms.store(elapsed, Ordering::Relaxed);
    }

    pub(crate) fn heard_at(&self) -> Instant {
        self.epoch + Duration::from_millis(self.heard_ms.load(Ordering::Relaxed))
    }
}

/// What goes on over PAUSE and PLAY: sequence numbers and the counts of sender reports.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) sequence: AtomicU16,
    pub(crate) packets: AtomicU32,
    pub(crate) octets: AtomicU32,
}

/// Where media of a session goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Interleaved { channel: u8 },
    Udp { rtp: SocketAddr, rtcp: SocketAddr },
}

pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) target: Target,
    pub(crate) ssrc: u32,
    pub(crate) playing: bool,
    /// Cancelled when the camera closes its connections or the client has stopped reading.
    pub(crate) hangup: CancellationToken,
    viewer: u64,
    transport: Transport,
    progress: Arc<Progress>,
    shared: Arc<Shared>,
}

/// Where a client's playing begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Beginning {
    pub(crate) frame: u64,
    pub(crate) sequence: u16,
    pub(crate) rtp_time: u32,
}

impl Session {
    pub(crate) fn new(shared: Arc<Shared>, target: Target, transport: Transport, liveness: Liveness) -> Self {
        if let Transport::Udp { rtcp, .. } = transport {
            shared.udp.register(rtcp, liveness.clone());
        }
        let progress = Progress { sequence: AtomicU16::new(rand::random()), ..Progress::default() };
        Self {
            id: format!("{:016x}", rand::random::<u64>()),
            hangup: target.camera.hangup(),
            target,
            ssrc: rand::random(),
            playing: false,
            viewer: rand::random(),
            transport,
            progress: Arc::new(progress),
            shared,
        }
    }

    /// Where playing would begin now: at the next key frame, as every viewer of the camera sees it.
    pub(crate) fn beginning(&self) -> Beginning {
        let track = self.target.track();
        let elapsed = self.shared.epoch.elapsed() + Duration::from_millis(10);
        let fault = self.target.camera.fault();
        let frame = match fault {
            Some(Fault::NoKeyframes) => track.timebase.next_frame(elapsed),
            _ => track.next_key_frame(elapsed, fault),
        };
        let sequence = self.progress.sequence.load(Ordering::Relaxed);
        Beginning { frame, sequence, rtp_time: track.timebase.rtp_of_frame(frame) }
    }

    /// Begins to play. What is offered to `outbox` before stays before the media.
    pub(crate) fn play(&mut self, beginning: Beginning, outbox: &Arc<Outbox>) {
        let output = match self.transport {
            Transport::Interleaved { channel } => Output::Interleaved { outbox: outbox.clone(), channel },
            Transport::Udp { rtp, rtcp } => Output::Udp { pair: self.shared.udp.clone(), rtp, rtcp },
        };
        let viewer = Viewer::new(
            self.viewer,
            self.ssrc,
            beginning.frame,
            output,
            self.progress.clone(),
            self.hangup.clone(),
        );
        self.playing = true;
        metrics::add(&self.target.camera.counters.plays_total, 1);
        metrics::add(&self.target.camera.counters.viewers, 1);
        metrics::add(&self.shared.metrics.viewers, 1);
        self.shared.player.send(Command::Join { track: self.target.track().index, viewer }).ok();
    }

    /// Stops playing; the session stays.
    pub(crate) fn pause(&mut self) {
        if std::mem::take(&mut self.playing) {
            metrics::sub(&self.target.camera.counters.viewers, 1);
            metrics::sub(&self.shared.metrics.viewers, 1);
            let track = self.target.track().index;
            self.shared.player.send(Command::Leave { track, viewer: self.viewer }).ok();
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.pause();
        if let Transport::Udp { rtcp, .. } = self.transport {
            self.shared.udp.forget(&rtcp);
        }
    }
}
