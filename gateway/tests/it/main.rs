//! The gateway against real brokers: the embedded one and mosquitto.

mod desk;
mod embedded;
mod faults;
mod kill;
mod site;
mod world;
