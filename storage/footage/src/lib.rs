//! The log of GOPs: what a recorder is trusted for.
//!
//! Footage comes in through one [`TailWriter`] for each stream, stands in that stream's ring, is written to segments by the
//! threads of a disk, and is found again by stream and time. Viewers, stills and the disk are equal readers of the ring: what
//! is live is the unsealed tail of the log.
//!
//! Belongs here: rings, segments, index, queries, recovery, encryption. Does not belong here: cameras and their protocols
//! (`sightline-ingest`), pictures (`sightline-picture`), and who may look (`sightline-trust`: nothing but that crate should
//! hand footage to anybody).
//!
//! Invariants, for GOPs of recorded streams:
//!
//! - `indexed <= synced <= appended <= tail_end`, see [`Watermarks`]: what a query finds on disk survives a crash.
//! - The segments are the truth and every index is derived: see `DESIGN.md` for the bytes.
//! - Nothing stored is ever overwritten. Bytes are cut only behind the last complete record after a crash.
//! - A push never waits; what is lost for it stands as a gap with a reason.

mod ask;
mod bench;
pub mod catalogue;
mod check;
mod config;
mod crypt;
mod disk;
mod error;
mod format;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
#[doc(hidden)]
pub mod generate;
mod index;
mod lru;
mod metrics;
pub mod policy;
mod pool;
mod query;
mod rebuild;
mod recovery;
mod room;
mod shared;
mod store;
mod tail;
#[cfg(test)]
mod testkit;
#[cfg(test)]
mod tests;
mod tier;
mod types;
mod writer;

pub use ask::FootageStream;
pub use bench::{BenchPlan, BenchReport, ReadFigure, WriteFigure, bench};
pub use check::{CheckReport, Problem, check, list_segments};
pub use config::Config;
pub use crypt::{CameraHour, DataKey, KeyError, KeyId, KeyProvider, WRAPPED_KEY_BYTES};
pub use error::Error;
pub use index::SegmentInfo;
pub use metrics::{DiskInfo, DiskState, MetricsSnapshot};
pub use rebuild::rebuild;
pub use recovery::Recovery;
pub use store::{Footage, Seams};
pub use tail::{LiveReader, TailWriter};
pub use tier::{
    Orphan, Tier, TierConfig, TierFile, TierMetrics, TierProblem, TierReport, TierSegment, TierState,
    TierStatus, Verified,
};
pub use types::{Direction, FootageItem, GopEntry, Keep, LiveItem, Span, Timeline, Watermarks};
