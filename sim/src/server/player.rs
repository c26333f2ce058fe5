//! Plays every stream that somebody watches, on one clock: one task, one queue of due frames, however many cameras.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc, time::Duration};

use rand::{SeedableRng, rngs::SmallRng};
use sightline_model::{Timestamp, media::StreamKind};
use tokio::sync::mpsc;

use super::{
    Shared,
    camera::{Camera, Track},
    metrics,
    viewer::{Moment, Scratch, Sent, Viewer},
};
use crate::Fault;

/// Frames that fall due within one grain are sent in one wake-up.
const GRAIN: Duration = Duration::from_millis(4);
/// A stream that is further behind than this (the machine slept) skips to the present.
const MAX_LATENESS: Duration = Duration::from_secs(1);

/// What connections tell the player.
pub(crate) enum Command {
    Join { track: usize, viewer: Viewer },
    Leave { track: usize, viewer: u64 },
}

enum Action {
    Command(Command),
    Tick,
    Stop,
}

pub(crate) struct Player {
    shared: Arc<Shared>,
    commands: mpsc::UnboundedReceiver<Command>,
    streams: Vec<Stream>,
    /// When the next frame of each watched stream is due, since the server's start.
    due: BinaryHeap<Reverse<(Duration, usize)>>,
    scratch: Scratch,
}

struct Stream {
    camera: Arc<Camera>,
    kind: StreamKind,
    viewers: Vec<Viewer>,
    next_frame: u64,
    /// Whether it stands in the queue.
    scheduled: bool,
    on_alternate: bool,
}

impl Player {
    /// `cameras` in the order of their track indexes.
    pub(crate) fn new(
        shared: Arc<Shared>,
        cameras: &[Arc<Camera>],
        commands: mpsc::UnboundedReceiver<Command>,
    ) -> Self {
        let kinds = [StreamKind::Main, StreamKind::Sub];
        let streams = cameras.iter().flat_map(|camera| kinds.map(|kind| Stream::new(camera.clone(), kind)));
        Self {
            shared,
            commands,
            streams: streams.collect(),
            due: BinaryHeap::new(),
            scratch: Scratch::new(SmallRng::seed_from_u64(0x5EED)),
        }
    }

    pub(crate) async fn run(mut self) {
        loop {
            match self.select().await {
                Action::Command(Command::Join { track, viewer }) => self.join(track, viewer),
                Action::Command(Command::Leave { track, viewer }) => self.leave(track, viewer),
                Action::Tick => self.tick(),
                Action::Stop => return,
            }
        }
    }

    async fn select(&mut self) -> Action {
        let wake = self.due.peek().map(|Reverse((due, _))| self.shared.epoch + round_up(*due));
        let tick = async {
            match wake {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.shared.cancel.cancelled() => Action::Stop,
            command = self.commands.recv() => command.map_or(Action::Stop, Action::Command),
            () = tick => Action::Tick,
        }
    }

    fn join(&mut self, index: usize, mut viewer: Viewer) {
        let now = self.shared.epoch.elapsed();
        let Some(stream) = self.streams.get_mut(index) else { return };
        stream.report(&mut viewer, now);
        stream.viewers.push(viewer);
        if !stream.scheduled {
            stream.scheduled = true;
            stream.next_frame = stream.track().timebase.next_frame(now);
            self.due.push(Reverse((stream.track().timebase.due(stream.next_frame), index)));
        }
    }

    fn leave(&mut self, index: usize, id: u64) {
        if let Some(stream) = self.streams.get_mut(index) {
            stream.viewers.retain(|viewer| viewer.id != id);
        }
    }

    fn tick(&mut self) {
        let now = self.shared.epoch.elapsed();
        while let Some(Reverse((due, index))) = self.due.peek().copied()
            && due <= now
        {
            self.due.pop();
            let Some(stream) = self.streams.get_mut(index) else { continue };
            stream.send_frame(&self.shared, now, &mut self.scratch);
            if stream.viewers.is_empty() {
                stream.scheduled = false;
                continue;
            }
            stream.advance(now);
            self.due.push(Reverse((stream.track().timebase.due(stream.next_frame), index)));
        }
    }
}

impl Stream {
    fn new(camera: Arc<Camera>, kind: StreamKind) -> Self {
        Self { camera, kind, viewers: Vec::new(), next_frame: 0, scheduled: false, on_alternate: false }
    }

    fn track(&self) -> &Track {
        // Nobody joins a stream that the camera does not have.
        self.camera.track(self.kind).unwrap_or(&self.camera.main)
    }

    fn advance(&mut self, now: Duration) {
        self.next_frame += 1;
        let timebase = self.track().timebase;
        if timebase.due(self.next_frame) + MAX_LATENESS < now {
            self.next_frame = timebase.next_frame(now);
            self.viewers.iter_mut().for_each(Viewer::wait_for_key);
        }
    }

    fn send_frame(&mut self, shared: &Shared, now: Duration, scratch: &mut Scratch) {
        let fault = self.camera.fault();
        if matches!(fault, Some(Fault::Stall | Fault::Mute)) {
            self.viewers.iter_mut().for_each(Viewer::wait_for_key);
            return;
        }
        self.change_reel(fault);
        let camera = self.camera.clone();
        let track = camera.track(self.kind).unwrap_or(&camera.main);
        let reel = if self.on_alternate { track.alternate.as_ref() } else { Some(&track.reel) };
        let Some(unit) = reel.and_then(|reel| reel.unit(self.next_frame)) else { return };
        let without_keys = fault == Some(Fault::NoKeyframes);
        if without_keys && unit.key() {
            return;
        }
        let loss_percent = if let Some(Fault::PacketLoss { percent }) = fault { percent } else { 0 };
        let moment = Moment {
            frame: self.next_frame,
            now,
            rtp: track.timebase.rtp_of_frame(self.next_frame),
            loss_percent,
            writes: shared.config.writes,
            without_keys,
        };
        let wall = wall_clock(fault);
        let rtp_now = track.timebase.rtp_at(now);
        self.viewers.retain_mut(|viewer| {
            viewer.report(now, wall, rtp_now);
            let sent = viewer.send(unit, &moment, scratch);
            count(shared, &camera, sent);
            let patience = shared.config.slow_client_timeout;
            if viewer.stuck_since().is_some_and(|since| now.saturating_sub(since) > patience) {
                tracing::info!(camera = %camera.id, "A client has not read for {patience:?}; its connection is closed");
                viewer.hang_up();
                return false;
            }
            sent != Sent::Gone
        });
    }

    /// Changes between the clip and its alternate, at a key frame of the new one.
    fn change_reel(&mut self, fault: Option<Fault>) {
        let track = self.track();
        let wanted = fault == Some(Fault::ParameterChange) && track.alternate.is_some();
        let next = track.reel(fault).unit(self.next_frame);
        if wanted != self.on_alternate && next.is_some_and(crate::media::Unit::key) {
            self.on_alternate = wanted;
        }
    }

    fn report(&self, viewer: &mut Viewer, now: Duration) {
        let fault = self.camera.fault();
        if !matches!(fault, Some(Fault::Stall | Fault::Mute)) {
            viewer.report(now, wall_clock(fault), self.track().timebase.rtp_at(now));
        }
    }
}

/// The wall clock as the camera tells it.
fn wall_clock(fault: Option<Fault>) -> Timestamp {
    let now = Timestamp::now();
    match fault {
        Some(Fault::ClockOffset { seconds }) => now.plus_micros(seconds.saturating_mul(1_000_000)),
        _ => now,
    }
}

fn count(shared: &Shared, camera: &Camera, sent: Sent) {
    match sent {
        Sent::Bytes(bytes) => {
            metrics::add(&shared.metrics.units_sent_total, 1);
            metrics::add(&shared.metrics.bytes_sent_total, bytes);
            metrics::add(&camera.counters.units_sent_total, 1);
        }
        Sent::Dropped => {
            metrics::add(&shared.metrics.units_dropped_total, 1);
            metrics::add(&camera.counters.units_dropped_total, 1);
        }
        Sent::Waits | Sent::Gone => {}
    }
}

/// To the end of its grain.
fn round_up(due: Duration) -> Duration {
    let grain = GRAIN.as_micros();
    let micros = due.as_micros().div_ceil(grain).saturating_mul(grain);
    Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}
