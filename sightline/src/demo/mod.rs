//! The demo: a made-up district with simulated cameras, people with random passwords, a case, a hotlist entry, a patrol
//! plan. Everything goes through the same parts and rules as in a real node.

pub(crate) mod city;
pub(crate) mod facts;
mod seed;
mod sim;

pub(crate) use facts::Facts;
pub(crate) use seed::{CASE, HOTLISTED, seed};
pub(crate) use sim::{start_cameras, start_events};
