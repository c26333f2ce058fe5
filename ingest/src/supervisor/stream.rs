//! One stream: its turn, its session, its rest, over and over.
//!
//! ```text
//! Queued ── admitted ──> Running ── ended, or judged ill ──> Resting ── rested ──> Queued
//!   │                      │                                    │
//!   └───────── new address or password: Queued at once ─────────┘      stop: GOP ended, absence said, task over
//! ```

use std::{
    ops::ControlFlow,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::FutureExt as _;
use sightline_model::{Timestamp, camera::StreamState, gap::GapReason};
use tokio::{sync::watch, time::sleep_until};

use super::shared::{Reporter, Shared};
use crate::{
    Failure, Intake, Source, Target,
    address::Address,
    backoff::{Backoff, Bounds},
    clock,
    health::{self, Limits, Verdict},
    lockout::Hold,
    pacing::Permit,
    pulse::Pulse,
    reconcile::needs_new_session,
};

/// What the supervisor wants of a stream.
#[derive(Debug, Clone)]
pub(super) enum Order {
    /// Run with these settings.
    Run(Arc<Target>),
    /// End, for this reason.
    Stop(GapReason),
}

/// Where the stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Queued,
    Running,
    Resting { until: Instant },
}

/// What happened to it.
enum Action {
    Ordered(Order),
    Admitted(Permit),
    Ended(Failure),
    Rested,
}

/// The task of one stream.
pub(super) struct Stream {
    shared: Arc<Shared>,
    reporter: Reporter,
    orders: watch::Receiver<Order>,
    target: Arc<Target>,
    source: Box<dyn Source>,
    intake: Intake,
    pulse: Arc<Pulse>,
    backoff: Backoff,
    phase: Phase,
    /// Since when it has been wanted.
    since: Timestamp,
    /// Reason of the failure that was last logged aloud.
    logged: Option<GapReason>,
}

impl Stream {
    /// A stream that begins with `rest`: none, unless it broke its own task the last time.
    pub(super) fn new(
        reporter: Reporter,
        orders: watch::Receiver<Order>,
        target: Arc<Target>,
        source: Box<dyn Source>,
        append: crate::Append,
        rest: Duration,
    ) -> Self {
        let shared = Arc::clone(&reporter.shared);
        let now = clock::now();
        let pulse = Arc::new(Pulse::new(now, target.policy));
        let (counters, config) = (Arc::clone(&shared.counters), &shared.config);
        let intake =
            Intake::new(append, Arc::clone(&pulse), shared.clock, counters, reporter.clone(), config);
        let since = shared.clock.wall();
        let phase = if rest.is_zero() { Phase::Queued } else { Phase::Resting { until: now + rest } };
        let backoff = Backoff::default();
        Self { shared, reporter, orders, target, source, intake, pulse, backoff, phase, since, logged: None }
    }

    /// Runs until it is ordered to stop.
    pub(super) async fn run(mut self) {
        self.wait_if_locked_out();
        loop {
            let action = self.select().await;
            if self.apply(action).is_break() {
                break;
            }
        }
        self.source.close().await;
    }

    async fn select(&mut self) -> Action {
        let Self { orders, target, source, intake, pulse, shared, .. } = self;
        match self.phase {
            Phase::Queued => {
                let host = Address::parse(&target.url).map(|address| address.host).unwrap_or_default();
                let turn = async {
                    source.close().await;
                    shared.gate.enter(&host).await
                };
                tokio::select! {
                    order = next_order(orders, target, pulse) => Action::Ordered(order),
                    permit = turn => Action::Admitted(permit),
                }
            }
            Phase::Running => {
                let session = AssertUnwindSafe(source.run(target, intake)).catch_unwind();
                tokio::select! {
                    ended = session => Action::Ended(ended.unwrap_or_else(|_| broken_parser())),
                    failure = fall_ill(pulse, Limits::from(&shared.config)) => Action::Ended(failure),
                    order = next_order(orders, target, pulse) => Action::Ordered(order),
                }
            }
            Phase::Resting { until } => tokio::select! {
                order = next_order(orders, target, pulse) => Action::Ordered(order),
                () = sleep_until(until.into()) => Action::Rested,
            },
        }
    }

    fn apply(&mut self, action: Action) -> ControlFlow<()> {
        match action {
            Action::Ordered(Order::Stop(reason)) => {
                self.intake.close(reason, self.since);
                return ControlFlow::Break(());
            }
            Action::Ordered(Order::Run(target)) => {
                if self.phase == Phase::Running {
                    self.intake.close(GapReason::Disconnected, self.since);
                }
                self.target = target;
                self.backoff.reset();
                self.reporter.set(StreamState::Connecting { since: self.shared.clock.wall() });
                self.phase = Phase::Queued;
                self.wait_if_locked_out();
            }
            Action::Admitted(permit) => {
                self.phase = Phase::Running;
                self.wait_if_locked_out();
                if self.phase == Phase::Running {
                    self.intake.open(permit);
                }
            }
            Action::Ended(failure) => self.failed(failure),
            Action::Rested => {
                self.phase = Phase::Queued;
                self.wait_if_locked_out();
            }
        }
        ControlFlow::Continue(())
    }

    fn failed(&mut self, failure: Failure) {
        let now = clock::now();
        self.shared.counters.failed(failure.reason);
        let config = &self.shared.config;
        let (until, attempts) = if failure.reason == GapReason::Unauthorized {
            let bounds = Bounds { min: config.unauthorized_retry_min, max: config.unauthorized_retry_max };
            let (camera, credentials) = (self.target.key.camera, self.target.credentials.as_ref());
            let mut lockout = self.shared.lockout.lock();
            let Hold { until, refusals } = lockout.refused(camera, credentials, bounds, rand::random(), now);
            (until, refusals)
        } else {
            let bounds = Bounds { min: config.retry_min, max: config.retry_max };
            let wait = self.backoff.failed(self.pulse.delivered_for(now), bounds, rand::random());
            (now + wait, self.backoff.failures())
        };
        self.rest(failure, until, attempts);
    }

    /// Another try with a password that was refused could lock the account: rests until that is unlikely.
    fn wait_if_locked_out(&mut self) {
        if matches!(self.phase, Phase::Resting { .. }) {
            return;
        }
        let (camera, credentials) = (self.target.key.camera, self.target.credentials.as_ref());
        let hold = self.shared.lockout.lock().hold(camera, credentials, clock::now());
        if let Some(Hold { until, refusals }) = hold {
            let detail = "the camera refused this user name and password a moment ago";
            self.rest(Failure::new(GapReason::Unauthorized, detail), until, refusals);
        }
    }

    /// No footage until the next try: says so to the tail, the state and the log.
    fn rest(&mut self, failure: Failure, until: Instant, attempts: u32) {
        let wait = until.saturating_duration_since(clock::now());
        let since = self.intake.close(failure.reason, self.since);
        self.log(&failure, attempts, wait);
        self.reporter.set(StreamState::Waiting {
            since,
            reason: failure.reason,
            detail: failure.detail,
            retry_at: self.shared.clock.wall() + wait,
            attempts,
        });
        self.phase = Phase::Resting { until };
    }

    /// Aloud when the reason is new, quietly when it is the same again.
    fn log(&mut self, failure: &Failure, attempts: u32, wait: Duration) {
        let (stream, reason, retry_s) = (self.target.key, failure.reason.as_str(), wait.as_secs_f64());
        if attempts > 1 && self.logged == Some(failure.reason) {
            tracing::debug!(%stream, reason, attempts, retry_s, "stream still absent: {failure}");
        } else {
            self.logged = Some(failure.reason);
            tracing::warn!(%stream, reason, attempts, retry_s, "stream absent: {failure}");
        }
    }
}

/// The next order that needs the session to end. A new policy is passed on to the running session.
async fn next_order(orders: &mut watch::Receiver<Order>, target: &Target, pulse: &Pulse) -> Order {
    loop {
        if orders.changed().await.is_err() {
            return Order::Stop(GapReason::GatewayStopped);
        }
        let order = orders.borrow_and_update().clone();
        match &order {
            Order::Run(new) => {
                pulse.set_policy(new.policy);
                if needs_new_session(target, new) {
                    return order;
                }
            }
            Order::Stop(_) => return order,
        }
    }
}

/// Watches the pulse; ends when the session is to be given up.
async fn fall_ill(pulse: &Pulse, limits: Limits) -> Failure {
    loop {
        match health::judge(&pulse.seen(), &limits, pulse.since_base(clock::now())) {
            Verdict::Well { ask_again } => sleep_until(pulse.instant(ask_again).into()).await,
            Verdict::Ill(trouble) => return trouble.into(),
        }
    }
}

fn broken_parser() -> Failure {
    Failure::new(GapReason::BadStream, "the stream could not be read: the parser gave up on it")
}
