//! The one module that names rumqttc: a connection to a broker, opened, used and thrown away.
//!
//! Every connection is a new client with nothing left from the one before. rumqttc keeps packet ids and a collision
//! across its own reconnects and can stay wedged by them for ever (rumqtt issues 1014 and 1056); here that state ends
//! with the connection. What must survive does so elsewhere: our messages in the [`crate::outbox`], theirs at the
//! broker, which keeps the session of our stable client id and sends again what we did not acknowledge.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use rumqttc::{
    AsyncClient, Event, EventLoop, Incoming, LastWill, MqttOptions, Outgoing, Publish, QoS, SubscribeFilter,
    SubscribeReasonCode,
};
use tokio::{sync::mpsc, task::JoinHandle, time::Instant};

use crate::{
    config::Login,
    decode::MAX_PAYLOAD_BYTES,
    outbox::{Send, WINDOW},
};

/// A longer packet would end the connection, and the broker would send it again at the next: for ever. So everything
/// is read that MQTT can carry, and what is too long is refused as a message.
const MAX_INCOMING_BYTES: usize = 268_435_455 + 5;
const MAX_OUTGOING_BYTES: usize = 1024 * 1024;
/// How many of our messages rumqttc would allow under way: far more than [`WINDOW`], so that packet ids never meet.
const PACKET_IDS: u16 = 1000;
/// Requests that may wait inside rumqttc.
const REQUESTS: usize = 64;

/// How to reach the broker and who we are there.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) login: Option<Login>,
    pub(crate) client_id: String,
    pub(crate) keep_alive: Duration,
    pub(crate) filters: Vec<String>,
    pub(crate) will_topic: String,
    pub(crate) will_payload: Bytes,
}

/// A message from the broker.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) topic: String,
    /// Empty when the payload was too long.
    pub(crate) payload: Bytes,
    pub(crate) payload_bytes: usize,
    pub(crate) ack: Option<Ack>,
}

/// What acknowledges a message, on the connection that it came by and no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ack {
    pub(crate) epoch: u64,
    packet: u16,
}

/// What a connection tells its driver.
#[derive(Debug)]
pub(crate) enum Signal {
    /// The broker took our subscriptions.
    Subscribed,
    /// Messages left, in the order they were given, under these packet ids.
    Sent(u16),
    /// The broker acknowledged one.
    Acked(u16),
    /// The connection is over.
    Down(String),
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Session {
    epoch: u64,
    pub(crate) signals: mpsc::Receiver<Signal>,
    /// Bounded by what is under way: the outbox's window, and the messages that the broker has sent unacknowledged.
    requests: mpsc::UnboundedSender<Request>,
    pulse: Arc<Pulse>,
    reader: JoinHandle<()>,
    writer: JoinHandle<()>,
}

/// Something for the broker.
#[derive(Debug)]
enum Request {
    Publish(Send),
    Ack(u16),
    Leave,
}

/// When the broker was last heard.
#[derive(Debug)]
struct Pulse {
    opened: Instant,
    heard_ms: AtomicU64,
    held_back: AtomicBool,
}

impl Session {
    /// Connects and subscribes.
    pub(crate) async fn open(
        settings: &Settings,
        epoch: u64,
        intake: mpsc::Sender<Message>,
    ) -> Result<Self, String> {
        let (client, mut events) = AsyncClient::new(options(settings), REQUESTS);
        // Small acknowledgements and alerts go out at once, instead of waiting up to 40 ms for company.
        events.network_options.set_tcp_nodelay(true);
        // The first poll connects, under rumqttc's own time limit.
        match events.poll().await {
            Ok(Event::Incoming(Incoming::ConnAck(_))) => {}
            Ok(other) => return Err(format!("the broker began with {other:?} instead of accepting")),
            Err(error) => return Err(error.to_string()),
        }
        let filters =
            settings.filters.iter().map(|path| SubscribeFilter::new(path.clone(), QoS::AtLeastOnce));
        client.try_subscribe_many(filters).map_err(|error| error.to_string())?;
        let (to_driver, signals) = mpsc::channel(4 * WINDOW);
        let pulse = Arc::new(Pulse {
            opened: Instant::now(),
            heard_ms: AtomicU64::new(0),
            held_back: AtomicBool::new(false),
        });
        let (requests, to_write) = mpsc::unbounded_channel();
        let writer = tokio::spawn(write(client, to_write));
        let reader = Reader { epoch, intake, to_driver, pulse: pulse.clone() };
        Ok(Self { epoch, signals, requests, pulse, reader: tokio::spawn(reader.run(events)), writer })
    }

    /// Publishes a message.
    pub(crate) fn publish(&self, send: Send) {
        self.request(Request::Publish(send));
    }

    /// Acknowledges a message, unless it came by an earlier connection: then it comes again by this one.
    pub(crate) fn ack(&self, ack: Ack) {
        if ack.epoch == self.epoch {
            self.request(Request::Ack(ack.packet));
        }
    }

    fn request(&self, request: Request) {
        // Fails only when the connection is over, and then `Signal::Down` says why.
        self.requests.send(request).ok();
    }

    /// Whether nothing is read because the store is behind: silence is ours then.
    pub(crate) fn is_held_back(&self) -> bool {
        self.pulse.held_back.load(Relaxed)
    }

    /// How long the broker has been silent.
    pub(crate) fn silent_for(&self) -> Duration {
        self.pulse.opened.elapsed().saturating_sub(Duration::from_millis(self.pulse.heard_ms.load(Relaxed)))
    }

    /// Takes leave, so that the broker keeps the last will to itself.
    pub(crate) async fn close(mut self, within: Duration) {
        self.request(Request::Leave);
        let over = async { while self.signals.recv().await.is_some() {} };
        tokio::time::timeout(within, over).await.ok();
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.reader.abort();
        self.writer.abort();
    }
}

/// Feeds requests to rumqttc. It takes them one at a time between reads of up to ten packets, so that under a flood
/// acknowledgements wait here, in a task that may.
async fn write(client: AsyncClient, mut requests: mpsc::UnboundedReceiver<Request>) {
    while let Some(request) = requests.recv().await {
        let taken = match request {
            Request::Publish(Send { topic, payload, retain, .. }) => {
                client.publish_bytes(topic, QoS::AtLeastOnce, retain, payload).await
            }
            Request::Ack(packet) => {
                let mut publish = Publish::new("", QoS::AtLeastOnce, Vec::new());
                publish.pkid = packet;
                client.ack(&publish).await
            }
            Request::Leave => client.disconnect().await,
        };
        if taken.is_err() {
            return;
        }
    }
}

/// Polls rumqttc in a task of its own: its `poll` loses a request when it is cancelled in the middle of a write.
struct Reader {
    epoch: u64,
    intake: mpsc::Sender<Message>,
    to_driver: mpsc::Sender<Signal>,
    pulse: Arc<Pulse>,
}

impl Reader {
    async fn run(self, mut events: EventLoop) {
        loop {
            let signal = match events.poll().await {
                Ok(Event::Incoming(packet)) => {
                    self.heard();
                    self.incoming(packet).await
                }
                Ok(Event::Outgoing(Outgoing::Publish(packet))) => Some(Signal::Sent(packet)),
                Ok(Event::Outgoing(Outgoing::Disconnect)) => Some(Signal::Down("we took leave".to_owned())),
                Ok(Event::Outgoing(_)) => None,
                Err(error) => Some(Signal::Down(error.to_string())),
            };
            let Some(signal) = signal else { continue };
            let last = matches!(signal, Signal::Down(_));
            if self.to_driver.send(signal).await.is_err() || last {
                return;
            }
        }
    }

    async fn incoming(&self, packet: Incoming) -> Option<Signal> {
        match packet {
            Incoming::Publish(publish) => self.hand_over(publish).await,
            Incoming::PubAck(ack) => Some(Signal::Acked(ack.pkid)),
            Incoming::SubAck(ack) if ack.return_codes.contains(&SubscribeReasonCode::Failure) => {
                let why = "the broker refuses our subscriptions: allow this account to read pass, alarm, device \
                           and telemetry under the prefix";
                Some(Signal::Down(why.to_owned()))
            }
            Incoming::SubAck(_) => Some(Signal::Subscribed),
            Incoming::Disconnect => Some(Signal::Down("the broker took leave".to_owned())),
            _ => None,
        }
    }

    /// Waits for room in the queue: that is what holds the broker back.
    async fn hand_over(&self, publish: Publish) -> Option<Signal> {
        let ack = (publish.qos != QoS::AtMostOnce).then_some(Ack { epoch: self.epoch, packet: publish.pkid });
        let payload_bytes = publish.payload.len();
        let fits = payload_bytes <= MAX_PAYLOAD_BYTES;
        let payload = if fits { publish.payload } else { Bytes::new() };
        let message = Message { topic: publish.topic, payload, payload_bytes, ack };
        self.pulse.held_back.store(true, Relaxed);
        let sent = self.intake.send(message).await;
        self.heard();
        self.pulse.held_back.store(false, Relaxed);
        sent.is_err().then(|| Signal::Down("the gateway stops".to_owned()))
    }

    fn heard(&self) {
        let at = u64::try_from(self.pulse.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.pulse.heard_ms.store(at, Relaxed);
    }
}

fn options(settings: &Settings) -> MqttOptions {
    let mut options = MqttOptions::new(&settings.client_id, &settings.host, settings.port);
    let will = LastWill::new(&settings.will_topic, settings.will_payload.to_vec(), QoS::AtLeastOnce, true);
    options
        .set_keep_alive(settings.keep_alive)
        .set_clean_session(false)
        .set_manual_acks(true)
        .set_inflight(PACKET_IDS)
        .set_max_packet_size(MAX_INCOMING_BYTES, MAX_OUTGOING_BYTES)
        .set_last_will(will);
    if let Some(login) = &settings.login {
        options.set_credentials(&login.username, &login.password);
    }
    options
}
