//! Simulated cameras, vehicles and alarms, for the demo, tests and benches.
//!
//! - [`CameraSim`] is one RTSP server with many cameras: `rtsp://127.0.0.1:PORT/{camera}/main` and `/sub`. Each loops a
//!   clip of real footage in real time, packetised once at start, and can be given a [`Fault`] while it runs.
//! - [`events`] publishes vehicle passes, telemetry, alarms and device status over MQTT.
//!
//! What it costs, as `examples/cameras.rs` prints it (two cores, server and watchers pinned to one each, loopback TCP,
//! main streams half H.264 and half H.265, 10 pictures/s): 200 cameras 5% of a core, 1,000 cameras 15%; with a write per
//! packet instead of one per picture 200 cameras 8%.
//!
//! Does not belong here: anything that a running site needs. No other part of Sightline depends on this crate except
//! the binary's `demo` and `sim` commands, tests and benches.

mod error;
pub mod events;
pub mod fault;
pub mod media;
pub mod rtp;
mod rtsp;
mod server;

pub use error::Error;
pub use fault::{Fault, Refusal};
pub use media::Clip;
pub use server::{CameraSim, CameraSpec, Config, CountersSnapshot, MetricsSnapshot, Writes};
