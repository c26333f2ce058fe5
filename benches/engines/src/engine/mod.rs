//! The contestants. Each does the same five things in the way its own documentation asks for.
//!
//! Every engine gets 256 MB of cache, and a batch counts as written when the engine says that it is durable.

mod bare;
mod fjall;
mod footage;
mod footers;
mod redb;
mod segments;
mod sled034;
mod sled1;
mod sqlite;

use std::path::Path;

use crate::{args::Shape, entry::Entry};

/// Memory that every engine may use to cache what is on disk.
pub(crate) const CACHE_BYTES: usize = 256 << 20;
/// Cameras whose old entries are removed with one durable commit.
pub(crate) const CAMERAS_A_REMOVAL: u32 = 100;

/// An index of entries by camera and time.
pub(crate) trait Engine {
    /// Stores a batch; durable when this returns, or so the engine says.
    fn put(&mut self, batch: &[Entry]);

    /// The last entry of a camera that begins at or before a time.
    fn seek(&mut self, camera: u32, at_us: i64) -> Option<Entry>;

    /// Hands out all entries of a camera, in order of time.
    fn scan(&mut self, camera: u32, each: &mut dyn FnMut(Entry));

    /// Removes what begins before a time, of all cameras below a number; durable when this returns.
    fn remove_before(&mut self, cameras: u32, before_us: i64);

    /// Gives space back as well as the engine can. Answers whether it has such a thing.
    fn compact(&mut self) -> bool;

    /// Closes in good order.
    fn close(self: Box<Self>);
}

/// Which engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The floor: one file that is appended to and synced. It finds nothing.
    Bare,
    /// sled 0.34.
    Sled034,
    /// The alpha of sled 1.0.
    Sled1,
    /// redb.
    Redb,
    /// fjall.
    Fjall,
    /// SQLite with a write-ahead log.
    Sqlite,
    /// Segments, as our store writes them.
    Segments,
    /// The footers of segments of real size.
    Footers,
}

impl Kind {
    /// All of them, in the order of the table.
    pub(crate) const ALL: [Self; 8] = [
        Self::Bare,
        Self::Sled034,
        Self::Sled1,
        Self::Redb,
        Self::Fjall,
        Self::Sqlite,
        Self::Segments,
        Self::Footers,
    ];

    /// What it is called on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Sled034 => "sled",
            Self::Sled1 => "sled1",
            Self::Redb => "redb",
            Self::Fjall => "fjall",
            Self::Sqlite => "sqlite",
            Self::Segments => "segments",
            Self::Footers => "footers",
        }
    }

    /// What it is called in the report.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Bare => "bare file, appended and synced",
            Self::Sled034 => "sled 0.34.7",
            Self::Sled1 => "sled 1.0.0-alpha.124",
            Self::Redb => "redb 4.5",
            Self::Fjall => "fjall 3.1",
            Self::Sqlite => "SQLite 3 (WAL)",
            Self::Segments => "segments, written by our store",
            Self::Footers => "footers of segments of real size",
        }
    }

    /// The engine of a name.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| format!("there is no engine {name:?}"))
    }

    /// Whether it can find what it wrote.
    pub(crate) const fn finds(self) -> bool {
        !matches!(self, Self::Bare)
    }

    /// Whether what it loads is durable batch by batch. Footers of segments of real size are made, not recorded.
    pub(crate) const fn loads(self) -> bool {
        !matches!(self, Self::Footers)
    }

    /// Whether the oldest quarter can be removed from it. Segments that were cut by size do not end where batches do.
    pub(crate) const fn removes(self) -> bool {
        !matches!(self, Self::Bare | Self::Segments)
    }

    /// Opens it, new or as it was left.
    pub(crate) fn open(self, dir: &Path, shape: &Shape) -> Box<dyn Engine> {
        match self {
            Self::Bare => Box::new(bare::Bare::open(dir)),
            Self::Sled034 => Box::new(sled034::Sled034::open(dir)),
            Self::Sled1 => Box::new(sled1::Sled1::open(dir)),
            Self::Redb => Box::new(redb::Redb::open(dir)),
            Self::Fjall => Box::new(fjall::Fjall::open(dir)),
            Self::Sqlite => Box::new(sqlite::Sqlite::open(dir)),
            Self::Segments => Box::new(segments::Segments::open(dir, shape)),
            Self::Footers => Box::new(footers::Footers::open(dir, shape)),
        }
    }
}
