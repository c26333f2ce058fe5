//! Ingest against simulated cameras over real sockets, on loopback.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic in a test is its report")]

mod bench;
mod faults;
mod handshake;
mod media;
mod strangers;
