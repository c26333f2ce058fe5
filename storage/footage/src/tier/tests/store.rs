//! A whole store with a tier: segments go up, local copies go, and nobody who reads sees the difference.

use std::{sync::Arc, time::Duration};

use object_store::path::Path;
use sightline_model::{Timestamp, media::Gop};

use super::{
    faulty::{Fault, Faulty},
    options,
};
use crate::{
    Config, Error, Footage, Seams, Tier, TierConfig, TierProblem, TierState,
    catalogue::Place,
    crypt::CameraHour,
    disk::{Disk, sim::SimDisk},
    format::header::file_name,
    testkit::{self, gop_of, key, new_disk, push, recorded, until},
    tests::{all, always, read_all},
    tier::inner::{Inner, Options},
};

/// Everything goes up at once and leaves the disk at once; nothing is remembered in memory.
pub(super) fn config() -> Config {
    let mut tier = TierConfig::at("s3://test/city");
    (tier.after, tier.keep_local) = (Duration::ZERO, Duration::ZERO);
    Config {
        node: "north".to_owned(),
        lanes: 1,
        segment_bytes: 64 << 10,
        read_cache_bytes: 0,
        index_cache_bytes: 0,
        tier: Some(tier),
        ..testkit::config()
    }
}

fn open_with(disk: &SimDisk, store: &Arc<Faulty>, config: Config, seams: Seams) -> Footage {
    let options = Options { chunk_bytes: 16 << 10, ..options() };
    let inner = Inner::new(store.clone(), Path::from("city"), "test://store".to_owned(), options).unwrap();
    let seams = Seams { tier: Some(Tier { inner }), ..seams };
    Footage::open_on(vec![new_disk(disk)], config, seams, Timestamp::now()).unwrap().0
}

fn open(disk: &SimDisk, store: &Arc<Faulty>) -> Footage {
    open_with(disk, store, config(), testkit::seams())
}

fn gops(numbers: std::ops::Range<u32>) -> Vec<Gop> {
    let run = sightline_model::media::RunId(1);
    numbers.map(|number| gop_of(i64::from(number) * 1000, 1000, run, number, 0, 10_000)).collect()
}

/// Records some GOPs of 30 kB; every second one fills a segment.
pub(super) async fn record(footage: &Footage, numbers: std::ops::Range<u32>) -> Vec<Gop> {
    let gops = gops(numbers);
    let mut writer = recorded(footage, key("a"));
    for gop in &gops {
        push(&mut writer, gop);
        footage.flush().await.unwrap();
    }
    gops
}

pub(super) fn sealed_at(footage: &Footage, at: Place) -> usize {
    footage.list_segments().unwrap().iter().filter(|segment| segment.sealed && segment.place == at).count()
}

/// Waits until every sealed segment is where it is to be.
pub(super) async fn moved(footage: &Footage, to: Place) {
    until(|| {
        let segments = footage.list_segments().unwrap();
        let mut sealed = segments.iter().filter(|segment| segment.sealed).peekable();
        (sealed.peek().is_some() && sealed.all(|segment| segment.place == to)).then_some(())
    })
    .await;
}

fn local_files(disk: &SimDisk) -> usize {
    disk.list().unwrap().iter().filter(|name| name.ends_with(".seg")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn segments_move_and_everything_reads_as_before() {
    let (disk, store) = (SimDisk::default(), Arc::new(Faulty::default()));
    let footage = open(&disk, &store);
    let gops = record(&footage, 0..12).await;
    moved(&footage, Place::Tier).await;
    let moved = sealed_at(&footage, Place::Tier);
    assert!(moved >= 3, "{moved} segments");
    assert_eq!(
        local_files(&disk),
        footage.list_segments().unwrap().len() - moved,
        "only what is open is local"
    );

    assert_eq!(read_all(&footage, key("a")).await, gops);
    let timeline = footage.timeline(key("a"), always(), testkit::s(12)).await.unwrap();
    assert_eq!((timeline.spans.len(), timeline.gaps.len()), (1, 0));
    let nearest = footage.nearest(key("a"), testkit::ms(1500)).await.unwrap().unwrap();
    assert_eq!(*footage.read(&nearest).await.unwrap(), gops[1]);
    let status = footage.tier().unwrap();
    assert_eq!(
        (status.state, status.tier_segments, status.local_segments),
        (TierState::Working, moved as u64, 0)
    );
    assert!(status.tier_bytes > 0 && status.metrics.segments_sent == moved as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_store_stops_nothing_and_gets_everything_later() {
    let (disk, store) = (SimDisk::default(), Arc::new(Faulty::default()));
    store.set(Fault::DeadFrom(0));
    let footage = open(&disk, &store);
    let gops = record(&footage, 0..8).await;
    assert_eq!(read_all(&footage, key("a")).await, gops);
    let detail = until(|| match footage.tier().unwrap().state {
        TierState::Failing { detail, .. } => Some(detail),
        TierState::Working => None,
    })
    .await;
    assert!(detail.contains("test://store") && detail.contains("the wire is cut"), "{detail}");
    assert_eq!(sealed_at(&footage, Place::Local), local_files(&disk) - 1);

    store.set(Fault::None);
    moved(&footage, Place::Tier).await;
    assert_eq!(footage.tier().unwrap().state, TierState::Working);
    assert_eq!(read_all(&footage, key("a")).await, gops);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_lies_never_costs_the_local_copy() {
    let (disk, store) = (SimDisk::default(), Arc::new(Faulty::default()));
    store.set(Fault::Corrupt { puts: u64::MAX });
    let footage = open(&disk, &store);
    let gops = record(&footage, 0..4).await;
    // Tried, found wanting, and left alone for a while.
    until(|| (store.bytes_put() >= 32 << 10).then_some(())).await;
    until(|| (sealed_at(&footage, Place::Local) > 0).then_some(())).await;
    footage.shutdown().await.unwrap();
    assert_eq!(sealed_at(&footage, Place::Tier) + sealed_at(&footage, Place::Both), 0);
    assert_eq!(local_files(&disk), footage.list_segments().unwrap().len());
    assert_eq!(read_all(&footage, key("a")).await, gops);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_machine_knows_everything_from_the_bucket() {
    let store = Arc::new(Faulty::default());
    let machine = open(&SimDisk::default(), &store);
    let gops = record(&machine, 0..8).await;
    moved(&machine, Place::Tier).await;
    let in_tier: Vec<u64> =
        machine.list_segments().unwrap().iter().filter(|one| one.sealed).map(|one| one.id).collect();
    let sent = in_tier.len();
    drop(machine);

    // The machine burns; what was sealed is in the bucket.
    let new_disk = SimDisk::default();
    let new = open(&new_disk, &store);
    until(|| (sealed_at(&new, Place::Tier) == sent).then_some(())).await;
    let read = read_all(&new, key("a")).await;
    assert_eq!(read, gops[..read.len()]);
    assert!(read.len() >= gops.len() - 2, "{} GOPs, at most the open segment is lost", read.len());

    // It records on under names of its own, and sends that too.
    let more = record(&new, 100..104).await;
    moved(&new, Place::Tier).await;
    let ids: Vec<u64> = new.list_segments().unwrap().iter().map(|one| one.id).collect();
    assert!(ids.iter().skip(sent).all(|id| !in_tier.contains(id)), "{ids:?}");
    let mut expected = read;
    expected.extend(more);
    assert_eq!(read_all(&new, key("a")).await, expected);
    assert_eq!(new.last_synced(key("a")), Some(testkit::s(104)), "what was adopted is not the newest");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_finds_what_it_let_go() {
    let (disk, store) = (SimDisk::default(), Arc::new(Faulty::default()));
    let footage = open(&disk, &store);
    let gops = record(&footage, 0..8).await;
    moved(&footage, Place::Tier).await;
    let sent = sealed_at(&footage, Place::Tier);
    footage.shutdown().await.unwrap();
    drop(footage);
    let reopened = open(&disk, &store);
    until(|| (sealed_at(&reopened, Place::Tier) > sent).then_some(())).await;
    moved(&reopened, Place::Tier).await;
    assert_eq!(local_files(&disk), 0);
    assert_eq!(read_all(&reopened, key("a")).await, gops);
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_does_not_wait_for_an_upload() {
    let (disk, store) = (SimDisk::default(), Arc::new(Faulty::default()));
    let mut config = config();
    if let Some(tier) = &mut config.tier {
        tier.keep_local = Duration::from_secs(3600);
    }
    let footage = open_with(&disk, &store, config.clone(), testkit::seams());
    let gate = store.gate_all();
    let gops = record(&footage, 0..4).await;
    until(|| (store.calls() >= 2).then_some(())).await;
    let began = std::time::Instant::now();
    footage.shutdown().await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    drop(footage);
    gate.add_permits(1 << 20);
    let reopened = open_with(&disk, &store, config, testkit::seams());
    moved(&reopened, Place::Both).await;
    assert_eq!(local_files(&disk), reopened.list_segments().unwrap().len());
    assert_eq!(read_all(&reopened, key("a")).await, gops);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_copy_goes_only_when_the_tier_is_whole() {
    let (disk, store) = (SimDisk::default(), Arc::new(Faulty::default()));
    let mut config = config();
    if let Some(tier) = &mut config.tier {
        tier.keep_local = Duration::from_secs(3600);
    }
    let footage = open_with(&disk, &store, config, testkit::seams());
    let gops = record(&footage, 0..4).await;
    moved(&footage, Place::Both).await;
    let id = footage.list_segments().unwrap()[0].id;
    store.drop_object(&format!("city/north/{id:016x}/00001")).await;
    store.set(Fault::Corrupt { puts: u64::MAX });
    let error = footage.evict(id).await.unwrap_err();
    assert!(matches!(&error, Error::Tier { problem: TierProblem::Damaged { .. }, .. }), "{error}");
    assert!(disk.open(&file_name(id)).is_ok(), "it is still here");
    store.set(Fault::None);
    footage.evict(id).await.unwrap();
    assert!(disk.open(&file_name(id)).is_err());
    assert_eq!(read_all(&footage, key("a")).await, gops, "the tier was mended before");

    footage.remove_from_tier(id).await.unwrap();
    footage.shared().files.close(crate::index::Place { id, disk: 0 });
    assert!(all(&footage, key("a")).await.len() < gops.len(), "now it is nowhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destroyed_key_makes_footage_unreadable_in_the_tier_too() {
    let (disk, store) = (SimDisk::default(), Arc::new(Faulty::default()));
    let keys = Arc::new(crate::crypt::memory::MemoryKeys::default());
    let seams = Seams { keys: Some(keys.clone()), ..Seams::default() };
    let footage = open_with(&disk, &store, config(), seams.clone());
    let gops = record(&footage, 0..4).await;
    moved(&footage, Place::Tier).await;
    let first = all(&footage, key("a")).await[0];
    assert_eq!(*footage.read(&first).await.unwrap(), gops[0]);

    keys.destroy(CameraHour::of(key("a").camera, first.start));
    // A new machine has nothing in memory.
    drop(footage);
    let new = open_with(&SimDisk::default(), &store, config(), seams);
    until(|| (sealed_at(&new, Place::Tier) > 0).then_some(())).await;
    let first = all(&new, key("a")).await[0];
    let error = new.read(&first).await.unwrap_err().to_string();
    assert!(error.contains("destroyed"), "{error}");
}
