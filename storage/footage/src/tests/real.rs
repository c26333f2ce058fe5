//! On the real disk.

use std::{fs, time::Duration};

use super::{all, read_all};
use crate::{
    Config, Error, Footage, Recovery, Seams, check, list_segments,
    testkit::{gop, gop_of, key, push, recorded, s, seams},
};
use sightline_model::media::RunId;

fn config(dir: &std::path::Path) -> Config {
    Config {
        dir: dir.join("footage"),
        node: "north".into(),
        min_free_bytes: 0,
        segment_bytes: 256 << 10,
        commit_interval: Duration::from_secs(3600),
        sync_interval: Duration::from_secs(3600),
        ..Config::default()
    }
}

fn open(dir: &std::path::Path) -> (Footage, Recovery) {
    Footage::open(config(dir), seams(), s(0)).unwrap()
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
    push(&mut recorded(&footage, key("d")), &gop(0, 0, 0));
    footage.flush().await.unwrap();
    let root = dir.path().join("footage");
    let beside = check(&root, |_, _| ()).unwrap();
    assert!(beside.is_clean() && beside.open > 0, "{beside}");
    footage.shutdown().await.unwrap();
    drop(footage);

    let (footage, recovery) = open(dir.path());
    assert!(recovery.was_clean(), "{recovery}");
    assert_eq!((recovery.gops, recovery.streams), (121, 4));
    assert!(recovery.to_string().contains("121 GOPs"), "{recovery}");
    assert_eq!(read_all(&footage, key("a")).await, expected);
    let listed = list_segments(&root).unwrap();
    assert_eq!(listed, footage.list_segments().unwrap());
    assert!(listed.len() > 1 && listed.iter().all(|segment| segment.sealed && segment.node == "north"));
    assert_eq!(listed.iter().map(|segment| segment.gops).sum::<u64>(), 121);

    let mut progress = Vec::new();
    let report = check(&root, |done, all| progress.push((done, all))).unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.gops, 121);
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
    let error = Footage::open(config(dir.path()), seams(), s(0)).unwrap_err();
    assert!(matches!(error, Error::Locked { .. }));
    let text = error.to_string();
    assert!(
        text.contains(&format!("process {}", std::process::id())) && text.contains("footage.dir"),
        "{text}"
    );
    footage.shutdown().await.unwrap();
    assert!(Footage::open(config(dir.path()), seams(), s(0)).is_ok(), "shutdown lets the folder go");
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

/// Set for the process that [`a_killed_process_loses_nothing_it_said_was_safe`] starts: the folder to write to.
const CHILD_DIR: &str = "SIGHTLINE_FOOTAGE_TEST_DIR";

/// Not a test by itself: records until it is killed and says on stdout how many GOPs are safe.
#[tokio::test]
#[ignore = "run by a_killed_process_loses_nothing_it_said_was_safe, in a process of its own"]
async fn child_that_records_until_killed() {
    let Some(dir) = std::env::var_os(CHILD_DIR) else { return };
    let config = Config { sync_interval: Duration::from_millis(5), ..config(std::path::Path::new(&dir)) };
    let (footage, _) = Footage::open(config, Seams::default(), s(0)).unwrap();
    let before = u32::try_from(all(&footage, key("a")).await.len()).unwrap();
    let mut writer = recorded(&footage, key("a"));
    for number in before.. {
        push(&mut writer, &gop_of(i64::from(number) * 1000, 1000, RunId(1), number, 0, 20_000));
        let safe = u64::from(before) + footage.watermarks().indexed;
        println!("\nsafe {safe}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_killed_process_loses_nothing_it_said_was_safe() {
    use std::io::{BufRead, BufReader};
    let dir = tempfile::tempdir().unwrap();
    let mut total = 0;
    for round in 0..5u64 {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["tests::real::child_that_records_until_killed", "--exact", "--ignored", "--nocapture"])
            .env(CHILD_DIR, dir.path())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let safe = lines
            .by_ref()
            .filter_map(|line| line.strip_prefix("safe ")?.parse::<u64>().ok())
            .find(|safe| *safe >= total + 20 + round * 7)
            .unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let (footage, recovery) = Footage::open(config(dir.path()), Seams::default(), s(0)).unwrap();
        let entries = all(&footage, key("a")).await;
        assert!(entries.len() as u64 >= safe, "{} of {safe}: {recovery}", entries.len());
        for (number, entry) in entries.iter().enumerate() {
            assert_eq!(entry.number as usize, number, "no hole");
            assert_eq!(
                footage.read(entry).await.unwrap().start,
                gop_of(entry.start.0 / 1000, 1000, RunId(1), entry.number, 0, 20_000).start
            );
        }
        total = entries.len() as u64;
        footage.shutdown().await.unwrap();
    }
    let report = check(&dir.path().join("footage"), |_, _| ()).unwrap();
    assert!(report.is_clean(), "{report}");
}
