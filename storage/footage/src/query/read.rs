//! From an entry to media.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
};

use sightline_model::{
    TimeRange,
    media::{Gop, ParameterSets},
};

use super::{Miss, Query};
use crate::{
    Error,
    crypt::{self, CameraHour},
    format::{
        ALIGN,
        payload::{decode_gop, decode_params, kept},
        record::{Kind, RECORD_HEADER_BYTES, RECORD_MAGIC, RecordHeader, TAG_BYTES},
    },
    index::Place,
    metrics::Counters,
    pool::Buffer,
    recovery::{verify, verify_header},
    types::{GopEntry, Location},
};

const HEADER: usize = RECORD_HEADER_BYTES as usize;
/// Read at once for parameter sets, whose length is not known before: room for two of them.
const PARAMS_READ: usize = 4096;

/// Records of one GOP by their part.
type Pieces = BTreeMap<u16, Gop>;

impl Query<'_> {
    /// The GOP of `entry`, its checksums verified, its pieces put together.
    pub(crate) fn read(&self, entry: &GopEntry) -> Result<Arc<Gop>, Miss> {
        if !entry.spread {
            return self.read_place(entry);
        }
        let mut pieces = Pieces::new();
        for fragment in self.fragments(entry)? {
            // Piece by piece: after a failed sync fragments overlap, and a piece may have no length.
            pieces.extend(self.pieces(&fragment)?);
        }
        Ok(Arc::new(join(pieces).ok_or_else(|| gone(entry))?))
    }

    /// The entries that were put together in `entry`.
    fn fragments(&self, entry: &GopEntry) -> Result<Vec<GopEntry>, Miss> {
        // One more than its length: the last piece may have none, where frames come out of order.
        let until = entry.end.max(entry.start).plus_micros(1);
        let range = TimeRange::new(entry.start, until).ok_or_else(|| gone(entry))?;
        let parts = entry.part..entry.part.saturating_add(entry.pieces);
        let mut found = self.raw(range)?;
        found.retain(|piece| {
            (piece.run, piece.number) == (entry.run, entry.number) && parts.contains(&piece.part)
        });
        let mut next = u32::from(entry.part);
        for fragment in &found {
            if u32::from(fragment.part) > next {
                return Err(gone(entry).into());
            }
            next = next.max(u32::from(fragment.part) + u32::from(fragment.pieces));
        }
        if next >= u32::from(parts.end) { Ok(found) } else { Err(gone(entry).into()) }
    }

    /// The records of an entry that lies in one place.
    fn pieces(&self, entry: &GopEntry) -> Result<Pieces, Miss> {
        let at = match entry.location {
            Location::Segment { .. } => entry.location,
            Location::Tail => match self.held(entry) {
                Some(gop) => return Ok(Pieces::from([(gop.start.part, Gop::clone(&gop))])),
                None => self.moved(entry)?,
            },
        };
        let Location::Segment { place, offset, bytes } = at else { return Err(gone(entry).into()) };
        self.chain(entry, place, offset, bytes)
    }

    /// Reads an entry that lies in one place.
    fn read_place(&self, entry: &GopEntry) -> Result<Arc<Gop>, Miss> {
        let at = match entry.location {
            Location::Segment { .. } => entry.location,
            Location::Tail => match self.held(entry) {
                Some(gop) => return Ok(gop),
                None => self.moved(entry)?,
            },
        };
        match self.read_at(entry, at) {
            // The segment was rewritten or moved since the entry was made.
            Err(Miss::Error(Error::Io { source, .. })) if source.kind() == std::io::ErrorKind::NotFound => {
                let now = self.moved(entry)?;
                if now == at { Err(gone(entry).into()) } else { self.read_at(entry, now) }
            }
            other => other,
        }
    }

    fn read_at(&self, entry: &GopEntry, at: Location) -> Result<Arc<Gop>, Miss> {
        let Location::Segment { place, offset, bytes } = at else { return Err(gone(entry).into()) };
        let cached = self.shared.gops.lock().get(&(place.id, offset, self.key));
        // What an index says is not believed: another entry may name the same place.
        if let Some(gop) = cached.filter(|gop| entry.is(&gop.start)) {
            self.count_hit();
            return Ok(gop);
        }
        let forgotten = self.shared.forgotten.load(Ordering::Relaxed);
        let gop = self.fetch(entry, place, offset, bytes).inspect_err(|miss| {
            if let Miss::Error(error @ Error::Damaged { .. }) = miss {
                Counters::add(&self.shared.counters.damaged_reads, 1);
                tracing::error!(stream = %entry.key, start = %entry.start, "footage cannot be read: {error}");
            }
        })?;
        let gop = Arc::new(gop);
        let mut gops = self.shared.gops.lock();
        if self.shared.forgotten.load(Ordering::Relaxed) == forgotten {
            gops.insert((place.id, offset, self.key), Arc::clone(&gop), gop.bytes());
        }
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

    /// Where a GOP lies now that lay in the ring, or in another segment, when the entry was made.
    fn moved(&self, entry: &GopEntry) -> Result<Location, Miss> {
        let range = TimeRange::new(entry.start, entry.start.plus_micros(1)).ok_or_else(|| gone(entry))?;
        let place = self.raw(range)?.into_iter().find_map(|found| {
            let on_disk = matches!(found.location, Location::Segment { .. });
            (on_disk && found.identity() == entry.identity()).then_some(found.location)
        });
        Ok(place.ok_or_else(|| gone(entry))?)
    }

    fn fetch(&self, entry: &GopEntry, place: Place, offset: u64, bytes: u32) -> Result<Gop, Miss> {
        let pieces = self.chain(entry, place, offset, bytes)?;
        Counters::add(&self.shared.counters.reads, 1);
        let whole = join(pieces).filter(|gop| gop.start.part == entry.part && gop.start.at == entry.start);
        Ok(whole.ok_or_else(|| self.shared.files.damaged(place, offset, "another GOP lies here"))?)
    }

    /// Reads the chain of records that ends at `offset`, from the last one back.
    fn chain(&self, entry: &GopEntry, place: Place, offset: u64, bytes: u32) -> Result<Pieces, Miss> {
        let counters = &self.shared.counters;
        let (mut at, mut length) = (offset, bytes);
        let mut pieces = Pieces::new();
        loop {
            let bytes = usize::try_from(length).unwrap_or(usize::MAX);
            let record = self.shared.files.read_pooled(place, at, bytes, self.io)?.ok_or(Miss::Io)?;
            counters.bytes_read.fetch_add(u64::from(length), Ordering::Relaxed);
            let (header, gop) = self.open_record(entry, place, at, record)?;
            let first = gop.start.part == entry.part;
            pieces.insert(gop.start.part, gop);
            match header.before {
                // Only ever back: a chain that was tampered with ends all the same.
                Some(before) if !first && header.joined && before.offset < at => {
                    (at, length) = (before.offset, before.total_bytes);
                }
                _ => return Ok(pieces),
            }
        }
    }

    fn open_record(
        &self,
        entry: &GopEntry,
        place: Place,
        offset: u64,
        mut record: Buffer,
    ) -> Result<(RecordHeader, Gop), Miss> {
        let files = &self.shared.files;
        let damaged = |what| files.damaged(place, offset, what);
        let header = verify_header(record.as_ref()).map_err(damaged)?;
        // What is encrypted is checked by opening it.
        if !header.is_encrypted() {
            verify(record.as_ref()).map_err(damaged)?;
        }
        let same = header.kind == Kind::Gop
            && header.key == entry.key
            && (header.run, header.number) == (entry.run, entry.number)
            && header.part >= entry.part;
        if !same {
            return Err(damaged("another GOP lies here").into());
        }
        if header.is_encrypted() {
            self.decrypt(&header, &mut record).map_err(|error| match error {
                Sealed::Io => Miss::Io,
                Sealed::Key(error) => Error::Key(error).into(),
                Sealed::Changed => damaged("the payload is not what was encrypted").into(),
            })?;
        }
        let params = self.params(place, header.params)?;
        let payload = record.share().slice(HEADER..);
        Ok((header, decode_gop(&header, &payload, params).map_err(damaged)?))
    }

    fn decrypt(&self, header: &RecordHeader, record: &mut Buffer) -> Result<(), Sealed> {
        let of = CameraHour::of(header.key.camera, header.start);
        let unknown = crypt::KeyError::Unknown { id: header.key_id, of };
        let keys = self.shared.keys.as_ref().ok_or(Sealed::Key(unknown))?;
        let key = match self.io {
            true => Some(keys.get(header.key_id, of)),
            false => keys.at_hand(header.key_id, of).transpose(),
        };
        let key = key.ok_or(Sealed::Io)?.map_err(Sealed::Key)?;
        let payload = record.as_mut().get_mut(HEADER..).unwrap_or_default();
        crypt::open(&key, header.nonce, &header.aad(), payload).map_err(|_| Sealed::Changed)?;
        record.truncate(record.as_ref().len().saturating_sub(TAG_BYTES as usize));
        Ok(())
    }

    /// The parameter sets whose record stands at `place_in_file`, in units of [`ALIGN`].
    fn params(&self, place: Place, place_in_file: u32) -> Result<Arc<ParameterSets>, Miss> {
        if let Some(params) = self.shared.params.lock().get(&(place.id, place_in_file)) {
            return Ok(params);
        }
        if !self.io {
            return Err(Miss::Io);
        }
        let files = &self.shared.files;
        let offset = u64::from(place_in_file) * ALIGN;
        let file = files.file(place)?;
        let left = file.length().map_err(Error::io("ask for the length of", files.path(place)))?;
        let left = usize::try_from(left.saturating_sub(offset)).unwrap_or(usize::MAX);
        let bytes = files.read(place, offset, left.min(PARAMS_READ))?;
        let params = find_params(&bytes, place_in_file)
            .ok_or_else(|| files.damaged(place, offset, "parameter sets are missing"))?;
        let params = Arc::new(params);
        self.shared.params.lock().insert((place.id, place_in_file), Arc::clone(&params), 1);
        Ok(params)
    }
}

/// The first sound copy of the parameter sets that were written to `place` twice; `bytes` begins there.
fn find_params(bytes: &[u8], place: u32) -> Option<ParameterSets> {
    (0..bytes.len()).step_by(ALIGN as usize).find_map(|at| {
        let bytes = bytes.get(at..).filter(|bytes| bytes.starts_with(&RECORD_MAGIC))?;
        let header = RecordHeader::decode(bytes.get(..HEADER)?).ok()?;
        let record = bytes.get(..usize::try_from(header.total_bytes).ok()?)?;
        verify(record).ok().filter(|header| header.kind == Kind::Params && header.params == place)?;
        decode_params(record.get(HEADER..)?).ok()
    })
}

/// Why a payload stays closed.
enum Sealed {
    /// Its key lies on a disk, and this thread must not wait for one.
    Io,
    Key(crypt::KeyError),
    Changed,
}

fn gone(entry: &GopEntry) -> Error {
    Error::Gone { key: entry.key, start: entry.start }
}

/// Puts pieces together; presentation times count from the first access unit.
fn join(pieces: Pieces) -> Option<Gop> {
    let mut pieces = pieces.into_values();
    let mut whole = pieces.next()?;
    for next in pieces {
        let shift_90k = next.start.media_90k.saturating_sub(whole.start.media_90k);
        let length = shift_90k.saturating_add(i64::from(next.duration_90k));
        whole.duration_90k =
            u32::try_from(length).unwrap_or(whole.duration_90k.saturating_add(next.duration_90k));
        whole.units.extend(next.units.into_iter().map(|mut unit| {
            unit.pts_90k =
                i32::try_from(i64::from(unit.pts_90k).saturating_add(shift_90k)).unwrap_or(unit.pts_90k);
            unit
        }));
    }
    Some(whole)
}
