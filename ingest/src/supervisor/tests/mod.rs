//! The supervisor over scripted sources, under paused time: minutes of waiting pass in no time.

mod bench;
mod demand;
mod drain;
mod failures;
mod soak;
mod start;
