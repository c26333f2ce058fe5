//! The simulation itself: what it must keep, and that it does lose what it may lose.

use std::{collections::BTreeSet, io::IoSlice};

use super::*;

fn write(file: &Arc<dyn DiskFile>, offset: u64, bytes: &[u8]) -> io::Result<()> {
    file.write_at(offset, &mut [IoSlice::new(bytes)])
}

fn begun(disk: &SimDisk, name: &str, bytes: &[u8]) -> Arc<dyn DiskFile> {
    let file = disk.create(name).unwrap();
    write(&file, 0, bytes).unwrap();
    file.sync().unwrap();
    disk.sync_folder().unwrap();
    file
}

#[test]
fn a_crash_keeps_what_was_synced_and_only_that_for_sure() {
    let disk = SimDisk::default();
    let file = begun(&disk, "a", b"safe");
    write(&file, 4, b" maybe").unwrap();
    assert_eq!(disk.read("a"), b"safe maybe");
    let images: BTreeSet<Vec<u8>> = (0..200).map(|seed| disk.crash(seed).read("a")).collect();
    assert!(images.iter().all(|image| image.starts_with(b"safe")), "{images:?}");
    for expected in [&b"safe"[..], b"safe maybe", b"safe ma", b"safe\0\0\0\0\0\0"] {
        assert!(images.contains(expected), "never {expected:?}");
    }
}

#[test]
fn unsynced_sectors_arrive_each_for_itself() {
    let disk = SimDisk::default();
    let file = begun(&disk, "a", &[1; 4 * SECTOR_BYTES]);
    write(&file, 0, &[2; 4 * SECTOR_BYTES]).unwrap();
    write(&file, 0, &[3; 4 * SECTOR_BYTES]).unwrap();
    let (mut mixed, mut torn) = (false, false);
    for seed in 0..200 {
        let image = disk.crash(seed).read("a");
        assert_eq!(image.len(), 4 * SECTOR_BYTES);
        let firsts: Vec<u8> = image.chunks(SECTOR_BYTES).map(|sector| sector[0]).collect();
        mixed |= firsts.windows(2).any(|pair| pair[0] < pair[1]);
        torn |= image.chunks(SECTOR_BYTES).any(|sector| sector.windows(2).any(|pair| pair[0] != pair[1]));
    }
    assert!(mixed && torn, "later sectors before earlier ones: {mixed}; torn inside: {torn}");
}

#[test]
fn names_are_lost_each_for_itself_until_the_folder_is_synced() {
    let disk = SimDisk::default();
    begun(&disk, "old", b"1");
    begun(&disk, "draft", b"2");
    disk.remove("old").unwrap();
    disk.rename("draft", "final").unwrap();
    disk.create("new").unwrap();
    let seen: BTreeSet<Vec<String>> = (0..200).map(|seed| disk.crash(seed).names()).collect();
    assert_eq!(seen.len(), 8, "each of three changes arrives or not: {seen:?}");
    assert!(
        seen.iter().all(|names| names.iter().any(|n| n == "draft") != names.iter().any(|n| n == "final"))
    );
    disk.sync_folder().unwrap();
    assert!((0..20).all(|seed| disk.crash(seed).names() == ["final", "new"]));
}

#[test]
fn a_failed_sync_may_drop_what_it_should_have_written_and_the_next_one_says_nothing() {
    let mut lost = 0;
    for seed in 0..40 {
        let disk = SimDisk::with_seed(seed);
        let file = begun(&disk, "a", b"");
        write(&file, 0, &[7; 2000]).unwrap();
        disk.fail(Failure::once(Op::Sync).dropping_dirty_pages());
        assert_eq!(file.sync().unwrap_err().raw_os_error(), Some(EIO));
        file.sync().unwrap();
        assert_eq!(disk.read("a"), [7; 2000], "memory still has it");
        lost += u64::from(disk.crash(seed).read("a") != [7; 2000]);
        disk.forget_clean_pages();
        assert_eq!(disk.read("a"), disk.crash(seed).read("a"));
    }
    assert!(lost > 10, "{lost} of 40");
}

#[test]
fn failures_come_when_they_were_asked_for() {
    let disk = SimDisk::default();
    let file = begun(&disk, "a", &[0; 2000]);
    disk.fail(Failure::times(Op::Read, 2).after(1).errno(EROFS));
    let mut buffer = [0; 8];
    let mut read = || file.read_at(0, &mut buffer).map_err(|error| error.raw_os_error());
    assert_eq!([read(), read(), read(), read()], [Ok(()), Err(Some(EROFS)), Err(Some(EROFS)), Ok(())]);
    disk.fail(Failure::always(Op::Write).errno(ENOSPC));
    assert!((0..5).all(|_| super::super::is_full(&write(&file, 0, b"x").unwrap_err())));
    disk.heal();
    write(&file, 0, b"x").unwrap();
    disk.spoil("a", 600);
    assert!(file.read_at(0, &mut [0; 512]).is_ok() && file.read_at(500, &mut [0; 100]).is_err());
    write(&file, 512, &[1; 512]).unwrap();
    assert!(file.read_at(500, &mut [0; 100]).is_ok(), "a disk gives a rewritten sector another place");
}

#[test]
fn a_full_disk_takes_what_fits_and_an_open_file_holds_its_bytes() {
    let disk = SimDisk::default();
    let file = begun(&disk, "a", &[0; 100]);
    disk.faults(|faults| faults.capacity = Some(150));
    assert_eq!(disk.free_bytes().unwrap(), 50);
    assert!(write(&file, 100, &[1; 80]).is_err());
    assert_eq!(disk.read("a").len(), 150);
    write(&file, 0, &[2; 150]).unwrap();
    disk.remove("a").unwrap();
    assert_eq!(disk.free_bytes().unwrap(), 0, "removed, and still open");
    drop(file);
    assert_eq!(disk.free_bytes().unwrap(), 150);
    disk.faults(|faults| faults.restless_bytes = 150);
    let seen: BTreeSet<u64> = (0..50).map(|_| disk.free_bytes().unwrap()).collect();
    assert!(seen.len() > 10, "others come and go: {seen:?}");
}

#[test]
fn every_moment_is_kept_with_what_was_promised_by_then() {
    let disk = SimDisk::default();
    disk.watch(Watch::Changes);
    let file = begun(&disk, "a", b"one");
    disk.promise(1);
    write(&file, 3, b"two").unwrap();
    file.sync().unwrap();
    let moments = disk.moments();
    let names: Vec<_> = moments.iter().map(Moment::name).collect();
    let begin = ["before Create", "before Write", "before Sync", "after Sync", "before SyncFolder"];
    assert_eq!(names[..5], begin);
    assert_eq!(names[5..], ["after SyncFolder", "before Write", "before Sync", "after Sync"]);
    for moment in &moments {
        let image = moment.crash(3);
        match moment.promised() {
            0 => assert!(image.names().is_empty() || b"one".starts_with(&image.read("a"))),
            _ => assert!(image.read("a").starts_with(b"one")),
        }
    }
    assert_eq!(moments[8].crash(1).read("a"), b"onetwo");
    let killed = moments[7].kill(5).read("a");
    assert!(killed.starts_with(b"one") && b"onetwo".starts_with(&killed), "{killed:?}");
}

#[test]
fn an_operation_waits_at_its_gate() {
    let disk = SimDisk::default();
    let file = begun(&disk, "a", b"x");
    let gate = disk.shut(Op::Sync);
    let waiter = std::thread::spawn(move || {
        file.sync().unwrap();
        file.sync().unwrap();
        file.sync().unwrap();
    });
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while gate.waiting() == 0 {
        assert!(std::time::Instant::now() < deadline);
        std::thread::yield_now();
    }
    assert_eq!(disk.read("a"), b"x", "others go on");
    gate.admit(2);
    while gate.waiting() != 1 {
        assert!(std::time::Instant::now() < deadline);
        std::thread::yield_now();
    }
    drop(gate);
    waiter.join().unwrap();
}

#[test]
fn rot_and_short_files_and_lies_are_noticed_by_nobody() {
    let disk = SimDisk::default();
    let file = begun(&disk, "a", b"abc");
    disk.rot("a", 8);
    assert_eq!((disk.read("a"), disk.crash(1).read("a")), (b"acc".to_vec(), b"acc".to_vec()));
    disk.cut("a", 1);
    assert_eq!((file.length().unwrap(), disk.crash(1).read("a")), (1, b"a".to_vec()));
    disk.faults(|faults| faults.lie_about_syncs = true);
    write(&file, 1, &[9; 5000]).unwrap();
    disk.create("b").unwrap();
    file.sync().unwrap();
    disk.sync_folder().unwrap();
    assert!((0..50).any(|seed| disk.crash(seed).read("a").len() < 5001));
    assert!((0..50).any(|seed| disk.crash(seed).names().len() == 1), "a stale folder");
}

#[test]
fn the_image_of_a_crash_is_taken_before_the_sync_that_was_named() {
    let disk = SimDisk::with_seed(4);
    disk.faults(|faults| faults.crash_in_syncs = Some(2));
    let file = begun(&disk, "a", b"one");
    assert!(disk.image().is_none());
    write(&file, 3, &[5; 4000]).unwrap();
    file.sync().unwrap();
    let image = disk.image().unwrap();
    assert!(image.read("a").starts_with(b"one"));
    assert_eq!(disk.kill(1).read("a").len(), 4003, "a kill leaves what was synced and loses nothing else");
}
