//! Interface first; the bodies follow.
#![allow(clippy::todo, unused_variables, missing_docs)]
use std::{collections::BTreeSet, fmt, path::Path, sync::Arc, time::Duration};

use sightline_model::{
    TimeRange, Timestamp,
    media::{Gop, StreamKey},
    tail::TailItem,
};
use tokio::sync::watch;

use crate::*;

#[derive(Clone)]
pub struct Footage;
#[derive(Debug, Clone, Default)]
pub struct Recovery {
    pub segments: u64,
    pub gops: u64,
    pub streams: u64,
    pub bytes_cut: u64,
    pub took: Duration,
}
impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}
pub struct TailWriter;
impl TailWriter {
    pub fn push(&mut self, item: TailItem) {
        todo!()
    }
}
pub struct LiveReader;
impl LiveReader {
    pub async fn next(&mut self) -> LiveItem {
        todo!()
    }
}
#[derive(Debug, Clone, Default)]
pub struct MetricsSnapshot {
    pub gops_appended: u64,
    pub bytes_appended: u64,
    pub gops_synced: u64,
    pub bytes_synced: u64,
    pub syncs: u64,
    pub sync_time_total: Duration,
    pub sync_time_max: Duration,
    pub segments_sealed: u64,
    pub gops_dropped: u64,
    pub reads: u64,
    pub bytes_read: u64,
    pub free_bytes: u64,
    pub live_readers: u64,
    pub watermarks: Watermarks,
    pub disk: DiskState,
}
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum DiskState {
    #[default]
    Writing,
    Full {
        free_bytes: u64,
        needed_bytes: u64,
        since: Timestamp,
    },
    Failing {
        since: Timestamp,
        detail: String,
    },
}
#[derive(Debug, Clone)]
pub struct SegmentInfo {
    pub id: u64,
    pub class: u8,
    pub lane: u8,
    pub node: String,
    pub created: Timestamp,
    pub sealed: bool,
    pub bytes: u64,
    pub gops: u64,
    pub streams: u64,
    pub range: Option<TimeRange>,
}
pub struct CheckReport;
impl CheckReport {
    pub fn is_clean(&self) -> bool {
        todo!()
    }
}
impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}
/// Verifies every segment under `dir`; `progress(done_bytes, all_bytes)`.
pub fn check(dir: &Path, progress: impl FnMut(u64, u64)) -> Result<CheckReport, Error> {
    todo!()
}
/// Lists segments of a store that need not be open.
pub fn list_segments(dir: &Path) -> Result<Vec<SegmentInfo>, Error> {
    todo!()
}
impl Footage {
    pub fn open(config: Config, now: Timestamp) -> Result<(Footage, Recovery), Error> {
        todo!()
    }
    pub fn writer(&self, key: StreamKey, keep: Keep) -> Result<TailWriter, Error> {
        todo!()
    }
    pub fn live(&self, key: StreamKey) -> LiveReader {
        todo!()
    }
    pub fn demand(&self) -> watch::Receiver<Arc<BTreeSet<StreamKey>>> {
        todo!()
    }
    pub async fn timeline(
        &self,
        key: StreamKey,
        range: TimeRange,
        now: Timestamp,
    ) -> Result<Timeline, Error> {
        todo!()
    }
    pub async fn entries(
        &self,
        key: StreamKey,
        range: TimeRange,
        limit: usize,
    ) -> Result<Vec<GopEntry>, Error> {
        todo!()
    }
    pub async fn nearest(&self, key: StreamKey, at: Timestamp) -> Result<Option<GopEntry>, Error> {
        todo!()
    }
    /// The newest complete GOP (part 0), from the ring if need be.
    pub async fn latest(&self, key: StreamKey) -> Result<Option<GopEntry>, Error> {
        todo!()
    }
    pub async fn read(&self, entry: &GopEntry) -> Result<Arc<Gop>, Error> {
        todo!()
    }
    pub fn watermarks(&self) -> Watermarks {
        todo!()
    }
    pub fn last_synced(&self, key: StreamKey) -> Option<Timestamp> {
        todo!()
    }
    /// Waits until everything complete in the tails is on disk and indexed.
    pub async fn flush(&self) -> Result<(), Error> {
        todo!()
    }
    pub fn disk_state(&self) -> DiskState {
        todo!()
    }
    pub fn list_segments(&self) -> Vec<SegmentInfo> {
        todo!()
    }
    pub async fn shutdown(&self) -> Result<(), Error> {
        todo!()
    }
    pub fn metrics(&self) -> MetricsSnapshot {
        todo!()
    }
}
