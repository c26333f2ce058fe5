//! Clocks that jump, smear, start in 1970, drift or are hours off: the footage lies at the times the receiver's clock showed,
//! the camera's clock stands beside it, and nothing is ever overwritten.

use std::time::Duration;

use sightline_model::{
    TimeRange, Timestamp,
    media::{CameraClock, Gop, RunId},
};

use super::{all, always, read_all};
use crate::{
    Footage, TailWriter,
    disk::sim::SimDisk,
    testkit::{config, gop_of, key, open, push, recorded},
};

/// 2026-11-22 10:00 UTC.
const BEGIN_MS: i64 = 1_795_341_600_000;

fn us(ms: i64) -> Timestamp {
    Timestamp(ms * 1000)
}

/// A store that is asked before and after a flush and after a restart.
struct Bench {
    disk: SimDisk,
    footage: Footage,
    writer: Option<TailWriter>,
    gops: Vec<Gop>,
}

impl Bench {
    fn new() -> Self {
        let disk = SimDisk::default();
        let footage = open(&disk, config());
        let writer = Some(recorded(&footage, key("a")));
        Self { disk, footage, writer, gops: Vec::new() }
    }

    fn push(&mut self, gop: Gop) {
        push(self.writer.as_mut().unwrap(), &gop);
        self.gops.push(gop);
    }

    /// `count` GOPs of a second each from `start_ms` on.
    fn run(&mut self, run: u64, start_ms: i64, count: u32) {
        for number in 0..count {
            self.push(gop_of(start_ms + i64::from(number) * 1000, 1000, RunId(run), number, 0, 50));
        }
    }

    /// Asks in the ring, in the open segment, in the sealed one, and after a crash.
    async fn everywhere(mut self, ask: impl AsyncFn(&Footage, &str)) {
        self.check().await;
        ask(&self.footage, "in the ring").await;
        self.footage.flush().await.unwrap();
        self.check().await;
        ask(&self.footage, "in an open segment").await;
        let crashed = self.disk.crash(5);
        self.writer = None;
        self.footage.shutdown().await.unwrap();
        for (disk, place) in [(self.disk.clone(), "in a sealed segment"), (crashed, "after a crash")] {
            self.footage = open(&disk, config());
            self.check().await;
            ask(&self.footage, place).await;
        }
    }

    /// Every GOP that was ever pushed is there, byte-exact, by start and then by run.
    async fn check(&self) {
        let mut expected = self.gops.clone();
        expected.sort_by_key(|gop| (gop.start.at, gop.start.run, gop.start.number));
        assert!(read_all(&self.footage, key("a")).await == expected);
    }
}

/// Length of footage and of gaps in `range`, which they tile.
async fn tiled(footage: &Footage, range: TimeRange) -> (Duration, Duration) {
    let timeline = footage.timeline(key("a"), range, range.to).await.unwrap();
    let mut tiles: Vec<_> = timeline.spans.iter().map(|span| (span.range.from, span.range.to)).collect();
    tiles.extend(timeline.gaps.iter().map(|gap| (gap.from, gap.to)));
    tiles.sort();
    assert!(tiles.windows(2).all(|pair| pair[0].1 == pair[1].0), "{timeline:?}");
    let sum = |from: Timestamp, to: Timestamp| Duration::from_micros(to.micros_since(from).cast_unsigned());
    (
        timeline.spans.iter().map(|span| sum(span.range.from, span.range.to)).sum(),
        timeline.gaps.iter().map(|gap| sum(gap.from, gap.to)).sum(),
    )
}

async fn starts(footage: &Footage, range: TimeRange) -> Vec<(i64, u64)> {
    let entries = footage.entries(key("a"), range, usize::MAX).await.unwrap();
    entries.iter().map(|entry| ((entry.start.0 / 1000) - BEGIN_MS, entry.run.0)).collect()
}

#[tokio::test]
async fn a_jump_ahead_is_a_gap_and_a_jump_back_is_two_runs_at_one_time() {
    let mut bench = Bench::new();
    bench.run(1, BEGIN_MS, 10);
    bench.run(2, BEGIN_MS + 3_600_000, 5);
    bench.run(3, BEGIN_MS + 3_000, 5);
    bench.run(4, BEGIN_MS + 20_000, 3);
    bench
        .everywhere(async |footage, place| {
            let hour = TimeRange { from: us(BEGIN_MS), to: us(BEGIN_MS + 3_605_000) };
            let (spans, gaps) = tiled(footage, hour).await;
            assert_eq!((spans.as_secs(), gaps.as_secs()), (10 + 3 + 5, 3605 - 18), "{place}");
            let both = TimeRange { from: us(BEGIN_MS + 3_000), to: us(BEGIN_MS + 5_000) };
            assert_eq!(starts(footage, both).await, [(3000, 1), (3000, 3), (4000, 1), (4000, 3)], "{place}");
            for (at_ms, start_ms, run) in [
                (2_500, 2_000, 1),
                (3_500, 3_000, 3),
                (8_500, 8_000, 1),
                (15_000, 9_000, 1),
                (3_601_500, 3_601_000, 2),
            ] {
                let found = footage.nearest(key("a"), us(BEGIN_MS + at_ms)).await.unwrap().unwrap();
                assert_eq!(
                    (found.start, found.run),
                    (us(BEGIN_MS + start_ms), RunId(run)),
                    "{place}: {at_ms}"
                );
            }
            for limit in 0..20 {
                let found = footage.entries(key("a"), always(), limit).await.unwrap();
                assert_eq!(found, all(footage, key("a")).await[..limit], "{place}");
            }
        })
        .await;
}

#[tokio::test]
async fn the_same_second_again_and_again_keeps_every_one() {
    let mut bench = Bench::new();
    for run in 1..=20 {
        bench.run(run, BEGIN_MS, 2);
    }
    bench
        .everywhere(async |footage, place| {
            assert_eq!(all(footage, key("a")).await.len(), 40, "{place}");
            let nearest = footage.nearest(key("a"), us(BEGIN_MS + 500)).await.unwrap().unwrap();
            assert_eq!(nearest.run, RunId(20), "{place}: the last of those that cover");
            let (spans, gaps) =
                tiled(footage, TimeRange { from: us(BEGIN_MS), to: us(BEGIN_MS + 2000) }).await;
            assert_eq!((spans.as_secs(), gaps.as_secs()), (2, 0), "{place}");
        })
        .await;
}

#[tokio::test]
async fn a_clock_that_is_set_late_leaves_1970_where_it_is() {
    let mut bench = Bench::new();
    bench.run(1, 5_000, 4);
    bench.run(2, BEGIN_MS, 4);
    bench
        .everywhere(async |footage, place| {
            let now = us(BEGIN_MS + 4_000);
            let timeline = footage.timeline(key("a"), always(), now).await.unwrap();
            let spans: Vec<_> = timeline.spans.iter().map(|span| (span.range.from, span.range.to)).collect();
            assert_eq!(spans, [(us(5_000), us(9_000)), (us(BEGIN_MS), now)], "{place}");
            let gaps: Vec<_> = timeline.gaps.iter().map(|gap| (gap.from, gap.to)).collect();
            assert_eq!(gaps, [(us(9_000), us(BEGIN_MS))], "{place}");
            assert_eq!(footage.nearest(key("a"), us(BEGIN_MS + 1500)).await.unwrap().unwrap().run, RunId(2));
            assert_eq!(footage.nearest(key("a"), us(60_000)).await.unwrap().unwrap().run, RunId(1));
            assert_eq!(footage.nearest(key("a"), us(0)).await.unwrap().unwrap().start, us(5_000), "{place}");
        })
        .await;
}

#[tokio::test]
async fn a_day_of_23_or_25_hours_is_a_range_like_any_other() {
    // Berlin: 2027-03-28 has no hour from 2 to 3, 2026-10-25 has it twice. UTC goes on in both.
    for (midnight_ms, hours) in [(1_806_188_400_000i64, 23i64), (1_792_879_200_000, 25)] {
        let mut bench = Bench::new();
        for number in 0..26u32 {
            let at_ms = midnight_ms - 1_800_000 + i64::from(number) * 3_600_000;
            bench.push(gop_of(at_ms, 3_600_000, RunId(1), number, 0, 50));
        }
        bench
            .everywhere(async |footage, place| {
                let day = TimeRange { from: us(midnight_ms), to: us(midnight_ms + hours * 3_600_000) };
                let (spans, gaps) = tiled(footage, day).await;
                let expected = Duration::from_secs(3600 * hours.cast_unsigned());
                assert_eq!((spans, gaps), (expected, Duration::ZERO), "{place}");
                let entries = footage.entries(key("a"), day, usize::MAX).await.unwrap();
                assert_eq!(
                    entries.len(),
                    usize::try_from(hours).unwrap() + 1,
                    "{place}: one over each midnight"
                );
            })
            .await;
    }
}

#[tokio::test]
async fn a_smeared_leap_second_leaves_no_gap() {
    // A second is spread over 24 hours: the clock is 11.6 ppm slow, and a GOP begins a little before the one before ended.
    let mut bench = Bench::new();
    let gop_us = 60_000_000i64;
    let smeared_us = gop_us - gop_us / 86_400;
    for number in 0..1440u32 {
        let mut gop = gop_of(0, 60_000, RunId(1), number, 0, 10);
        gop.start.at = Timestamp(BEGIN_MS * 1000 + i64::from(number) * smeared_us);
        bench.push(gop);
    }
    bench
        .everywhere(async |footage, place| {
            let from = us(BEGIN_MS);
            let to = from.plus_micros(1440 * smeared_us);
            let (spans, gaps) = tiled(footage, TimeRange { from, to }).await;
            assert_eq!(
                (spans.as_micros(), gaps.as_micros()),
                (1440 * smeared_us.unsigned_abs() as u128, 0),
                "{place}"
            );
            let mut probe = from;
            for number in (0..1440).step_by(97) {
                probe = probe.max(from.plus_micros(number * smeared_us + 1000));
                let found = footage.nearest(key("a"), probe).await.unwrap().unwrap();
                assert_eq!(i64::from(found.number), number, "{place}");
            }
        })
        .await;
}

#[tokio::test]
async fn a_camera_clock_stands_beside_the_receivers_whatever_it_says() {
    let hours = 3_600_000_000i64;
    let mut bench = Bench::new();
    let offsets = [0, 7 * hours, -30 * 365 * 24 * hours, i64::MAX, i64::MIN];
    for (number, offset_us) in (0u32..).zip(offsets) {
        let mut gop = gop_of(BEGIN_MS + i64::from(number) * 1000, 1000, RunId(1), number, 0, 20);
        gop.start.camera_clock = Some(CameraClock { offset_us, uncertainty_us: 1500 + number });
        bench.push(gop);
    }
    // A camera that drifts by 100 ppm, an hour of it: its clock is followed, GOP by GOP, and the index does not care.
    for number in 5..65u32 {
        let mut gop = gop_of(BEGIN_MS + i64::from(number) * 60_000, 60_000, RunId(1), number, 0, 20);
        let offset_us = i64::from(number) * 6_000;
        gop.start.camera_clock = Some(CameraClock { offset_us, uncertainty_us: 40 });
        bench.push(gop);
    }
    let unknown = gop_of(BEGIN_MS + 65 * 60_000, 1000, RunId(2), 1, 0, 20);
    assert_eq!(unknown.start.camera_clock, None);
    bench.push(unknown);
    bench
        .everywhere(async |footage, place| {
            for number in [5u32, 30, 64] {
                let at = us(BEGIN_MS + i64::from(number) * 60_000 + 100);
                let entry = footage.nearest(key("a"), at).await.unwrap().unwrap();
                let clock = footage.read(&entry).await.unwrap().start.camera_clock.unwrap();
                assert_eq!((entry.number, clock.offset_us), (number, i64::from(number) * 6_000), "{place}");
            }
            let (spans, gaps) =
                tiled(footage, TimeRange { from: us(BEGIN_MS + 300_000), to: us(BEGIN_MS + 65 * 60_000) })
                    .await;
            assert_eq!((spans.as_secs(), gaps.as_secs()), (3600, 0), "{place}");
        })
        .await;
}

#[tokio::test]
async fn the_ends_of_time_are_no_trap() {
    let mut bench = Bench::new();
    bench.run(1, BEGIN_MS, 2);
    bench
        .everywhere(async |footage, place| {
            for at in [i64::MIN, i64::MIN + 1, -1, 0, i64::MAX - 1, i64::MAX].map(Timestamp) {
                let run = footage.nearest(key("a"), at).await.unwrap().unwrap().run;
                assert_eq!(run, RunId(1), "{place}: {at:?}");
                let _ = footage.timeline(key("a"), always(), at).await.unwrap();
            }
            let ever = TimeRange { from: Timestamp(i64::MIN), to: Timestamp(i64::MAX) };
            assert_eq!(footage.entries(key("a"), ever, 9).await.unwrap().len(), 2, "{place}");
            let timeline = footage.timeline(key("a"), ever, us(BEGIN_MS + 2000)).await.unwrap();
            assert_eq!((timeline.spans.len(), timeline.gaps.len()), (1, 0), "{place}");
        })
        .await;
}
