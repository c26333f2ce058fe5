//! The gateway against real brokers: the embedded one and mosquitto.

// A panic is the failure report, in the helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::print_stdout)]

mod desk;
mod embedded;
mod faults;
mod kill;
mod measure;
mod site;
mod world;
