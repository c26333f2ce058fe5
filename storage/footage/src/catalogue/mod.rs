//! Where the rows about sealed segments are kept: one for each stream of a segment, enough to know which index block to read.
//!
//! Belongs here: the seam, and its two sides. [`MemoryCatalogue`] for tests, tools and stores that are opened without records; [`SqlCatalogue`]
//! over `sightline-records`. Does not belong here: open segments, caches and queries (`index`, `query`).
//!
//! The catalogue is derived: whatever it says, the segments are right, and a catalogue that was lost is made again from them.
//! Calls block; they are made only on threads that may.

pub(crate) mod convert;
pub(crate) mod filing;
mod memory;
mod sql;
#[cfg(test)]
mod tests;

use std::fmt;

use sightline_model::{Timestamp, media::StreamKey};
pub use sightline_records::footage::{
    ClassTotal, Hull, Known, NEAR_US, Part, PartPlace, Place, Sealed, Segment as SealedSegment,
    Stream as StreamTotal,
};

pub use self::{memory::MemoryCatalogue, sql::SqlCatalogue};
use crate::Error;

/// The rows of one node's sealed segments. See the module's words.
///
/// Every method fails when the database does.
pub trait Catalogue: Send + Sync + fmt::Debug {
    /// Ids and sizes of all segments, in the order of ids.
    ///
    /// # Errors
    /// See the trait.
    fn known(&self) -> Result<Vec<Known>, Error>;

    /// Segments in the order of ids, those behind `after`, at most `limit`.
    ///
    /// # Errors
    /// See the trait.
    fn segments(&self, after: Option<u64>, limit: usize) -> Result<Vec<SealedSegment>, Error>;

    /// Every stream that has rows, with the sums over them, in order.
    ///
    /// # Errors
    /// See the trait.
    fn streams(&self) -> Result<Vec<StreamTotal>, Error>;

    /// The sums over each retention class.
    ///
    /// # Errors
    /// See the trait.
    fn classes(&self) -> Result<Vec<ClassTotal>, Error>;

    /// Puts segments in, all or none; what is there with the same contents stays, what differs is replaced.
    ///
    /// # Errors
    /// See the trait.
    fn insert(&self, sealed: &[Sealed]) -> Result<(), Error>;

    /// Takes segments out, all or none.
    ///
    /// # Errors
    /// See the trait.
    fn remove(&self, ids: &[u64]) -> Result<(), Error>;

    /// Takes everything out.
    ///
    /// # Errors
    /// See the trait.
    fn clear(&self) -> Result<(), Error>;

    /// Notes where segments can be read from now on.
    ///
    /// # Errors
    /// See the trait.
    fn set_place(&self, ids: &[u64], place: Place) -> Result<(), Error>;

    /// Near parts whose hull starts from `starts.0` on and before `starts.1`, in order, those behind `after`, at most `limit`.
    ///
    /// # Errors
    /// See the trait.
    fn near(
        &self,
        key: StreamKey,
        starts: Hull,
        after: Option<&PartPlace>,
        limit: usize,
    ) -> Result<Vec<PartPlace>, Error>;

    /// The last near parts whose hull starts at or before `at`, the last one first, at most `limit`.
    ///
    /// # Errors
    /// See the trait.
    fn before(&self, key: StreamKey, at: Timestamp, limit: usize) -> Result<Vec<PartPlace>, Error>;

    /// The first near parts whose hull starts after `at`, in order, at most `limit`.
    ///
    /// # Errors
    /// See the trait.
    fn after(&self, key: StreamKey, at: Timestamp, limit: usize) -> Result<Vec<PartPlace>, Error>;

    /// All far parts, in order.
    ///
    /// # Errors
    /// See the trait.
    fn far(&self, key: StreamKey) -> Result<Vec<PartPlace>, Error>;
}
