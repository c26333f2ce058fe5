//! Rows of the catalogue that were looked up lately.
//!
//! A stream's near rows are cached by the stretch of [`NEAR_US`] that they start in, its far rows as a whole, under the
//! stream's epoch: when its rows change the epoch grows, and what was cached before is not found any more. So nothing has to
//! be taken out, and what was read before a change cannot come in behind it.

use std::sync::Arc;

use sightline_model::{Timestamp, media::StreamKey};

use super::Place;
use crate::{
    Error,
    catalogue::{Catalogue, NEAR_US, PartPlace},
    format::footer::Section,
    lru::Lru,
};

/// What a stream has in one sealed segment, as far as a question needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    /// Start of footage and gaps.
    pub(crate) from: Timestamp,
    /// Their end.
    pub(crate) to: Timestamp,
    pub(crate) segment: Place,
    pub(crate) block: Section,
    pub(crate) gops: bool,
}

impl Row {
    fn of(found: &PartPlace) -> Self {
        let part = &found.part;
        Self {
            from: found.start,
            to: part.hull().1,
            segment: Place { id: found.segment, disk: found.disk },
            block: Section { offset: part.block_offset, length: part.block_bytes, crc: part.block_crc },
            gops: part.gops > 0 || part.footage.is_some(),
        }
    }
}

/// Which rows of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Slot {
    /// Near rows that start in the stretch of this number.
    Stretch(i64),
    Far,
}

impl Slot {
    /// The stretch that `at` is in.
    pub(crate) fn of(at: Timestamp) -> i64 {
        at.0.div_euclid(NEAR_US)
    }

    /// First instant of a stretch.
    pub(crate) fn begin(stretch: i64) -> Timestamp {
        Timestamp(stretch.saturating_mul(NEAR_US))
    }
}

/// The rows of a slot, in order.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) rows: Vec<Row>,
    /// Of an empty stretch: the last start before it, and the first behind it.
    pub(crate) last_before: Option<Timestamp>,
    pub(crate) first_after: Option<Timestamp>,
}

impl Rows {
    /// Reads a slot. Blocks.
    pub(crate) fn load(catalogue: &dyn Catalogue, key: StreamKey, slot: Slot) -> Result<Self, Error> {
        let rows = |found: Vec<PartPlace>| found.iter().map(Row::of).collect();
        let stretch = match slot {
            Slot::Far => return Ok(Self { rows: rows(catalogue.far(key)?), ..Self::default() }),
            Slot::Stretch(stretch) => stretch,
        };
        let (begin, end) = (Slot::begin(stretch), Slot::begin(stretch.saturating_add(1)));
        let mut loaded =
            Self { rows: rows(catalogue.near(key, (begin, end), None, usize::MAX)?), ..Self::default() };
        if loaded.rows.is_empty() {
            let before = catalogue.before(key, begin.plus_micros(-1), 1)?;
            loaded.last_before = before.first().map(|part| part.start);
            let after = catalogue.after(key, end.plus_micros(-1), 1)?;
            loaded.first_after = after.first().map(|part| part.start);
        }
        Ok(loaded)
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        // The slot in the cache's two tables counts as well.
        size_of::<Self>() + self.rows.capacity() * size_of::<Row>() + 256
    }
}

/// See the module's words.
pub(crate) type RowCache = Lru<(StreamKey, u64, Slot), Arc<Rows>>;
