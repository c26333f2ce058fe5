//! On the real disk.

use std::{fs, time::Duration};

use super::{all, read_all};
use crate::{
    Config, Error, Footage, Recovery, check, list_segments,
    testkit::{gop, gop_of, key, push, recorded, s},
};
use sightline_model::media::RunId;

fn config(dir: &std::path::Path) -> Config {
    Config {
        dir: dir.join("footage"),
        node: "north".into(),
        min_free_bytes: 0,
        segment_bytes: 256 << 10,
        sync_interval: Duration::from_secs(3600),
        ..Config::default()
    }
}

fn open(dir: &std::path::Path) -> (Footage, Recovery) {
    Footage::open(config(dir), s(0)).unwrap()
}

#[tokio::test]
async fn a_store_on_disk_is_found_again_listed_and_checked() {
    let dir = tempfile::tempdir().unwrap();
    let (footage, recovery) = open(dir.path());
    assert!(recovery.was_clean() && recovery.segments == 0);
    let mut expected = Vec::new();
    for camera in ["a", "b", "c"] {
        let mut writer = recorded(&footage, key(camera));
        for number in 0..40u32 {
            let gop = gop_of(i64::from(number) * 1000, 1000, RunId(1), number, 0, 3000);
            push(&mut writer, &gop);
            if camera == "a" {
                expected.push(gop);
            }
        }
        footage.flush().await.unwrap();
    }
    let root = dir.path().join("footage");
    let beside = check(&root, |_, _| ()).unwrap();
    assert!(beside.is_clean() && beside.open > 0, "{beside}");
    footage.shutdown().await.unwrap();
    drop(footage);

    let (footage, recovery) = open(dir.path());
    assert!(recovery.was_clean(), "{recovery}");
    assert_eq!((recovery.gops, recovery.streams), (120, 3));
    assert!(recovery.to_string().contains("120 GOPs"), "{recovery}");
    assert_eq!(read_all(&footage, key("a")).await, expected);
    let listed = list_segments(&root).unwrap();
    assert_eq!(listed, footage.list_segments());
    assert!(listed.len() > 1 && listed.iter().all(|segment| segment.sealed && segment.node == "north"));
    assert_eq!(listed.iter().map(|segment| segment.gops).sum::<u64>(), 120);

    let mut progress = Vec::new();
    let report = check(&root, |done, all| progress.push((done, all))).unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.gops, 120);
    let (done, all) = progress.last().copied().unwrap();
    assert_eq!(done, all);
}

#[tokio::test]
async fn check_names_what_was_changed() {
    let dir = tempfile::tempdir().unwrap();
    let (footage, _) = open(dir.path());
    let mut writer = recorded(&footage, key("a"));
    for number in 0..5 {
        push(&mut writer, &gop(i64::from(number) * 1000, number, 0));
    }
    footage.shutdown().await.unwrap();
    let root = dir.path().join("footage");
    let path = fs::read_dir(root.join("segments")).unwrap().next().unwrap().unwrap().path();
    let sound = fs::read(&path).unwrap();
    for at in (128..sound.len()).step_by(7) {
        let mut bytes = sound.clone();
        bytes[at] ^= 1;
        fs::write(&path, bytes).unwrap();
        let report = check(&root, |_, _| ()).unwrap();
        let padding = sound[at] == 0 && report.is_clean();
        assert!(!report.is_clean() || padding, "byte {at} was changed and nobody noticed");
        if let Some(problem) = report.problems.first() {
            assert_eq!(problem.path, path);
        }
    }
}

#[tokio::test]
async fn a_second_process_is_told_who_has_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let (footage, _) = open(dir.path());
    let error = Footage::open(config(dir.path()), s(0)).unwrap_err();
    assert!(matches!(error, Error::Locked { .. }));
    let text = error.to_string();
    assert!(
        text.contains(&format!("process {}", std::process::id())) && text.contains("footage.dir"),
        "{text}"
    );
    footage.shutdown().await.unwrap();
    assert!(Footage::open(config(dir.path()), s(0)).is_ok(), "shutdown lets the folder go");
}

#[tokio::test]
async fn what_a_kill_leaves_behind_is_recovered_and_told() {
    let dir = tempfile::tempdir().unwrap();
    let (footage, _) = open(dir.path());
    let mut writer = recorded(&footage, key("a"));
    for number in 0..10 {
        push(&mut writer, &gop(i64::from(number) * 1000, number, 0));
    }
    footage.flush().await.unwrap();
    // The folder as it is at this moment, with a torn record behind it.
    let copy = tempfile::tempdir().unwrap();
    let segments = copy.path().join("footage/segments");
    fs::create_dir_all(&segments).unwrap();
    for file in fs::read_dir(dir.path().join("footage/segments")).unwrap() {
        let path = file.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        bytes.extend_from_within(128..300);
        fs::write(segments.join(path.file_name().unwrap()), bytes).unwrap();
    }
    let (recovered, recovery) = open(copy.path());
    assert_eq!((recovery.gops, recovery.bytes_cut, recovery.rescanned), (10, 172, 1));
    let text = recovery.to_string();
    assert!(text.contains("1 had not been closed") && text.contains("172 torn bytes cut"), "{text}");
    assert_eq!(all(&recovered, key("a")).await.len(), 10);
}
