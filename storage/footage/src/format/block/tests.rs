//! What a block takes, and that it reads back.

use proptest::prelude::*;
use rand::{RngExt, SeedableRng, rngs::SmallRng};

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
                .map(|((start, duration_90k, run, number), part, keyframes, params, units, bytes, skip)| {
                    let pieces = 1 + part % 3;
                    let mut entry = Entry {
                        start: Timestamp(i64::from(start)),
                        duration_90k,
                        run: RunId(u64::from(run)),
                        number,
                        part,
                        policy: if keyframes { Policy::Keyframes } else { Policy::Full },
                        joined: part > 1,
                        encrypted: units % 2 == 1,
                        pieces,
                        params,
                        units,
                        bytes,
                        offset: offset + skip * 8,
                        record_bytes: bytes / u32::from(pieces) + 160,
                        before: 0,
                    };
                    if units % 3 == 0 {
                        entry.record_bytes = u32::try_from(plain_bytes(&entry)).unwrap();
                    }
                    offset = entry.record_end();
                    entry
                })
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

/// A street camera's GOPs: 500 kB give or take, receiver clock with jitter, 30 other cameras in the lane.
fn street(pieces: u16) -> Block {
    let mut rng = SmallRng::seed_from_u64(7);
    let mut spread = |middle: i64, around: i64| {
        let sum: i64 = (0..6).map(|_| rng.random_range(-around..=around)).sum();
        u32::try_from(middle + sum / 3).unwrap()
    };
    let mut at = Timestamp(1_795_000_000_000_000);
    let mut offset = 128;
    let entries = (0..100u32)
        .map(|number| {
            let (jitter_us, bytes) = (spread(5000, 2000), spread(500_000, 25_000));
            let mut entry = Entry {
                start: at.plus_micros(i64::from(jitter_us) - 5000),
                duration_90k: spread(180_000, 90),
                run: RunId(1_795_000_000_000_000),
                number,
                part: 0,
                policy: Policy::Full,
                joined: false,
                encrypted: true,
                pieces,
                params: 0,
                units: 50,
                bytes,
                offset,
                record_bytes: spread(125_000, 9_000),
                before: 0,
            };
            if pieces == 1 {
                entry.record_bytes = u32::try_from(plain_bytes(&entry)).unwrap();
            }
            at = at.plus_micros(2_000_000);
            offset = entry.record_end() + u64::from(spread(30 * 500_000, 140_000)) / 8 * 8;
            entry
        })
        .collect();
    Block { entries, gaps: Vec::new() }
}

#[test]
fn a_street_camera_takes_about_nine_bytes_a_gop_and_eleven_in_pieces() {
    for (pieces, most) in [(1, 9 * 100), (4, 11 * 100)] {
        let mut bytes = Vec::new();
        street(pieces).encode(&mut bytes);
        assert!(bytes.len() <= most, "{} bytes for 100 GOPs of {pieces}", bytes.len());
    }
}

#[test]
fn pieces_join_only_the_entry_they_go_on_from() {
    let first = street(1).entries[0];
    let next = Entry { part: 1, joined: true, before: first.offset, offset: 9_000, units: 3, ..first };
    let mut block = Block::default();
    block.push(first);
    block.push(next);
    assert_eq!((block.entries.len(), block.entries[0].pieces, block.entries[0].units), (1, 2, 53));
    assert_eq!(block.entries[0].offset, 9_000);
    block.push(Entry { part: 2, before: 1234, offset: 20_000, ..next });
    assert_eq!(block.entries.len(), 2, "the piece before stands elsewhere");
}
