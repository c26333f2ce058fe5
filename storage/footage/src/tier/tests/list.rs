//! What is in a tier, and taking it out: over a store in memory and over a folder.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use sightline_model::Timestamp;
use tempfile::TempDir;

use super::{
    content,
    faulty::{Fault, Faulty},
    options, sealed, source, tier,
};
use crate::{
    Error, Tier, TierConfig, TierProblem,
    tier::{inner::Options, list::ORPHANED_AFTER, tests::fetched},
};

/// A real file with a sealed segment.
fn segment_file(dir: &TempDir, name: &str, bytes: usize) -> (PathBuf, Vec<u8>) {
    let content = content(&sealed(bytes));
    let path = dir.path().join(name);
    fs::write(&path, &content).unwrap();
    (path, content)
}

fn folder_tier(dir: &TempDir, node: &str) -> Tier {
    let folder = dir.path().join("tier");
    fs::create_dir_all(&folder).unwrap();
    let mut config = TierConfig::at(format!("file://{}", folder.display()));
    config.chunk_bytes = 1 << 20;
    Tier::open(&config, node).unwrap()
}

#[test]
fn a_folder_takes_lists_reads_and_gives_up_segments() {
    let dir = tempfile::tempdir().unwrap();
    let (file, content) = segment_file(&dir, "one.seg", 3_000_000);
    let tier = folder_tier(&dir, "north / west");
    assert_eq!(tier.segments(true).unwrap(), [], "an empty folder");
    tier.probe().unwrap();
    let verified = tier.upload(&file).unwrap();
    assert_eq!(tier.confirm(&file).unwrap(), verified);

    let segments = tier.segments(false).unwrap();
    let [segment] = segments.as_slice() else { panic!("{segments:?}") };
    assert_eq!((segment.segment, segment.bytes), (1, content.len() as u64));
    assert_eq!(segment.chunks as usize, content.len().div_ceil(1 << 20));
    let mut read = vec![0; content.len() - 1000];
    tier.open_segment(1).unwrap().read_at(500, &mut read).unwrap();
    assert_eq!(read, content[500..content.len() - 500]);

    let report = tier.check(|_, _| ()).unwrap();
    assert_eq!((report.segments, report.bytes, report.problems.len()), (1, content.len() as u64, 0));
    let chunk = dir.path().join("tier/north %2F west/0000000000000001/00001");
    let good = fs::read(&chunk).unwrap();
    fs::write(&chunk, &good[1..]).unwrap();
    let report = tier.check(|_, _| ()).unwrap();
    assert!(report.problems[0].contains("chunk 1 of segment 0000000000000001"), "{report:?}");
    fs::remove_file(&chunk).unwrap();
    assert!(tier.check(|_, _| ()).unwrap().problems[0].contains("missing"));
    fs::write(&chunk, &good).unwrap();

    let another = folder_tier(&dir, "south");
    assert_eq!(another.segments(false).unwrap(), []);
    assert_eq!(another.segments(true).unwrap(), segments);
    tier.remove(1).unwrap();
    tier.remove(1).unwrap();
    assert_eq!(tier.segments(true).unwrap(), []);
    assert!(matches!(tier.confirm(&file).unwrap_err(), Error::Tier { problem: TierProblem::Missing, .. }));
    assert_eq!(fs::read_dir(dir.path().join("tier")).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn what_a_killed_upload_left_in_a_folder_goes() {
    let dir = tempfile::tempdir().unwrap();
    let (file, _) = segment_file(&dir, "one.seg", 100_000);
    let tier = folder_tier(&dir, "north");
    let folder = dir.path().join("tier/north/0000000000000001");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("00000#1"), b"half a chunk").unwrap();
    tier.upload(&file).unwrap();
    let mut names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["00000", "manifest"]);
}

#[test]
fn a_missing_folder_is_not_made() {
    let config = TierConfig::at("file:///nowhere/at/all");
    let error = Tier::open(&config, "north").unwrap_err().to_string();
    assert!(error.contains("/nowhere/at/all") && error.contains("does not exist"), "{error}");
    assert!(!std::path::Path::new("/nowhere").exists());
}

#[test]
fn a_folder_that_may_not_be_written_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let (file, _) = segment_file(&dir, "one.seg", 10_000);
    let tier = folder_tier(&dir, "north");
    // A file where the node's folder would be: refused for every account, root included.
    fs::write(dir.path().join("tier/north"), b"").unwrap();
    let error = tier.upload(&file).unwrap_err().to_string();
    assert!(error.contains("0000000000000001") || error.contains("north"), "{error}");
}

#[test]
fn unfinished_uploads_are_no_segments_and_go_when_they_are_old() {
    let disk = sealed(200_000);
    let store = Arc::new(Faulty::default());
    let tier = tier(store.clone(), options());
    let upload = |fault: Fault| {
        store.set(fault);
        let (inner, source) = (Arc::clone(&tier), source(&disk));
        tier.wait(async move { inner.upload(source).await })
    };
    let orphans = |now: Timestamp| {
        let inner = Arc::clone(&tier);
        tier.wait(async move { inner.orphans(now).await }).unwrap()
    };
    upload(Fault::DeadFrom(8)).unwrap_err();
    store.set(Fault::None);
    let now = Timestamp::now();
    let later = now + ORPHANED_AFTER + Duration::from_secs(60);
    assert_eq!(orphans(now), [], "it may still be going on");
    let found = orphans(later);
    let [orphan] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(orphan.segment, 1);
    assert!(orphan.chunks >= 1 && orphan.bytes >= 64 << 10);

    // It was gone on with before anybody tidied up.
    upload(Fault::None).unwrap();
    let remove = |orphan: crate::Orphan| {
        let inner = Arc::clone(&tier);
        tier.wait(async move { inner.remove_orphan(&orphan).await }).unwrap()
    };
    assert!(!remove(orphan.clone()));
    assert_eq!(fetched(&tier), content(&disk));
    assert_eq!(orphans(later), []);

    // Without its manifest it is one again, and goes.
    let inner = Arc::clone(&tier);
    let manifest = crate::tier::names::object(&tier.node, 1, crate::tier::names::Piece::Manifest);
    tier.wait(async move { inner.delete(&manifest).await.map_err(inner.failed("delete", "it")) }).unwrap();
    assert!(remove(orphans(later).remove(0)));
    assert_eq!(orphans(later), []);
}

#[test]
fn a_removal_that_is_cut_off_leaves_no_segment_and_can_be_done_again() {
    let disk = sealed(200_000);
    for call in 0.. {
        let store = Arc::new(Faulty::default());
        let tier = tier(store.clone(), Options { chunk_bytes: 32 << 10, ..options() });
        let (inner, source) = (Arc::clone(&tier), source(&disk));
        tier.wait(async move { inner.upload(source).await }).unwrap();
        store.set(Fault::DeadFrom(call));
        let remove = || {
            let inner = Arc::clone(&tier);
            tier.wait(async move { inner.remove(1).await })
        };
        let cut = remove().is_err();
        store.set(Fault::None);
        let inner = Arc::clone(&tier);
        let there = tier.wait(async move { inner.manifest(&inner.node, 1).await }).unwrap().is_some();
        assert_eq!(there, call == 0, "the manifest goes first");
        if there {
            assert_eq!(fetched(&tier), content(&disk));
        }
        remove().unwrap();
        let inner = Arc::clone(&tier);
        assert_eq!(tier.wait(async move { inner.segments(&inner.node).await }).unwrap(), [0u64; 0]);
        if !cut {
            assert!(call > 5);
            break;
        }
    }
}
