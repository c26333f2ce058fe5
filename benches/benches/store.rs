//! What the store costs: appending GOPs, finding and reading them, and turning them into fragments, each beside the least
//! that any program would have to do with the same bytes, in the same run.
//!
//! ```sh
//! cargo bench -p sightline-benches --bench store
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a bench stops at the first surprise"
)]
#![allow(clippy::print_stdout, reason = "a bench prints its report")]
#![allow(clippy::cast_precision_loss, reason = "a bench prints its report")]

use std::{
    fs::File,
    io::Write,
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use sightline_api::fmp4;
use sightline_benches::{cpu, report};
use sightline_footage::{Config, Footage, Keep, Seams};
use sightline_model::{
    CameraId, TimeRange, Timestamp,
    media::{AccessUnit, Codec, GopStart, ParameterSets, Policy, RunId, StreamKey},
    tail::TailItem,
};

const STREAMS: usize = 200;
const GOPS: usize = 20;
const UNITS: usize = 50;
const UNIT_BYTES: usize = 10_000;
const GOP_BYTES: usize = UNITS * UNIT_BYTES;
const BYTES: usize = STREAMS * GOPS * GOP_BYTES;
const TICKS: u32 = 180_000;
const SEEKS: usize = 2_000;
/// The store syncs at most this many bytes at once; so does the bare program.
const SYNC_BYTES: usize = 32 << 20;

fn main() {
    let dir =
        tempfile::tempdir_in(std::env::var_os("SIGHTLINE_BENCH_DIR").unwrap_or_else(|| ".".into())).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let unit = Bytes::from((0..UNIT_BYTES).map(|_| rand::random()).collect::<Vec<u8>>());
    println!(
        "{STREAMS} streams, {} GOPs of {} kB, {} MB\n",
        STREAMS * GOPS,
        GOP_BYTES / 1000,
        BYTES / 1_000_000
    );
    runtime.block_on(async {
        append(dir.path(), &unit).await;
        seek(dir.path()).await;
        mux(&unit);
    });
}

fn key(index: usize) -> StreamKey {
    StreamKey::main(format!("bench-{index}").parse::<CameraId>().unwrap())
}

fn start_of(gop: usize) -> Timestamp {
    Timestamp::from_secs(1_800_000_000 + 2 * i64::try_from(gop).unwrap())
}

fn params() -> Arc<ParameterSets> {
    let decoder_config =
        Bytes::from_static(&[1, 100, 0, 31, 255, 225, 0, 4, 103, 100, 0, 31, 1, 0, 4, 104, 238, 60, 128]);
    Arc::new(ParameterSets {
        codec: Codec::H264,
        width: 1920,
        height: 1080,
        rfc6381: "avc1.64001F".into(),
        decoder_config,
    })
}

fn items(gop: usize, unit: &Bytes, params: &Arc<ParameterSets>) -> Vec<TailItem> {
    let number = u32::try_from(gop).unwrap();
    let begin = GopStart {
        run: RunId(1),
        number,
        part: 0,
        at: start_of(gop),
        camera_clock: None,
        media_90k: i64::from(number * TICKS),
        policy: Policy::Full,
        params: Arc::clone(params),
    };
    let units = (0..UNITS).map(|index| {
        let pts_90k = i32::try_from(index).unwrap() * 3600;
        TailItem::Unit(AccessUnit { pts_90k, key: index == 0, data: unit.clone() })
    });
    std::iter::once(TailItem::Begin(begin))
        .chain(units)
        .chain([TailItem::End { duration_90k: TICKS }])
        .collect()
}

/// Appending and syncing, beside writing and syncing the same bytes to one file.
async fn append(dir: &Path, unit: &Bytes) {
    report::head(&[
        "append",
        "wall s",
        "CPU s",
        "MB/s",
        "of the bare program",
        "bytes written per byte of media",
    ]);
    let (cpu, started) = (cpu::time(), Instant::now());
    let mut file = File::create(dir.join("bare")).unwrap();
    let mut unsynced = 0;
    for _ in 0..STREAMS * GOPS {
        for _ in 0..UNITS {
            file.write_all(unit).unwrap();
        }
        unsynced += GOP_BYTES;
        if unsynced >= SYNC_BYTES {
            file.sync_data().unwrap();
            unsynced = 0;
        }
    }
    file.sync_data().unwrap();
    let (floor, floor_cpu) = (started.elapsed(), cpu::time() - cpu);
    row("bare program", floor, floor_cpu, floor, BYTES as f64);

    let config = Config {
        dir: dir.join("footage"),
        sync_bytes: SYNC_BYTES as u64,
        min_free_bytes: 0,
        ..Config::default()
    };
    let (footage, _) = Footage::open(config, Seams::default(), Timestamp::now()).unwrap();
    let params = params();
    let mut writers: Vec<_> =
        (0..STREAMS).map(|index| footage.writer(key(index), Keep::Recorded).unwrap()).collect();
    let (cpu, started) = (cpu::time(), Instant::now());
    for gop in 0..GOPS {
        for writer in &mut writers {
            items(gop, unit, &params).into_iter().for_each(|item| writer.push(item));
        }
        // Ingest never waits for the disk; a bench that feeds faster than any disk must.
        footage.flush().await.unwrap();
    }
    let (took, used) = (started.elapsed(), cpu::time() - cpu);
    let written = footage.metrics().bytes_appended;
    row("store", took, used, floor, written as f64);
    drop(writers);
    footage.shutdown().await.unwrap();
    println!();
}

fn row(name: &str, took: Duration, cpu: Duration, floor: Duration, written: f64) {
    let rate = BYTES as f64 / 1e6 / took.as_secs_f64();
    report::row(&[
        name.to_owned(),
        format!("{:.2}", took.as_secs_f64()),
        format!("{:.2}", cpu.as_secs_f64()),
        format!("{rate:.0}"),
        format!("{:.0}%", 100.0 * floor.as_secs_f64() / took.as_secs_f64()),
        format!("{:.4}", written / BYTES as f64),
    ]);
}

/// Finding the GOP at a time and reading it, beside reading as many bytes at a known offset.
async fn seek(dir: &Path) {
    let config =
        Config { dir: dir.join("footage"), min_free_bytes: 0, read_cache_bytes: 0, ..Config::default() };
    let (footage, recovery) = Footage::open(config, Seams::default(), Timestamp::now()).unwrap();
    println!("{recovery}\n");
    let bare = File::open(dir.join("bare")).unwrap();
    let mut buffer = vec![0; GOP_BYTES];
    let (mut floor, mut find, mut whole, mut scan) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..SEEKS {
        let (stream, gop) = (rand::random_range(0..STREAMS), rand::random_range(0..GOPS));
        let started = Instant::now();
        bare.read_exact_at(&mut buffer, u64::try_from((gop * STREAMS + stream) * GOP_BYTES).unwrap())
            .unwrap();
        floor.push(started.elapsed().as_secs_f64() * 1e6);

        let started = Instant::now();
        let entry =
            footage.nearest(key(stream), start_of(gop) + Duration::from_millis(700)).await.unwrap().unwrap();
        find.push(started.elapsed().as_secs_f64() * 1e6);
        let read = footage.read(&entry).await.unwrap();
        whole.push(started.elapsed().as_secs_f64() * 1e6);
        assert_eq!((read.start.at, read.bytes()), (start_of(gop), GOP_BYTES));

        let started = Instant::now();
        let range = TimeRange { from: start_of(0), to: start_of(GOPS) };
        assert_eq!(footage.entries(key(stream), range, 10_000).await.unwrap().len(), GOPS);
        scan.push(started.elapsed().as_secs_f64() * 1e6);
    }
    report::head(&["query", "p50 us", "p99 us", "of the bare pread, p50"]);
    floor.sort_by(f64::total_cmp);
    let bare_p50 = report::quantile(&floor, 0.5);
    for (name, mut times) in [
        ("bare pread of 500 kB", floor),
        ("find a GOP by time", find),
        ("find and read it, checksums verified", whole),
        ("list a camera's GOPs", scan),
    ] {
        times.sort_by(f64::total_cmp);
        let (p50, p99) = (report::quantile(&times, 0.5), report::quantile(&times, 0.99));
        report::row(&[
            name.to_owned(),
            format!("{p50:.0}"),
            format!("{p99:.0}"),
            format!("{:.2}x", p50 / bare_p50),
        ]);
    }
    footage.shutdown().await.unwrap();
    println!();
}

/// Making fragments, beside copying the same bytes once.
fn mux(unit: &Bytes) {
    const ROUNDS: usize = 400;
    let units: Vec<AccessUnit> = items(0, unit, &params())
        .into_iter()
        .filter_map(|item| match item {
            TailItem::Unit(unit) => Some(unit),
            _ => None,
        })
        .collect();
    let started = Instant::now();
    for _ in 0..ROUNDS {
        let mut copy = Vec::with_capacity(GOP_BYTES);
        units.iter().for_each(|unit| copy.extend_from_slice(&unit.data));
        std::hint::black_box(copy);
    }
    let floor = started.elapsed();
    let started = Instant::now();
    for round in 0..ROUNDS {
        let fragment = fmp4::Fragment {
            sequence: u32::try_from(round).unwrap(),
            base_decode_time_90k: 0,
            duration_90k: TICKS,
            sample_entry: 1,
            units: &units,
        };
        std::hint::black_box(fmp4::fragment(&fragment));
    }
    let took = started.elapsed();
    report::head(&["mux", "us a GOP of 500 kB", "MB/s", "of one copy"]);
    for (name, time) in [("one copy", floor), ("fragment", took)] {
        report::row(&[
            name.to_owned(),
            format!("{:.0}", time.as_secs_f64() * 1e6 / ROUNDS as f64),
            format!("{:.0}", (ROUNDS * GOP_BYTES) as f64 / 1e6 / time.as_secs_f64()),
            format!("{:.2}x", time.as_secs_f64() / floor.as_secs_f64()),
        ]);
    }
}
