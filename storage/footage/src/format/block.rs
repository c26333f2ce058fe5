//! A stream's part of a segment's index: its GOPs and gaps, column by column in Rice codes, about 8 bytes a GOP.

use sightline_model::{
    Timestamp,
    gap::{Gap, GapReason},
    media::{Policy, RunId, ticks_to_micros},
};

use super::{
    ALIGN, align,
    bits::{BitReader, BitWriter},
    columns::Shape,
    cursor::{Cursor, put_varint, put_zigzag},
    record::RecordHeader,
};

const KEYFRAMES: u64 = 1;
const JOINED: u64 = 1 << 1;
const ENCRYPTED: u64 = 1 << 2;
const FLAG_BITS: u32 = 3;

/// One GOP, as the index knows it: all its pieces in this segment are one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) start: Timestamp,
    pub(crate) duration_90k: u32,
    pub(crate) run: RunId,
    pub(crate) number: u32,
    /// Part of the first piece.
    pub(crate) part: u16,
    pub(crate) policy: Policy,
    /// Whether it belongs together with the part before it, in another segment.
    pub(crate) joined: bool,
    pub(crate) encrypted: bool,
    /// Records it stands in: a chain that is read from the last one back.
    pub(crate) pieces: u16,
    /// Where the record of its parameter sets stands, in units of [`ALIGN`].
    pub(crate) params: u32,
    pub(crate) units: u32,
    pub(crate) bytes: u32,
    /// Where its last record begins in its segment.
    pub(crate) offset: u64,
    /// Length of its last record, header included, without padding.
    pub(crate) record_bytes: u32,
    /// Where the record before stands that this one goes on from; 0: in no block that this one goes into.
    pub(crate) before: u64,
}

impl Entry {
    pub(crate) fn from_header(header: &RecordHeader, offset: u64) -> Self {
        Self {
            start: header.start,
            duration_90k: header.duration_90k,
            run: header.run,
            number: header.number,
            part: header.part,
            policy: header.policy,
            joined: header.joined,
            encrypted: header.is_encrypted(),
            pieces: 1,
            params: header.params,
            units: header.units,
            bytes: header.media_bytes,
            offset,
            record_bytes: header.total_bytes,
            before: header.before.map_or(0, |before| before.offset),
        }
    }

    pub(crate) fn end(&self) -> Timestamp {
        self.start.plus_micros(ticks_to_micros(i64::from(self.duration_90k)))
    }

    fn record_end(&self) -> u64 {
        align(self.offset.saturating_add(u64::from(self.record_bytes)))
    }

    /// Takes in `next` when it is the next piece of the same GOP.
    pub(crate) fn join(&mut self, next: &Self) -> bool {
        let goes_on = next.joined
            && next.before == self.offset
            && (next.run, next.number) == (self.run, self.number)
            && Some(next.part) == self.part.checked_add(self.pieces);
        if goes_on {
            self.pieces = self.pieces.saturating_add(next.pieces);
            self.duration_90k = self.duration_90k.saturating_add(next.duration_90k);
            self.units = self.units.saturating_add(next.units);
            self.bytes = self.bytes.saturating_add(next.bytes);
            (self.offset, self.record_bytes) = (next.offset, next.record_bytes);
        }
        goes_on
    }
}

/// What a segment holds of one stream, in the order it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Block {
    pub(crate) entries: Vec<Entry>,
    pub(crate) gaps: Vec<Gap>,
}

/// What an entry is told apart from: the one before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Previous {
    end: i64,
    run: u64,
    number: u32,
    params: u32,
    flags: u64,
    record_end: u64,
}

impl Previous {
    /// What makes `entry`, the first one, need no telling.
    fn before(entry: &Entry) -> Self {
        Self {
            end: entry.start.0,
            run: entry.run.0,
            number: entry.number.wrapping_sub(1),
            params: entry.params,
            flags: flags(entry),
            record_end: entry.offset & !(ALIGN - 1),
        }
    }

    fn of(entry: &Entry) -> Self {
        Self {
            end: entry.end().0,
            run: entry.run.0,
            number: entry.number,
            params: entry.params,
            flags: flags(entry),
            record_end: entry.record_end(),
        }
    }

    /// Whether `entry` is the ordinary next one: its identity needs no telling.
    fn foretells(&self, entry: &Entry) -> bool {
        entry.part == 0
            && entry.run.0 == self.run
            && entry.number == self.number.wrapping_add(1)
            && entry.params == self.params
            && flags(entry) == self.flags
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_zigzag(out, self.end);
        put_zigzag(out, self.run.wrapping_sub(self.end.cast_unsigned()).cast_signed());
        put_varint(out, u64::from(self.number));
        put_varint(out, u64::from(self.params));
        put_varint(out, self.flags);
        put_varint(out, self.record_end / ALIGN);
    }

    fn decode(cursor: &mut Cursor<'_>) -> Option<Self> {
        let end = cursor.zigzag()?;
        Some(Self {
            end,
            run: cursor.zigzag()?.cast_unsigned().wrapping_add(end.cast_unsigned()),
            number: cursor.varint_u32()?,
            params: cursor.varint_u32()?,
            flags: cursor.varint()?,
            record_end: cursor.varint()?.checked_mul(ALIGN)?,
        })
    }
}

fn flags(entry: &Entry) -> u64 {
    let bit = |set: bool, bit: u64| if set { bit } else { 0 };
    bit(entry.policy == Policy::Keyframes, KEYFRAMES)
        | bit(entry.joined, JOINED)
        | bit(entry.encrypted, ENCRYPTED)
}

/// What of an entry is a number in a column.
#[derive(Debug, Clone, Copy)]
struct Row {
    /// Start, after the end of the entry before.
    start: i64,
    duration: i64,
    units: i64,
    bytes: i64,
    pieces: i64,
    /// Offset, in units of [`ALIGN`] behind the record of the entry before.
    offset: i64,
    record_bytes: i64,
}

impl Row {
    fn of(entry: &Entry, previous: &Previous) -> Self {
        Self {
            start: entry.start.0.wrapping_sub(previous.end),
            duration: i64::from(entry.duration_90k),
            units: i64::from(entry.units),
            bytes: i64::from(entry.bytes),
            pieces: i64::from(entry.pieces),
            offset: (entry.offset / ALIGN)
                .cast_signed()
                .wrapping_sub((previous.record_end / ALIGN).cast_signed()),
            record_bytes: i64::from(entry.record_bytes),
        }
    }
}

/// The shapes of the columns of a block.
#[derive(Debug, Clone, Copy)]
struct Shapes {
    start: Shape,
    duration: Shape,
    units: Shape,
    bytes: Shape,
    pieces: Shape,
    offset: Shape,
    record_bytes: Shape,
}

impl Shapes {
    fn of(rows: &[Row]) -> Self {
        let shape = |value: fn(&Row) -> i64| Shape::of(&rows.iter().map(value).collect::<Vec<_>>());
        Self {
            start: shape(|row| row.start),
            duration: shape(|row| row.duration),
            units: shape(|row| row.units),
            bytes: shape(|row| row.bytes),
            pieces: shape(|row| row.pieces),
            offset: shape(|row| row.offset),
            record_bytes: shape(|row| row.record_bytes),
        }
    }

    fn all(&self) -> [Shape; 7] {
        [self.start, self.duration, self.units, self.bytes, self.pieces, self.offset, self.record_bytes]
    }

    fn decode(cursor: &mut Cursor<'_>) -> Option<Self> {
        let mut shape = || Shape::decode(cursor);
        Some(Self {
            start: shape()?,
            duration: shape()?,
            units: shape()?,
            bytes: shape()?,
            pieces: shape()?,
            offset: shape()?,
            record_bytes: shape()?,
        })
    }
}

impl Block {
    /// Memory it takes, for caches.
    pub(crate) fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + self.entries.capacity() * size_of::<Entry>()
            + self.gaps.capacity() * size_of::<Gap>()
    }

    /// Adds a record: a piece joins the entry before, anything else is an entry of its own.
    pub(crate) fn push(&mut self, entry: Entry) {
        if !self.entries.last_mut().is_some_and(|last| last.join(&entry)) {
            self.entries.push(Entry { before: 0, ..entry });
        }
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.entries.len() as u64);
        if let Some(first) = self.entries.first() {
            encode_entries(&self.entries, Previous::before(first), out);
        }
        put_varint(out, self.gaps.len() as u64);
        let mut last = 0i64;
        for gap in &self.gaps {
            put_zigzag(out, gap.from.0.wrapping_sub(last));
            put_varint(out, gap.to.0.wrapping_sub(gap.from.0).cast_unsigned());
            out.push(gap.reason.code());
            last = gap.to.0;
        }
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let count = usize::try_from(cursor.varint()?).ok()?;
        let entries = if count == 0 { Vec::new() } else { decode_entries(count, &mut cursor)? };
        let count = usize::try_from(cursor.varint()?).ok()?;
        let mut gaps = Vec::with_capacity(count.min(cursor.remaining() / 3));
        let mut last = 0i64;
        for _ in 0..count {
            let from = last.wrapping_add(cursor.zigzag()?);
            let to = from.wrapping_add(cursor.varint()?.cast_signed());
            let reason = GapReason::from_code(cursor.u8()?);
            gaps.push(Gap { from: Timestamp(from), to: Timestamp(to), reason });
            last = to;
        }
        cursor.is_empty().then_some(Self { entries, gaps })
    }
}

fn encode_entries(entries: &[Entry], first: Previous, out: &mut Vec<u8>) {
    first.encode(out);
    let mut previous = first;
    let mut rows = Vec::with_capacity(entries.len());
    for entry in entries {
        rows.push(Row::of(entry, &previous));
        previous = Previous::of(entry);
    }
    let shapes = Shapes::of(&rows);
    shapes.all().iter().for_each(|shape| shape.encode(out));
    let mut bits = BitWriter::default();
    let mut previous = first;
    for (entry, row) in entries.iter().zip(rows) {
        let told = !previous.foretells(entry);
        bits.put(u64::from(told), 1);
        if told {
            bits.put(entry.run.0, 64);
            bits.put(u64::from(entry.number), 32);
            bits.put(u64::from(entry.part), 16);
            bits.put(u64::from(entry.params), 32);
            bits.put(flags(entry), FLAG_BITS);
        }
        shapes.start.put(&mut bits, row.start);
        shapes.duration.put(&mut bits, row.duration);
        shapes.units.put(&mut bits, row.units);
        shapes.bytes.put(&mut bits, row.bytes);
        shapes.pieces.put(&mut bits, row.pieces);
        shapes.offset.put(&mut bits, row.offset);
        if entry.pieces == 1 {
            // One record: its length follows from its units, as far as the entry is a true one.
            bits.put(u64::from(u64::from(entry.record_bytes) != plain_bytes(entry)), 1);
        }
        if entry.pieces != 1 || u64::from(entry.record_bytes) != plain_bytes(entry) {
            shapes.record_bytes.put(&mut bits, row.record_bytes);
        }
        previous = Previous::of(entry);
    }
    let bits = bits.finish();
    put_varint(out, bits.len() as u64);
    out.extend_from_slice(&bits);
}

/// Length of the record of an entry of one piece.
fn plain_bytes(entry: &Entry) -> u64 {
    super::payload::gop_record_bytes(entry.units, u64::from(entry.bytes), entry.encrypted)
}

fn decode_entries(count: usize, cursor: &mut Cursor<'_>) -> Option<Vec<Entry>> {
    let first = Previous::decode(cursor)?;
    let shapes = Shapes::decode(cursor)?;
    let length = usize::try_from(cursor.varint()?).ok()?;
    let mut bits = BitReader::new(cursor.take(length)?);
    // An entry takes at least eight bits: a count that cannot be true allocates nothing.
    let mut entries = Vec::with_capacity(count.min(bits.remaining() / 8));
    let mut previous = first;
    for _ in 0..count {
        let entry = decode_entry(&mut bits, &shapes, &previous)?;
        previous = Previous::of(&entry);
        entries.push(entry);
    }
    Some(entries)
}

fn decode_entry(bits: &mut BitReader<'_>, shapes: &Shapes, previous: &Previous) -> Option<Entry> {
    let told = bits.get(1)? == 1;
    let (run, number, part, params, flags) = if told {
        let (run, number) = (bits.get(64)?, u32::try_from(bits.get(32)?).ok()?);
        let (part, params) = (u16::try_from(bits.get(16)?).ok()?, u32::try_from(bits.get(32)?).ok()?);
        (run, number, part, params, bits.get(FLAG_BITS)?)
    } else {
        (previous.run, previous.number.wrapping_add(1), 0, previous.params, previous.flags)
    };
    let start = previous.end.wrapping_add(shapes.start.get(bits)?);
    let duration_90k = u32::try_from(shapes.duration.get(bits)?).ok()?;
    let units = u32::try_from(shapes.units.get(bits)?).ok()?;
    let bytes = u32::try_from(shapes.bytes.get(bits)?).ok()?;
    let pieces = u16::try_from(shapes.pieces.get(bits)?).ok()?;
    let behind = (previous.record_end / ALIGN).cast_signed();
    let offset = behind.wrapping_add(shapes.offset.get(bits)?);
    let mut entry = Entry {
        start: Timestamp(start),
        duration_90k,
        run: RunId(run),
        number,
        part,
        policy: if flags & KEYFRAMES == 0 { Policy::Full } else { Policy::Keyframes },
        joined: flags & JOINED != 0,
        encrypted: flags & ENCRYPTED != 0,
        pieces,
        params,
        units,
        bytes,
        offset: u64::try_from(offset).ok()?.checked_mul(ALIGN)?,
        record_bytes: 0,
        before: 0,
    };
    let follows = pieces == 1 && bits.get(1)? == 0;
    entry.record_bytes = if follows {
        u32::try_from(plain_bytes(&entry)).ok()?
    } else {
        u32::try_from(shapes.record_bytes.get(bits)?).ok()?
    };
    Some(entry)
}

#[cfg(test)]
mod tests;
