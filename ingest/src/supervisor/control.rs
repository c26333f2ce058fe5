//! The task that knows what is wanted and what runs.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::pending,
    ops::ControlFlow,
    sync::Arc,
    time::{Duration, Instant},
};

use sightline_model::{camera::StreamState, gap::GapReason, media::StreamKey};
use tokio::{
    sync::{mpsc, watch},
    task::{Id, JoinError, JoinSet},
    time::sleep_until,
};
use tokio_util::sync::CancellationToken;

use super::{
    States,
    shared::{Report, Reporter, Shared},
    stream::{Order, Stream},
};
use crate::{
    OpenSource, Sink, Target, clock,
    demand::Demand,
    reconcile::{Change, diff},
};

/// States are published at most this often.
const PUBLISH_EVERY: Duration = Duration::from_millis(100);

/// What the handle asks for.
#[derive(Debug)]
pub(super) enum Command {
    Targets(Vec<Target>),
    Demand(Arc<BTreeSet<StreamKey>>),
    Drain,
}

enum Action {
    Commanded(Command),
    Reported(Report),
    Ended(Id, Option<JoinError>),
    LingerOver,
    Publish,
}

/// A stream that has a task.
struct Running {
    epoch: u64,
    task: Id,
    target: Arc<Target>,
    orders: watch::Sender<Order>,
    stopping: bool,
}

/// What is wanted, what runs, and how it stands.
pub(super) struct Control {
    shared: Arc<Shared>,
    sink: Arc<dyn Sink>,
    sources: OpenSource,
    commands: mpsc::UnboundedReceiver<Command>,
    reports: mpsc::UnboundedReceiver<Report>,
    reporter: mpsc::UnboundedSender<Report>,
    publish: watch::Sender<States>,

    targets: BTreeMap<StreamKey, Arc<Target>>,
    demand: Demand,
    running: BTreeMap<StreamKey, Running>,
    tasks: JoinSet<()>,
    epochs: u64,
    states: BTreeMap<StreamKey, StreamState>,
    dirty: bool,
    published: Instant,
    draining: bool,
}

impl Control {
    pub(super) fn new(
        shared: Arc<Shared>,
        sink: Arc<dyn Sink>,
        sources: OpenSource,
        commands: mpsc::UnboundedReceiver<Command>,
        publish: watch::Sender<States>,
    ) -> Self {
        let (reporter, reports) = mpsc::unbounded_channel();
        Self {
            shared,
            sink,
            sources,
            commands,
            reports,
            reporter,
            publish,
            targets: BTreeMap::new(),
            demand: Demand::default(),
            running: BTreeMap::new(),
            tasks: JoinSet::new(),
            epochs: 0,
            states: BTreeMap::new(),
            dirty: false,
            published: clock::now(),
            draining: false,
        }
    }

    pub(super) async fn run(mut self, cancel: CancellationToken) {
        loop {
            let action = self.select(&cancel).await;
            if self.apply(action).is_break() {
                break;
            }
        }
        self.publish();
    }

    async fn select(&mut self, cancel: &CancellationToken) -> Action {
        let linger = self.demand.next_expiry();
        let publish = self.dirty.then(|| self.published + PUBLISH_EVERY);
        tokio::select! {
            command = self.commands.recv(), if !self.draining => {
                Action::Commanded(command.unwrap_or(Command::Drain))
            }
            () = cancel.cancelled(), if !self.draining => Action::Commanded(Command::Drain),
            Some(report) = self.reports.recv() => Action::Reported(report),
            Some(ended) = self.tasks.join_next_with_id() => match ended {
                Ok((task, ())) => Action::Ended(task, None),
                Err(error) => Action::Ended(error.id(), Some(error)),
            },
            () = at(linger) => Action::LingerOver,
            () = at(publish) => Action::Publish,
        }
    }

    fn apply(&mut self, action: Action) -> ControlFlow<()> {
        match action {
            Action::Commanded(Command::Targets(targets)) => {
                self.targets = targets.into_iter().map(|target| (target.key, Arc::new(target))).collect();
                let cameras: BTreeSet<_> = self.targets.keys().map(|key| key.camera).collect();
                self.shared.lockout.lock().retain(|camera| cameras.contains(&camera));
                self.reconcile();
            }
            Action::Commanded(Command::Demand(streams)) => {
                self.demand.set(&streams, self.shared.config.linger, clock::now());
                self.reconcile();
            }
            Action::Commanded(Command::Drain) => self.drain(),
            Action::Reported(report) => self.reported(report),
            Action::Ended(task, error) => self.ended(task, error),
            Action::LingerOver => {
                if self.demand.expire(clock::now()) {
                    self.reconcile();
                }
            }
            Action::Publish => self.publish(),
        }
        if self.draining && self.tasks.is_empty() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Starts, changes and stops streams until what runs is what is wanted. A stream that is wanted again while it
    /// still stops is started when it has ended.
    fn reconcile(&mut self) {
        if self.draining {
            return;
        }
        let wanted = self.targets.iter().filter(|(key, target)| target.always || self.demand.wants(**key));
        let desired: BTreeMap<_, _> = wanted.map(|(key, target)| (*key, Arc::clone(target))).collect();
        let live = self.running.iter().filter(|(_, running)| !running.stopping);
        let running: BTreeMap<_, _> =
            live.map(|(key, running)| (*key, Arc::clone(&running.target))).collect();
        for change in diff(&desired, &running) {
            match change {
                Change::Start(target) if !self.running.contains_key(&target.key) => {
                    self.begin(target, Duration::ZERO);
                }
                Change::Start(_) => {}
                Change::Update(target) => self.update(target),
                Change::Stop(key) => self.stop(key, GapReason::Disabled),
            }
        }
    }

    fn begin(&mut self, target: Arc<Target>, rest: Duration) {
        let key = target.key;
        self.epochs += 1;
        let epoch = self.epochs;
        let reporter =
            Reporter { key, epoch, reports: self.reporter.clone(), shared: Arc::clone(&self.shared) };
        let (orders, receiver) = watch::channel(Order::Run(Arc::clone(&target)));
        let (source, append) = ((self.sources)(key), self.sink.open(key));
        let stream = Stream::new(reporter, receiver, Arc::clone(&target), source, append, rest);
        let task = self.tasks.spawn(stream.run()).id();
        self.running.insert(key, Running { epoch, task, target, orders, stopping: false });
        self.set_state(key, Some(StreamState::Connecting { since: self.shared.clock.wall() }));
    }

    fn update(&mut self, target: Arc<Target>) {
        if let Some(running) = self.running.get_mut(&target.key) {
            running.target = Arc::clone(&target);
            running.orders.send_replace(Order::Run(target));
        }
    }

    fn stop(&mut self, key: StreamKey, reason: GapReason) {
        if let Some(running) = self.running.get_mut(&key) {
            running.stopping = true;
            running.orders.send_replace(Order::Stop(reason));
        }
        self.set_state(key, None);
    }

    fn drain(&mut self) {
        self.draining = true;
        let keys: Vec<_> = self.running.keys().copied().collect();
        for key in keys {
            self.stop(key, GapReason::GatewayStopped);
        }
    }

    fn reported(&mut self, report: Report) {
        let current = self.running.get(&report.key).filter(|running| !running.stopping);
        if current.is_some_and(|running| running.epoch == report.epoch) {
            self.set_state(report.key, Some(report.state));
        }
    }

    /// A task is over: as ordered, or because it broke; then it is tried again after the longest rest.
    fn ended(&mut self, task: Id, error: Option<JoinError>) {
        let found = self.running.iter().find(|(_, running)| running.task == task).map(|(key, _)| *key);
        let Some(key) = found else { return };
        let Some(running) = self.running.remove(&key) else { return };
        if let Some(error) = error {
            tracing::error!(stream = %key, "the task of a stream broke: {error}");
            if !running.stopping {
                self.begin(running.target, self.shared.config.retry_max);
            }
        }
        self.reconcile();
    }

    fn set_state(&mut self, key: StreamKey, state: Option<StreamState>) {
        match state {
            Some(state) => self.states.insert(key, state),
            None => self.states.remove(&key),
        };
        self.dirty = true;
    }

    fn publish(&mut self) {
        self.publish.send_replace(Arc::new(self.states.clone()));
        self.dirty = false;
        self.published = clock::now();
    }
}

/// Waits until `deadline`, for ever without one.
async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => pending().await,
    }
}
