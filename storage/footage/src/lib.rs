//! The log of GOPs.
pub mod config;
mod error;
mod store;
mod types;

pub use config::Config;
pub use error::Error;
pub use store::*;
pub use types::{GopEntry, Keep, LiveItem, Span, Timeline, Watermarks};
