//! A stream's parts in the order of time: from the index and, through a bounded cache, from the catalogue.

use std::sync::Arc;

use sightline_model::Timestamp;

use super::{Miss, Query};
use crate::{
    format::footer::{Hull, Summary},
    index::{
        Place, Source, Stored, StreamPart, View,
        rows::{Row, Rows, Slot},
    },
};

/// What a stream has in one segment.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// Start of footage and gaps.
    pub(super) from: Timestamp,
    /// Their end.
    pub(super) to: Timestamp,
    pub(super) segment: Place,
    pub(super) source: Source,
    /// Whether there is footage in it.
    pub(super) gops: bool,
}

impl Found {
    fn of_part(part: &StreamPart) -> Self {
        let (from, to) = hull(&part.summary).unwrap_or_default();
        let (segment, source) = (part.segment, part.source.clone());
        Self { from, to, segment, source, gops: part.summary.footage.is_some() }
    }

    fn of_row(row: &Row) -> Self {
        let source = Source::Footer(row.block);
        Self { from: row.from, to: row.to, segment: row.segment, source, gops: row.gops }
    }
}

/// Footage and gaps together.
fn hull(summary: &Summary) -> Hull {
    let both = summary.footage.into_iter().chain(summary.missing);
    both.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

impl Query<'_> {
    /// The parts that touch `range`, by their start.
    pub(super) fn parts(&self, range: (Timestamp, Timestamp)) -> Result<Parts<'_>, Miss> {
        let (from, to) = range;
        let touches = |summary: &Summary| hull(summary).is_some_and(|hull| hull.0 < to && hull.1 >= from);
        let view = self.shared.index.read().view(self.key, touches);
        let mut loose = self.loose(&view)?;
        loose.retain(|found| found.from < to && found.to >= from);
        loose.sort_by_key(|found| std::cmp::Reverse(found.from));
        let low = from.plus_micros(-view.stored.longest_us);
        let near = (view.stored.rows > view.stored.far && from <= view.stored.until).then(|| Slot::of(low));
        let walk = Walk { query: self, stored: view.stored, stretch: near, rows: None, index: 0 };
        Ok(Parts { loose, low, from, to, walk, next: None, view })
    }

    /// The parts that are not found by their start: those of the index, and the far ones.
    pub(super) fn loose(&self, view: &View) -> Result<Vec<Found>, Miss> {
        let mut found: Vec<Found> = view.parts.iter().map(Found::of_part).collect();
        if view.stored.far > 0 {
            let far = self.rows(view.stored, Slot::Far)?;
            found.extend(far.rows.iter().filter(|row| !holds(view, row)).map(Found::of_row));
        }
        Ok(found)
    }

    /// The near parts that start at or before `at`, the last one first.
    pub(super) fn backwards(&self, view: &View, at: Timestamp) -> Walk<'_> {
        let at = at.min(view.stored.until);
        let near = (view.stored.rows > view.stored.far).then(|| Slot::of(at));
        Walk { query: self, stored: view.stored, stretch: near, rows: None, index: 0 }
    }

    fn rows(&self, stored: Stored, slot: Slot) -> Result<Arc<Rows>, Miss> {
        let place = (self.key, stored.epoch, slot);
        if let Some(rows) = self.shared.rows.lock().get(&place) {
            return Ok(rows);
        }
        if !self.io {
            return Err(Miss::Io);
        }
        let rows = Arc::new(Rows::load(&*self.shared.catalogue, self.key, slot)?);
        self.shared.rows.lock().insert(place, Arc::clone(&rows), rows.memory_bytes());
        Ok(rows)
    }
}

/// Whether a row's part is in the view already: it came to the catalogue while the question was asked.
fn holds(view: &View, row: &Row) -> bool {
    view.parts.iter().any(|part| part.segment.id == row.segment.id)
}

/// See [`Query::parts`].
pub(super) struct Parts<'q> {
    /// The first one last.
    loose: Vec<Found>,
    /// No near part that starts before this reaches the range.
    low: Timestamp,
    from: Timestamp,
    to: Timestamp,
    walk: Walk<'q>,
    next: Option<Row>,
    pub(super) view: View,
}

impl Parts<'_> {
    pub(super) fn next(&mut self) -> Result<Option<Found>, Miss> {
        while self.next.is_none() {
            let Some(row) = self.walk.forwards(self.low)? else { break };
            if row.from >= self.to {
                self.walk.stretch = None;
            } else if row.to >= self.from && !holds(&self.view, &row) {
                self.next = Some(row);
            }
        }
        let loose_first = match (self.loose.last(), &self.next) {
            (Some(loose), Some(row)) => loose.from <= row.from,
            (loose, _) => loose.is_some(),
        };
        if loose_first {
            return Ok(self.loose.pop());
        }
        Ok(self.next.take().map(|row| Found::of_row(&row)))
    }
}

/// Goes through near rows, stretch by stretch.
pub(super) struct Walk<'q> {
    query: &'q Query<'q>,
    stored: Stored,
    /// The stretch it is in; `None` at the end.
    stretch: Option<i64>,
    rows: Option<Arc<Rows>>,
    /// Of the next row forwards; behind the next row backwards.
    index: usize,
}

impl Walk<'_> {
    /// The next row that starts at `low` or later.
    fn forwards(&mut self, low: Timestamp) -> Result<Option<Row>, Miss> {
        while let Some(stretch) = self.stretch {
            let rows = match &self.rows {
                Some(rows) => Arc::clone(rows),
                None => {
                    let rows = self.query.rows(self.stored, Slot::Stretch(stretch))?;
                    self.index = rows.rows.partition_point(|row| row.from < low);
                    self.rows = Some(Arc::clone(&rows));
                    rows
                }
            };
            if let Some(row) = rows.rows.get(self.index) {
                self.index += 1;
                return Ok(Some(*row));
            }
            let empty = rows.rows.is_empty();
            let next = if empty { rows.first_after.map(Slot::of) } else { stretch.checked_add(1) };
            self.stretch = next.filter(|next| Slot::begin(*next) <= self.stored.until);
            self.rows = None;
        }
        Ok(None)
    }

    /// The next row back that starts at or before `high`.
    pub(super) fn back(&mut self, high: Timestamp) -> Result<Option<Found>, Miss> {
        while let Some(stretch) = self.stretch {
            let rows = match &self.rows {
                Some(rows) => Arc::clone(rows),
                None => {
                    let rows = self.query.rows(self.stored, Slot::Stretch(stretch))?;
                    self.index = rows.rows.partition_point(|row| row.from <= high);
                    self.rows = Some(Arc::clone(&rows));
                    rows
                }
            };
            self.index = self.index.wrapping_sub(1);
            if let Some(row) = rows.rows.get(self.index) {
                return Ok(Some(Found::of_row(row)));
            }
            let empty = rows.rows.is_empty();
            self.stretch = if empty { rows.last_before.map(Slot::of) } else { stretch.checked_sub(1) };
            self.rows = None;
        }
        Ok(None)
    }
}
