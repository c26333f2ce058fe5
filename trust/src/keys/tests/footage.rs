//! From the camera to the destroyed key: real footage on a real disk.

use std::{path::Path, sync::Arc};

use sightline_footage::{Config as FootageConfig, Error as FootageError, Footage, GopEntry, Keep, Seams};
use sightline_model::{TimeRange, Timestamp, media::StreamKey};

use super::{
    super::{Destruction, What},
    *,
};
use crate::testing::{GOP, World, push};

const NEXT_DAY: Timestamp = Timestamp::from_secs((DAY as i64 + 1) * 86_400);
/// A frame that the tests' cameras send.
const FRAME: [u8; 32] = [2; 32];

async fn record(footage: &Footage, of: CameraHour) {
    let mut writer = footage.writer(StreamKey::main(of.camera), Keep::Recorded).unwrap();
    for number in 0..5 {
        push(&mut writer, of.range().from + GOP * number, number);
    }
    drop(writer);
    footage.flush().await.unwrap();
}

async fn entries(footage: &Footage, of: CameraHour) -> Vec<GopEntry> {
    let entries = footage.entries(StreamKey::main(of.camera), of.range(), 100).await.unwrap();
    assert_eq!(entries.len(), 5, "what there was is still told");
    entries
}

async fn is_readable(footage: &Footage, of: CameraHour) {
    for entry in entries(footage, of).await {
        let gop = footage.read(&entry).await.unwrap();
        assert_eq!(&gop.units[2].data[..], FRAME);
    }
}

async fn is_destroyed(footage: &Footage, of: CameraHour) {
    for entry in entries(footage, of).await {
        let error = footage.read(&entry).await.unwrap_err();
        let FootageError::Key(KeyError::Destroyed { of: told, .. }) = &error else { panic!("{error:?}") };
        assert_eq!(*told, of);
        let said = error.to_string();
        assert!(said.contains("gate-1 in the hour from 2026-11-22T03:00:00Z"), "{said}");
        assert!(said.contains("cannot be read any more"), "{said}");
    }
}

fn segment_bytes(dir: &Path) -> Vec<u8> {
    let files = fs::read_dir(dir.join("segments")).unwrap();
    files.flat_map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect()
}

fn shows_a_frame(dir: &Path) -> bool {
    segment_bytes(dir).windows(FRAME.len()).any(|bytes| bytes == FRAME)
}

fn open(dir: &Path, keys: Arc<FileKeys>) -> Footage {
    let config = FootageConfig { dir: dir.to_owned(), min_free_bytes: 0, ..FootageConfig::default() };
    let seams = Seams { keys: Some(keys), ..Seams::default() };
    Footage::open(config, seams, NEXT_DAY).unwrap().0
}

#[tokio::test]
async fn what_lies_under_a_destroyed_key_cannot_be_read_in_any_copy() {
    let place = Place::new();
    let keys = Arc::new(place.open());
    let world = World::encrypted(keys.clone()).await;
    let (goes, held, later) = (hour(1, 3), hour(2, 3), hour(1, 24));
    for of in [goes, held, later] {
        record(&world.footage, of).await;
    }
    for of in [goes, held, later] {
        is_readable(&world.footage, of).await;
    }
    let what = What::Day { day: DAY, keep: vec![held] };
    let order = Destruction { what, by: None, reason: "30 days are over".to_owned() };
    let done = world.trust.destroy_keys(&keys, order, NEXT_DAY).await.unwrap();
    assert_eq!((done.keys, done.kept), (1, 1));
    is_destroyed(&world.footage, goes).await;
    is_readable(&world.footage, held).await;
    is_readable(&world.footage, later).await;

    // The same after a restart, and in a copy of the segments.
    world.footage.shutdown().await.unwrap();
    let dir = world.dir.path().join("footage");
    assert!(!shows_a_frame(&dir), "nothing of it is in the clear");
    let copy = tempfile::tempdir().unwrap();
    fs::create_dir(copy.path().join("segments")).unwrap();
    for entry in fs::read_dir(dir.join("segments")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join("segments").join(entry.file_name())).unwrap();
    }
    drop((world, keys));
    let keys = Arc::new(place.open());
    let footage = open(copy.path(), keys);
    is_destroyed(&footage, goes).await;
    is_readable(&footage, held).await;
    is_readable(&footage, later).await;
    footage.shutdown().await.unwrap();
    let report = sightline_footage::check(copy.path(), |_, _| ()).unwrap();
    assert!(report.problems.is_empty(), "checksums hold without keys: {report:?}");
}

#[tokio::test]
async fn without_encryption_old_footage_stays_readable_and_new_is_in_the_clear() {
    let mut place = Place::new();
    place.config.encryption = false;
    assert!(FileKeys::open_if_used(&place.config).unwrap().is_none());
    assert!(!place.config.dir.exists() && !place.config.master_file.exists());
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (hour(1, 3), hour(1, 4));

    place.config.encryption = true;
    let keys = Arc::new(FileKeys::open_if_used(&place.config).unwrap().unwrap());
    let footage = open(dir.path(), keys);
    record(&footage, old).await;
    footage.shutdown().await.unwrap();
    drop(footage);
    assert!(!shows_a_frame(dir.path()));

    place.config.encryption = false;
    let keys = Arc::new(FileKeys::open_if_used(&place.config).unwrap().unwrap());
    let footage = open(dir.path(), keys.clone());
    record(&footage, new).await;
    is_readable(&footage, old).await;
    is_readable(&footage, new).await;
    assert_eq!(keys.metrics().made, 0);
    footage.shutdown().await.unwrap();
    assert!(shows_a_frame(dir.path()));
}

#[tokio::test]
async fn footage_without_its_key_folder_says_what_is_missing() {
    let place = Place::new();
    let dir = tempfile::tempdir().unwrap();
    let footage = open(dir.path(), Arc::new(place.open()));
    record(&footage, hour(1, 3)).await;
    footage.shutdown().await.unwrap();
    drop(footage);
    let footage = open(dir.path(), Arc::new(Place::new().open()));
    let range = TimeRange { ..hour(1, 3).range() };
    let entry = footage.entries(StreamKey::main(hour(1, 3).camera), range, 1).await.unwrap()[0];
    let error = footage.read(&entry).await.unwrap_err().to_string();
    assert!(error.contains("is not in the key folder") && error.contains("keys.dir"), "{error}");
}
