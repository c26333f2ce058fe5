//! Making and finding keys; files that were torn or damaged.

use std::{collections::BTreeSet, os::unix::fs::PermissionsExt, sync::Arc};

use super::{
    super::{LOADED_DAYS, format},
    *,
};

#[test]
fn a_key_is_found_again_once_it_was_synced() {
    let place = Place::new();
    let keys = place.open();
    let (first, next, other) = (make(&keys, hour(1, 14)), make(&keys, hour(1, 15)), make(&keys, hour(2, 14)));
    assert_eq!(make(&keys, hour(1, 14)), first, "one key a camera-hour");
    assert_eq!(BTreeSet::from([first.secret, next.secret, other.secret]).len(), 3);
    assert_eq!(first.id.day(), DAY);
    keys.sync().unwrap();
    let lost = make(&keys, hour(3, 14));
    lost.stays(&keys);
    assert_eq!((keys.metrics().made, keys.metrics().failures), (4, 0));
    drop(keys);
    let keys = place.open();
    assert_eq!(make(&keys, hour(1, 14)), first, "also after a restart");
    next.stays(&keys);
    other.stays(&keys);
    lost.is_unknown(&keys);
    assert_eq!(
        keys.get(first.id, hour(2, 14)).unwrap_err(),
        KeyError::Unknown { id: first.id, of: hour(2, 14) },
        "a key of another camera-hour is not handed out"
    );
    assert_eq!(keys.metrics().opened, 3);
}

#[test]
fn one_sync_takes_all_keys_of_all_days() {
    let place = Place::new();
    let keys = place.open();
    let made: Vec<_> = (0..3 * 24)
        .flat_map(|at| (1..4).map(move |camera| hour(camera, at)))
        .map(|of| make(&keys, of))
        .collect();
    keys.sync().unwrap();
    drop(keys);
    let keys = place.open();
    made.iter().for_each(|known| known.stays(&keys));
    let days: Vec<_> = keys.days().unwrap().iter().map(|day| (day.day, day.destroyed, day.rows)).collect();
    assert_eq!(days, [(DAY, false, 72), (DAY + 1, false, 72), (DAY + 2, false, 72)]);
}

#[test]
fn memory_is_bounded_and_what_is_not_synced_stays_in_it() {
    let mut place = Place::new();
    place.config.cached_keys = 4;
    let keys = place.open();
    let unsynced: Vec<_> = (0..8).map(|day| make(&keys, hour(1, day * 24))).collect();
    unsynced.iter().for_each(|known| known.stays(&keys));
    keys.sync().unwrap();
    unsynced.iter().for_each(|known| known.stays(&keys));
    let slots: Vec<_> = keys.days.lock().slots.values().cloned().collect();
    let loaded = slots.iter().filter(|slot| slot.data.lock().is_some()).count();
    assert_eq!((slots.len(), loaded), (8, LOADED_DAYS));
}

#[test]
fn a_file_torn_at_any_byte_keeps_its_whole_rows() {
    let place = Place::new();
    let keys = place.open();
    let known = [make(&keys, hour(1, 14)), make(&keys, hour(2, 14))];
    keys.sync().unwrap();
    drop(keys);
    let bytes = fs::read(place.file(DAY)).unwrap();
    for length in 0..bytes.len() {
        let torn = place.copy();
        fs::write(torn.file(DAY), &bytes[..length]).unwrap();
        let keys = torn.open();
        let whole = length.checked_sub(format::HEADER_BYTES).map(|rows| rows / format::ROW_BYTES);
        for (n, known) in known.iter().enumerate() {
            match whole {
                Some(whole) if n < whole => known.stays(&keys),
                Some(_) => known.is_unknown(&keys),
                None => assert!(
                    known.get(&keys).is_err_and(|error| error.to_string().contains("set aside")),
                    "cut at {length}"
                ),
            }
        }
        // And it can be written on.
        if length % 7 != 0 {
            continue;
        }
        let more = make(&keys, hour(9, 14));
        keys.sync().unwrap();
        drop(keys);
        let keys = torn.open();
        more.stays(&keys);
        known.iter().take(whole.unwrap_or(0)).for_each(|known| known.stays(&keys));
        let rows = format::parse(&fs::read(torn.file(DAY)).unwrap()).unwrap();
        assert_eq!((rows.rows.len(), rows.torn_bytes), (whole.unwrap_or(0) + 1, 0), "cut at {length}");
    }
}

#[test]
fn a_damaged_row_costs_its_own_hour_alone() {
    let place = Place::new();
    let keys = place.open();
    let known: Vec<_> = (1..4).map(|camera| make(&keys, hour(camera, 14))).collect();
    keys.sync().unwrap();
    drop(keys);
    let mut bytes = fs::read(place.file(DAY)).unwrap();
    bytes[format::HEADER_BYTES + format::ROW_BYTES + 50] ^= 1;
    fs::write(place.file(DAY), bytes).unwrap();
    let keys = place.open();
    known[0].stays(&keys);
    known[2].stays(&keys);
    let error = known[1].get(&keys).unwrap_err();
    assert!(
        matches!(error, KeyError::Unavailable { .. }) && error.to_string().contains("2026-11-22.keys"),
        "{error}"
    );
    // The camera goes on with a new key.
    let again = make(&keys, hour(2, 14));
    assert_ne!(again.id, known[1].id);
}

#[test]
fn a_file_that_breaks_while_it_is_in_use_does_not_stop_the_recording() {
    let place = Place::new();
    let keys = place.open();
    make(&keys, hour(1, 0));
    keys.sync().unwrap();
    for day in 1..=LOADED_DAYS {
        make(&keys, hour(1, u32::try_from(day).unwrap() * 24));
        keys.sync().unwrap();
    }
    fs::write(place.file(DAY), b"not a key file").unwrap();
    let made = make(&keys, hour(2, 0));
    keys.sync().unwrap();
    made.stays(&keys);
    assert!(place.names().contains(&"2026-11-22.keys.damaged".to_owned()), "{:?}", place.names());
}

#[test]
fn a_file_under_a_wrong_name_or_of_a_later_version_is_told() {
    let place = Place::new();
    let keys = place.open();
    make(&keys, hour(1, 0));
    keys.sync().unwrap();
    drop(keys);
    fs::copy(place.file(DAY), place.file(DAY + 1)).unwrap();
    let keys = place.open();
    assert_eq!(keys.days().unwrap().len(), 1);
    drop(keys);
    let mut bytes = fs::read(place.file(DAY)).unwrap();
    bytes[8] = 7;
    let crc = format::checksum(&bytes[..format::HEADER_BYTES - 4]).to_le_bytes();
    bytes[format::HEADER_BYTES - 4..format::HEADER_BYTES].copy_from_slice(&crc);
    fs::write(place.file(DAY), bytes).unwrap();
    let error = FileKeys::open(&place.config).unwrap_err().to_string();
    assert!(error.contains("format version 7") && error.contains("newer program"), "{error}");
}

#[test]
fn nobody_else_may_read_the_files() {
    let place = Place::new();
    let keys = place.open();
    make(&keys, hour(1, 0));
    keys.sync().unwrap();
    keys.destroy(&[hour(2, 0)]).unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place.config.dir), 0o700);
    assert_eq!(mode(place.config.master_file.parent().unwrap()), 0o700);
    assert_eq!(mode(&place.config.master_file), 0o600);
    for name in place.names() {
        assert_eq!(mode(&place.config.dir.join(&name)), 0o600, "{name}");
    }
}

#[test]
fn many_threads_share_the_folder() {
    const THREADS: u32 = 6;
    let place = Place::new();
    let keys = Arc::new(place.open());
    let old = make(&keys, hour(1, 0));
    keys.sync().unwrap();
    let made: Vec<Known> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let keys = Arc::clone(&keys);
                scope.spawn(move || {
                    let mut made = Vec::new();
                    for at in 24..24 + 60 {
                        // Two threads share each camera.
                        let known = make(&keys, hour(thread / 2, at));
                        if at % 7 == thread {
                            keys.sync().unwrap();
                        }
                        known.stays(&keys);
                        made.push(known);
                    }
                    made
                })
            })
            .collect();
        let destroyer = scope.spawn(|| {
            keys.destroy_day(DAY, &[]).unwrap();
            for _ in 0..5 {
                keys.destroy(&[hour(99, 30)]).unwrap();
                keys.rewrap(super::super::MasterKey::random().unwrap()).unwrap();
            }
        });
        let made = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        destroyer.join().unwrap();
        made
    });
    keys.sync().unwrap();
    old.is_destroyed(&keys);
    drop(keys);
    let keys = place.open();
    made.iter().for_each(|known| known.stays(&keys));
    let ids: BTreeSet<_> = made.iter().map(|known| known.id).collect();
    assert_eq!(ids.len(), 3 * 60, "one key a camera-hour");
    old.is_destroyed(&keys);
}
