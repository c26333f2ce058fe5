//! Missing footage, over restarts too.

use sightline_model::{
    gap::{Gap, GapReason},
    tail::TailItem,
};

use super::{always, range};
use crate::{
    Span,
    disk::sim::SimDisk,
    testkit::{config, gop, key, open, push, recorded, s},
};

fn gap(from: i64, to: i64, reason: GapReason) -> Gap {
    Gap { from: s(from), to: s(to), reason }
}

#[tokio::test]
async fn an_open_gap_moves_with_now_and_becomes_a_record_with_the_next_gop() {
    let footage = open(&SimDisk::default(), config());
    let mut writer = recorded(&footage, key("a"));
    push(&mut writer, &gop(10_000, 0, 0));
    writer.push(TailItem::Absent { since: s(11), reason: GapReason::Disconnected });
    writer.push(TailItem::Absent { since: s(13), reason: GapReason::Unreachable });
    let gaps = async |now| footage.timeline(key("a"), always(), s(now)).await.unwrap().gaps;
    assert_eq!(gaps(12).await, [gap(11, 12, GapReason::Disconnected)]);
    let two = |to| [gap(11, 13, GapReason::Disconnected), gap(13, to, GapReason::Unreachable)];
    assert_eq!(gaps(20).await, two(20));
    footage.flush().await.unwrap();
    assert_eq!(gaps(20).await, two(20), "wherever the records are");
    push(&mut writer, &gop(30_000, 1, 0));
    footage.flush().await.unwrap();
    assert_eq!(gaps(31).await, two(30));
    assert_eq!(footage.metrics().gaps_appended, 2);
}

#[tokio::test]
async fn an_open_gop_counts_as_footage() {
    let footage = open(&SimDisk::default(), config());
    let mut writer = recorded(&footage, key("a"));
    push(&mut writer, &gop(0, 0, 0));
    writer.push(TailItem::Begin(gop(1000, 1, 0).start));
    let timeline = footage.timeline(key("a"), always(), s(3)).await.unwrap();
    let policy = sightline_model::media::Policy::Full;
    assert_eq!(timeline.spans, [Span { range: range(0, 3), policy }]);
    assert!(timeline.gaps.is_empty());
}

#[tokio::test]
async fn the_time_between_stop_and_first_gop_is_gateway_stopped() {
    let disk = SimDisk::default();
    let footage = open(&disk, config());
    let mut writer = recorded(&footage, key("a"));
    push(&mut writer, &gop(0, 0, 0));
    footage.shutdown().await.unwrap();
    drop(writer);

    let footage = open(&disk, config());
    let gaps = async |now| footage.timeline(key("a"), always(), s(now)).await.unwrap().gaps;
    assert_eq!(gaps(50).await, [gap(1, 50, GapReason::GatewayStopped)], "before anybody writes");
    let mut writer = recorded(&footage, key("a"));
    assert_eq!(gaps(50).await, [gap(1, 50, GapReason::GatewayStopped)]);
    writer.push(TailItem::Absent { since: s(55), reason: GapReason::Unauthorized });
    let both = [gap(1, 55, GapReason::GatewayStopped), gap(55, 60, GapReason::Unauthorized)];
    assert_eq!(gaps(60).await, both);
    push(&mut writer, &gop(60_000, 0, 0));
    footage.shutdown().await.unwrap();

    let footage = open(&disk, config());
    let timeline = footage.timeline(key("a"), range(0, 61), s(61)).await.unwrap();
    assert_eq!(timeline.gaps, both);
    assert_eq!(timeline.spans.len(), 2);
    let inside = footage.timeline(key("a"), range(20, 30), s(61)).await.unwrap();
    assert_eq!(inside.gaps, [gap(20, 30, GapReason::GatewayStopped)], "clipped to what was asked");
    assert!(inside.spans.is_empty());
}

#[tokio::test]
async fn before_the_first_footage_nothing_is_missing() {
    let footage = open(&SimDisk::default(), config());
    let mut writer = recorded(&footage, key("a"));
    writer.push(TailItem::Absent { since: s(0), reason: GapReason::Unreachable });
    assert_eq!(footage.timeline(key("a"), always(), s(9)).await.unwrap(), crate::Timeline::default());
    push(&mut writer, &gop(10_000, 0, 0));
    let timeline = footage.timeline(key("a"), range(0, 11), s(11)).await.unwrap();
    assert_eq!((timeline.spans.len(), timeline.gaps.len()), (1, 0));
    assert_eq!(timeline.spans[0].range, range(10, 11));
}
