//! What the turn of the hour costs: keys for 1,000 cameras made and synced, beside a bare program that writes and syncs the
//! same bytes; and what finding a key costs.
//!
//! ```sh
//! cargo bench -p sightline-benches --bench keys -- 1000
//! ```
//! takes the number of cameras.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a bench stops at the first surprise"
)]
#![allow(clippy::print_stdout, reason = "a bench prints its report")]

use std::{
    fs::OpenOptions,
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use sightline_footage::{CameraHour, KeyId, KeyProvider};
use sightline_model::CameraId;
use sightline_trust::keys::{Config, FileKeys};

/// 2026-11-22T00:00:00Z.
const FIRST_HOUR: u32 = 20_779 * 24;
const HOURS: u32 = 20;
/// Bytes of a row (`trust/KEYS.md`).
const ROW_BYTES: usize = 104;

fn main() {
    let cameras = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(1000);
    let cameras: Vec<CameraId> = (0..cameras).map(|n| format!("c-{n}").parse().unwrap()).collect();
    let dir = tempfile::tempdir_in(".").unwrap();
    let config = Config {
        dir: dir.path().join("keys"),
        master_file: dir.path().join("master.key"),
        ..Config::default()
    };
    let keys = FileKeys::open(&config).unwrap();
    let (mut made, mut synced, mut again, mut ids) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for hour in FIRST_HOUR..FIRST_HOUR + HOURS {
        let hours = || cameras.iter().map(move |camera| CameraHour { camera: *camera, hour });
        let names: Vec<KeyId>;
        (names, made) = timed(made, || hours().map(|of| keys.current(of).unwrap().0).collect());
        ((), synced) = timed(synced, || keys.sync().unwrap());
        ((), again) = timed(again, || hours().for_each(|of| drop(keys.current(of).unwrap())));
        ids.extend(names.into_iter().zip(hours()));
    }
    let bare = bare(dir.path(), cameras.len() * ROW_BYTES);
    drop(keys);
    let keys = FileKeys::open_to_read(&config).unwrap();
    let (_, first) = timed(Vec::new(), || keys.get(ids[0].0, ids[0].1).unwrap());
    let (_, rest) = timed(Vec::new(), || ids.iter().for_each(|(id, of)| drop(keys.get(*id, *of).unwrap())));

    println!("{} cameras, {HOURS} hours; median and longest hour", cameras.len());
    println!("| step | median | longest |\n|---|---|---|");
    for (step, mut times) in [
        ("make the keys of an hour", made),
        ("sync them", synced),
        ("bare program: append and sync the same bytes", bare),
        ("ask for each again", again),
    ] {
        times.sort();
        println!("| {step} | {:?} | {:?} |", times[times.len() / 2], times[times.len() - 1]);
    }
    println!("first key of a day after a start: {:?}", first[0]);
    println!("each further one, mostly from the file: {:?}", rest[0] / u32::try_from(ids.len()).unwrap());
}

fn timed<T>(mut times: Vec<Duration>, work: impl FnOnce() -> T) -> (T, Vec<Duration>) {
    let started = Instant::now();
    let done = work();
    times.push(started.elapsed());
    (done, times)
}

fn bare(dir: &Path, bytes: usize) -> Vec<Duration> {
    let mut file = OpenOptions::new().create(true).append(true).open(dir.join("bare")).unwrap();
    let block = vec![7; bytes];
    let mut times = Vec::new();
    for _ in 0..HOURS {
        ((), times) = timed(times, || {
            file.write_all(&block).unwrap();
            file.sync_all().unwrap();
        });
    }
    times
}
