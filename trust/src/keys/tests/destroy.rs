//! Destroyed keys are gone, kept keys are not.

use super::{
    super::{DayKeys, Destroyed, format},
    *,
};

/// The wrapped forms of all keys of a day's file.
fn wrapped(place: &Place, day: u32) -> Vec<Vec<u8>> {
    let file = format::parse(&fs::read(place.file(day)).unwrap()).unwrap();
    let rows = file.rows.into_iter().flatten().filter_map(|row| row.wrapped);
    rows.chain([file.header.wrapped]).map(|wrapped| wrapped.to_vec()).collect()
}

/// Whether any file still holds any of `traces`.
fn has_trace(place: &Place, traces: &[Vec<u8>]) -> bool {
    let files = place.all_bytes();
    files.iter().any(|file| traces.iter().any(|trace| file.windows(trace.len()).any(|bytes| bytes == trace)))
}

#[test]
fn destroying_a_day_leaves_what_is_held_and_other_days() {
    let place = Place::new();
    let keys = place.open();
    let (goes, held, later) = (make(&keys, hour(1, 3)), make(&keys, hour(2, 3)), make(&keys, hour(1, 24)));
    keys.sync().unwrap();
    let traces = wrapped(&place, DAY);
    assert!(has_trace(&place, &traces));
    assert_eq!(keys.hours(DAY).unwrap(), [goes.of, held.of].into());
    assert_eq!(keys.destroy_day(DAY, &[held.of]).unwrap(), Destroyed { keys: 1, kept: 1 });
    let check = |keys: &FileKeys| {
        goes.is_destroyed(keys);
        held.stays(keys);
        later.stays(keys);
        let days = [
            DayKeys { day: DAY, destroyed: true, rows: 1 },
            DayKeys { day: DAY + 1, destroyed: false, rows: 1 },
        ];
        assert_eq!(keys.days().unwrap(), days);
        let hours = [DAY, DAY + 1, DAY + 2].map(|day| keys.hours(day).unwrap());
        assert_eq!(hours, [[held.of].into(), [later.of].into(), [].into()]);
    };
    check(&keys);
    assert!(!has_trace(&place, &traces), "the old day key and all it wrapped are in no file");
    assert_eq!(place.names(), ["2026-11-22.keys", "2026-11-23.keys", "LOCK"]);
    assert_eq!(keys.metrics().destroyed, 1);
    drop(keys);
    let keys = place.open();
    check(&keys);
    let before = fs::read(place.file(DAY)).unwrap();
    assert_eq!(keys.destroy_day(DAY, &[held.of]).unwrap(), Destroyed { keys: 0, kept: 1 }, "again");
    assert_eq!(fs::read(place.file(DAY)).unwrap(), before, "nothing is rewritten for nothing");
    assert_eq!(keys.destroy_day(DAY, &[]).unwrap(), Destroyed { keys: 1, kept: 0 }, "the hold has ended");
    held.is_destroyed(&keys);
    assert_eq!(fs::read(place.file(DAY)).unwrap().len(), format::HEADER_BYTES);
    assert_eq!(keys.destroy_day(DAY + 5, &[]).unwrap(), Destroyed::default(), "a day that never was");
}

#[test]
fn keys_that_were_not_synced_are_destroyed_and_kept_alike() {
    let place = Place::new();
    let keys = place.open();
    let (goes, held) = (make(&keys, hour(1, 3)), make(&keys, hour(2, 3)));
    assert_eq!(keys.destroy_day(DAY, &[held.of]).unwrap(), Destroyed { keys: 1, kept: 1 });
    goes.is_destroyed(&keys);
    held.stays(&keys);
    drop(keys);
    held.stays(&place.open());
}

#[test]
fn single_hours_can_be_destroyed() {
    let place = Place::new();
    let keys = place.open();
    let made: Vec<_> = (0..30).map(|at| make(&keys, hour(1, at))).collect();
    keys.sync().unwrap();
    let traces = wrapped(&place, DAY);
    let these = [made[2].of, made[5].of, made[25].of, hour(7, 2)];
    assert_eq!(keys.destroy(&these).unwrap(), Destroyed { keys: 3, kept: 27 });
    assert!(!has_trace(&place, &traces), "an older copy of the file opens with a day key that is gone");
    drop(keys);
    let keys = place.open();
    for known in &made {
        if these.contains(&known.of) { known.is_destroyed(&keys) } else { known.stays(&keys) }
    }
    let never = Known { id: KeyId::random(DAY).unwrap(), ..made[2] };
    never.is_unknown(&keys);
    assert_eq!(keys.destroy(&these).unwrap().keys, 0, "again");
    keys.destroy_day(DAY, &[made[0].of]).unwrap();
    made[2].is_destroyed(&keys);
    made[0].stays(&keys);
    assert_eq!(keys.days().unwrap()[0].rows, 1, "single destroyed ones went with the day");
}

#[test]
fn footage_that_comes_after_the_destruction_has_a_key_of_its_own() {
    // A camera with a wrong clock records into a day that is long gone.
    let place = Place::new();
    let keys = place.open();
    let gone = make(&keys, hour(1, 3));
    keys.sync().unwrap();
    keys.destroy_day(DAY, &[]).unwrap();
    let new = make(&keys, hour(1, 3));
    assert_ne!((new.id, new.secret), (gone.id, gone.secret));
    keys.sync().unwrap();
    drop(keys);
    let keys = place.open();
    gone.is_destroyed(&keys);
    new.stays(&keys);
    assert_eq!(make(&keys, hour(1, 3)), new);
    assert_eq!(keys.destroy_day(DAY, &[]).unwrap().keys, 1);
    new.is_destroyed(&keys);
}
