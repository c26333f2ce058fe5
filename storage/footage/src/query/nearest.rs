//! One GOP for an instant: the one that covers it, the one before, the one after.

use sightline_model::{TimeRange, Timestamp};

use super::{Miss, Query, join, parts::Found};
use crate::{
    index::View,
    types::{Direction, GopEntry},
};

/// Which of two GOPs before an instant is the better answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prefer {
    /// One that covers the instant, and of two the later one.
    Covering,
    /// The later one.
    Later,
}

impl Query<'_> {
    /// The key frame for `at`: the GOP that covers it, else the last before, else the first after.
    pub(crate) fn nearest(&self, at: Timestamp) -> Result<Option<GopEntry>, Miss> {
        let tail = self.starts_in_tail(at);
        let found = match self.last_before(at, Prefer::Covering, &tail)? {
            Some(entry) => Some(entry),
            None => self.first_after(at, &tail)?,
        };
        found.map(|entry| self.whole(entry)).transpose()
    }

    /// The first GOP that starts after `at`, or the last one that starts before it.
    pub(crate) fn step(&self, at: Timestamp, direction: Direction) -> Result<Option<GopEntry>, Miss> {
        let tail = self.starts_in_tail(at);
        let found = match direction {
            Direction::Forward => self.first_after(at, &tail)?,
            Direction::Backward if at.0 == i64::MIN => None,
            Direction::Backward => self.last_before(at.plus_micros(-1), Prefer::Later, &tail)?,
        };
        found.map(|entry| self.whole(entry)).transpose()
    }

    /// GOPs of the ring that begin with a key frame.
    fn starts_in_tail(&self, now: Timestamp) -> Vec<GopEntry> {
        let tail = self.tail(now).unwrap_or_default();
        let in_tail: Vec<_> = tail.gops.iter().map(|piece| GopEntry::in_tail(self.key, piece)).collect();
        let mut starts = join(&in_tail);
        starts.retain(is_start);
        starts
    }

    /// The entry with all its pieces, wherever they lie.
    fn whole(&self, entry: GopEntry) -> Result<GopEntry, Miss> {
        let Some(range) = TimeRange::new(entry.start, entry.start.plus_micros(1)) else { return Ok(entry) };
        let found = self.entries(range, None, usize::MAX)?;
        Ok(found.into_iter().find(|whole| whole.identity() == entry.identity()).unwrap_or(entry))
    }

    /// GOPs and parts of one block, its pieces put together as far as they lie in it.
    fn joined(&self, part: &Found) -> Result<Vec<GopEntry>, Miss> {
        let block = self.block(part)?;
        let on_disk = block.entries.iter().map(|entry| GopEntry::on_disk(self.key, part.segment, entry));
        Ok(join(&on_disk.collect::<Vec<_>>()))
    }

    fn view(&self) -> View {
        self.shared.index.read().view(self.key, |_| true)
    }

    fn last_before(
        &self,
        at: Timestamp,
        prefer: Prefer,
        tail: &[GopEntry],
    ) -> Result<Option<GopEntry>, Miss> {
        let rank = |entry: &GopEntry| (prefer == Prefer::Covering && entry.covers(at), entry.identity());
        let before = |entry: &GopEntry| is_start(entry) && entry.start <= at;
        let mut best = tail.iter().filter(|entry| before(entry)).copied().max_by_key(rank);
        // Whether nothing that ends at `end` can be better.
        let hopeless = |best: &Option<GopEntry>, end: Timestamp| {
            best.is_some_and(|best| best.start >= end || (end <= at && rank(&best).0))
        };
        let better = |best: Option<GopEntry>, part: &Found| -> Result<Option<GopEntry>, Miss> {
            let on_disk = self.joined(part)?;
            Ok(best.into_iter().chain(on_disk.into_iter().filter(before)).max_by_key(rank))
        };
        let view = self.view();
        let mut loose = self.loose(&view)?;
        loose.retain(|part| part.gops && part.from <= at);
        loose.sort_by_key(|part| std::cmp::Reverse(part.to));
        for part in &loose {
            if !hopeless(&best, part.to) {
                best = better(best, part)?;
            }
        }
        let mut near = self.backwards(&view, at);
        while let Some(part) = near.back(at)? {
            if hopeless(&best, part.from.plus_micros(view.stored.longest_us)) {
                // Nor can any before it be.
                break;
            }
            if part.gops && !hopeless(&best, part.to) {
                best = better(best, &part)?;
            }
        }
        Ok(best)
    }

    fn first_after(&self, at: Timestamp, tail: &[GopEntry]) -> Result<Option<GopEntry>, Miss> {
        let after = |entry: &GopEntry| is_start(entry) && entry.start > at;
        let mut best = tail.iter().filter(|entry| after(entry)).copied().min_by_key(GopEntry::identity);
        let mut parts = self.parts((at, Timestamp(i64::MAX)))?;
        while let Some(part) = parts.next()? {
            if best.is_some_and(|best| best.start < part.from) {
                break;
            }
            if part.gops {
                let on_disk = self.joined(&part)?;
                best =
                    best.into_iter().chain(on_disk.into_iter().filter(after)).min_by_key(GopEntry::identity);
            }
        }
        Ok(best)
    }
}

fn is_start(entry: &GopEntry) -> bool {
    entry.part == 0 && entry.units > 0
}
