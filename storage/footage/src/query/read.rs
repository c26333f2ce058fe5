//! From an entry to media.

use std::{
    borrow::Cow,
    sync::{Arc, atomic::Ordering},
};

use bytes::Bytes;
use sightline_model::{TimeRange, media::Gop};

use super::{Miss, Query};
use crate::{
    Error,
    format::payload::{decode_gop, gop_record_bytes, kept},
    metrics::Counters,
    recovery::verify,
    types::{GopEntry, Location},
};

impl Query<'_> {
    /// The GOP of `entry`, its checksums verified, its pieces put together.
    pub(crate) fn read(&self, entry: &GopEntry) -> Result<Arc<Gop>, Miss> {
        if entry.pieces == 1 {
            return self.read_piece(entry);
        }
        let mut whole: Option<Gop> = None;
        for piece in self.pieces(entry)? {
            let gop = self.read_piece(&piece)?;
            match &mut whole {
                None => whole = Some(Gop::clone(&gop)),
                Some(whole) => append(whole, &gop),
            }
        }
        Ok(Arc::new(whole.ok_or_else(|| gone(entry))?))
    }

    /// The pieces that were put together in `entry`.
    fn pieces(&self, entry: &GopEntry) -> Result<Vec<GopEntry>, Miss> {
        // One more than its length: the last piece may have none, where frames come out of order.
        let until = entry.end.max(entry.start).plus_micros(1);
        let range = TimeRange::new(entry.start, until).ok_or_else(|| gone(entry))?;
        let parts = entry.part..entry.part.saturating_add(entry.pieces);
        let mut pieces = self.raw(range)?;
        pieces.retain(|piece| {
            (piece.run, piece.number) == (entry.run, entry.number) && parts.contains(&piece.part)
        });
        if pieces.len() == usize::from(entry.pieces) { Ok(pieces) } else { Err(gone(entry).into()) }
    }

    fn read_piece(&self, entry: &GopEntry) -> Result<Arc<Gop>, Miss> {
        let (segment, offset) = match entry.location {
            Location::Segment { id, offset } => (id, offset),
            Location::Tail => match self.held(entry) {
                Some(gop) => return Ok(gop),
                None => self.moved(entry)?,
            },
        };
        let cached = self.shared.gops.lock().get(&(segment, offset));
        if let Some(gop) = cached {
            self.count_hit();
            return Ok(gop);
        }
        if !self.io {
            return Err(Miss::Io);
        }
        let gop = self.fetch(entry, segment, offset).inspect_err(|error| {
            if matches!(error, Error::Damaged { .. }) {
                Counters::add(&self.shared.counters.damaged_reads, 1);
                tracing::error!(stream = %entry.key, start = %entry.start, "footage cannot be read: {error}");
            }
        })?;
        let gop = Arc::new(gop);
        self.shared.gops.lock().insert((segment, offset), Arc::clone(&gop), gop.bytes());
        Ok(gop)
    }

    fn count_hit(&self) {
        Counters::add(&self.shared.counters.reads, 1);
        Counters::add(&self.shared.counters.reads_cached, 1);
    }

    fn held(&self, entry: &GopEntry) -> Option<Arc<Gop>> {
        let tail = self.shared.registry.get(entry.key)?;
        let gop = tail.ring.lock().find(|start| entry.is(start))?;
        self.count_hit();
        let units = match kept(&gop) {
            Cow::Borrowed(units) if units.len() == gop.units.len() => return Some(Arc::clone(&gop)),
            units => units.into_owned(),
        };
        Some(Arc::new(Gop { start: gop.start.clone(), duration_90k: gop.duration_90k, units }))
    }

    /// Where a GOP went that was in the ring when the entry was made.
    fn moved(&self, entry: &GopEntry) -> Result<(u64, u64), Miss> {
        let range = TimeRange::new(entry.start, entry.start.plus_micros(1)).ok_or_else(|| gone(entry))?;
        let place = self.raw(range)?.iter().find_map(|found| match found.location {
            Location::Segment { id, offset } if found.identity() == entry.identity() => Some((id, offset)),
            _ => None,
        });
        Ok(place.ok_or_else(|| gone(entry))?)
    }

    fn fetch(&self, entry: &GopEntry, segment: u64, offset: u64) -> Result<Gop, Error> {
        let files = &self.shared.files;
        let length = usize::try_from(gop_record_bytes(entry.units, entry.bytes)).unwrap_or(usize::MAX);
        let record = Bytes::from(files.read(segment, offset, length)?);
        let counters = &self.shared.counters;
        Counters::add(&counters.reads, 1);
        counters.bytes_read.fetch_add(length as u64, Ordering::Relaxed);
        let damaged = |what| files.damaged(segment, offset, what);
        let header = verify(&record).map_err(damaged)?;
        let same = header.key == entry.key
            && (header.start, header.run, header.number, header.part) == entry.identity();
        if !same {
            return Err(damaged("another GOP lies here"));
        }
        let held = self.shared.index.read().segments.get(&segment).cloned();
        let held = held.ok_or_else(|| gone(entry))?;
        let params = held.params(files, header.params)?;
        let header_bytes =
            length.min(usize::try_from(crate::format::record::RECORD_HEADER_BYTES).unwrap_or(0));
        decode_gop(&header, &record.slice(header_bytes..), params).map_err(damaged)
    }
}

fn gone(entry: &GopEntry) -> Error {
    Error::Gone { key: entry.key, start: entry.start }
}

/// Puts the next piece behind `whole`; presentation times count from its first access unit.
fn append(whole: &mut Gop, next: &Gop) {
    let shift_90k = next.start.media_90k.saturating_sub(whole.start.media_90k);
    whole.duration_90k = whole.duration_90k.saturating_add(next.duration_90k);
    whole.units.extend(next.units.iter().cloned().map(|mut unit| {
        unit.pts_90k = i32::try_from(i64::from(unit.pts_90k) + shift_90k).unwrap_or(unit.pts_90k);
        unit
    }));
}
