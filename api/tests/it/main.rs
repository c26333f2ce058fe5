//! The HTTP side against real records, real footage, the real door and a real broker, each in a folder of its own. Files
//! mirror the URLs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a panic is the failure report, in helpers as in tests"
)]

mod alerts;
mod cameras;
mod console;
mod events;
mod footage;
mod grants;
mod live;
mod openapi;
mod patrols;
mod session;
mod support;
mod vehicles;
