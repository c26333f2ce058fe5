//! Pages and steps give what one long answer gives.

use proptest::prelude::*;
use sightline_model::{
    TimeRange, Timestamp,
    gap::Gap,
    media::{RunId, StreamKey},
};

use super::{all, always, range};
use crate::{
    Config, Direction, Footage, FootageItem, GopEntry,
    disk::sim::SimDisk,
    testkit::{config, gop_of, key, ms, open, push, recorded, s},
};

/// All items of a range.
async fn items(footage: &Footage, key: StreamKey, range: TimeRange, now: Timestamp) -> Vec<FootageItem> {
    let mut stream = footage.stream(key, range, now);
    let mut items = Vec::new();
    while let Some(item) = stream.next().await.unwrap() {
        items.push(item);
    }
    assert!(stream.next().await.unwrap().is_none(), "the end stays the end");
    items
}

/// The pages of a range against the whole of it.
async fn compare(footage: &Footage, key: StreamKey, range: TimeRange, now: Timestamp) {
    let items = items(footage, key, range, now).await;
    let gops: Vec<GopEntry> = items
        .iter()
        .filter_map(|item| if let FootageItem::Gop(gop) = item { Some(*gop) } else { None })
        .collect();
    let gaps: Vec<Gap> = items
        .iter()
        .filter_map(|item| if let FootageItem::Gap(gap) = item { Some(*gap) } else { None })
        .collect();
    assert_eq!(gops, footage.entries(key, range, usize::MAX).await.unwrap());
    assert_eq!(gaps, footage.timeline(key, range, now).await.unwrap().gaps);
    let starts: Vec<Timestamp> = items
        .iter()
        .map(|item| match item {
            FootageItem::Gop(gop) => gop.start,
            FootageItem::Gap(gap) => gap.from,
        })
        .collect();
    assert!(starts.is_sorted(), "{starts:?}");
}

#[tokio::test]
async fn a_long_range_comes_page_by_page_with_its_gaps() {
    let disk = SimDisk::default();
    let footage = open(&disk, Config { lanes: 1, ..config() });
    let mut writer = recorded(&footage, key("a"));
    for number in 0..900u32 {
        // A hole of ten minutes now and then, one of them at the end of a page.
        let holes = i64::from(number / 256 + number / 100) * 600_000;
        push(&mut writer, &gop_of(i64::from(number) * 1000 + holes, 1000, RunId(1), number, 0, 40));
        if number % 200 == 199 {
            footage.flush().await.unwrap();
        }
    }
    let now = s(20_000);
    for range in [always(), range(0, 20_000), range(100, 700), range(3000, 3001), range(-50, 0)] {
        compare(&footage, key("a"), range, now).await;
    }
    compare(&footage, key("b"), always(), now).await;
    footage.shutdown().await.unwrap();
    compare(&open(&disk, config()), key("a"), always(), now).await;
}

#[tokio::test]
async fn steps_go_from_key_frame_to_key_frame_and_end_at_both_ends() {
    let disk = SimDisk::default();
    let footage = open(&disk, Config { lanes: 1, ..config() });
    let mut writer = recorded(&footage, key("a"));
    for number in 0..60u32 {
        push(&mut writer, &gop_of(i64::from(number) * 2000, 1500, RunId(1), number, 0, 4000));
        if number % 7 == 6 {
            footage.flush().await.unwrap();
        }
    }
    for footage in [footage.clone(), {
        footage.shutdown().await.unwrap();
        open(&disk, config())
    }] {
        let mut at = Timestamp(i64::MIN);
        let mut seen = Vec::new();
        while let Some(next) = footage.step(key("a"), at, Direction::Forward).await.unwrap() {
            seen.push(next.number);
            at = next.start;
        }
        assert_eq!(seen, (0..60).collect::<Vec<_>>());
        let mut back = Vec::new();
        at = Timestamp(i64::MAX);
        while let Some(next) = footage.step(key("a"), at, Direction::Backward).await.unwrap() {
            back.push(next.number);
            at = next.start;
        }
        back.reverse();
        assert_eq!(back, seen);
        // From inside of a GOP, backwards is to its own beginning.
        let step = footage.step(key("a"), ms(10_700), Direction::Backward).await.unwrap().unwrap();
        assert_eq!(step.number, 5);
    }
}

#[tokio::test]
async fn many_cameras_are_asked_at_once() {
    let disk = SimDisk::default();
    let footage = open(&disk, config());
    let keys: Vec<StreamKey> = (0..6).map(|number| key(&format!("cam-{number}"))).collect();
    for (offset, key) in keys.iter().take(5).enumerate() {
        let mut writer = recorded(&footage, *key);
        for number in 0..10u32 {
            let start_ms = i64::from(number) * 1000 + offset as i64 * 100;
            push(&mut writer, &gop_of(start_ms, 1000, RunId(1), number, 0, 3000));
        }
    }
    footage.shutdown().await.unwrap();
    let reopened = open(&disk, config());
    for _ in 0..2 {
        let found = reopened.nearest_many(&keys, ms(5050)).await.unwrap();
        let numbers: Vec<_> = found.iter().map(|entry| entry.map(|entry| entry.number)).collect();
        assert_eq!(numbers, [Some(5), Some(4), Some(4), Some(4), Some(4), None]);
        for (key, entry) in keys.iter().zip(&found) {
            assert_eq!(reopened.nearest(*key, ms(5050)).await.unwrap(), *entry);
        }
    }
}

/// A run of GOPs: when it begins, how long its GOPs are, how many.
fn run() -> impl Strategy<Value = (i64, u32, u32)> {
    // Some days apart, some overlapping, some within a GOP of each other.
    let begin = prop_oneof![0i64..40_000, 0i64..2_000_000_000, Just(500_000_000i64)];
    (begin, 200u32..6000, 1u32..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn any_clock_gives_the_same_answers_from_ring_index_and_catalogue(
        runs in proptest::collection::vec(run(), 1..6),
        asked in proptest::collection::vec(-1000i64..2_000_060_000, 1..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let disk = SimDisk::default();
            let footage = open(&disk, Config { lanes: 1, ..config() });
            let mut writer = recorded(&footage, key("a"));
            for (number, (begin, length, count)) in runs.iter().enumerate() {
                for gop in 0..*count {
                    let start = begin + i64::from(gop * length);
                    push(&mut writer, &gop_of(start, *length, RunId(number as u64), gop, 0, 3000));
                }
                footage.flush().await.unwrap();
            }
            drop(writer);
            footage.shutdown().await.unwrap();
            let reopened = open(&disk, config());
            let now = ms(3_000_000_000);
            let naive = all(&reopened, key("a")).await;
            assert_eq!(naive.len(), runs.iter().map(|run| run.2 as usize).sum::<usize>());
            compare(&reopened, key("a"), always(), now).await;
            let near = runs.iter().map(|run| run.0).chain(asked.iter().copied());
            for at in near.flat_map(|at| [ms(at), Timestamp(ms(at).0 - 1), Timestamp(ms(at).0 + 1)]) {
                let covering = naive.iter().filter(|gop| gop.covers(at)).max_by_key(|gop| gop.identity());
                let before = naive.iter().rev().find(|gop| gop.start <= at);
                let after = naive.iter().find(|gop| gop.start > at);
                let nearest = reopened.nearest(key("a"), at).await.unwrap();
                assert_eq!(nearest.as_ref(), covering.or(before).or(after), "nearest to {at}");
                let forward = reopened.step(key("a"), at, Direction::Forward).await.unwrap();
                assert_eq!(forward.as_ref(), after, "after {at}");
                let backward = reopened.step(key("a"), at, Direction::Backward).await.unwrap();
                assert_eq!(backward.as_ref(), naive.iter().rev().find(|gop| gop.start < at), "before {at}");
                let range = TimeRange::new(at, at.plus_micros(7_000_000)).unwrap();
                let within: Vec<_> = naive
                    .iter()
                    .filter(|gop| gop.start < range.to && (gop.end > range.from || gop.start >= range.from))
                    .copied()
                    .collect();
                assert_eq!(reopened.entries(key("a"), range, usize::MAX).await.unwrap(), within);
                compare(&reopened, key("a"), range, now).await;
            }
        });
    }
}
