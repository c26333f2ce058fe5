//! The floor: what any program must do at least to have the same bytes on disk.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::Path,
};

use super::Engine;
use crate::entry::Entry;

/// One file, appended to and synced after every batch.
#[derive(Debug)]
pub(crate) struct Bare {
    file: File,
    buffer: Vec<u8>,
}

impl Bare {
    /// Opens it for appending.
    pub(crate) fn open(dir: &Path) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(dir.join("log")).unwrap();
        Self { file, buffer: Vec::new() }
    }
}

impl Engine for Bare {
    fn put(&mut self, batch: &[Entry]) {
        self.buffer.clear();
        for entry in batch {
            self.buffer.extend_from_slice(&entry.key());
            self.buffer.extend_from_slice(&entry.value());
        }
        self.file.write_all(&self.buffer).unwrap();
        self.file.sync_data().unwrap();
    }

    fn seek(&mut self, _camera: u32, _at_us: i64) -> Option<Entry> {
        None
    }

    fn scan(&mut self, _camera: u32, _each: &mut dyn FnMut(Entry)) {}

    fn remove_before(&mut self, _cameras: u32, _before_us: i64) {}

    fn compact(&mut self) -> bool {
        false
    }

    fn close(self: Box<Self>) {}
}
