//! What a footage catalogue costs: bytes a row on disk, and how long looking one up takes.
//!
//! ```sh
//! cargo run --release -p sightline-records --example footage_rows -- 1000000     # rows
//! ```
//!
//! 1,000 streams, 31 of them in a segment, 100 GOPs of two seconds a row, inserted in the order of time.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program for people"
)]

use std::time::{Duration, Instant};

use sightline_model::{CameraId, Timestamp, media::StreamKey};
use sightline_records::{
    Config, Records,
    footage::{Part, Place, Sealed, Segment},
};

const STREAMS: u64 = 1000;
const STREAMS_A_SEGMENT: u64 = 31;
const GOPS: u32 = 100;
const LENGTH_US: i64 = 200_000_000;
const LOOKUPS: usize = 20_000;

/// A small generator (splitmix64): the same rows every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}

fn camera(number: u64) -> StreamKey {
    StreamKey::main(format!("camera-{number:05}").parse::<CameraId>().unwrap())
}

fn sealed(id: u64, group: u64, start: i64, chance: &mut Chance) -> Sealed {
    let streams = group * STREAMS_A_SEGMENT..((group + 1) * STREAMS_A_SEGMENT).min(STREAMS);
    let records_end = 200_000_000 + chance.below(1 << 20);
    let mut block_offset = records_end;
    let parts: Vec<_> = streams
        .map(|stream| {
            let from = start + i64::try_from(chance.below(2_000_000)).unwrap();
            let to = from + LENGTH_US - i64::try_from(chance.below(2_000_000)).unwrap();
            let block_bytes = 600 + u32::try_from(chance.below(200)).unwrap();
            let part = Part {
                gops: GOPS,
                bytes: 50_000_000 + chance.below(1 << 20),
                footage: Some((Timestamp(from), Timestamp(to))),
                last_gop_end: Some(Timestamp(to)),
                known_until: Some(Timestamp(to)),
                block_offset,
                block_bytes,
                block_crc: u32::try_from(chance.below(1 << 32)).unwrap(),
                ..Part::default()
            };
            block_offset += u64::from(block_bytes);
            (camera(stream), part)
        })
        .collect();
    let segment = Segment {
        id,
        disk: 0,
        class: 0,
        lane: 0,
        place: Place::Local,
        bytes: block_offset + 10_000,
        records_end,
        gops: u64::from(GOPS) * parts.len() as u64,
        gaps: 0,
        streams: parts.len() as u64,
        created: Timestamp(start),
        sealed_at: Timestamp(start + LENGTH_US),
        footage: Some((Timestamp(start), Timestamp(start + LENGTH_US))),
        merkle_root: [7; 32],
    };
    Sealed { segment, parts }
}

fn spread(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: usize| times[times.len() * share / 1000].as_nanos() as f64 / 1000.0;
    println!("{name:<48} p50 {:>7.1} us   p99 {:>7.1} us", at(500), at(990));
}

#[tokio::main]
async fn main() {
    let rows: u64 = std::env::args().nth(1).map_or(1_000_000, |text| text.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let config = Config { path: dir.path().join("records.sqlite"), ..Config::default() };
    let records = Records::open(&config).await.unwrap();
    let node = records.footage_node("bench").await.unwrap();
    let before = std::fs::metadata(&config.path).unwrap().len();
    let mut chance = Chance(1);
    let groups = STREAMS.div_ceil(STREAMS_A_SEGMENT);
    let segments = rows / STREAMS * groups;
    let began = Instant::now();
    let start_of = |round: u64| 1_790_000_000_000_000 + i64::try_from(round).unwrap() * LENGTH_US;
    for first in (0..segments).step_by(64) {
        let ids = first..(first + 64).min(segments);
        let lot: Vec<_> =
            ids.map(|id| sealed(id + 1, id % groups, start_of(id / groups), &mut chance)).collect();
        records.insert_footage(node, &lot).await.unwrap();
    }
    println!("{rows} rows, {segments} segments inserted, 64 segments a transaction: {:.1?}", began.elapsed());
    records.close().await;
    let bytes = std::fs::metadata(&config.path).unwrap().len() - before;
    println!("{:.1} bytes a row on disk, keys and segments included", bytes as f64 / rows as f64);

    let began = Instant::now();
    let records = Records::open(&config).await.unwrap();
    println!("open                       {:.1?}", began.elapsed());
    let began = Instant::now();
    let known = records.known_footage(node).await.unwrap().len();
    println!("ids and sizes of {known} segments {:.1?}", began.elapsed());
    let began = Instant::now();
    let streams = records.footage_streams(node).await.unwrap();
    println!("sums of {} streams         {:.1?}", streams.len(), began.elapsed());
    let began = Instant::now();
    records.footage_segments(node, None, usize::MAX).await.unwrap();
    println!("all segments in full       {:.1?}", began.elapsed());

    let handle = tokio::runtime::Handle::current();
    let mut reader = records.footage_reader().await.unwrap();
    let rounds = rows / STREAMS;
    let asked: Vec<_> = (0..LOOKUPS)
        .map(|_| {
            let stream = &streams[usize::try_from(chance.below(STREAMS)).unwrap()];
            let at = start_of(chance.below(rounds))
                + 3_000_000
                + i64::try_from(chance.below(190_000_000)).unwrap();
            (stream.no, Timestamp(at))
        })
        .collect();
    tokio::task::spawn_blocking(move || {
        for limit in [1, 2, 8, 32] {
            let mut times = Vec::with_capacity(asked.len());
            for (stream, at) in &asked {
                let began = Instant::now();
                let found = handle.block_on(reader.before(*stream, *at, limit)).unwrap();
                times.push(began.elapsed());
                assert!(found[0].start <= *at && found[0].part.footage.unwrap().1 >= *at);
            }
            spread(&format!("last {limit} rows at or before, dedicated connection"), times);
        }
    })
    .await
    .unwrap();
    let began = Instant::now();
    let oldest: Vec<u64> = (1..=groups * 432).collect();
    records.remove_footage(node, &oldest).await.unwrap();
    println!("{} segments removed in one transaction: {:.1?}", oldest.len(), began.elapsed());
    records.close().await;
}
