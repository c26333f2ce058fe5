//! Events over MQTT: vehicle passes, alarms, device status and telemetry in; alerts and states out.
//!
//! Belongs here: the embedded broker, the connection to any broker, reading and checking payloads, the hotlist match,
//! the life of alerts, what is published. Does not belong here: SQL (`records`), who may do what (`trust`), routes
//! (`api`).
//!
//! Invariants: `acknowledged <= stored`: no event is acknowledged before it is on disk together with the alerts it
//! raises. An event is stored once, however often it comes. Nothing goes out as `confirmed` that no person confirmed.
//! Fields about persons are removed before a payload is read, and are never stored, published or logged.

mod backoff;
mod batch;
mod broker;
mod config;
mod decode;
mod desk;
mod error;
mod gateway;
mod intake;
mod limits;
mod link;
mod list;
mod matcher;
mod message;
mod metrics;
mod mqtt;
mod outbox;
mod places;
mod raise;
mod refusal;
mod schemas;
mod strip;
mod topics;

pub use config::{Broker, Config};
pub use decode::MAX_PAYLOAD_BYTES;
pub use desk::{Change, MAX_NOTE_CHARS};
pub use error::Error;
pub use gateway::Gateway;
pub use message::{AlertMessage, NodeReach, NodeState, Rejected};
pub use metrics::{KindSnapshot, MetricsSnapshot};
pub use refusal::Reason;
pub use schemas::schemas;
pub use strip::{Stripped, list as stripped_keys};
