//! No entry, no destruction.

use std::sync::{Arc, atomic::Ordering};

use super::{
    super::{Destroyed, Destruction, What},
    fuse::Fuse,
    *,
};
use crate::{Error, Trust, testing::World};
use sightline_model::{
    TimeRange, Timestamp,
    audit::{Action, Entry},
};

const MIDNIGHT: Timestamp = Timestamp::from_secs(DAY as i64 * 86_400);
const NEXT: Timestamp = Timestamp::from_secs((DAY as i64 + 1) * 86_400);

async fn entries(world: &World, action: Action) -> Vec<Entry> {
    let entries = world.records.audit_after(0, 10_000).await.unwrap();
    entries.into_iter().filter(|entry| entry.act.action == action).collect()
}

fn order(what: What) -> Destruction {
    Destruction { what, by: None, reason: "30 days are over".to_owned() }
}

async fn destroy(trust: &Trust, keys: &Arc<FileKeys>, what: What) -> Result<Destroyed, Error> {
    trust.destroy_keys(keys, order(what), NEXT).await
}

fn with_two() -> (Place, Arc<FileKeys>, Known, Known) {
    let place = Place::new();
    let keys = Arc::new(place.open());
    let (goes, held) = (make(&keys, hour(1, 3)), make(&keys, hour(2, 3)));
    keys.sync().unwrap();
    (place, keys, goes, held)
}

#[tokio::test]
async fn a_destruction_is_entered_first() {
    let world = World::without_footage().await;
    let (_place, keys, goes, held) = with_two();
    let what = What::Day { day: DAY, keep: vec![held.of] };
    world.audit_fails.store(true, Ordering::SeqCst);
    let refused = destroy(&world.trust, &keys, what.clone()).await;
    assert!(matches!(refused, Err(Error::AuditUnavailable { .. })), "{refused:?}");
    let one = destroy(&world.trust, &keys, What::Hours(vec![goes.of])).await;
    assert!(matches!(one, Err(Error::AuditUnavailable { .. })), "{one:?}");
    let before = keys.master();
    assert!(world.trust.replace_master_key(&keys, None, NEXT).await.is_err());
    assert_eq!(keys.master(), before);
    goes.stays(&keys);
    assert_eq!(entries(&world, Action::KeysDestroyed).await, []);

    world.audit_fails.store(false, Ordering::SeqCst);
    let done = destroy(&world.trust, &keys, what).await.unwrap();
    assert_eq!(done, Destroyed { keys: 1, kept: 1 });
    goes.is_destroyed(&keys);
    held.stays(&keys);
    let entries = entries(&world, Action::KeysDestroyed).await;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].act.range, TimeRange::new(MIDNIGHT, NEXT));
    let detail = "2026-11-22: 30 days are over, kept: camera-hours gate-2@2026-11-22T03";
    assert_eq!(entries[0].act.detail, detail);
    world.trust.verify_chain().await.unwrap();
}

#[tokio::test]
async fn single_hours_have_an_entry_each_and_many_have_one() {
    let world = World::without_footage().await;
    let (_place, keys, goes, held) = with_two();
    destroy(&world.trust, &keys, What::Hours(vec![goes.of, goes.of])).await.unwrap();
    let first = entries(&world, Action::KeysDestroyed).await;
    assert_eq!(first.len(), 1);
    assert_eq!((first[0].act.camera, first[0].act.range), (Some(goes.of.camera), Some(goes.of.range())));
    held.stays(&keys);
    let many = (0..24).map(|at| hour(7, at)).collect();
    destroy(&world.trust, &keys, What::Hours(many)).await.unwrap();
    let all = entries(&world, Action::KeysDestroyed).await;
    assert_eq!(all.len(), 2);
    assert_eq!(all[1].act.range, TimeRange::new(MIDNIGHT, NEXT));
    assert!(all[1].act.detail.starts_with("24 camera-hours, sha256 "), "{}", all[1].act.detail);
}

#[tokio::test]
async fn an_hour_that_is_not_over_is_refused() {
    let world = World::without_footage().await;
    let (_place, keys, goes, _) = with_two();
    let now = goes.of.range().to.plus_micros(-1);
    for what in [What::Day { day: DAY, keep: Vec::new() }, What::Hours(vec![goes.of])] {
        let refused = world.trust.destroy_keys(&keys, order(what), now).await.unwrap_err();
        assert_eq!(refused.code(), "invalid");
    }
    goes.stays(&keys);
    assert_eq!(entries(&world, Action::KeysDestroyed).await, []);
    let what = What::Hours(vec![goes.of]);
    world.trust.destroy_keys(&keys, order(what), now.plus_micros(1)).await.unwrap();
    goes.is_destroyed(&keys);
}

#[tokio::test]
async fn a_destruction_that_fails_after_its_entry_has_a_second_one() {
    let world = World::without_footage().await;
    let fuse = Fuse::lay(0);
    let (_place, keys, goes, _) = with_two();
    fuse.burn_after(0);
    let failed = destroy(&world.trust, &keys, What::Day { day: DAY, keep: Vec::new() }).await.unwrap_err();
    assert_eq!(failed.code(), "keys_unavailable");
    Fuse::put_out();
    let entries = entries(&world, Action::KeysDestroyed).await;
    assert_eq!(entries.len(), 2);
    assert!(entries[1].act.detail.starts_with("did not finish"), "{}", entries[1].act.detail);
    fuse.mend();
    goes.stays(&keys);
}

#[tokio::test]
async fn the_change_of_the_master_key_names_both() {
    let world = World::without_footage().await;
    let (_place, keys, goes, _) = with_two();
    let before = keys.master();
    assert_eq!(world.trust.replace_master_key(&keys, None, NEXT).await.unwrap(), 1);
    goes.stays(&keys);
    let entries = entries(&world, Action::MasterKeyReplaced).await;
    assert_eq!(entries[0].act.detail, format!("{before} by {}", keys.master()));
}
