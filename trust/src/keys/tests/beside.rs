//! A second process beside the one that records.

use super::*;

#[test]
fn only_one_process_writes() {
    let place = Place::new();
    let keys = place.open();
    let error = FileKeys::open(&place.config).unwrap_err().to_string();
    assert!(error.contains("in use by another process"), "{error}");
    drop(keys);
    place.open();
}

#[test]
fn a_reader_sees_what_was_synced_and_changes_nothing() {
    let place = Place::new();
    let keys = place.open();
    let (first, held) = (make(&keys, hour(1, 3)), make(&keys, hour(2, 3)));
    keys.sync().unwrap();
    let reader = FileKeys::open_to_read(&place.config).unwrap();
    first.stays(&reader);
    let (more, next_day) = (make(&keys, hour(3, 3)), make(&keys, hour(3, 24)));
    more.is_unknown(&reader);
    next_day.is_unknown(&reader);
    keys.sync().unwrap();
    more.stays(&reader);
    next_day.stays(&reader);
    keys.destroy_day(DAY, &[held.of]).unwrap();
    let reader = FileKeys::open_to_read(&place.config).unwrap();
    first.is_destroyed(&reader);
    held.stays(&reader);
    let before = place.all_bytes();
    assert!(reader.current(hour(4, 3)).unwrap_err().to_string().contains("for reading alone"));
    assert!(reader.destroy_day(DAY, &[]).is_err());
    assert!(reader.destroy(&[held.of]).is_err());
    assert!(reader.rewrap(super::super::MasterKey::random().unwrap()).is_err());
    assert_eq!(place.all_bytes(), before);
}

#[test]
fn a_reader_makes_neither_folder_nor_master_key() {
    let place = Place::new();
    assert!(FileKeys::open_to_read(&place.config).is_err());
    fs::create_dir(&place.config.dir).unwrap();
    assert!(FileKeys::open_to_read(&place.config).unwrap_err().to_string().contains("is missing"));
    assert!(!place.config.master_file.parent().unwrap().exists());
    assert_eq!(fs::read_dir(place.dir.path()).unwrap().count(), 1);
}

#[test]
fn a_reader_leaves_a_torn_tail_alone() {
    let place = Place::new();
    let keys = place.open();
    let known = make(&keys, hour(1, 3));
    keys.sync().unwrap();
    let mut bytes = fs::read(place.file(DAY)).unwrap();
    bytes.extend_from_slice(&[7; 50]);
    fs::write(place.file(DAY), &bytes).unwrap();
    known.stays(&FileKeys::open_to_read(&place.config).unwrap());
    assert_eq!(fs::read(place.file(DAY)).unwrap(), bytes);
}
