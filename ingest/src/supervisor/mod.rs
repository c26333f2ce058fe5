//! Keeps the streams that are wanted running.
//!
//! [`Supervisor`] is the handle; one task behind it (`control`) knows what is wanted and what runs, and one task a
//! stream (`stream`) runs and retries.

mod control;
mod shared;
mod stream;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use sightline_model::{camera::StreamState, gap::GapReason, media::StreamKey};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use self::{
    control::{Command, Control},
    shared::Shared,
};
use crate::{
    Clock, Config, MetricsSnapshot, OpenSource, Sink, Target, lockout::Lockout, metrics::Counters,
    pacing::Gate, rtsp,
};

pub(crate) use self::shared::Reporter;

/// How each wanted stream stands. A stream that is not in it is not wanted now: removed, switched off, or on demand
/// without a reader.
pub type States = Arc<BTreeMap<StreamKey, StreamState>>;

/// Keeps the streams that are wanted running, and says how each stands.
#[derive(Debug)]
pub struct Supervisor {
    commands: mpsc::UnboundedSender<Command>,
    states: watch::Receiver<States>,
    counters: Arc<Counters>,
    control: JoinHandle<()>,
}

impl Supervisor {
    /// Starts with no targets, pulling from RTSP cameras. Needs a tokio runtime. When `cancel` is cancelled the streams
    /// end as in [`Self::drain`], which still waits for them.
    #[must_use]
    pub fn start(config: Config, sink: Arc<dyn Sink>, cancel: CancellationToken) -> Self {
        let sources = rtsp::sources(config.transport);
        Self::start_with(config, sink, cancel, sources, Clock::system())
    }

    /// Starts with sources and a clock of one's own.
    #[must_use]
    pub fn start_with(
        config: Config,
        sink: Arc<dyn Sink>,
        cancel: CancellationToken,
        sources: OpenSource,
        clock: Clock,
    ) -> Self {
        let counters = Arc::new(Counters::default());
        let shared = Arc::new(Shared {
            gate: Gate::new(config.connects, config.connects_per_host),
            config,
            clock,
            lockout: Mutex::new(Lockout::default()),
            counters: Arc::clone(&counters),
        });
        let (commands, receiver) = mpsc::unbounded_channel();
        let (publish, states) = watch::channel(States::default());
        let control = Control::new(shared, sink, sources, receiver, publish);
        Self { commands, states, counters, control: tokio::spawn(control.run(cancel)) }
    }

    /// Says what is wanted from now on; only what changed is touched. Of two targets with one key the last counts.
    pub fn set_targets(&self, targets: Vec<Target>) {
        self.send(Command::Targets(targets));
    }

    /// Says which streams have readers: on-demand ones run for these, and a little longer.
    pub fn set_demand(&self, streams: Arc<BTreeSet<StreamKey>>) {
        self.send(Command::Demand(streams));
    }

    /// How each wanted stream stands; changes arrive at most ten times a second.
    #[must_use]
    pub fn states(&self) -> watch::Receiver<States> {
        self.states.clone()
    }

    /// Counters and the number of streams in each state.
    #[must_use]
    pub fn metrics(&self) -> MetricsSnapshot {
        let mut snapshot = self.counters.snapshot();
        let mut waiting = [0_u64; GapReason::ALL.len()];
        for state in self.states.borrow().values() {
            match state {
                StreamState::Connecting { .. } => snapshot.connecting += 1,
                StreamState::Streaming { .. } => snapshot.streaming += 1,
                StreamState::Waiting { reason, .. } => {
                    if let Some(count) = waiting.get_mut(usize::from(reason.code())) {
                        *count += 1;
                    }
                }
                StreamState::Disabled { .. } => {}
            }
        }
        snapshot.waiting = GapReason::ALL.into_iter().zip(waiting).collect();
        snapshot
    }

    /// Ends every stream with its GOP complete and its session closed; what is not done after `deadline` is dropped.
    pub async fn drain(mut self, deadline: Duration) {
        self.send(Command::Drain);
        if tokio::time::timeout(deadline, &mut self.control).await.is_err() {
            tracing::warn!(
                deadline_s = deadline.as_secs_f64(),
                "streams did not end in time and were dropped"
            );
            self.control.abort();
        }
    }

    fn send(&self, command: Command) {
        // Only a supervisor that has ended does not listen.
        let _ = self.commands.send(command);
    }
}
