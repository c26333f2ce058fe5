//! Configuration of a footage store.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{Error, policy::PolicyConfig, tier::TierConfig};

/// Smallest ring: room for a few large key frames.
const MIN_TAIL_BYTES: usize = 64 << 10;
/// Smallest segment: a footer must not outweigh the footage.
const MIN_SEGMENT_BYTES: u64 = 64 << 10;
/// Most disks of a node.
const MAX_DISKS: usize = 64;
/// Longest node name in a segment header.
pub(crate) const NODE_BYTES: usize = 32;

/// How a footage store writes, and how much memory and disk it may take. Durations are text: `"1s"`, `"250ms"`, `"1h"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where segments lie. Created when missing.
    pub dir: PathBuf,
    /// Folders on further disks. A camera's footage goes to one of them at a time; a disk that fails is taken out, and its
    /// cameras go to the others.
    pub more_dirs: Vec<PathBuf>,
    /// Name of this node, as it stands in every segment's header: at most 32 bytes.
    pub node: String,
    /// Longest time between an append and the sync that makes it durable.
    #[serde(with = "humantime_serde")]
    pub sync_interval: Duration,
    /// Appended bytes that bring a sync forward.
    pub sync_bytes: u64,
    /// Size at which a segment is sealed.
    pub segment_bytes: u64,
    /// Age at which a segment is sealed.
    #[serde(with = "humantime_serde")]
    pub segment_max_age: Duration,
    /// Bound of each stream's tail ring. Most of it is used only while somebody watches or the disk is behind.
    pub tail_bytes: usize,
    /// How much of a GOP may be in memory alone: an open GOP is committed in pieces of about this length, which queries
    /// put together again. A killed process loses no more than this and a quarter of a second.
    #[serde(with = "humantime_serde")]
    pub commit_interval: Duration,
    /// Segments written side by side, for each class and disk; a camera always falls to the same one.
    pub lanes: u8,
    /// Whether large writes go past the page cache (where the file system can).
    pub direct_io: bool,
    /// Room that a segment asks for ahead, so that it lies on disk in few pieces. 0: none.
    pub allocate_bytes: u64,
    /// Free space below which nothing more is written.
    pub min_free_bytes: u64,
    /// Memory for GOPs that were read from disk lately.
    pub read_cache_bytes: usize,
    /// Memory for index blocks that were read from disk lately.
    pub index_cache_bytes: usize,
    /// Memory for rows of the catalogue that were looked up lately: 40 bytes for what a camera has in one segment.
    pub catalogue_cache_bytes: usize,
    /// What is kept for how long.
    pub policies: PolicyConfig,
    /// Where sealed segments go in the end; none: they stay on this disk.
    pub tier: Option<TierConfig>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            dir: PathBuf::from("footage"),
            more_dirs: Vec::new(),
            node: "local".to_owned(),
            sync_interval: Duration::from_secs(1),
            sync_bytes: 32 << 20,
            segment_bytes: 256 << 20,
            segment_max_age: Duration::from_secs(3600),
            tail_bytes: 8 << 20,
            commit_interval: Duration::from_millis(500),
            lanes: 2,
            direct_io: true,
            allocate_bytes: 64 << 20,
            min_free_bytes: 1 << 30,
            read_cache_bytes: 64 << 20,
            index_cache_bytes: 16 << 20,
            catalogue_cache_bytes: 48 << 20,
            policies: PolicyConfig::default(),
            tier: None,
        }
    }
}

impl Config {
    /// The folder of every disk.
    pub(crate) fn dirs(&self) -> impl Iterator<Item = &PathBuf> {
        std::iter::once(&self.dir).chain(&self.more_dirs)
    }

    /// Refuses what cannot work, naming the field.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let bad = |field, problem| Err(Error::Config { field, problem });
        if self.lanes == 0 {
            return bad("lanes", "must be at least 1".to_owned());
        }
        if self.more_dirs.len() >= MAX_DISKS {
            return bad("more_dirs", format!("may name at most {} folders", MAX_DISKS - 1));
        }
        let mut dirs: Vec<_> = self.dirs().collect();
        dirs.sort();
        if dirs.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            return bad("more_dirs", "names a folder twice".to_owned());
        }
        if self.tail_bytes < MIN_TAIL_BYTES {
            return bad("tail_bytes", format!("must be at least {MIN_TAIL_BYTES}"));
        }
        if self.segment_bytes < MIN_SEGMENT_BYTES {
            return bad("segment_bytes", format!("must be at least {MIN_SEGMENT_BYTES}"));
        }
        if self.node.len() > NODE_BYTES {
            return bad("node", format!("must be at most {NODE_BYTES} bytes"));
        }
        if self.commit_interval < Duration::from_millis(100) {
            return bad("commit_interval", "must be at least 100ms".to_owned());
        }
        self.tier.as_ref().map_or(Ok(()), |tier| tier.check(&self.node).map(drop))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_text_and_unknown_fields_are_refused() {
        let config: Config =
            toml::from_str("dir = '/srv/footage'\nsync_interval = '250ms'\nlanes = 3").unwrap();
        assert_eq!((config.sync_interval, config.lanes), (Duration::from_millis(250), 3));
        let error = toml::from_str::<Config>("dirr = '/srv'").unwrap_err().to_string();
        assert!(error.contains("dirr") && error.contains("line 1"), "{error}");
    }

    #[test]
    fn what_cannot_work_is_named() {
        let error = Config { lanes: 0, ..Config::default() }.check().unwrap_err().to_string();
        assert!(error.contains("lanes"), "{error}");
        assert!(Config::default().check().is_ok());
    }
}
