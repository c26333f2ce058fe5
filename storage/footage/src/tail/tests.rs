//! The ring and its readers.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use proptest::prelude::*;
use sightline_model::{
    Timestamp,
    gap::{Gap, GapReason},
    media::{AccessUnit, Gop, RunId},
    tail::TailItem,
};

use super::{LiveReader, Registry, TailWriter, chunk::Work, pull::Position, ring::Ring};
use crate::{
    disk::sim::SimDisk,
    testkit::{gop, gop_of, key, ms, push, rooms_of, s},
    types::{Keep, LiveItem},
};

const BOUND: usize = 64 << 10;

fn ring(bound: usize) -> Ring {
    let mut ring = Ring::new(bound, Duration::from_secs(3600), None);
    ring.set_recorded(true);
    ring
}

fn feed(ring: &mut Ring, gop: &Gop) {
    ring.push(TailItem::Begin(gop.start.clone()));
    for unit in &gop.units {
        ring.push(TailItem::Unit(unit.clone()));
    }
    ring.push(TailItem::End { duration_90k: gop.duration_90k });
}

fn drain(ring: &mut Ring) -> Vec<Work> {
    let mut out = Vec::new();
    assert!(!ring.take(usize::MAX, &mut out));
    if let Some((no, work)) = out.last() {
        ring.release(*no, work.end());
    }
    out.into_iter().map(|(_, work)| work).collect()
}

fn gops(works: &[Work]) -> Vec<&Gop> {
    works
        .iter()
        .filter_map(|work| if let Work::Gop(piece) = work { Some(&*piece.gop) } else { None })
        .collect()
}

fn gaps(works: &[Work]) -> Vec<Gap> {
    works.iter().filter_map(|work| if let Work::Gap(gap) = work { Some(*gap) } else { None }).collect()
}

#[test]
fn the_disk_takes_what_was_pushed_and_the_gaps_between() {
    let mut ring = ring(BOUND);
    let (first, second) = (gop(0, 0, 0), gop(5000, 1, 0));
    feed(&mut ring, &first);
    ring.push(TailItem::Absent { since: s(1), reason: GapReason::Unreachable });
    feed(&mut ring, &second);
    let works = drain(&mut ring);
    assert_eq!(gops(&works), [&first, &second]);
    assert_eq!(gaps(&works), [Gap { from: s(1), to: s(5), reason: GapReason::Unreachable }]);
    assert!(drain(&mut ring).is_empty());
}

#[test]
fn without_readers_the_ring_keeps_little_more_than_the_newest_gop() {
    let mut ring = ring(1 << 20);
    for number in 0..200 {
        feed(&mut ring, &gop_of(i64::from(number) * 1000, 1000, RunId(1), number, 0, 500));
        drain(&mut ring);
    }
    assert!(ring.held_bytes() < 8 << 10, "{} bytes held", ring.held_bytes());
    assert_eq!(ring.newest_key().unwrap().start.number, 199);
}

#[test]
fn what_the_disk_misses_becomes_one_overload_gap() {
    let mut ring = ring(BOUND);
    feed(&mut ring, &gop(0, 0, 0));
    drain(&mut ring);
    let mut dropped = 0;
    for number in 1..100 {
        let gop = gop_of(i64::from(number) * 1000, 1000, RunId(1), number, 0, 1000);
        dropped += ring.push(TailItem::Begin(gop.start.clone())).dropped;
        for unit in &gop.units {
            dropped += ring.push(TailItem::Unit(unit.clone())).dropped;
        }
        dropped += ring.push(TailItem::End { duration_90k: gop.duration_90k }).dropped;
        assert!(ring.held_bytes() <= BOUND);
    }
    let view = ring.view(s(100));
    let works = drain(&mut ring);
    let (gops, gaps) = (gops(&works), gaps(&works));
    assert_eq!(gops.len() as u64 + dropped, 99);
    assert_eq!(gaps, [Gap { from: s(1), to: gops[0].start.at, reason: GapReason::DiskOverload }]);
    assert!(view.gaps.contains(&gaps[0]), "and queries know before it is written: {:?}", view.gaps);
}

#[test]
fn an_open_gop_is_bounded_in_bytes_and_in_time() {
    let mut ring = Ring::new(BOUND, Duration::from_secs(2), None);
    ring.set_recorded(true);
    ring.push(TailItem::Begin(gop(0, 0, 0).start));
    let mut pushed = Vec::new();
    for frame in 0..500i32 {
        let unit = AccessUnit { pts_90k: frame * 3600, key: frame == 0, data: Bytes::from(vec![1; 700]) };
        pushed.push(unit.clone());
        ring.push(TailItem::Unit(unit));
        drain(&mut ring);
        assert!(ring.held_bytes() <= BOUND);
    }
    ring.push(TailItem::End { duration_90k: 500 * 3600 });
    let mut ring2 = Ring::new(8 << 20, Duration::from_secs(2), None);
    ring2.set_recorded(true);
    ring2.push(TailItem::Begin(gop(0, 0, 0).start));
    for unit in &pushed {
        ring2.push(TailItem::Unit(unit.clone()));
    }
    ring2.push(TailItem::End { duration_90k: 500 * 3600 });
    let works = drain(&mut ring2);
    let parts = gops(&works);
    assert_eq!(parts.len(), 10);
    assert!(gaps(&works).is_empty());
    let total: u32 = parts.iter().map(|part| part.duration_90k).sum();
    assert_eq!(total, 500 * 3600);
    for (index, part) in parts.iter().enumerate() {
        assert_eq!(usize::from(part.start.part), index);
        assert_eq!(part.units[0].pts_90k, 0);
        assert_eq!(part.start.at, s(2 * i64::try_from(index).unwrap()));
    }
    assert_eq!(parts.iter().flat_map(|part| &part.units).count(), 500);
    let joined: Vec<_> = works.iter().map(|work| matches!(work, Work::Gop(piece) if piece.joined)).collect();
    assert_eq!(joined, [false, true, true, true, false, true, true, true, false, true], "for 8 s at most");
}

#[test]
fn any_order_of_items_makes_well_formed_gops() {
    let mut ring = ring(BOUND);
    ring.push(TailItem::Unit(gop(0, 0, 0).units[0].clone()));
    ring.push(TailItem::End { duration_90k: 5 });
    ring.push(TailItem::Begin(gop(0, 0, 0).start));
    ring.push(TailItem::Begin(gop(1000, 1, 0).start));
    for unit in &gop(1000, 1, 0).units {
        ring.push(TailItem::Unit(unit.clone()));
    }
    ring.push(TailItem::Absent { since: s(2), reason: GapReason::Stalled });
    let works = drain(&mut ring);
    let cut = gops(&works);
    assert_eq!(cut.len(), 1, "a GOP without a frame is none");
    assert_eq!((cut[0].start.number, cut[0].duration_90k), (1, 90_000), "its frames tell its length");
}

#[test]
fn a_reader_begins_at_the_newest_key_frame_and_sees_every_item_once() {
    let mut ring = ring(BOUND);
    feed(&mut ring, &gop(0, 0, 0));
    let newest = gop(1000, 1, 0);
    feed(&mut ring, &newest);
    ring.add_reader();
    let mut position = Position::Newest;
    let mut items = Vec::new();
    while let Some(item) = ring.pull(&mut position) {
        items.push(item);
    }
    let mut expected = vec![LiveItem::Begin(Arc::new(newest.start.clone()))];
    expected.extend(newest.units.iter().cloned().map(LiveItem::Unit));
    expected.push(LiveItem::End { duration_90k: newest.duration_90k });
    assert_eq!(items, expected);
    ring.push(TailItem::Absent { since: s(2), reason: GapReason::Stalled });
    let absent = LiveItem::Absent { since: s(2), reason: GapReason::Stalled };
    assert_eq!(ring.pull(&mut position), Some(absent.clone()));
    assert_eq!(ring.pull(&mut position), None);
    assert_eq!(ring.pull(&mut Position::Newest), Some(absent), "a newcomer learns that there is nothing");
}

#[test]
fn a_slow_reader_is_told_and_goes_on_at_a_key_frame() {
    let mut ring = ring(BOUND);
    ring.add_reader();
    feed(&mut ring, &gop(0, 0, 0));
    let mut position = Position::Newest;
    assert!(matches!(ring.pull(&mut position), Some(LiveItem::Begin(_))));
    for number in 1..200 {
        feed(&mut ring, &gop_of(i64::from(number) * 1000, 1000, RunId(1), number, 0, 1000));
    }
    let Some(LiveItem::Lagged { missed }) = ring.pull(&mut position) else { panic!("not told") };
    assert_eq!(
        missed,
        199 * 5 - 1,
        "up to the newest Begin: all but the first item of 199 GOPs of five items"
    );
    match ring.pull(&mut position) {
        Some(LiveItem::Begin(start)) => assert_eq!((start.number, start.part), (199, 0)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_reader_that_lost_its_key_frame_waits_for_the_next() {
    let mut ring = Ring::new(BOUND, Duration::from_secs(1), None);
    ring.add_reader();
    let mut position = Position::Newest;
    let unit =
        |frame: i32| AccessUnit { pts_90k: frame * 3600, key: frame == 0, data: Bytes::from(vec![1; 3000]) };
    ring.push(TailItem::Begin(gop(0, 0, 0).start));
    assert!(matches!(ring.pull(&mut position), Some(LiveItem::Begin(_))));
    for frame in 0..200 {
        ring.push(TailItem::Unit(unit(frame)));
    }
    assert!(matches!(ring.pull(&mut position), Some(LiveItem::Lagged { .. })));
    assert_eq!(ring.pull(&mut position), None, "only further parts are left");
    ring.push(TailItem::Begin(gop(8000, 1, 0).start));
    assert!(matches!(ring.pull(&mut position), Some(LiveItem::Begin(start)) if start.number == 1));
}

#[test]
fn after_a_restart_the_first_gop_brings_the_gap_of_the_stop() {
    let mut ring = Ring::new(BOUND, Duration::from_secs(5), Some(s(100)));
    ring.set_recorded(true);
    assert_eq!(ring.view(s(130)).gaps, [Gap { from: s(100), to: s(130), reason: GapReason::GatewayStopped }]);
    feed(&mut ring, &gop(150_000, 0, 0));
    let works = drain(&mut ring);
    assert_eq!(gaps(&works), [Gap { from: s(100), to: s(150), reason: GapReason::GatewayStopped }]);
}

fn registry() -> Arc<Registry> {
    Arc::new(Registry::new(BOUND, Duration::from_secs(5), 1 << 20, rooms_of(&SimDisk::default())))
}

#[tokio::test]
async fn readers_wake_on_push_and_demand_follows_them() {
    let registry = registry();
    let tail = registry.get_or_create(key("a"), || None);
    let mut demand = registry.subscribe();
    let mut writer = TailWriter::open(Arc::clone(&tail), Arc::clone(&registry), Keep::LiveOnly).unwrap();
    let readers: Vec<_> = (0..10)
        .map(|_| {
            let mut reader = LiveReader::open(Arc::clone(&tail), Arc::clone(&registry));
            tokio::spawn(async move {
                let mut units = 0;
                loop {
                    match reader.next().await {
                        LiveItem::Unit(_) => units += 1,
                        LiveItem::Absent { .. } => return units,
                        _ => {}
                    }
                }
            })
        })
        .collect();
    demand.changed().await.unwrap();
    assert_eq!(demand.borrow_and_update().iter().copied().collect::<Vec<_>>(), [key("a")]);
    // Every reader is asleep or about to be: the first push must wake them all.
    for number in 0..3 {
        push(&mut writer, &gop(i64::from(number) * 1000, number, 0));
        tokio::task::yield_now().await;
    }
    writer.push(TailItem::Absent { since: s(3), reason: GapReason::Disabled });
    for reader in readers {
        let units = tokio::time::timeout(Duration::from_secs(10), reader).await.unwrap().unwrap();
        assert!(units <= 9);
    }
    demand.wait_for(|demand| demand.is_empty()).await.unwrap();
    assert_eq!(registry.readers(), 0);
}

#[test]
fn a_stream_has_one_writer_and_its_end_closes_the_open_gop() {
    let registry = registry();
    let tail = registry.get_or_create(key("a"), || None);
    let open = || TailWriter::open(Arc::clone(&tail), Arc::clone(&registry), Keep::Recorded);
    let mut writer = open().unwrap();
    assert!(open().unwrap_err().to_string().contains("already has a writer"));
    let cut = gop(0, 0, 0);
    writer.push(TailItem::Begin(cut.start.clone()));
    writer.push(TailItem::Unit(cut.units[0].clone()));
    drop(writer);
    assert_eq!(tail.ring.lock().newest_key().unwrap().units, cut.units[..1]);
    assert!(open().is_ok());
}

proptest! {
    /// Against the simplest possible ring: a list of everything. A reader sees a contiguous stretch, or is told of the break.
    #[test]
    fn a_reader_sees_items_in_order_or_is_told(
        steps in proptest::collection::vec((0u8..4, 1usize..5000), 1..120),
    ) {
        let mut ring = ring(BOUND);
        ring.add_reader();
        let mut number = 0;
        let mut position = Position::Newest;
        let mut in_order: Option<(u32, usize)> = None;
        for (step, size) in steps {
            match step {
                0 | 1 => {
                    feed(&mut ring, &gop_of(i64::from(number) * 1000, 1000, RunId(1), number, 0, size));
                    number += 1;
                }
                2 => drop(drain(&mut ring)),
                _ => {
                    for _ in 0..4 {
                        match ring.pull(&mut position) {
                            Some(LiveItem::Begin(start)) => {
                                if let Some((last, _)) = in_order {
                                    prop_assert_eq!(start.number, last + 1);
                                }
                                in_order = Some((start.number, 0));
                            }
                            Some(LiveItem::Unit(unit)) => {
                                let (number, frame) = in_order.unwrap();
                                let name = format!("{}/{number}/0/{frame}:", i64::from(number) * 1000);
                                prop_assert!(unit.data.starts_with(name.as_bytes()), "after a break comes a Begin");
                                in_order = Some((number, frame + 1));
                            }
                            Some(LiveItem::Lagged { missed }) => {
                                prop_assert!(missed > 0);
                                in_order = None;
                            }
                            Some(_) | None => {}
                        }
                    }
                }
            }
            prop_assert!(ring.held_bytes() <= BOUND);
        }
    }
}

#[test]
fn times_of_a_gop_are_what_was_given() {
    assert_eq!(gop(1500, 0, 0).start.at, ms(1500));
    assert_eq!(gop(0, 0, 0).end(), Timestamp(1_000_000));
}
