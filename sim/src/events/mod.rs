//! Simulated vehicle passes, telemetry, alarms and device status over MQTT.
//!
//! [`Script`] decides what happens when: pure, seeded, without a clock. [`run`] publishes it as time goes by, under the
//! topics of the gateway (`pass/{source}`, `telemetry/{vehicle}`, `alarm/{source}`, `device/{camera}/status`).
//!
//! Plates are made up by the rules of mainland China; vehicles have no owner, driver or passengers, here as everywhere.

mod fleet;
mod script;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rumqttc::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, Outgoing, Packet, QoS};
use sightline_model::{CameraId, Timestamp, event::alarm::Place};
use tokio_util::sync::CancellationToken;

pub use script::{Message, Script};

use crate::Error;

/// Messages that may wait for the broker; more are dropped and counted.
const QUEUE: usize = 1024;
/// Time between tries to reach the broker.
const RETRY: Duration = Duration::from_secs(1);
/// How long the last messages may take when the run is stopped.
const FAREWELL: Duration = Duration::from_secs(2);
/// What is later than this (the machine slept) is left out.
const MAX_LATENESS: Duration = Duration::from_secs(10);

/// What is simulated, and where it is published.
#[derive(Clone)]
pub struct Config {
    /// Host name or address of the broker.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// User name and password for the broker.
    pub credentials: Option<(String, String)>,
    /// What all topics begin with.
    pub prefix: String,
    /// Where vehicles pass and alarms are raised.
    pub cameras: Vec<CameraId>,
    /// Plates that are looked for: they pass now and then.
    pub hotlisted: Vec<String>,
    /// The middle of the place where supervised vehicles drive and alarms without a camera are raised.
    pub centre: Place,
    /// How much happens.
    pub rates: Rates,
    /// The same seed makes the same things happen.
    pub seed: u64,
}

impl Config {
    /// Everything at the usual rates.
    #[must_use]
    pub fn new(host: impl Into<String>, port: u16, cameras: Vec<CameraId>) -> Self {
        Self {
            host: host.into(),
            port,
            credentials: None,
            prefix: "sightline/v1".to_owned(),
            cameras,
            hotlisted: Vec::new(),
            centre: Place { lat: 30.6586, lon: 104.0647 },
            rates: Rates::default(),
            seed: 1,
        }
    }
}

/// How much happens. Zero switches a kind of event off.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rates {
    /// Vehicle passes a minute, over all cameras.
    pub passes_per_min: f64,
    /// Passes of hot-listed vehicles an hour.
    pub hot_passes_per_hour: f64,
    /// Supervised vehicles on the road.
    pub vehicles: u32,
    /// Seconds between two reports of one supervised vehicle.
    pub telemetry_interval_s: f64,
    /// Alarms an hour.
    pub alarms_per_hour: f64,
    /// Share of alarms that are drills, 0 to 1.
    pub drill_share: f64,
    /// Seconds between two status messages of one camera.
    pub status_interval_s: f64,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            passes_per_min: 40.0,
            hot_passes_per_hour: 30.0,
            vehicles: 6,
            telemetry_interval_s: 10.0,
            alarms_per_hour: 12.0,
            drill_share: 0.2,
            status_interval_s: 60.0,
        }
    }
}

/// What became of the messages of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Report {
    /// Handed to the connection.
    pub queued: u64,
    /// Acknowledged by the broker.
    pub acknowledged: u64,
    /// Left out because too many waited for the broker.
    pub dropped: u64,
}

/// Publishes until `cancel` is cancelled. A broker that is away is tried again.
///
/// # Errors
/// When the configuration names no camera or has a prefix that is no topic.
pub async fn run(config: Config, cancel: CancellationToken) -> Result<Report, Error> {
    let mut script = Script::new(&config, Timestamp::now())?;
    let (client, connection) = AsyncClient::new(options(&config), QUEUE);
    let acknowledged = Arc::new(AtomicU64::new(0));
    // Ends the connection even when this future is dropped instead of cancelled.
    let hang_up = CancellationToken::new();
    let guard = hang_up.clone().drop_guard();
    let connection = tokio::spawn(keep_connected(connection, hang_up, acknowledged.clone()));
    let mut report = Report::default();
    while let Some(message) = script.next_message() {
        let now = Timestamp::now();
        let wait = message.at.duration_since(now);
        if cancel.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
            break;
        }
        if now.duration_since(message.at) > MAX_LATENESS {
            continue;
        }
        match client.try_publish(message.topic, QoS::AtLeastOnce, false, message.payload) {
            Ok(()) => report.queued += 1,
            Err(_full) => report.dropped += 1,
        }
    }
    if client.try_disconnect().is_ok() {
        tokio::time::timeout(FAREWELL, connection).await.ok();
    }
    drop(guard);
    report.acknowledged = acknowledged.load(Ordering::Relaxed);
    Ok(report)
}

fn options(config: &Config) -> MqttOptions {
    let name = format!("sightline-sim-{:08x}", rand::random::<u32>());
    let mut options = MqttOptions::new(name, &config.host, config.port);
    options.set_keep_alive(Duration::from_secs(15));
    if let Some((user, password)) = &config.credentials {
        options.set_credentials(user, password);
    }
    options
}

/// Drives the connection until it has said good-bye or is hung up.
async fn keep_connected(mut connection: EventLoop, hang_up: CancellationToken, acknowledged: Arc<AtomicU64>) {
    let mut reachable = true;
    while let Some(event) = hang_up.run_until_cancelled(connection.poll()).await {
        match event {
            Ok(Event::Incoming(Packet::PubAck(_))) => {
                acknowledged.fetch_add(1, Ordering::Relaxed);
            }
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                reachable = true;
                tracing::debug!("Simulated events are connected to the broker");
            }
            Ok(Event::Outgoing(Outgoing::Disconnect)) | Err(ConnectionError::RequestsDone) => return,
            Ok(_) => {}
            Err(error) => {
                if std::mem::take(&mut reachable) {
                    tracing::warn!(%error, "Simulated events cannot reach the broker; trying again every {RETRY:?}");
                }
                if hang_up.run_until_cancelled(tokio::time::sleep(RETRY)).await.is_none() {
                    return;
                }
            }
        }
    }
}
