//! The gateway: its tasks and how they are wired.
//!
//! ```text
//! broker ──> link ──queue──> intake ──> records (events + alerts, one transaction)
//!              ^                │ stored
//!              ├── acks ────────┤
//!              └── outbox <─────┴── desk <── people
//! ```

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use serde_json::Value;
use sightline_model::{
    CameraId, Timestamp,
    alert::{Alert, AlertMove},
    id::{AccountId, AlertId},
};
use sightline_records::{Records, events::Expiry};
use tokio::sync::{broadcast, mpsc};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Config, Error,
    broker::{Embedded, reachable},
    config::{Broker, Login},
    decode::Ages,
    desk::{Change, Desk},
    intake::Intake,
    link::{Link, Out},
    list::List,
    message::{NodeReach, NodeState, to_bytes},
    metrics::{Metrics, MetricsSnapshot, count},
    mqtt::Settings,
    outbox::Mark,
    topics::Topics,
};

/// How often expired rows are looked for, and how many go in one step.
const SWEEP_EVERY: Duration = Duration::from_secs(600);
const SWEEP_ROWS: u32 = 2000;
/// How often the hotlist is looked at for changes of other processes.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// The running gateway. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    desk: Arc<Desk>,
    out: Arc<Out>,
    metrics: Arc<Metrics>,
    topics: Topics,
    hotlist_stale: Arc<AtomicBool>,
    broker: (String, u16),
    cancel: CancellationToken,
    tasks: TaskTracker,
}

impl Gateway {
    /// Starts the gateway: first the embedded broker, if so configured, then the tasks. It does not wait for an outside
    /// broker to be there; [`MetricsSnapshot::connected`] tells.
    ///
    /// # Errors
    /// When a setting cannot be used, the embedded broker cannot listen, or the records cannot be read.
    pub async fn start(config: Config, records: Records, cancel: CancellationToken) -> Result<Self, Error> {
        let login = config.resolve()?;
        let metrics = Arc::new(Metrics::default());
        let cancel = cancel.child_token();
        // The broker goes last: until then the link says what is left to say.
        let broker_cancel = CancellationToken::new();
        let stop_broker_on_error = broker_cancel.clone().drop_guard();
        let (broker, embedded) = start_broker(&config, login.as_ref(), &metrics, &broker_cancel).await?;

        let topics = Topics::new(&config.prefix);
        let out = Arc::new(Out::default());
        let desk = Arc::new(Desk::new(records.clone(), topics.clone(), out.clone()));
        let resumed = desk.resume().await?;
        if resumed > 0 {
            tracing::info!(alerts = resumed, "Alerts from before the start are published again");
        }
        let hotlist_stale = Arc::new(AtomicBool::new(true));
        let list = List::load(records.clone(), metrics.clone(), hotlist_stale.clone()).await?;
        let tasks = TaskTracker::new();
        let inner = Inner {
            desk,
            out,
            metrics,
            topics,
            hotlist_stale,
            broker,
            cancel: cancel.clone(),
            tasks: tasks.clone(),
        };
        inner.out.with(|outbox| {
            let (topic, state) =
                (inner.topics.node_state(&config.node), node_state(&config, NodeReach::Online));
            outbox.retain(topic, to_bytes(&state), None);
        });
        stop_broker_on_error.disarm();
        inner.spawn(config, login, records, list, embedded, broker_cancel);
        tasks.close();
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Host and port of the broker in use; of the embedded one, where it listens.
    #[must_use]
    pub fn mqtt_addr(&self) -> (&str, u16) {
        let (host, port) = &self.inner.broker;
        (host, *port)
    }

    /// Everything that happens from now on. A follower that is too slow is told how much it missed.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.inner.desk.follow()
    }

    /// Makes a person's move on an alert: state machine, record and publication. `expected_revision` is the revision
    /// that the person saw.
    ///
    /// # Errors
    /// When there is no such alert, it was moved meanwhile ([`sightline_records::Error::Conflict`]), or its state does
    /// not allow the move ([`Error::Move`]).
    pub async fn move_alert(
        &self,
        id: AlertId,
        step: AlertMove,
        note: &str,
        who: AccountId,
        expected_revision: i64,
        now: Timestamp,
    ) -> Result<Alert, Error> {
        self.inner.desk.move_alert(id, step, note, who, expected_revision, now).await
    }

    /// Say this after a hotlist entry was approved or withdrawn: passes from now on are compared with the new list.
    pub fn hotlist_changed(&self) {
        self.inner.hotlist_stale.store(true, Relaxed);
    }

    /// Publishes the state of a camera, retained: of several in a row the newest.
    pub fn publish_camera_state(&self, camera: CameraId, state: &Value) {
        let topic = self.inner.topics.camera_state(camera);
        self.inner.out.with(|outbox| outbox.retain(topic, to_bytes(state), None));
    }

    /// Clears the state of a camera that is no longer registered.
    pub fn clear_camera_state(&self, camera: CameraId) {
        let topic = self.inner.topics.camera_state(camera);
        self.inner.out.with(|outbox| outbox.retain(topic, bytes::Bytes::new(), None));
    }

    /// The counters now.
    #[must_use]
    pub fn metrics(&self) -> MetricsSnapshot {
        self.inner.metrics.snapshot()
    }

    /// Stops: finishes the batch at hand, acknowledges what is stored, says that the node is offline, takes leave, and
    /// last stops the embedded broker. False when that took longer than the deadline.
    pub async fn drain(&self, deadline: Duration) -> bool {
        self.inner.cancel.cancel();
        tokio::time::timeout(deadline, self.inner.tasks.wait()).await.is_ok()
    }
}

impl Inner {
    fn spawn(
        &self,
        config: Config,
        login: Option<Login>,
        records: Records,
        list: List,
        embedded: Option<Embedded>,
        broker_cancel: CancellationToken,
    ) {
        let (to_intake, messages) = mpsc::channel(config.queue_messages);
        let (to_link, acks) = mpsc::unbounded_channel();
        let (to_marker, marks) = mpsc::unbounded_channel();
        let link = Link {
            settings: self.settings(&config, login),
            out: self.out.clone(),
            metrics: self.metrics.clone(),
            intake: to_intake,
            acks,
            marks: to_marker,
            reconnect_max: Duration::from_secs(u64::from(config.reconnect_max_s)),
        };
        let intake = Intake {
            records: records.clone(),
            desk: self.desk.clone(),
            out: self.out.clone(),
            metrics: self.metrics.clone(),
            topics: self.topics.clone(),
            ages: ages(&config),
            batch_messages: config.batch_messages,
            list,
            messages,
            acks: to_link,
        };
        let (cancel, link_cancel) = (self.cancel.clone(), CancellationToken::new());
        let intake = self.tasks.spawn(intake.run(cancel.clone()));
        let link = self.tasks.spawn(link.run(link_cancel.clone()));
        self.tasks.spawn(mark_published(records.clone(), marks));
        self.tasks.spawn(sweep(records.clone(), config.clone(), self.metrics.clone(), cancel.clone()));
        self.tasks.spawn(look(records, self.hotlist_stale.clone(), cancel.clone()));
        // The order of stopping: what is at hand is stored, then acknowledged and said, then the broker goes.
        let (out, topic) = (self.out.clone(), self.topics.node_state(&config.node));
        self.tasks.spawn(async move {
            cancel.cancelled().await;
            intake.await.ok();
            let state = node_state(&config, NodeReach::Offline);
            out.with(|outbox| outbox.retain(topic, to_bytes(&state), None));
            link_cancel.cancel();
            link.await.ok();
            broker_cancel.cancel();
            if let Some(embedded) = embedded {
                embedded.stopped().await;
            }
        });
    }

    fn settings(&self, config: &Config, login: Option<Login>) -> Settings {
        let (host, port) = self.broker.clone();
        let gone = NodeState { node: config.node.clone(), state: NodeReach::Offline, since: None };
        Settings {
            host,
            port,
            login,
            client_id: config.client_id(),
            keep_alive: config.keep_alive(),
            filters: self.topics.filters().to_vec(),
            will_topic: self.topics.node_state(&config.node),
            will_payload: to_bytes(&gone),
        }
    }
}

async fn start_broker(
    config: &Config,
    login: Option<&Login>,
    metrics: &Arc<Metrics>,
    cancel: &CancellationToken,
) -> Result<((String, u16), Option<Embedded>), Error> {
    match &config.broker {
        Broker::Embedded { listen, .. } => {
            let embedded = Embedded::start(*listen, login, metrics.clone(), cancel.clone()).await?;
            let addr = reachable(embedded.addr());
            tracing::info!(listen = %embedded.addr(), "The embedded MQTT broker listens");
            Ok(((addr.ip().to_string(), addr.port()), Some(embedded)))
        }
        Broker::External { host, port, .. } => Ok(((host.clone(), *port), None)),
    }
}

fn node_state(config: &Config, state: NodeReach) -> NodeState {
    NodeState { node: config.node.clone(), state, since: Some(Timestamp::now()) }
}

fn ages(config: &Config) -> Ages {
    Ages { pass: config.keep_passes(), other: config.keep_hits(), telemetry: config.keep_telemetry() }
}

/// Notes in the store what the broker acknowledged, many at once when many come. Ends with the link.
async fn mark_published(records: Records, mut marks: mpsc::UnboundedReceiver<Mark>) {
    let mut waiting: Vec<Mark> = Vec::new();
    while marks.recv_many(&mut waiting, 500).await > 0 {
        // Not fatal: an unmarked change is published once more after the next start.
        if let Err(error) = records.mark_alerts_published(&waiting).await {
            tracing::warn!(%error, "Published alerts cannot be marked; they will be published again after a restart");
        }
        waiting.clear();
    }
}

/// Removes what has outlived its time.
async fn sweep(records: Records, config: Config, metrics: Arc<Metrics>, cancel: CancellationToken) {
    loop {
        let now = Timestamp::now();
        let expiry = Expiry {
            passes: now - config.keep_passes(),
            hits: now - config.keep_hits(),
            telemetry: now - config.keep_telemetry(),
            limit: SWEEP_ROWS,
        };
        let pause = match records.expire_events(&expiry).await {
            Ok(0) => SWEEP_EVERY,
            // More may be there; in small steps, so that events get their turn.
            Ok(removed) => {
                count(&metrics.expired, removed);
                Duration::from_millis(200)
            }
            Err(error) => {
                tracing::warn!(%error, "Expired events cannot be removed; trying again later");
                SWEEP_EVERY
            }
        };
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Notices a hotlist that was changed by another process.
async fn look(records: Records, stale: Arc<AtomicBool>, cancel: CancellationToken) {
    let mut known = None;
    loop {
        match records.hotlist_version().await {
            Ok(version) => {
                if known.replace(version).is_some_and(|known| known != version) {
                    stale.store(true, Relaxed);
                }
            }
            Err(error) => tracing::warn!(%error, "The hotlist's version cannot be read; trying again"),
        }
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}
