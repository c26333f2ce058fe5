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

mod address;
mod assemble;
mod backoff;
mod clock;
mod config;
mod demand;
mod failure;
mod health;
mod intake;
mod lockout;
mod metrics;
mod pacing;
mod pulse;
mod reconcile;
pub mod replay;
mod rtsp;
mod source;
mod supervisor;
mod target;
mod timeline;

pub use clock::Clock;
pub use config::{Config, InvalidConfig, Transport};
pub use failure::Failure;
pub use intake::Intake;
pub use metrics::MetricsSnapshot;
pub use source::{OpenSource, Source, Unit};
pub use supervisor::{States, Supervisor};
pub use target::{Append, Sink, Target};
