//! A store of any size, made of real footers around holes: how long it takes to file, to open and to look things up, and what
//! it takes in memory and on disk.
//!
//! ```sh
//! cargo run --release -p sightline-footage --example large_store -- 1000 /var/tmp     # rows a stream, where
//! ```
//!
//! 1,000 streams, 31 in a segment, 100 GOPs of two seconds in a row: 1,000 rows a stream are 100 million GOPs.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program for people"
)]

use std::{
    fs,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use sightline_footage::{
    Config, Footage, Seams,
    catalogue::SqlCatalogue,
    generate::{self, Plan},
};
use sightline_model::{TimeRange, Timestamp};
use sightline_records::Records;

const LOOKUPS: usize = 20_000;

/// A small generator (splitmix64): the same questions every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}

fn spread(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 1000].as_nanos() as f64 / 1000.0;
    println!("{name:<52} p50 {:>8.1} us   p99 {:>8.1} us", at(500), at(990));
}

fn resident_kb() -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

async fn open(dir: &Path) -> (Footage, Duration, u64) {
    let records_config = sightline_records::Config {
        path: dir.join("records.sqlite"),
        ..sightline_records::Config::default()
    };
    let records = Records::open(&records_config).await.unwrap();
    let catalogue = SqlCatalogue::open(records, "bench").await.unwrap();
    let config = Config { dir: dir.join("footage"), node: "bench".to_owned(), ..Config::default() };
    let seams = Seams { catalogue: Some(Arc::new(catalogue)), ..Seams::default() };
    let before = resident_kb();
    let began = Instant::now();
    let (footage, recovery) =
        tokio::task::spawn_blocking(move || Footage::open(config, seams, Timestamp::now()))
            .await
            .unwrap()
            .unwrap();
    let took = began.elapsed();
    println!("{recovery}");
    (footage, took, resident_kb().saturating_sub(before))
}

/// Footers (what lies behind the holes) and the database, in bytes a GOP.
fn on_disk(dir: &Path, plan: &Plan) {
    let gops = u64::from(plan.streams) * u64::from(plan.rounds) * u64::from(plan.gops);
    let database: u64 = ["", "-wal"]
        .iter()
        .filter_map(|ending| fs::metadata(format!("{}{ending}", dir.join("records.sqlite").display())).ok())
        .map(|file| file.len())
        .sum();
    let mut footers = 0;
    for entry in fs::read_dir(dir.join("footage/segments")).unwrap() {
        let file = fs::File::open(entry.unwrap().path()).unwrap();
        let length = file.metadata().unwrap().len();
        let mut trailer = [0; 128];
        file.read_exact_at(&mut trailer, length - 128).unwrap();
        footers += length - u64::from_le_bytes(trailer[24..32].try_into().unwrap());
    }
    println!(
        "{gops} GOPs: footers {:.2} bytes a GOP, catalogue {:.2}",
        footers as f64 / gops as f64,
        database as f64 / gops as f64
    );
}

async fn look_up(footage: &Footage, plan: &Plan) {
    let mut chance = Chance(7);
    let span = u64::try_from(plan.until().micros_since(plan.from)).unwrap();
    let mut ask = || {
        let key = generate::stream(u32::try_from(chance.below(u64::from(plan.streams))).unwrap()).unwrap();
        (key, plan.from.plus_micros(i64::try_from(chance.below(span)).unwrap()))
    };
    for name in ["nearest, nothing cached", "nearest, again elsewhere"] {
        let mut times = Vec::with_capacity(LOOKUPS);
        for _ in 0..LOOKUPS {
            let (key, at) = ask();
            let began = Instant::now();
            let found = footage.nearest(key, at).await.unwrap().unwrap();
            times.push(began.elapsed());
            assert!(found.start <= at && at < found.end);
        }
        spread(name, times);
    }
    // Every row once, so that all are cached.
    let began = Instant::now();
    for number in 0..plan.streams {
        let mut at = plan.from;
        while at < plan.until() {
            footage.nearest(generate::stream(number).unwrap(), at).await.unwrap();
            at = at.plus_micros(1 << 34);
        }
    }
    println!("every stretch of every stream once: {:.1?}", began.elapsed());
    let mut times = Vec::with_capacity(LOOKUPS);
    for _ in 0..LOOKUPS {
        let (key, at) = ask();
        let began = Instant::now();
        footage.nearest(key, at).await.unwrap().unwrap();
        times.push(began.elapsed());
    }
    spread("nearest, rows cached, block read", times);
    let day = Duration::from_secs(86_400).as_micros() as i64;
    let mut times = Vec::new();
    for _ in 0..1000 {
        let (key, at) = ask();
        let range = TimeRange::new(at, at.plus_micros(day)).unwrap();
        let began = Instant::now();
        footage.stream(key, range, plan.until()).next().await.unwrap();
        times.push(began.elapsed());
    }
    spread("first item of a camera-day", times);
}

fn plan(rounds: u32) -> Plan {
    Plan {
        node: "bench".to_owned(),
        streams: 1000,
        streams_a_segment: 31,
        rounds,
        gops: 100,
        gop_us: 2_000_000,
        gop_bytes: 500_000,
        from: Timestamp::from_secs(1_790_000_000),
    }
}

#[tokio::main]
async fn main() {
    let rounds: u32 = std::env::args().nth(1).map_or(1000, |text| text.parse().unwrap());
    let parent: PathBuf = std::env::args().nth(2).map_or_else(std::env::temp_dir, PathBuf::from);
    let plan = plan(rounds);
    if std::env::args().nth(3).is_some() {
        return measure(&parent, &plan).await;
    }
    let dir = tempfile::tempdir_in(parent).unwrap();
    let began = Instant::now();
    generate::segments(&dir.path().join("footage"), &plan, |_, _| ()).unwrap();
    println!("{} segments made in {:.1?}", plan.segments(), began.elapsed());
    let (footage, took, _) = open(dir.path()).await;
    println!("first open, every footer read and filed: {took:.1?}");
    footage.shutdown().await.unwrap();
    drop(footage);
    // In a process of its own: what the first open took from the system and gave back would hide what the second takes.
    let again = std::process::Command::new(std::env::current_exe().unwrap())
        .args([rounds.to_string().as_ref(), dir.path().as_os_str(), "measure".as_ref()])
        .status();
    assert!(again.unwrap().success());
}

async fn measure(dir: &Path, plan: &Plan) {
    let (footage, took, grown_kb) = open(dir).await;
    println!(
        "open again: {took:.1?}; memory grew by {grown_kb} kB, {:.2} kB a stream",
        grown_kb as f64 / 1000.0
    );
    on_disk(dir, plan);
    look_up(&footage, plan).await;
    println!("memory after the look-ups: {} MB", resident_kb() / 1000);
    footage.shutdown().await.unwrap();
}
