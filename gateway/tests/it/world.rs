//! What the tests share: a site with a hotlist, an MQTT client, mosquitto, and waiting for a condition.

use std::{
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use rumqttc::{AsyncClient, Event, Incoming, MqttOptions, Outgoing, QoS};
use serde_json::{Value, json};
use sightline_gateway::{Broker, Config, Gateway, MetricsSnapshot};
use sightline_model::{
    Timestamp,
    camera::{Camera, CameraKind, Position},
    grant::Case,
    hotlist::{HotlistEntry, HotlistReason},
    id::AccountId,
    media::Policy,
    region::{Region, RegionLevel},
};
use sightline_records::{Records, hotlist::NewHotlistEntry};
use tempfile::TempDir;
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// Far beyond what any step takes; reached only by a failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// Polls a condition until it holds.
pub(crate) async fn until<T>(what: &str, mut holds: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(value) = holds().await {
            return value;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain for: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(crate) fn author() -> AccountId {
    AccountId(uuid::Uuid::from_u128(1))
}

pub(crate) fn approver() -> AccountId {
    AccountId(uuid::Uuid::from_u128(2))
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Records on disk, with one case, two regions and a camera in one of them.
pub(crate) struct Store {
    pub(crate) dir: TempDir,
    pub(crate) records: Records,
}

impl Store {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let records = open(dir.path()).await;
        let now = Timestamp::now();
        let region = |id: &str, parent: Option<&str>, level| Region {
            id: id.parse().unwrap(),
            parent: parent.map(|parent| parent.parse().unwrap()),
            level,
            name: id.to_owned(),
        };
        records.upsert_region(&region("city", None, RegionLevel::City)).await.unwrap();
        records.upsert_region(&region("north", Some("city"), RegionLevel::District)).await.unwrap();
        let camera = Camera {
            id: "gate-3".parse().unwrap(),
            name: "Gate 3".to_owned(),
            region: "north".parse().unwrap(),
            kind: CameraKind::Street,
            position: Some(Position {
                lat: 39.9,
                lon: 116.4,
                bearing_deg: 0.0,
                fov_deg: 90.0,
                range_m: 60.0,
            }),
            tags: Vec::new(),
            main_url: "rtsp://127.0.0.1/gate-3".to_owned(),
            sub_url: None,
            credentials: None,
            policy: Policy::Full,
            enabled: true,
            revision: 1,
            created_at: now,
            updated_at: now,
        };
        records.insert_camera(&camera, now).await.unwrap();
        let case = Case {
            number: "C-1".to_owned(),
            title: "Stolen vehicles".to_owned(),
            members: Vec::new(),
            opened_at: now,
            ends_at: now + Duration::from_secs(86_400),
            closed_at: None,
        };
        records.create_case(&case).await.unwrap();
        Self { dir, records }
    }

    pub(crate) async fn propose(&self, plate: &str, region: Option<&str>) -> HotlistEntry {
        let now = Timestamp::now();
        let new = NewHotlistEntry {
            plate: plate.to_owned(),
            reason: HotlistReason::Stolen,
            case: "C-1".to_owned(),
            region: region.map(|region| region.parse().unwrap()),
            valid_from: now - Duration::from_secs(60),
            valid_to: now + Duration::from_secs(3600),
        };
        self.records.propose_hotlist(&new, author(), now).await.unwrap()
    }

    pub(crate) async fn list(&self, plate: &str, region: Option<&str>) -> HotlistEntry {
        let entry = self.propose(plate, region).await;
        self.records.approve_hotlist(entry.id, approver(), Timestamp::now()).await.unwrap()
    }
}

pub(crate) async fn open(dir: &Path) -> Records {
    let config = sightline_records::Config { path: dir.join("records.sqlite"), ..Default::default() };
    Records::open(&config).await.unwrap()
}

pub(crate) fn embedded() -> Config {
    let listen = "127.0.0.1:0".parse().unwrap();
    let broker = Broker::Embedded { listen, username: None, password_file: None };
    Config { broker, ..Config::default() }
}

pub(crate) fn external(port: u16) -> Config {
    let broker = Broker::External {
        host: "127.0.0.1".to_owned(),
        port,
        username: None,
        password_file: None,
        tls: false,
    };
    Config { broker, keep_alive_s: 1, reconnect_max_s: 1, ..Config::default() }
}

/// Starts a gateway and waits until it is connected.
pub(crate) async fn start(config: Config, records: &Records) -> Gateway {
    let gateway = Gateway::start(config, records.clone(), CancellationToken::new()).await.unwrap();
    connected(&gateway).await;
    gateway
}

pub(crate) async fn connected(gateway: &Gateway) {
    until("the gateway is connected", async || gateway.metrics().connected.then_some(())).await;
}

/// Counters of one kind: received, accepted, duplicates, rejected.
pub(crate) fn counts(metrics: &MetricsSnapshot, kind: &str) -> (u64, u64, u64, u64) {
    let of = metrics.kinds.iter().find(|of| of.kind == kind).unwrap();
    (of.received, of.accepted, of.duplicates, of.rejected.iter().map(|(_, n)| n).sum())
}

pub(crate) fn pass(id: &str, plate: &str) -> Value {
    json!({ "id": id, "time": Timestamp::now(), "camera": "gate-3", "plate": { "raw": plate } })
}

/// A message as a subscriber saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) retained: bool,
}

impl Seen {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).unwrap()
    }
}

/// An MQTT client of the outside.
pub(crate) struct Client {
    client: AsyncClient,
    state: Arc<State>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    seen: Mutex<Vec<Seen>>,
    acked: Mutex<usize>,
    subscribed: Mutex<bool>,
    changed: Notify,
}

impl Client {
    pub(crate) async fn connect(addr: (&str, u16), id: &str, filter: Option<&str>) -> Self {
        let mut options = MqttOptions::new(id, addr.0, addr.1);
        options.set_keep_alive(Duration::from_secs(5)).set_inflight(100);
        options.set_max_packet_size(1 << 20, 1 << 20);
        let (client, mut events) = AsyncClient::new(options, 20_000);
        events.network_options.set_tcp_nodelay(true);
        let state = Arc::new(State::default());
        let shared = state.clone();
        let task = tokio::spawn(async move {
            loop {
                match events.poll().await {
                    Ok(Event::Incoming(Incoming::Publish(publish))) => {
                        shared.seen.lock().unwrap().push(Seen {
                            topic: publish.topic,
                            payload: publish.payload.to_vec(),
                            retained: publish.retain,
                        })
                    }
                    Ok(Event::Incoming(Incoming::PubAck(_))) => *shared.acked.lock().unwrap() += 1,
                    Ok(Event::Incoming(Incoming::SubAck(_))) => *shared.subscribed.lock().unwrap() = true,
                    Ok(Event::Outgoing(Outgoing::Disconnect)) => return,
                    Ok(_) => continue,
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
                shared.changed.notify_one();
            }
        });
        let this = Self { client, state, task };
        if let Some(filter) = filter {
            this.client.subscribe(filter, QoS::AtLeastOnce).await.unwrap();
            until("the subscription stands", async || this.state.subscribed.lock().unwrap().then_some(()))
                .await;
        }
        this
    }

    /// Hands a message over without waiting for its acknowledgement.
    pub(crate) async fn send(&self, topic: &str, payload: impl Into<Vec<u8>>) {
        self.client.publish(format!("sightline/v1/{topic}"), QoS::AtLeastOnce, false, payload).await.unwrap();
    }

    /// Publishes and waits for the broker's acknowledgement.
    pub(crate) async fn publish(&self, topic: &str, payload: &Value) {
        let before = self.acked();
        self.send(topic, payload.to_string()).await;
        until("the broker acknowledged", async || (self.acked() > before).then_some(())).await;
    }

    /// How many of our messages the broker has acknowledged.
    pub(crate) fn acked(&self) -> usize {
        *self.state.acked.lock().unwrap()
    }

    /// Waits for a message.
    pub(crate) async fn wait(&self, what: &str, is: impl Fn(&Seen) -> bool) -> Seen {
        until(what, async || self.state.seen.lock().unwrap().iter().rev().find(|seen| is(seen)).cloned())
            .await
    }

    /// Waits, without polling, until more than `before` messages have come.
    pub(crate) async fn arrives(&self, before: usize) {
        while self.state.seen.lock().unwrap().len() <= before {
            tokio::time::timeout(PATIENCE, self.state.changed.notified()).await.unwrap();
        }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A real mosquitto, killed when dropped.
pub(crate) struct Mosquitto {
    dir: TempDir,
    pub(crate) port: u16,
    child: Child,
}

impl Mosquitto {
    pub(crate) fn start() -> Self {
        let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
        // Queues without a bound: by default mosquitto drops what exceeds 1000 messages for a client that is away.
        let config = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nuser root\nset_tcp_nodelay true\n"
        );
        std::fs::write(dir.path().join("mosquitto.conf"), config).unwrap();
        let child = spawn(dir.path());
        Self { dir, port, child }
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn restart(&mut self) {
        self.kill();
        self.child = spawn(self.dir.path());
    }

    pub(crate) fn addr(&self) -> (&str, u16) {
        ("127.0.0.1", self.port)
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn spawn(dir: &Path) -> Child {
    let program = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/usr/bin/mosquitto"]
        .into_iter()
        .find(|program| Path::new(program).exists())
        .expect("these tests need mosquitto: apt-get install mosquitto");
    Command::new(program)
        .arg("-c")
        .arg(dir.join("mosquitto.conf"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}
