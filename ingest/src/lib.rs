//! Foreign media to GOPs: pulls RTSP streams, puts them on one time line and cuts them into GOPs for the tail of the log.
//!
//! Belongs here: sessions with cameras, when and how often to try, which clock is believed, where a GOP begins and ends.
//! Does not belong here: what is kept on disk, who may look, pixels.
//!
//! ```text
//! camera ─ RTSP ─> Source ─ units ─> Intake ( Timeline, Assembler ) ─ TailItem ─> Sink
//!                    ^ runs                        │ pulse
//!                Stream task ( Backoff, Health ) <─┘        Supervisor ( reconcile, Pacer, Demand ) ─> states
//! ```
//!
//! Whatever decides or times out takes `now` and is in a file of its own without I/O; tasks are `select -> Action ->
//! apply`. A source only runs, the supervisor alone retries.

mod assemble;
mod backoff;
mod config;
mod demand;
mod health;
mod lockout;
mod metrics;
mod pacing;
mod reconcile;
mod supervisor;
mod target;
mod timeline;

pub use config::{Config, InvalidConfig, Transport};
pub use metrics::MetricsSnapshot;
pub use supervisor::{States, Supervisor};
pub use target::{Append, Sink, Target};
