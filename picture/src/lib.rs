//! Key frame to picture: a pool of decoder worker processes, scaling, JPEG.
//!
//! Belongs here: everything that looks at pixels. Does not belong here: packets (`ingest`), bytes on disk (`footage`),
//! who may see what (`trust`).
//!
//! Camera video is foreign input to a decoder in C, so decoding happens in processes of their own: [`worker_main`] is
//! all that such a process runs, and GStreamer is never initialised anywhere else. [`Pictures`] starts, feeds, times
//! and replaces them. The protocol between the two is a table in `picture/DESIGN.md`.

mod backoff;
mod cache;
mod color;
mod config;
mod error;
mod jpeg;
mod key_frame;
mod metrics;
mod pictures;
mod planar;
mod pool;
mod size;
mod wire;
mod worker;

pub use config::Config;
pub use error::Error;
pub use metrics::MetricsSnapshot;
pub use pictures::Pictures;
pub use size::{MAX_SIDE, Size};
pub use worker::worker_main;
