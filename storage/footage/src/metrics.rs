//! Counters of a store, and the snapshot that the binary exposes.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use sightline_model::Timestamp;

use crate::types::Watermarks;

/// Live counters. Only ever grow, except where said.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Goes back when a failed sync takes records off the disk again.
    pub(crate) gops_appended: AtomicU64,
    pub(crate) bytes_appended: AtomicU64,
    pub(crate) gops_synced: AtomicU64,
    pub(crate) bytes_synced: AtomicU64,
    pub(crate) gops_indexed: AtomicU64,
    pub(crate) gaps_appended: AtomicU64,
    pub(crate) writes: AtomicU64,
    pub(crate) syncs: AtomicU64,
    pub(crate) sync_micros: AtomicU64,
    pub(crate) sync_micros_max: AtomicU64,
    pub(crate) write_errors: AtomicU64,
    pub(crate) segments_created: AtomicU64,
    pub(crate) segments_sealed: AtomicU64,
    pub(crate) reads: AtomicU64,
    pub(crate) reads_cached: AtomicU64,
    pub(crate) bytes_read: AtomicU64,
    pub(crate) damaged_reads: AtomicU64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64, amount: u64) {
        counter.fetch_add(amount, Ordering::AcqRel);
    }

    pub(crate) fn synced(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        Self::add(&self.syncs, 1);
        Self::add(&self.sync_micros, micros);
        self.sync_micros_max.fetch_max(micros, Ordering::AcqRel);
    }

    /// Read from the end of the chain to its beginning, so that the inequality holds in every answer.
    pub(crate) fn watermarks(&self, completed: &AtomicU64) -> Watermarks {
        let indexed = self.gops_indexed.load(Ordering::Acquire);
        let synced = self.gops_synced.load(Ordering::Acquire);
        let appended = self.gops_appended.load(Ordering::Acquire);
        let tail_end = completed.load(Ordering::Acquire);
        Watermarks { indexed, synced, appended, tail_end }
    }
}

/// Whether footage reaches the disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum DiskState {
    /// All is well.
    #[default]
    Writing,
    /// Too little space: footage is being let go, and the loss will stand as gaps.
    Full {
        /// Bytes free when last looked.
        free_bytes: u64,
        /// Bytes that must be free.
        needed_bytes: u64,
        /// Since when.
        since: Timestamp,
    },
    /// The disk refuses: footage is being let go, and the loss will stand as gaps.
    Failing {
        /// Since when.
        since: Timestamp,
        /// What it said.
        detail: String,
    },
    /// The disk failed for so long that it was taken out; its cameras record to the others.
    Out {
        /// Since when.
        since: Timestamp,
        /// What it said.
        detail: String,
    },
}

impl DiskState {
    /// What is wrong, in words.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        match self {
            Self::Writing => None,
            Self::Full { free_bytes, needed_bytes, .. } => {
                Some(format!("the disk is full: {free_bytes} bytes free, {needed_bytes} must stay free"))
            }
            Self::Failing { detail, .. } => Some(detail.clone()),
            Self::Out { detail, .. } => Some(format!("the disk was taken out: {detail}")),
        }
    }
}

/// One disk of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskInfo {
    /// The folder of its segments.
    pub path: PathBuf,
    /// Whether footage reaches it.
    pub state: DiskState,
    /// Space left, when last looked.
    pub free_bytes: u64,
}

/// The state of a store at one moment. Counters count since the store was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetricsSnapshot {
    /// GOPs (parts counted) handed to the operating system.
    pub gops_appended: u64,
    /// Bytes handed to the operating system, headers and footers included.
    pub bytes_appended: u64,
    /// GOPs safe against a crash.
    pub gops_synced: u64,
    /// Bytes safe against a crash.
    pub bytes_synced: u64,
    /// Gap records written.
    pub gaps_appended: u64,
    /// Write calls.
    pub writes: u64,
    /// Syncs of a segment.
    pub syncs: u64,
    /// Time spent in them.
    pub sync_time_total: Duration,
    /// The longest.
    pub sync_time_max: Duration,
    /// Writes and syncs that failed.
    pub write_errors: u64,
    /// Segments begun.
    pub segments_created: u64,
    /// Segments closed with a footer.
    pub segments_sealed: u64,
    /// Segments there are.
    pub segments: u64,
    /// GOPs that were let go because the disk was too slow or full.
    pub gops_dropped: u64,
    /// GOPs read for queries.
    pub reads: u64,
    /// Of those, from the cache or the ring.
    pub reads_cached: u64,
    /// Bytes read from disk for them.
    pub bytes_read: u64,
    /// Reads that found damage.
    pub damaged_reads: u64,
    /// Space left on all disks, when last looked.
    pub free_bytes: u64,
    /// Live readers.
    pub live_readers: u64,
    /// How far each stage has come.
    pub watermarks: Watermarks,
    /// Whether footage reaches the disks: the state of the worst.
    pub disk: DiskState,
    /// Disks that were taken out.
    pub disks_out: u64,
}

impl Counters {
    /// What the counters themselves know; the store adds the rest.
    pub(crate) fn snapshot(&self) -> MetricsSnapshot {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        MetricsSnapshot {
            gops_appended: get(&self.gops_appended),
            bytes_appended: get(&self.bytes_appended),
            gops_synced: get(&self.gops_synced),
            bytes_synced: get(&self.bytes_synced),
            gaps_appended: get(&self.gaps_appended),
            writes: get(&self.writes),
            syncs: get(&self.syncs),
            sync_time_total: Duration::from_micros(get(&self.sync_micros)),
            sync_time_max: Duration::from_micros(get(&self.sync_micros_max)),
            write_errors: get(&self.write_errors),
            segments_created: get(&self.segments_created),
            segments_sealed: get(&self.segments_sealed),
            reads: get(&self.reads),
            reads_cached: get(&self.reads_cached),
            bytes_read: get(&self.bytes_read),
            damaged_reads: get(&self.damaged_reads),
            ..MetricsSnapshot::default()
        }
    }
}
