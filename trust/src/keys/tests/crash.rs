//! The process dies at every step on its way through a sync, a destruction and a change of the master key.

use super::{
    super::{KeyFileError, MasterKey},
    fuse::Fuse,
    *,
};

/// Runs `act` on a copy of `before` with the process dying at each step, then opens what is left and lets `check` judge it:
/// it is told whether `act` had come to its end. `torn`: how many eighths of a write are done when it is interrupted.
fn at_every_step(
    before: &Place,
    torn: impl IntoIterator<Item = usize>,
    act: impl Fn(&FileKeys) -> Result<(), KeyFileError>,
    check: impl Fn(&FileKeys, &Place, bool),
) {
    for torn in torn {
        let mut steps = 0;
        loop {
            let place = before.copy();
            let fuse = Fuse::lay(torn);
            let keys = place.open();
            fuse.burn_after(steps);
            let done = act(&keys).is_ok();
            assert_eq!(done, !fuse.is_burnt(), "an error is told, at step {steps}");
            drop(keys);
            Fuse::put_out();
            check(&place.open(), &place, done);
            if done {
                assert!(steps > 2, "steps were counted");
                break;
            }
            steps += 1;
        }
    }
    Fuse::put_out();
}

fn no_leftovers(place: &Place) {
    let names = place.names();
    assert!(names.iter().all(|name| name.ends_with(".keys") || name == "LOCK"), "{names:?}");
}

#[test]
fn in_a_destruction() {
    let place = Place::new();
    let keys = place.open();
    let made: Vec<_> = (0..20).map(|camera| make(&keys, hour(camera, 3))).collect();
    let later = make(&keys, hour(1, 24));
    keys.sync().unwrap();
    drop(keys);
    let (held, goes) = made.split_at(4);
    let keep: Vec<_> = held.iter().map(|known| known.of).collect();
    at_every_step(
        &place,
        [0, 3, 8],
        |keys| keys.destroy_day(DAY, &keep).map(drop),
        |keys, place, done| {
            held.iter().for_each(|known| known.stays(keys));
            later.stays(keys);
            let gone = goes.iter().filter(|known| known.get(keys).is_err()).count();
            assert!(gone == 0 && !done || gone == goes.len(), "all or nothing: {gone}, {done}");
            no_leftovers(place);
            keys.destroy_day(DAY, &keep).unwrap();
            goes.iter().for_each(|known| known.is_destroyed(keys));
            held.iter().for_each(|known| known.stays(keys));
        },
    );
}

#[test]
fn in_a_destruction_of_hours() {
    let place = Place::new();
    let keys = place.open();
    let made: Vec<_> = (0..20).map(|camera| make(&keys, hour(camera, 3))).collect();
    keys.sync().unwrap();
    drop(keys);
    at_every_step(
        &place,
        [0, 3, 8],
        |keys| keys.destroy(&[made[7].of]).map(drop),
        |keys, place, done| {
            assert!(!done || made[7].get(keys).is_err());
            made.iter().filter(|known| known.of != made[7].of).for_each(|known| known.stays(keys));
            no_leftovers(place);
        },
    );
}

#[test]
fn in_a_sync() {
    let place = Place::new();
    let keys = place.open();
    let safe = make(&keys, hour(1, 3));
    keys.sync().unwrap();
    drop(keys);
    // One day goes on, one begins.
    let (same, new) = (hour(2, 3), hour(2, 24));
    let sync = |keys: &FileKeys| {
        make(keys, same);
        make(keys, new);
        keys.sync().map_err(KeyFileError::from)
    };
    at_every_step(&place, [0, 3, 8], sync, |keys, place, done| {
        safe.stays(keys);
        no_leftovers(place);
        let known = [same, new].map(|of| make(keys, of));
        if done {
            assert_eq!(keys.metrics().made, 0, "they are there");
        }
        keys.sync().unwrap();
        known.iter().for_each(|known| known.stays(keys));
    });
}

#[test]
fn in_a_change_of_the_master_key() {
    let place = Place::new();
    let keys = place.open();
    let made: Vec<_> = (0..2).map(|day| make(&keys, hour(1, day * 24))).collect();
    keys.sync().unwrap();
    let old = keys.master();
    drop(keys);
    at_every_step(
        &place,
        [3],
        |keys| keys.rewrap(MasterKey::random().unwrap()).map(drop),
        |keys, place, done| {
            made.iter().for_each(|known| known.stays(keys));
            assert!(!done || keys.master() != old);
            no_leftovers(place);
            let beside = fs::read_dir(place.config.master_file.parent().unwrap()).unwrap();
            let names: Vec<_> = beside.map(|entry| entry.unwrap().file_name()).collect();
            assert_eq!(names, ["master.key"], "one master key, and no trace of another");
            assert_eq!(MasterKey::load(&place.config.master_file).unwrap().id(), keys.master());
        },
    );
}

#[test]
fn a_full_disk_is_told_and_gone_about_again() {
    let place = Place::new();
    for steps in 0..12 {
        let fuse = Fuse::lay(5);
        let keys = place.open();
        let at = steps * 2;
        let known = [make(&keys, hour(1, at)), make(&keys, hour(2, at)), make(&keys, hour(1, at + 24))];
        fuse.burn_after(usize::try_from(steps).unwrap());
        let synced = keys.sync();
        assert_eq!(synced.is_err(), fuse.is_burnt());
        known.iter().for_each(|known| known.stays(&keys));
        fuse.mend();
        keys.sync().unwrap();
        drop(keys);
        Fuse::put_out();
        known.iter().for_each(|known| known.stays(&place.open()));
    }
}

#[test]
fn a_destruction_that_fails_is_gone_about_again_without_a_restart() {
    let before = Place::new();
    let keys = before.open();
    let (goes, held) = (make(&keys, hour(1, 3)), make(&keys, hour(2, 3)));
    keys.sync().unwrap();
    drop(keys);
    let mut steps = 0;
    loop {
        let place = before.copy();
        let fuse = Fuse::lay(5);
        let keys = place.open();
        fuse.burn_after(steps);
        let done = keys.destroy_day(DAY, &[held.of]).is_ok();
        fuse.mend();
        // The file may have been left under another name.
        held.stays(&keys);
        make(&keys, hour(4, 3)).stays(&keys);
        keys.destroy_day(DAY, &[held.of]).unwrap();
        goes.is_destroyed(&keys);
        held.stays(&keys);
        make(&keys, hour(5, 3)).stays(&keys);
        keys.sync().unwrap();
        no_leftovers(&place);
        if done {
            break;
        }
        steps += 1;
    }
    Fuse::put_out();
}
