//! Full, broken and slow disks.

use sightline_model::gap::GapReason;

use super::{all, always};
use crate::{
    Config, DiskState, Error,
    disk::sim::SimDisk,
    testkit::{config, gop_of, key, new_disk, open, push, recorded, s, seams, until},
};
use sightline_model::media::{Gop, RunId};
use std::time::Duration;

fn big(number: u32) -> Gop {
    gop_of(i64::from(number) * 1000, 1000, RunId(1), number, 0, 5000)
}

#[test]
fn a_full_disk_is_refused_at_open_with_the_way_out() {
    let disk = SimDisk::default();
    disk.faults(|faults| faults.capacity = Some(1000));
    let config = Config { min_free_bytes: 5000, ..config() };
    let error = crate::Footage::open_on(vec![new_disk(&disk)], config, seams(), s(0)).unwrap_err();
    assert!(matches!(error, Error::DiskFull { free_bytes: 1000, needed_bytes: 5000, .. }));
    let text = error.to_string();
    assert!(text.contains("/simulated") && text.contains("min_free_bytes"), "{text}");
}

#[tokio::test]
async fn a_disk_that_fills_up_costs_footage_with_a_reason_and_recording_goes_on_when_there_is_space() {
    let disk = SimDisk::default();
    let config = Config { tail_bytes: 64 << 10, sync_interval: Duration::from_millis(5), ..config() };
    let footage = open(&disk, config.clone());
    let mut writer = recorded(&footage, key("a"));
    push(&mut writer, &big(0));
    footage.flush().await.unwrap();
    disk.faults(|faults| faults.capacity = Some(20_000));
    for number in 1..40 {
        push(&mut writer, &big(number));
        // The disk fills while GOPs come in: the writer holds some, the ring some, the rest falls off.
        let _ = footage.flush().await;
    }
    assert!(matches!(footage.disk_state(), DiskState::Full { .. }));
    let error = footage.flush().await.unwrap_err().to_string();
    assert!(error.contains("disk is full"), "{error}");
    let latest = footage.latest(key("a")).await.unwrap().unwrap();
    assert_eq!(latest.number, 39, "live goes on");

    disk.faults(|faults| faults.capacity = None);
    until(|| (footage.disk_state() == DiskState::Writing).then_some(())).await;
    push(&mut writer, &big(40));
    footage.flush().await.unwrap();
    let dropped = footage.metrics().gops_dropped;
    let entries = all(&footage, key("a")).await;
    assert!(dropped > 0);
    assert_eq!(entries.len() as u64 + dropped, 41, "every GOP is on disk or counted");
    assert_eq!(entries.last().unwrap().number, 40);
    let timeline = footage.timeline(key("a"), always(), s(41)).await.unwrap();
    assert!(!timeline.gaps.is_empty());
    assert!(timeline.gaps.iter().all(|gap| gap.reason == GapReason::DiskOverload), "{:?}", timeline.gaps);
    drop(writer);
    footage.shutdown().await.unwrap();
    let reopened = open(&disk, config);
    assert_eq!(
        reopened.timeline(key("a"), always(), s(41)).await.unwrap().gaps,
        timeline.gaps,
        "on disk too"
    );
}

#[tokio::test]
async fn after_a_failed_sync_the_records_are_written_again_elsewhere() {
    let disk = SimDisk::default();
    let config = Config { sync_interval: Duration::from_millis(5), ..config() };
    let footage = open(&disk, config.clone());
    let mut writer = recorded(&footage, key("a"));
    push(&mut writer, &big(0));
    footage.flush().await.unwrap();
    disk.faults(|faults| faults.refuse_syncs = true);
    push(&mut writer, &big(1));
    assert!(footage.flush().await.is_err());
    assert!(matches!(footage.disk_state(), DiskState::Failing { .. }));
    assert_eq!(footage.watermarks().indexed, 1);
    assert_eq!(all(&footage, key("a")).await.len(), 2, "the ring still has it");
    disk.faults(|faults| faults.refuse_syncs = false);
    until(|| (footage.watermarks().indexed == 2).then_some(())).await;
    let marks = footage.watermarks();
    assert_eq!((marks.synced, marks.appended, marks.tail_end), (2, 2, 2));
    drop(writer);
    footage.shutdown().await.unwrap();
    for seed in 0..5 {
        let numbers: Vec<_> =
            all(&open(&disk.crash(seed), config.clone()), key("a")).await.iter().map(|e| e.number).collect();
        assert_eq!(numbers, [0, 1]);
    }
}

#[tokio::test]
async fn a_broken_disk_at_shutdown_is_said_and_does_not_hang() {
    let disk = SimDisk::default();
    let footage = open(&disk, config());
    let mut writer = recorded(&footage, key("a"));
    push(&mut writer, &big(0));
    disk.faults(|faults| faults.refuse_writes = true);
    let error = tokio::time::timeout(Duration::from_secs(5), footage.shutdown()).await.unwrap().unwrap_err();
    assert!(error.to_string().contains("1 GOPs were lost"), "{error}");
}
