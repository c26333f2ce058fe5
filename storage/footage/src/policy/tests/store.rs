//! Plans carried out on a store.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use sightline_model::{
    gap::GapReason,
    media::{Gop, Policy, RunId},
    tail::TailItem,
};

use super::*;
use crate::{
    Config, Footage, KeyError, Seams,
    disk::sim::SimDisk,
    testkit::{gop_of, key as stream, new_disk, push, recorded, s, seams, until},
    tests::{all, read_all},
};

/// GOPs of a second each, numbered from 0, that begin so many seconds after 1970.
pub(super) fn gops(from_s: i64, count: u32) -> Vec<Gop> {
    (0..count)
        .map(|n| gop_of((from_s + i64::from(n)) * 1000, 1000, RunId(from_s as u64), n, 0, 900))
        .collect()
}

pub(super) fn store_config(classes: Vec<Class>) -> Config {
    let policies = PolicyConfig {
        max_step_percent: 100,
        rewrite_bytes_per_s: 1 << 40,
        keep_free_percent: 0,
        ..config(classes)
    };
    Config { lanes: 1, segment_bytes: 4 << 20, policies, ..crate::testkit::config() }
}

pub(super) fn open_with(disk: &SimDisk, config: Config, seams: Seams) -> Footage {
    let footage = Footage::open_on(vec![new_disk(disk)], config, seams, s(0)).unwrap().0;
    footage.set_holds(Vec::new());
    footage
}

pub(super) fn open(disk: &SimDisk, config: Config) -> Footage {
    open_with(disk, config, seams())
}

/// Records and seals a segment of each camera's GOPs.
pub(super) async fn record(disk: &SimDisk, config: &Config, cameras: &[&str], gops: &[Gop]) {
    let footage = open(disk, config.clone());
    for camera in cameras {
        let mut writer = recorded(&footage, stream(camera));
        gops.iter().for_each(|gop| push(&mut writer, gop));
    }
    footage.shutdown().await.unwrap();
}

fn held(camera: &str, from_s: i64, to_s: i64) -> Hold {
    Hold { cameras: vec![camera.parse().unwrap()], ..hold(&[], range(s(from_s), s(to_s))) }
}

/// What thinning leaves of a GOP.
fn thinned(gop: &Gop) -> Gop {
    let mut thin = gop.clone();
    thin.units.truncate(1);
    thin.start.policy = Policy::Keyframes;
    thin
}

async fn keep(footage: &Footage, now: Timestamp) -> (Plan, Done) {
    let (plan, done) = footage.keep_policies(now).await.unwrap();
    assert_eq!((plan.refusal.as_ref(), done.failed), (None, 0), "{plan}");
    let again = footage.plan(now).await.unwrap();
    assert!(again.is_empty(), "first:\n{plan}\nthen:\n{again}");
    (plan, done)
}

#[tokio::test]
async fn a_day_goes_in_time_and_its_space_comes_back() {
    let disk = SimDisk::default();
    let config = store_config(vec![class(0, 1, 4)]);
    for hour in 0..6 {
        record(&disk, &config, &["a", "b"], &gops(hour * 3600, 20)).await;
    }
    let footage = open(&disk, config.clone());
    let before = disk.used();
    let now = s(5 * 3600 + 20);
    let (plan, done) = keep(&footage, now).await;
    // Hour 0 and hour 1 ended more than four hours ago.
    assert_eq!((done.steps, done.deleted, deleted(&plan)), (2, 2, vec![1, 2]));
    assert_eq!(before - disk.used(), plan.frees_bytes());
    assert_eq!(all(&footage, stream("a")).await.len(), 80);
    assert_eq!(footage.list_segments().unwrap().len(), 4);
    drop(footage);
    let footage = open(&disk, config);
    assert_eq!(read_all(&footage, stream("b")).await.len(), 80);
}

#[tokio::test]
async fn nothing_goes_before_the_holds_are_known() {
    let disk = SimDisk::default();
    let config = store_config(vec![class(0, 1, 4)]);
    record(&disk, &config, &["a"], &gops(0, 20)).await;
    let footage = Footage::open_on(vec![new_disk(&disk)], config, seams(), s(0)).unwrap().0;
    let (plan, done) = footage.keep_policies(s(6 * 3600)).await.unwrap();
    assert_eq!((plan.steps.len(), done), (1, Done { given_up: true, ..Done::default() }));
    assert_eq!(all(&footage, stream("a")).await.len(), 20);
    footage.set_holds(Vec::new());
    keep(&footage, s(6 * 3600)).await;
    assert!(all(&footage, stream("a")).await.is_empty());
}

#[tokio::test]
async fn held_seconds_stay_byte_for_byte_and_the_rest_of_their_segment_goes() {
    let disk = SimDisk::default();
    let config = store_config(vec![class(0, 1, 4)]);
    let recorded = gops(0, 120);
    record(&disk, &config, &["a", "b"], &recorded).await;
    let old = disk.read("0000000000000001.seg");
    let footage = open(&disk, config.clone());
    footage.set_holds(vec![held("a", 10, 12), held("a", 30, 31)]);
    let now = s(6 * 3600);
    let (plan, done) = keep(&footage, now).await;
    assert_eq!((done.rewritten, done.deleted), (1, 0), "{plan}");
    assert_eq!(disk.names(), ["0000000000000002.seg"], "the old one is gone, no draft is left");
    // The last GOP of a segment may go on in the next one, and nobody knows that here.
    let stay = [&recorded[10..12], &recorded[30..31]].concat();
    assert_eq!(read_all(&footage, stream("a")).await, stay);
    assert!(all(&footage, stream("b")).await.is_empty());
    let timeline = footage.timeline(stream("a"), range(s(10), s(31)), now).await.unwrap();
    let gaps: Vec<_> = timeline.gaps.iter().map(|gap| (gap.from, gap.to, gap.reason)).collect();
    assert_eq!(gaps, [(s(12), s(30), GapReason::Expired)]);
    // Encrypted records were copied as they were: every payload of the new file stands in the old one.
    let new = disk.read("0000000000000002.seg");
    for entry in all(&footage, stream("a")).await {
        let crate::types::Location::Segment { offset, bytes, .. } = entry.location else { panic!() };
        let record = &new[usize::try_from(offset).unwrap()..][..usize::try_from(bytes).unwrap()];
        assert!(old.windows(record.len() - 160).any(|window| window == &record[160..]));
    }
    drop(footage);
    let footage = open(&disk, config);
    assert_eq!(read_all(&footage, stream("a")).await, stay);
    assert_eq!(footage.list_segments().unwrap()[0].class, 0);
    // Once the holds end, the rest goes as well.
    keep(&footage, now).await;
    assert!(disk.names().is_empty());
}

#[tokio::test]
async fn old_footage_is_thinned_to_its_key_frames_and_what_is_held_is_not() {
    let disk = SimDisk::default();
    let config = store_config(vec![Class { full: Some(hours(2)), ..class(0, 1, 20) }]);
    let old = gops(0, 30);
    record(&disk, &config, &["a"], &old).await;
    let young = gops(4 * 3600, 30);
    record(&disk, &config, &["a"], &young).await;
    let footage = open(&disk, config.clone());
    footage.set_holds(vec![held("a", 7, 8)]);
    let before = disk.used();
    let (plan, done) = keep(&footage, s(5 * 3600)).await;
    assert_eq!((done.rewritten, done.steps), (1, 1), "{plan}");
    assert!(disk.used() < before * 8 / 10, "{} of {before} bytes are left", disk.used());
    let mut expected: Vec<Gop> = old.iter().map(thinned).collect();
    expected[7] = old[7].clone();
    expected.extend(young);
    // The last of the segment may go on in another one that is not thinned yet; it stays as it is while that is held only.
    assert_eq!(read_all(&footage, stream("a")).await, expected);
    let timeline = footage.timeline(stream("a"), range(s(0), s(30)), s(30)).await.unwrap();
    assert!(timeline.gaps.is_empty(), "thinned footage is footage: {timeline:?}");
    let spans: Vec<_> = timeline.spans.iter().map(|span| (span.range.from, span.policy)).collect();
    assert_eq!(spans, [(s(0), Policy::Keyframes), (s(7), Policy::Full), (s(8), Policy::Keyframes)]);
    drop(footage);
    let footage = open(&disk, config);
    assert_eq!(read_all(&footage, stream("a")).await, expected);
    // What is known last of a stream is what was recorded last, not what was written again last.
    assert_eq!(footage.last_synced(stream("a")), Some(s(4 * 3600 + 30)));
}

#[tokio::test]
async fn what_is_deleted_is_not_read_from_memory_either() {
    let disk = SimDisk::default();
    let config = store_config(vec![class(0, 1, 4)]);
    record(&disk, &config, &["a"], &gops(0, 20)).await;
    let footage = open(&disk, config);
    let entries = all(&footage, stream("a")).await;
    footage.read(&entries[3]).await.unwrap();
    keep(&footage, s(6 * 3600)).await;
    assert!(matches!(footage.read(&entries[3]).await, Err(crate::Error::Gone { .. })));
}

#[tokio::test]
async fn a_gop_in_pieces_is_thinned_and_held_as_a_whole() {
    let disk = SimDisk::default();
    let classes = vec![Class { full: Some(hours(2)), ..class(0, 1, 20) }];
    let config = Config { commit_interval: Duration::from_millis(500), ..store_config(classes) };
    let footage = open(&disk, config.clone());
    let mut writer = recorded(&footage, stream("a"));
    // Four GOPs of three seconds at ten frames a second: six pieces each.
    for number in 0..4u32 {
        let mut gop = gop_of(i64::from(number) * 3000, 3000, RunId(1), number, 0, 300);
        let unit = gop.units[1].clone();
        gop.units.truncate(1);
        gop.units.extend(
            (1..30).map(|n| sightline_model::media::AccessUnit { pts_90k: n * 9000, ..unit.clone() }),
        );
        writer.push(TailItem::Begin(gop.start.clone()));
        gop.units.iter().for_each(|unit| writer.push(TailItem::Unit(unit.clone())));
        writer.push(TailItem::End { duration_90k: gop.duration_90k });
        footage.flush().await.unwrap();
    }
    let before = read_all(&footage, stream("a")).await;
    assert_eq!(before.iter().map(|gop| gop.units.len()).collect::<Vec<_>>(), [30; 4]);
    drop(writer);
    footage.shutdown().await.unwrap();
    drop(footage);
    let footage = open(&disk, config.clone());
    // A moment in the fifth piece of the second GOP.
    footage.set_holds(vec![Hold {
        range: range(Timestamp(5_100_000), Timestamp(5_100_001)),
        ..held("a", 0, 1)
    }]);
    keep(&footage, s(5 * 3600)).await;
    let expected = [thinned(&before[0]), before[1].clone(), thinned(&before[2]), thinned(&before[3])];
    assert_eq!(read_all(&footage, stream("a")).await, expected);
    drop(footage);
    let footage = open(&disk, config);
    assert_eq!(read_all(&footage, stream("a")).await, expected);
    let entries = all(&footage, stream("a")).await;
    assert!(entries.iter().all(|entry| entry.end.micros_since(entry.start) == 3_000_000), "{entries:?}");
}

#[tokio::test]
async fn an_owner_over_its_quota_loses_its_own_cameras_alone() {
    let disk = SimDisk::default();
    let mut config = store_config(vec![class(0, 1, 100)]);
    config.policies.owners = vec![OwnerQuota { owner: "north".parse().unwrap(), quota_bytes: 1 }];
    let recorded = gops(0, 10);
    record(&disk, &config, &["a", "b"], &recorded).await;
    record(&disk, &config, &["a"], &gops(100, 10)).await;
    let footage = open(&disk, config);
    footage.set_owners(BTreeMap::from([("a".parse().unwrap(), "north".parse().unwrap())]));
    let (_, done) = keep(&footage, s(2 * 3600)).await;
    assert_eq!((done.deleted, done.rewritten), (1, 1));
    assert!(all(&footage, stream("a")).await.is_empty());
    assert_eq!(read_all(&footage, stream("b")).await, recorded);
}

#[tokio::test]
async fn entries_from_before_a_rewrite_read_on_and_those_of_the_deleted_are_gone() {
    let disk = SimDisk::default();
    let config = store_config(vec![class(0, 1, 4)]);
    let recorded = gops(0, 60);
    record(&disk, &config, &["a"], &recorded).await;
    let footage = open(&disk, config);
    footage.set_holds(vec![held("a", 5, 6)]);
    let entries = all(&footage, stream("a")).await;
    keep(&footage, s(6 * 3600)).await;
    assert_eq!(*footage.read(&entries[5]).await.unwrap(), recorded[5]);
    assert!(matches!(footage.read(&entries[6]).await, Err(crate::Error::Gone { .. })));
}

/// Key days in memory.
#[derive(Debug, Default)]
struct Days(Mutex<Vec<KeyDay>>);

impl KeyDestroyer for Days {
    fn days(&self, last: u32) -> Result<Vec<KeyDay>, KeyError> {
        Ok(self.0.lock().iter().filter(|day| day.day <= last).cloned().collect())
    }

    fn destroy_day(&self, day: u32, keep: &[CameraHour]) -> Result<(), KeyError> {
        for of in self.0.lock().iter_mut().filter(|of| of.day == day) {
            of.hours.retain(|hour| keep.contains(hour));
        }
        Ok(())
    }
}

#[tokio::test]
async fn the_keys_of_a_day_that_is_over_die_but_for_what_is_held() {
    let disk = SimDisk::default();
    let config = store_config(vec![class(0, 1, 4)]);
    record(&disk, &config, &["a", "b"], &gops(0, 20)).await;
    record(&disk, &config, &["a"], &gops(27 * 3600, 20)).await;
    let hours = ["a", "b"].map(|camera| CameraHour { camera: camera.parse().unwrap(), hour: 0 });
    let days = Arc::new(Days(Mutex::new(vec![KeyDay { day: 0, hours: hours.into() }])));
    let footage = open(&disk, config);
    footage.set_key_destroyer(Arc::<Days>::clone(&days));
    footage.set_holds(vec![held("b", 3, 4)]);
    keep(&footage, s(28 * 3600 - 1)).await;
    assert_eq!(days.0.lock()[0].hours.len(), 2, "the day ended less than four hours ago");
    keep(&footage, s(28 * 3600)).await;
    assert_eq!(days.0.lock()[0].hours, [hours[1]].into());
}

#[tokio::test]
async fn a_full_disk_gives_a_class_up_and_takes_it_up_again() {
    let disk = SimDisk::default();
    let config = Config { min_free_bytes: 0, ..store_config(vec![class(0, 10, 100)]) };
    record(&disk, &config, &["a"], &gops(0, 20)).await;
    let mut config = config;
    config.policies.keep_free_percent = 50;
    let footage = open(&disk, config);
    let mut writer = recorded(&footage, stream("a"));
    let mut number = 0;
    let mut record = async |count: u32| {
        for _ in 0..count {
            push(&mut writer, &gop_of(100_000 + i64::from(number) * 1000, 1000, RunId(7), number, 0, 900));
            number += 1;
        }
        footage.flush().await.unwrap();
    };
    record(5).await;
    let full = disk.used();
    disk.faults(|faults| faults.capacity = Some(full));
    let (plan, _) = footage.keep_policies(s(3600)).await.unwrap();
    assert_eq!(actions(&plan), [Action::Shed { disk: 0, class: 0 }], "{plan}");
    record(5).await;
    disk.faults(|faults| faults.capacity = None);
    let (plan, _) = footage.keep_policies(s(3600)).await.unwrap();
    assert_eq!(actions(&plan), [Action::Resume { disk: 0, class: 0 }]);
    record(5).await;
    let timeline = footage.timeline(stream("a"), range(s(100), s(115)), s(115)).await.unwrap();
    let gaps: Vec<_> = timeline.gaps.iter().map(|gap| (gap.from, gap.to, gap.reason)).collect();
    assert_eq!(gaps, [(s(105), s(110), GapReason::Shed)]);
}

#[tokio::test]
async fn holds_that_change_stop_a_plan_and_the_thread_makes_the_next_one() {
    let disk = SimDisk::default();
    let mut config = store_config(vec![Class { full: Some(hours(2)), ..class(0, 1, 20) }]);
    config.tail_bytes = 64 << 20;
    config.segment_bytes = 64 << 20;
    config.policies.rewrite_bytes_per_s = 1 << 20;
    let large: Vec<Gop> =
        (0..30).map(|n| gop_of(i64::from(n) * 1000, 1000, RunId(1), n, 0, 200_000)).collect();
    record(&disk, &config, &["a"], &large).await;
    let footage = open(&disk, config);
    let slow = footage.clone();
    let work = tokio::spawn(async move { slow.keep_policies(s(5 * 3600)).await.unwrap().1 });
    // A draft is there: the rewrite is under way.
    until(|| disk.names().iter().any(|name| name.ends_with(".tmp")).then_some(())).await;
    footage.set_holds(vec![held("a", 0, 30)]);
    let done = work.await.unwrap();
    assert!(done.given_up && done.rewritten == 0, "{done:?}");
    assert_eq!(disk.names(), ["0000000000000001.seg"]);
    assert!(footage.plan(s(5 * 3600)).await.unwrap().is_empty());
}
