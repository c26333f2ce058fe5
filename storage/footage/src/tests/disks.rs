//! A node with several disks.

use std::{collections::BTreeSet, time::Duration};

use sightline_model::media::{Gop, RunId};

use super::read_all;
use crate::{
    Config, DiskState, Footage,
    disk::sim::SimDisk,
    store::NewDisk,
    testkit::{config, gop_of, key, new_disk, open_disks, push, recorded, s, seams, until},
};

const CAMERAS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

fn busy(number: u32) -> Gop {
    gop_of(i64::from(number) * 1000, 1000, RunId(1), number, 0, 2000)
}

fn quick() -> Config {
    Config { sync_interval: Duration::from_millis(5), ..config() }
}

async fn cameras_on(footage: &Footage) -> Vec<Vec<Gop>> {
    let mut all = Vec::new();
    for camera in CAMERAS {
        all.push(read_all(footage, key(camera)).await);
    }
    all
}

#[tokio::test]
async fn cameras_spread_over_the_disks_and_are_found_again() {
    let disks = [SimDisk::default(), SimDisk::default(), SimDisk::default()];
    let footage = open_disks(&disks, config());
    let gops: Vec<Gop> = (0..5).map(busy).collect();
    let mut writers: Vec<_> = CAMERAS.iter().map(|camera| recorded(&footage, key(camera))).collect();
    for gop in &gops {
        writers.iter_mut().for_each(|writer| push(writer, gop));
    }
    footage.flush().await.unwrap();
    assert_eq!(cameras_on(&footage).await, vec![gops.clone(); CAMERAS.len()]);
    let used: BTreeSet<u8> = footage.list_segments().unwrap().iter().map(|segment| segment.disk).collect();
    assert!(used.len() > 1, "{used:?}");
    footage.shutdown().await.unwrap();
    let again = open_disks(&disks, config());
    assert_eq!(cameras_on(&again).await, vec![gops; CAMERAS.len()]);
}

#[tokio::test]
async fn a_disk_that_keeps_failing_is_taken_out_and_costs_nothing() {
    let disks = [SimDisk::default(), SimDisk::default()];
    let footage = open_disks(&disks, quick());
    let mut writers: Vec<_> = CAMERAS.iter().map(|camera| recorded(&footage, key(camera))).collect();
    let mut gops: Vec<Gop> = Vec::new();
    let mut feed = |numbers: std::ops::Range<u32>, gops: &mut Vec<Gop>| {
        for number in numbers {
            gops.push(busy(number));
            writers.iter_mut().for_each(|writer| push(writer, &busy(number)));
        }
    };
    feed(0..5, &mut gops);
    footage.flush().await.unwrap();
    disks[0].faults(|faults| faults.refuse_syncs = true);
    feed(5..9, &mut gops);
    until(|| matches!(footage.disks()[0].state, DiskState::Out { .. }).then_some(())).await;
    feed(9..12, &mut gops);
    footage.flush().await.unwrap();
    assert_eq!(footage.disk_state().problem().map(|text| text.contains("taken out")), Some(true));
    assert_eq!(footage.metrics().disks_out, 1);
    assert_eq!(cameras_on(&footage).await, vec![gops.clone(); CAMERAS.len()], "in order, each once");
    let marks = footage.watermarks();
    assert_eq!(marks.indexed, marks.tail_end);
    assert_eq!(footage.metrics().gops_dropped, 0);
    footage.shutdown().await.unwrap();
    disks[0].faults(|faults| faults.refuse_syncs = false);
    let again = open_disks(&disks, config());
    assert_eq!(cameras_on(&again).await, vec![gops; CAMERAS.len()], "also of what both disks have");
}

#[tokio::test]
async fn the_last_disk_is_never_taken_out() {
    let disks = [SimDisk::default(), SimDisk::default()];
    let footage = open_disks(&disks, quick());
    let mut writers: Vec<_> = CAMERAS.iter().map(|camera| recorded(&footage, key(camera))).collect();
    disks.iter().for_each(|disk| disk.faults(|faults| faults.refuse_writes = true));
    writers.iter_mut().for_each(|writer| push(writer, &busy(0)));
    until(|| footage.disks().iter().all(|disk| disk.state.problem().is_some()).then_some(())).await;
    until(|| (footage.metrics().write_errors > 40).then_some(())).await;
    assert_eq!(footage.metrics().disks_out, 0);
    disks.iter().for_each(|disk| disk.faults(|faults| faults.refuse_writes = false));
    writers.iter_mut().for_each(|writer| push(writer, &busy(1)));
    until(|| footage.disk_state().problem().is_none().then_some(())).await;
    footage.flush().await.unwrap();
    assert_eq!(cameras_on(&footage).await, vec![vec![busy(0), busy(1)]; CAMERAS.len()]);
}

#[tokio::test]
async fn a_disk_that_cannot_be_used_at_the_start_is_out_and_said_so() {
    let disks = [SimDisk::default(), SimDisk::default()];
    let out = NewDisk { out: Some("could not open it".into()), ..new_disk(&disks[0]) };
    let (footage, recovery) =
        Footage::open_on(vec![out, new_disk(&disks[1])], config(), seams(), s(0)).unwrap();
    assert!(recovery.to_string().contains("could not open it"), "{recovery}");
    let mut writers: Vec<_> = CAMERAS.iter().map(|camera| recorded(&footage, key(camera))).collect();
    writers.iter_mut().for_each(|writer| push(writer, &busy(0)));
    footage.flush().await.unwrap();
    assert_eq!(cameras_on(&footage).await, vec![vec![busy(0)]; CAMERAS.len()]);
    assert!(disks[0].names().is_empty());
    footage.shutdown().await.unwrap();
}

#[tokio::test]
async fn classes_have_segments_of_their_own() {
    let disk = SimDisk::default();
    let footage = open_disks(std::slice::from_ref(&disk), config());
    footage.set_class(key("b"), 7);
    let mut writers: Vec<_> = ["a", "b"].iter().map(|camera| recorded(&footage, key(camera))).collect();
    writers.iter_mut().for_each(|writer| push(writer, &busy(0)));
    footage.flush().await.unwrap();
    footage.set_class(key("a"), 7);
    push(&mut writers[0], &busy(1));
    footage.flush().await.unwrap();
    let classes: BTreeSet<u8> =
        footage.list_segments().unwrap().iter().map(|segment| segment.class).collect();
    assert_eq!(classes, BTreeSet::from([0, 7]));
    assert_eq!(read_all(&footage, key("a")).await, [busy(0), busy(1)]);
}
