//! The master key: made once, never by mistake, and never used when others can read it.

use std::os::unix::fs::PermissionsExt;

use super::{
    super::{KeyFileError, MasterKey},
    *,
};

fn with_a_day() -> (Place, Known) {
    let place = Place::new();
    let keys = place.open();
    let known = make(&keys, hour(1, 3));
    keys.sync().unwrap();
    (place, known)
}

fn refusal(place: &Place) -> String {
    FileKeys::open(&place.config).unwrap_err().to_string()
}

#[test]
fn it_is_made_at_the_first_start_only() {
    let (place, _) = with_a_day();
    let text = fs::read_to_string(&place.config.master_file).unwrap();
    assert_eq!(place.open().master(), MasterKey::parse(&text).unwrap().id());
    fs::remove_file(&place.config.master_file).unwrap();
    let error = refusal(&place);
    assert!(error.contains("is missing") && error.contains("keys of 1 days"), "{error}");
    assert!(!place.config.master_file.exists(), "a new one would hide the loss");
    fs::write(&place.config.master_file, text).unwrap();
    fs::set_permissions(&place.config.master_file, fs::Permissions::from_mode(0o600)).unwrap();
    place.open();
}

#[test]
fn a_wrong_one_is_told_with_both_names() {
    let (place, known) = with_a_day();
    let right = fs::read_to_string(&place.config.master_file).unwrap();
    let (right_id, other) = (MasterKey::parse(&right).unwrap().id(), MasterKey::random().unwrap());
    fs::write(&place.config.master_file, other.to_text().as_bytes()).unwrap();
    let error = FileKeys::open(&place.config).unwrap_err();
    assert!(matches!(&error, KeyFileError::WrongMaster { needed, found, .. }
        if *needed == right_id && *found == other.id()));
    assert!(error.to_string().contains(&right_id.to_string()), "{error}");
    fs::write(&place.config.master_file, right).unwrap();
    known.stays(&place.open());
}

#[test]
fn one_that_others_may_read_is_refused() {
    let (place, _) = with_a_day();
    for mode in [0o644, 0o640, 0o604, 0o660] {
        fs::set_permissions(&place.config.master_file, fs::Permissions::from_mode(mode)).unwrap();
        let error = refusal(&place);
        assert!(error.contains(&format!("mode {mode:o}")) && error.contains("chmod 600"), "{error}");
    }
    fs::set_permissions(&place.config.master_file, fs::Permissions::from_mode(0o400)).unwrap();
    place.open();
}

#[test]
fn what_is_no_master_key_is_told() {
    let (place, _) = with_a_day();
    for text in ["", "hello", "sightline master key v1\nabc\n"] {
        fs::write(&place.config.master_file, text).unwrap();
        let error = refusal(&place);
        assert!(error.contains("is not a master key"), "{error}");
    }
    fs::write(&place.config.master_file, [0xff, 0xfe]).unwrap();
    assert!(refusal(&place).contains("it is not text"));
}

#[test]
fn after_a_change_backups_need_the_old_one() {
    let (place, known) = with_a_day();
    let backup = place.copy();
    let old = fs::read(&place.config.master_file).unwrap();
    let keys = place.open();
    assert_eq!(keys.rewrap(MasterKey::random().unwrap()).unwrap(), 1);
    known.stays(&keys);
    let unsynced = make(&keys, hour(2, 30));
    assert_eq!(
        keys.rewrap(MasterKey::random().unwrap()).unwrap(),
        2,
        "and once more, with a day that has just begun"
    );
    drop(keys);
    let keys = place.open();
    known.stays(&keys);
    unsynced.stays(&keys);
    let secret = std::str::from_utf8(&old).unwrap().lines().nth(2).unwrap().as_bytes().to_vec();
    let files = place.all_bytes();
    assert!(
        !files.iter().any(|file| file.windows(64).any(|part| part == secret)),
        "the old one is in no file"
    );
    fs::write(&backup.config.master_file, fs::read(&place.config.master_file).unwrap()).unwrap();
    assert!(refusal(&backup).contains("was made with the master key"));
    fs::write(&backup.config.master_file, old).unwrap();
    known.stays(&backup.open());
}
