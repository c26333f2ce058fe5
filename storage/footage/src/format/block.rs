//! A stream's part of a segment's index: its GOPs and gaps, delta-encoded, about 12 bytes a GOP.

use sightline_model::{
    Timestamp,
    gap::{Gap, GapReason},
    media::{Policy, RunId, ticks_to_micros},
};

use super::{
    align,
    cursor::{Cursor, put_varint, put_zigzag},
    payload::gop_record_bytes,
    record::RecordHeader,
};

const RUN_CHANGED: u8 = 1;
const NUMBER_GIVEN: u8 = 1 << 1;
const PART_GIVEN: u8 = 1 << 2;
const KEYFRAMES: u8 = 1 << 3;
const PARAMS_CHANGED: u8 = 1 << 4;
const JOINED: u8 = 1 << 5;

/// One GOP record, as the index knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) start: Timestamp,
    pub(crate) duration_90k: u32,
    pub(crate) run: RunId,
    pub(crate) number: u32,
    pub(crate) part: u16,
    pub(crate) policy: Policy,
    /// Whether it belongs together with the part before it.
    pub(crate) joined: bool,
    pub(crate) params: u32,
    pub(crate) units: u32,
    pub(crate) bytes: u32,
    /// Where the record begins in its segment.
    pub(crate) offset: u64,
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
            params: header.params,
            units: header.units,
            bytes: header.media_bytes,
            offset,
        }
    }

    pub(crate) fn end(&self) -> Timestamp {
        self.start.plus_micros(ticks_to_micros(i64::from(self.duration_90k)))
    }

    fn record_end(&self) -> u64 {
        align(self.offset.saturating_add(gop_record_bytes(self.units, u64::from(self.bytes))))
    }
}

/// What a segment holds of one stream, in the order it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Block {
    pub(crate) entries: Vec<Entry>,
    pub(crate) gaps: Vec<Gap>,
}

/// What an entry is told apart from: the one before it.
struct Previous {
    end: Timestamp,
    duration_90k: u32,
    run: RunId,
    number: u32,
    params: u32,
    record_end: u64,
}

impl Previous {
    const NONE: Self = Self {
        end: Timestamp(0),
        duration_90k: 0,
        run: RunId(0),
        number: u32::MAX,
        params: 0,
        record_end: 0,
    };

    fn of(entry: &Entry) -> Self {
        Self {
            end: entry.end(),
            duration_90k: entry.duration_90k,
            run: entry.run,
            number: entry.number,
            params: entry.params,
            record_end: entry.record_end(),
        }
    }

    /// The number that needs no telling: the same for a further part, the next otherwise.
    fn expected_number(&self, part: u16) -> u32 {
        if part == 0 { self.number.wrapping_add(1) } else { self.number }
    }
}

impl Block {
    /// Memory it takes, for caches.
    pub(crate) fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + self.entries.capacity() * size_of::<Entry>()
            + self.gaps.capacity() * size_of::<Gap>()
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.entries.len() as u64);
        let mut previous = Previous::NONE;
        for entry in &self.entries {
            encode_entry(entry, &previous, out);
            previous = Previous::of(entry);
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
        // An entry takes at least six bytes: a count that cannot be true allocates nothing.
        let mut entries = Vec::with_capacity(count.min(cursor.remaining() / 6));
        let mut previous = Previous::NONE;
        for _ in 0..count {
            let entry = decode_entry(&mut cursor, &previous)?;
            previous = Previous::of(&entry);
            entries.push(entry);
        }
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

fn encode_entry(entry: &Entry, previous: &Previous, out: &mut Vec<u8>) {
    let mut flags = 0;
    if entry.run != previous.run {
        flags |= RUN_CHANGED;
    }
    if entry.number != previous.expected_number(entry.part) {
        flags |= NUMBER_GIVEN;
    }
    if entry.part != 0 {
        flags |= PART_GIVEN;
    }
    if entry.policy == Policy::Keyframes {
        flags |= KEYFRAMES;
    }
    if entry.joined {
        flags |= JOINED;
    }
    if entry.params != previous.params {
        flags |= PARAMS_CHANGED;
    }
    out.push(flags);
    if flags & RUN_CHANGED != 0 {
        put_varint(out, entry.run.0);
    }
    if flags & NUMBER_GIVEN != 0 {
        put_varint(out, u64::from(entry.number));
    }
    if flags & PART_GIVEN != 0 {
        put_varint(out, u64::from(entry.part));
    }
    if flags & PARAMS_CHANGED != 0 {
        put_varint(out, u64::from(entry.params));
    }
    put_zigzag(out, entry.start.0.wrapping_sub(previous.end.0));
    put_zigzag(out, i64::from(entry.duration_90k) - i64::from(previous.duration_90k));
    put_varint(out, entry.offset.wrapping_sub(previous.record_end) / super::ALIGN);
    put_varint(out, u64::from(entry.units));
    put_varint(out, u64::from(entry.bytes));
}

fn decode_entry(cursor: &mut Cursor<'_>, previous: &Previous) -> Option<Entry> {
    let flags = cursor.u8()?;
    let run = if flags & RUN_CHANGED == 0 { previous.run } else { RunId(cursor.varint()?) };
    let number = if flags & NUMBER_GIVEN == 0 { None } else { Some(cursor.varint_u32()?) };
    let part = if flags & PART_GIVEN == 0 { 0 } else { u16::try_from(cursor.varint()?).ok()? };
    let params = if flags & PARAMS_CHANGED == 0 { previous.params } else { cursor.varint_u32()? };
    let start = Timestamp(previous.end.0.wrapping_add(cursor.zigzag()?));
    let duration = i64::from(previous.duration_90k).checked_add(cursor.zigzag()?)?;
    let offset = cursor.varint()?.checked_mul(super::ALIGN)?.checked_add(previous.record_end)?;
    Some(Entry {
        start,
        duration_90k: u32::try_from(duration).ok()?,
        run,
        number: number.unwrap_or_else(|| previous.expected_number(part)),
        part,
        policy: if flags & KEYFRAMES == 0 { Policy::Full } else { Policy::Keyframes },
        joined: flags & JOINED != 0,
        params,
        units: cursor.varint_u32()?,
        bytes: cursor.varint_u32()?,
        offset,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_block() -> impl Strategy<Value = Block> {
        let entry = (
            any::<(i32, u32, u8, u32)>(),
            0u16..4,
            any::<bool>(),
            0u32..3,
            0u32..200,
            0u32..5_000_000,
            0u64..100_000,
        );
        let gap = (any::<i32>(), 1i64..i64::from(u32::MAX), 0u8..12);
        (proptest::collection::vec(entry, 0..40), proptest::collection::vec(gap, 0..5)).prop_map(
            |(rows, gaps)| {
                let mut offset = 128u64;
                let entries = rows
                    .into_iter()
                    .map(
                        |(
                            (start, duration_90k, run, number),
                            part,
                            keyframes,
                            params,
                            units,
                            bytes,
                            skip,
                        )| {
                            let entry = Entry {
                                start: Timestamp(i64::from(start)),
                                duration_90k,
                                run: RunId(u64::from(run)),
                                number,
                                part,
                                policy: if keyframes { Policy::Keyframes } else { Policy::Full },
                                joined: part > 1,
                                params,
                                units,
                                bytes,
                                offset: offset + skip * 8,
                            };
                            offset = entry.record_end();
                            entry
                        },
                    )
                    .collect();
                let gaps = gaps
                    .into_iter()
                    .map(|(from, length, reason)| Gap {
                        from: Timestamp(i64::from(from)),
                        to: Timestamp(i64::from(from) + length),
                        reason: GapReason::from_code(reason),
                    })
                    .collect();
                Block { entries, gaps }
            },
        )
    }

    proptest! {
        #[test]
        fn a_block_reads_back(block in any_block()) {
            let mut bytes = Vec::new();
            block.encode(&mut bytes);
            prop_assert_eq!(Block::decode(&bytes), Some(block));
        }

        #[test]
        fn any_bytes_decode_to_a_value_or_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            drop(Block::decode(&bytes));
        }
    }

    #[test]
    fn a_steady_stream_takes_about_twelve_bytes_a_gop() {
        let mut offset = 128;
        let entries = (0..100u32)
            .map(|number| {
                let entry = Entry {
                    start: Timestamp(
                        1_795_000_000_000_000 + i64::from(number) * 2_000_000 + i64::from(number % 7) * 900,
                    ),
                    duration_90k: 180_000,
                    run: RunId(1_795_000_000_000_000),
                    number,
                    part: 0,
                    policy: Policy::Full,
                    joined: false,
                    params: 0,
                    units: 50,
                    bytes: 480_000 + number * 97,
                    offset,
                };
                offset = entry.record_end() + 60 * 500_000;
                entry
            })
            .collect();
        let mut bytes = Vec::new();
        Block { entries, gaps: Vec::new() }.encode(&mut bytes);
        assert!(bytes.len() < 13 * 100, "{} bytes for 100 GOPs", bytes.len());
    }
}
