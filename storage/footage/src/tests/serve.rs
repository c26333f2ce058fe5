//! Questions while recording goes on.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use sightline_model::{
    media::{Policy, RunId, StreamKey, StreamKind},
    tail::TailItem,
};

use super::{all, always, range, read_all};
use crate::{
    Keep, LiveItem,
    disk::sim::SimDisk,
    testkit::{config, gop, gop_of, key, ms, open, push, recorded, s, until},
    types::Location,
};

#[tokio::test]
async fn a_gop_is_found_the_same_in_the_ring_in_an_open_and_in_a_sealed_segment() {
    let disk = SimDisk::default();
    let footage = open(&disk, config());
    let mut writer = recorded(&footage, key("a"));
    let gops: Vec<_> = (0..4).map(|number| gop(i64::from(number) * 1000, number, 0)).collect();
    for gop in &gops {
        push(&mut writer, gop);
    }
    let in_ring = all(&footage, key("a")).await;
    assert!(in_ring.iter().all(|entry| entry.location == Location::Tail));
    assert_eq!(read_all(&footage, key("a")).await, gops);
    assert_eq!(footage.last_synced(key("a")), None, "nothing is safe yet");

    footage.flush().await.unwrap();
    assert_eq!(footage.last_synced(key("a")), Some(s(4)));
    let on_disk = all(&footage, key("a")).await;
    assert!(on_disk.iter().all(|entry| entry.location != Location::Tail));
    assert_eq!(read_all(&footage, key("a")).await, gops);
    for entry in in_ring {
        assert_eq!(
            footage.read(&entry).await.unwrap().start.number,
            entry.number,
            "an old entry still reads"
        );
    }

    drop(writer);
    footage.shutdown().await.unwrap();
    assert!(footage.list_segments().unwrap().iter().all(|segment| segment.sealed));
    let reopened = open(&disk, config());
    assert_eq!(read_all(&reopened, key("a")).await, gops);
    assert_eq!(reopened.latest(key("a")).await.unwrap().unwrap().number, 3);
    assert_eq!(reopened.last_synced(key("a")), Some(s(4)));
}

#[tokio::test]
async fn nearest_is_the_gop_that_covers_else_before_else_after() {
    let footage = open(&SimDisk::default(), config());
    let mut writer = recorded(&footage, key("a"));
    for (number, start) in [10_000, 11_000, 20_000].into_iter().enumerate() {
        push(&mut writer, &gop(start, u32::try_from(number).unwrap(), 0));
        footage.flush().await.unwrap();
    }
    for (at, number) in [(5_000, 0), (10_000, 0), (11_999, 1), (15_000, 1), (20_500, 2), (99_000, 2)] {
        let found = footage.nearest(key("a"), ms(at)).await.unwrap().unwrap();
        assert_eq!(found.number, number, "at {at} ms");
    }
    assert_eq!(footage.nearest(key("b"), s(1)).await.unwrap(), None);
}

#[tokio::test]
async fn a_clock_that_steps_back_hides_nothing() {
    let disk = SimDisk::default();
    let footage = open(&disk, config());
    let mut writer = recorded(&footage, key("a"));
    for number in 0..5 {
        push(&mut writer, &gop_of(100_000 + i64::from(number) * 1000, 1000, RunId(1), number, 0, 10));
    }
    footage.flush().await.unwrap();
    for number in 0..5 {
        push(&mut writer, &gop_of(102_000 + i64::from(number) * 1000, 1000, RunId(2), number, 0, 10));
    }
    let check = async |footage: &crate::Footage| {
        let order: Vec<_> = all(footage, key("a")).await.iter().map(|e| (e.start, e.run.0)).collect();
        let mut sorted = order.clone();
        sorted.sort();
        assert_eq!((order.len(), &order), (10, &sorted), "by start, then by run");
        let timeline = footage.timeline(key("a"), always(), s(107)).await.unwrap();
        assert_eq!((timeline.spans.len(), timeline.gaps.len()), (1, 0));
        let nearest = footage.nearest(key("a"), ms(103_500)).await.unwrap().unwrap();
        assert_eq!((nearest.start, nearest.run), (s(103), RunId(2)), "the later run of two that cover");
    };
    check(&footage).await;
    footage.flush().await.unwrap();
    check(&footage).await;
    drop(writer);
    footage.shutdown().await.unwrap();
    check(&open(&disk, config())).await;
}

#[tokio::test]
async fn a_limit_takes_the_first_in_order_over_many_segments() {
    let disk = SimDisk::default();
    let footage = open(&disk, config());
    let mut writer = recorded(&footage, key("a"));
    for number in 0..60u32 {
        push(&mut writer, &gop_of(i64::from(number) * 1000, 1000, RunId(1), number, 0, 3000));
        if number % 5 == 0 {
            footage.flush().await.unwrap();
        }
    }
    footage.flush().await.unwrap();
    assert!(footage.metrics().segments_sealed > 3, "{:?}", footage.metrics());
    for (from, limit) in [(0, 7), (13, 20), (50, 100)] {
        let entries = footage.entries(key("a"), range(from, 60), limit).await.unwrap();
        let numbers: Vec<_> = entries.iter().map(|entry| i64::from(entry.number)).collect();
        let expected: Vec<_> = (from..60).take(limit).collect();
        assert_eq!(numbers, expected);
    }
    assert!(footage.entries(key("a"), range(0, 60), 0).await.unwrap().is_empty());
}

#[tokio::test]
async fn keyframes_keeps_the_first_frame_and_the_length() {
    let disk = SimDisk::default();
    let footage = open(&disk, config());
    let mut writer = recorded(&footage, key("a"));
    let mut pushed = gop(0, 0, 0);
    pushed.start.policy = Policy::Keyframes;
    push(&mut writer, &pushed);
    let mut part = gop(1000, 0, 1);
    part.start.policy = Policy::Keyframes;
    push(&mut writer, &part);
    for _ in 0..2 {
        let entries = all(&footage, key("a")).await;
        assert_eq!((entries.len(), entries[0].units), (1, 1), "a part without a key frame is not offered");
        let read = footage.read(&entries[0]).await.unwrap();
        assert_eq!(read.units, pushed.units[..1]);
        assert_eq!(read.duration_90k, pushed.duration_90k);
        let timeline = footage.timeline(key("a"), always(), s(2)).await.unwrap();
        assert_eq!(timeline.spans.len(), 1, "and covers its time all the same");
        assert_eq!((timeline.spans[0].range, timeline.spans[0].policy), (range(0, 2), Policy::Keyframes));
        footage.flush().await.unwrap();
    }
}

#[tokio::test]
async fn a_live_only_stream_never_reaches_the_disk() {
    let footage = open(&SimDisk::default(), config());
    let sub = StreamKey { camera: key("a").camera, stream: StreamKind::Sub };
    let mut writer = footage.writer(sub, Keep::LiveOnly).unwrap();
    push(&mut writer, &gop(0, 0, 0));
    push(&mut writer, &gop(1000, 1, 0));
    footage.flush().await.unwrap();
    assert_eq!(footage.watermarks(), crate::Watermarks::default());
    let latest = footage.latest(sub).await.unwrap().unwrap();
    assert_eq!(footage.read(&latest).await.unwrap().start.number, 1);
    assert_eq!(footage.last_synced(sub), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_and_questions_see_a_consistent_store_while_it_is_written() {
    const GOPS: u32 = 300;
    let footage = open(
        &SimDisk::default(),
        crate::Config { sync_interval: std::time::Duration::from_millis(3), ..config() },
    );
    let cameras = ["a", "b", "c"];
    let writing = Arc::new(AtomicBool::new(true));
    let questions: Vec<_> = cameras
        .iter()
        .map(|camera| {
            let (footage, writing, key) = (footage.clone(), Arc::clone(&writing), key(camera));
            tokio::spawn(async move {
                let mut seen = 0;
                while writing.load(Ordering::Relaxed) {
                    let marks = footage.watermarks();
                    assert!(marks.indexed <= marks.synced && marks.synced <= marks.appended, "{marks:?}");
                    assert!(marks.appended <= marks.tail_end, "{marks:?}");
                    let entries = all(&footage, key).await;
                    let numbers: Vec<_> = entries.iter().map(|entry| entry.number).collect();
                    assert_eq!(
                        numbers,
                        (0..u32::try_from(numbers.len()).unwrap()).collect::<Vec<_>>(),
                        "no hole, no double"
                    );
                    assert!(numbers.len() >= seen, "nothing vanishes");
                    seen = numbers.len();
                    if let Some(entry) = entries.last() {
                        assert_eq!(footage.read(entry).await.unwrap().start.number, entry.number);
                    }
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let mut live = footage.live(key("a"));
    let viewer = tokio::spawn(async move {
        let mut last = None;
        loop {
            if let LiveItem::Begin(start) = live.next().await {
                assert!(last.is_none_or(|last| start.number > last));
                last = Some(start.number);
                if start.number == GOPS - 1 {
                    return;
                }
            }
        }
    });
    let writers: Vec<_> = cameras
        .iter()
        .map(|camera| {
            let mut writer = recorded(&footage, key(camera));
            tokio::task::spawn_blocking(move || {
                for number in 0..GOPS {
                    push(&mut writer, &gop_of(i64::from(number) * 1000, 1000, RunId(1), number, 0, 300));
                    std::thread::yield_now();
                }
                writer
            })
        })
        .collect();
    for writer in writers {
        drop(writer.await.unwrap());
    }
    footage.flush().await.unwrap();
    writing.store(false, Ordering::Relaxed);
    for question in questions {
        question.await.unwrap();
    }
    tokio::time::timeout(std::time::Duration::from_secs(10), viewer).await.unwrap().unwrap();
    assert_eq!(footage.watermarks().indexed, u64::from(3 * GOPS));
    for camera in cameras {
        assert_eq!(all(&footage, key(camera)).await.len(), GOPS as usize);
    }
}

#[tokio::test]
async fn time_alone_brings_a_gop_to_disk() {
    let footage = open(
        &SimDisk::default(),
        crate::Config { sync_interval: std::time::Duration::from_millis(20), ..config() },
    );
    let mut writer = recorded(&footage, key("a"));
    push(&mut writer, &gop(0, 0, 0));
    until(|| footage.last_synced(key("a"))).await;
    let metrics = footage.metrics();
    assert_eq!((metrics.gops_synced, metrics.watermarks.indexed, metrics.syncs), (1, 1, 1));
}

#[tokio::test]
async fn shutdown_keeps_what_an_open_gop_has_so_far() {
    let disk = SimDisk::default();
    let footage = open(&disk, config());
    let mut writer = recorded(&footage, key("a"));
    push(&mut writer, &gop(0, 0, 0));
    let cut = gop(1000, 1, 0);
    writer.push(TailItem::Begin(cut.start.clone()));
    writer.push(TailItem::Unit(cut.units[0].clone()));
    writer.push(TailItem::Unit(cut.units[1].clone()));
    footage.shutdown().await.unwrap();
    writer.push(TailItem::Unit(cut.units[2].clone()));
    assert!(footage.writer(key("b"), Keep::Recorded).is_err(), "the store is closed");
    let reopened = open(&disk, config());
    let gops = read_all(&reopened, key("a")).await;
    assert_eq!(gops.len(), 2);
    assert_eq!(gops[1].units, cut.units[..2]);
    assert_eq!(gops[1].duration_90k, 60_000);
}

/// Feeds the frames of a ten-second GOP at ten frames a second, with a key frame only at its start.
fn long_gop(number: u32, frames: i32) -> (sightline_model::media::Gop, Vec<TailItem>) {
    let mut gop = gop_of(i64::from(number) * 20_000, 0, RunId(1), number, 0, 10);
    let unit = |frame: i32| sightline_model::media::AccessUnit {
        pts_90k: frame * 9000,
        key: frame == 0,
        data: format!("{number}/{frame}").into(),
    };
    gop.units = (0..frames).map(unit).collect();
    gop.duration_90k = u32::try_from(frames).unwrap() * 9000;
    let units = gop.units.iter().cloned().map(TailItem::Unit);
    let items = std::iter::once(TailItem::Begin(gop.start.clone())).chain(units).collect();
    (gop, items)
}

#[tokio::test]
async fn a_gop_committed_in_pieces_is_one_gop_to_whoever_asks() {
    let disk = SimDisk::default();
    let config = crate::Config { commit_interval: std::time::Duration::from_millis(500), ..config() };
    let footage = open(&disk, config.clone());
    let mut writer = recorded(&footage, key("a"));
    let (first, items) = long_gop(0, 20);
    for (step, item) in items.into_iter().enumerate() {
        writer.push(item);
        if step % 7 == 6 {
            footage.flush().await.unwrap();
        }
        if step > 10 {
            let entries = all(&footage, key("a")).await;
            assert_eq!(entries.len(), 1, "one GOP, as far as it has come: {entries:?}");
            let read = footage.read(&entries[0]).await.unwrap();
            assert_eq!(read.units, first.units[..read.units.len()], "over ring and disk");
            assert_eq!(footage.nearest(key("a"), ms(300)).await.unwrap(), Some(entries[0]));
        }
    }
    writer.push(TailItem::End { duration_90k: first.duration_90k });
    let (second, items) = long_gop(1, 100);
    items.into_iter().for_each(|item| writer.push(item));
    writer.push(TailItem::End { duration_90k: second.duration_90k });
    let check = async |footage: &crate::Footage| {
        let entries = all(footage, key("a")).await;
        let lengths: Vec<_> = entries.iter().map(|e| (e.number, e.part, e.duration_90k, e.units)).collect();
        assert_eq!(
            lengths,
            [(0, 0, 180_000, 20), (1, 0, 720_000, 80), (1, 16, 180_000, 20)],
            "8 s at once at most"
        );
        assert_eq!(*footage.read(&entries[0]).await.unwrap(), first);
        let mut parts = footage.read(&entries[1]).await.unwrap().units.clone();
        let shift = |mut unit: sightline_model::media::AccessUnit| {
            unit.pts_90k += 720_000;
            unit
        };
        parts.extend(footage.read(&entries[2]).await.unwrap().units.iter().cloned().map(shift));
        assert_eq!(parts, second.units);
        for (from, to, expected) in [(1, 2, &entries[..1]), (21, 22, &entries[1..2]), (27, 29, &entries[1..])]
        {
            assert_eq!(footage.entries(key("a"), range(from, to), 9).await.unwrap(), expected, "{from} s");
            assert_eq!(
                footage.entries(key("a"), range(from, to), 1).await.unwrap(),
                expected[..1],
                "{from} s"
            );
        }
    };
    check(&footage).await;
    footage.flush().await.unwrap();
    check(&footage).await;
    footage.shutdown().await.unwrap();
    check(&open(&disk, config)).await;
}

#[tokio::test]
async fn a_kill_in_the_middle_of_a_gop_costs_less_than_a_second() {
    let disk = SimDisk::default();
    let config = crate::Config { commit_interval: std::time::Duration::from_millis(500), ..config() };
    let footage = open(&disk, config.clone());
    let mut writer = recorded(&footage, key("a"));
    let (gop, items) = long_gop(0, 48);
    items.into_iter().for_each(|item| writer.push(item));
    footage.flush().await.unwrap();
    let reopened = open(&disk.crash(1), config);
    let entries = all(&reopened, key("a")).await;
    assert_eq!((entries.len(), entries[0].units), (1, 45), "4.5 of 4.8 s");
    assert_eq!(reopened.read(&entries[0]).await.unwrap().units, gop.units[..45]);
}
