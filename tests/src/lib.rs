//! Support for whole-system tests: starts the real binary, signs in, waits for things with a deadline.
//!
//! Belongs here: processes, clients, polling. Does not belong here: any check of a result; that is a test's own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a panic here is a test's failure report"
)]

mod client;
mod demo;
mod wait;

pub use client::Client;
pub use demo::{Demo, Facts, User, binary, start_and_kill};
pub use wait::{eventually, eventually_some};
