//! The tail of the log: one ring for each stream, written by ingest and read by the disk and by everybody who watches live.
//!
//! Belongs here: rings, their writers and readers, who is watching what. Does not belong here: files. A push takes one
//! short lock of its own stream; nothing here waits for a disk or a viewer.

pub(crate) mod chunk;
pub(crate) mod gaps;
pub(crate) mod pull;
mod reader;
mod registry;
pub(crate) mod ring;
mod writer;

use std::{
    fmt,
    sync::atomic::{AtomicBool, AtomicU8, Ordering},
};

use parking_lot::Mutex;
use sightline_model::media::StreamKey;
use tokio::sync::Notify;

pub use reader::LiveReader;
pub(crate) use registry::Registry;
pub use writer::TailWriter;

use ring::Ring;

/// One stream's tail, shared by its writer and its readers.
pub(crate) struct Tail {
    pub(crate) key: StreamKey,
    pub(crate) ring: Mutex<Ring>,
    /// Told after every push.
    pub(crate) moved: Notify,
    has_writer: AtomicBool,
    /// Number of the disk it is recorded to.
    room: AtomicU8,
    /// Retention class of what is recorded from now on.
    class: AtomicU8,
}

impl Tail {
    pub(crate) fn new(key: StreamKey, ring: Ring, room: u8) -> Self {
        Self {
            key,
            ring: Mutex::new(ring),
            moved: Notify::new(),
            has_writer: AtomicBool::new(false),
            room: AtomicU8::new(room),
            class: AtomicU8::new(0),
        }
    }

    pub(crate) fn room(&self) -> u8 {
        self.room.load(Ordering::Acquire)
    }

    pub(crate) fn class(&self) -> u8 {
        self.class.load(Ordering::Relaxed)
    }

    pub(crate) fn set_class(&self, class: u8) {
        self.class.store(class, Ordering::Relaxed);
    }

    /// Takes the one writer's place; `false` when it is taken.
    fn claim(&self) -> bool {
        !self.has_writer.swap(true, Ordering::AcqRel)
    }

    fn unclaim(&self) {
        self.has_writer.store(false, Ordering::Release);
    }
}

impl fmt::Debug for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tail({})", self.key)
    }
}

#[cfg(test)]
mod tests;
