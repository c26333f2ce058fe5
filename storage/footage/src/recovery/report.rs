//! What opening a store found and did, as data and as a sentence.

use std::{fmt, path::PathBuf, time::Duration};

/// What opening a store found, cut and kept. `Display` makes a paragraph of it for the log.
#[derive(Debug, Clone, Default)]
pub struct Recovery {
    /// The folder of each disk.
    pub dirs: Vec<PathBuf>,
    /// Disks that could not be used and were taken out, with the reason.
    pub disks_out: Vec<(PathBuf, String)>,
    /// Segments that can be read.
    pub segments: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// GOPs (parts counted) in them.
    pub gops: u64,
    /// Gap records in them.
    pub gaps: u64,
    /// Streams with footage or gaps.
    pub streams: u64,
    /// Segments without a usable footer, whose records were scanned.
    pub rescanned: u64,
    /// Bytes scanned.
    pub bytes_rescanned: u64,
    /// Of those, segments that had a damaged footer.
    pub footers_rebuilt: u64,
    /// Bytes behind the last complete record that were cut away.
    pub bytes_cut: u64,
    /// Damaged stretches between good records.
    pub damaged: u64,
    /// Segments without a single record that were removed.
    pub empty_removed: u64,
    /// Segments that cannot be read at all, with the reason. They were left alone.
    pub unreadable: Vec<(PathBuf, String)>,
    /// Segments that the catalogue did not know as they are, and knows now.
    pub filed: u64,
    /// Segments of the catalogue that are no longer on their disk; their rows were removed.
    pub gone: u64,
    /// Segments of the catalogue on disks that are not there; their rows stay.
    pub away: u64,
    /// How long it took.
    pub took: Duration,
    pub(crate) highest_id: u64,
}

impl Recovery {
    /// Whether everything had been closed properly and nothing is damaged.
    #[must_use]
    pub fn was_clean(&self) -> bool {
        self.rescanned == 0 && self.damaged == 0 && self.unreadable.is_empty() && self.disks_out.is_empty()
    }
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { segments, gops, streams, gaps, .. } = self;
        let dirs: Vec<_> = self.dirs.iter().map(|dir| dir.display().to_string()).collect();
        let dir = dirs.join(" and ");
        let millis = self.took.as_millis();
        write!(
            f,
            "footage in {dir} opened in {millis} ms: {segments} segments, {} MB, {gops} GOPs and {gaps} gaps of {streams} streams",
            self.bytes / 1_000_000
        )?;
        if self.rescanned > 0 {
            let unclosed = self.rescanned - self.footers_rebuilt;
            write!(
                f,
                "; {unclosed} had not been closed and {} had a damaged footer, so {} MB were scanned and {} torn bytes cut",
                self.footers_rebuilt,
                self.bytes_rescanned / 1_000_000,
                self.bytes_cut
            )?;
        }
        for (path, what) in &self.disks_out {
            write!(f, "; the disk of {} was taken out: {what}", path.display())?;
        }
        if self.damaged > 0 {
            write!(f, "; {} damaged stretches stand as gaps, run `sightline footage check`", self.damaged)?;
        }
        if self.filed > 0 {
            write!(f, "; {} segments were new to the catalogue", self.filed)?;
        }
        if self.gone > 0 {
            write!(f, "; {} segments of the catalogue are no longer there and were struck off", self.gone)?;
        }
        if self.away > 0 {
            write!(f, "; {} segments are on disks that are not there", self.away)?;
        }
        if !self.unreadable.is_empty() {
            write!(f, "; {} segments cannot be read and were left alone", self.unreadable.len())?;
            for (path, what) in self.unreadable.iter().take(3) {
                write!(f, " ({}: {what})", path.display())?;
            }
        }
        Ok(())
    }
}
