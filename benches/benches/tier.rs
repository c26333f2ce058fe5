//! Sending segments to a tier and reading them there, beside the least that any program would have to do with the same
//! bytes and the same store, in the same run: a folder against a bare copy, SeaweedFS against plain HTTP to its filer.
//!
//! ```sh
//! cargo bench -p sightline-benches --bench tier -- 512     # MB
//! ```
//!
//! SeaweedFS is looked for under `target/seaweedfs`, where `deploy/test.sh` puts it, or in `SIGHTLINE_WEED`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a bench stops at the first surprise"
)]
#![allow(clippy::print_stdout, reason = "a bench prints its report")]
#![allow(clippy::cast_precision_loss, reason = "a bench prints its report")]

use std::{
    fs::{self, File},
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use sightline_benches::{cpu, report};
use sightline_footage::{Config, Footage, Keep, Seams, Tier, TierConfig};
use sightline_model::{
    CameraId, Timestamp,
    media::{AccessUnit, Codec, GopStart, ParameterSets, Policy, RunId, StreamKey},
    tail::TailItem,
};

const GOP_BYTES: usize = 500_000;
const CHUNK_BYTES: usize = 64 << 20;
/// Jumps to a GOP anywhere.
const JUMPS: usize = 200;

fn main() {
    let megabytes: usize = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(512);
    let dir =
        tempfile::tempdir_in(std::env::var_os("SIGHTLINE_BENCH_DIR").unwrap_or_else(|| ".".into())).unwrap();
    let segment = record(&dir.path().join("footage"), megabytes * 1_000_000);
    let bytes = fs::metadata(&segment).unwrap().len() as usize;
    println!("one segment of {} MB\n", bytes / 1_000_000);
    report::head(&["tier", "what", "wall s", "CPU s", "MB/s", "of the bare program"]);
    folder(dir.path(), &segment, bytes);
    seaweed(dir.path(), &segment, bytes);
}

/// A sealed segment of random media.
fn record(dir: &Path, bytes: usize) -> PathBuf {
    let config = Config {
        dir: dir.to_owned(),
        min_free_bytes: 0,
        lanes: 1,
        segment_bytes: 1 << 40,
        tail_bytes: 8 * GOP_BYTES,
        ..Config::default()
    };
    let unit = Bytes::from((0..GOP_BYTES).map(|_| rand::random()).collect::<Vec<u8>>());
    let decoder_config = Bytes::from_static(&[1, 100, 0, 31]);
    let (codec, rfc6381) = (Codec::H264, "avc1.64001F".to_owned());
    let params = Arc::new(ParameterSets { codec, width: 1920, height: 1080, rfc6381, decoder_config });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let (footage, _) = Footage::open(config, Seams::default(), Timestamp::now()).unwrap();
        let key = StreamKey::main("bench-1".parse::<CameraId>().unwrap());
        let mut writer = footage.writer(key, Keep::Recorded).unwrap();
        for number in 0..u32::try_from(bytes / GOP_BYTES).unwrap() {
            writer.push(TailItem::Begin(GopStart {
                run: RunId(1),
                number,
                part: 0,
                at: Timestamp::from_secs(1_800_000_000 + 2 * i64::from(number)),
                camera_clock: None,
                media_90k: i64::from(number) * 180_000,
                policy: Policy::Full,
                params: Arc::clone(&params),
            }));
            writer.push(TailItem::Unit(AccessUnit { pts_90k: 0, key: true, data: unit.clone() }));
            writer.push(TailItem::End { duration_90k: 180_000 });
            footage.flush().await.unwrap();
        }
        drop(writer);
        footage.shutdown().await.unwrap();
    });
    let segments = fs::read_dir(dir.join("segments")).unwrap();
    segments.map(|entry| entry.unwrap().path()).max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap()
}

/// Measures, prints a row, and gives the time.
fn row(tier: &str, what: &str, bytes: usize, floor: Option<Duration>, work: impl FnOnce()) -> Duration {
    let (cpu, started) = (cpu::time(), Instant::now());
    work();
    let (took, used) = (started.elapsed(), cpu::time() - cpu);
    let ratio = 100.0 * floor.unwrap_or(took).as_secs_f64() / took.as_secs_f64();
    report::row(&[
        tier.to_owned(),
        what.to_owned(),
        format!("{:.2}", took.as_secs_f64()),
        format!("{:.2}", used.as_secs_f64()),
        format!("{:.0}", bytes as f64 / 1e6 / took.as_secs_f64()),
        format!("{ratio:.0}%"),
    ]);
    took
}

fn folder(dir: &Path, segment: &Path, bytes: usize) {
    let (copy, store) = (dir.join("copy"), dir.join("tier"));
    fs::create_dir(&store).unwrap();
    let up = row("folder", "up: bare copy, synced", bytes, None, || {
        fs::copy(segment, &copy).unwrap();
        File::open(&copy).unwrap().sync_all().unwrap();
    });
    let down = row("folder", "down: bare read", bytes, None, || {
        assert_eq!(fs::read(&copy).unwrap().len(), bytes);
    });
    let tier = Tier::open(&TierConfig::at(format!("file://{}", store.display())), "bench").unwrap();
    measure("folder", &tier, segment, bytes, up, down);
}

fn measure(name: &str, tier: &Tier, segment: &Path, bytes: usize, up: Duration, down: Duration) {
    let mut sent = None;
    row(name, "up: upload, every chunk read back", bytes, Some(up), || {
        sent = Some(tier.upload(segment).unwrap());
    });
    row(name, "confirm before the local copy goes", bytes, None, || {
        let _ = tier.confirm(segment).unwrap();
    });
    let file = tier.open_segment(sent.unwrap().segment()).unwrap();
    let mut buffer = vec![0; GOP_BYTES];
    row(name, "down: GOP after GOP, read ahead", bytes, Some(down), || {
        for at in (0..bytes - GOP_BYTES).step_by(GOP_BYTES) {
            file.read_at(at as u64, &mut buffer).unwrap();
        }
    });
    let mut times: Vec<f64> = (0..JUMPS)
        .map(|_| {
            let at = rand::random_range(0..bytes - GOP_BYTES) as u64;
            let started = Instant::now();
            file.read_at(at, &mut buffer).unwrap();
            started.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let (p50, p99) = (report::quantile(&times, 0.5), report::quantile(&times, 0.99));
    let ms = format!("p50 {p50:.1} ms, p99 {p99:.1} ms");
    report::row(&[name, "jump to a GOP", &ms, "", "", ""].map(str::to_owned));
}

/// A SeaweedFS that ends with the bench.
struct Seaweed(Child);

impl Drop for Seaweed {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

const IDENTITIES: &str = r#"{"identities": [{"name": "node", "actions": ["Read", "Write", "List"],
    "credentials": [{"accessKey": "node", "secretKey": "node-secret"}]}]}"#;

fn seaweed(dir: &Path, segment: &Path, bytes: usize) {
    let in_checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/seaweedfs/bin/weed");
    let program = std::env::var_os("SIGHTLINE_WEED").map_or(in_checkout, PathBuf::from);
    assert!(program.exists(), "this bench needs SeaweedFS at {}: run deploy/test.sh", program.display());
    let listeners = [(); 8].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let ports = listeners.map(|listener| listener.local_addr().unwrap().port());
    let names = ["master.port", "master.port.grpc", "volume.port", "volume.port.grpc"];
    let names = names.iter().chain(&["filer.port", "filer.port.grpc", "s3.port", "s3.port.grpc"]);
    fs::write(dir.join("s3.json"), IDENTITIES).unwrap();
    fs::write(dir.join("secret"), "node-secret").unwrap();
    let child = Command::new(program.canonicalize().unwrap())
        .current_dir(dir)
        .args(["server", "-dir=.", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3"])
        .args(["-s3.config=s3.json", "-master.telemetry=false", "-s3.port.iceberg=0", "-s3.port.lance=0"])
        .args(["-master.volumeSizeLimitMB=1024", "-volume.max=32", "-volume.minFreeSpace=1"])
        .args(names.zip(ports).map(|(name, port)| format!("-{name}={port}")))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _seaweed = Seaweed(child);
    let (filer, s3) = (ports[4], ports[6]);
    let mut config = TierConfig::at("s3://footage/bench");
    config.endpoint = Some(format!("http://127.0.0.1:{s3}"));
    config.allow_http = true;
    config.access_key_id = Some("node".to_owned());
    config.secret_key_file = Some(dir.join("secret"));
    let tier = Tier::open(&config, "bench").unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while http(filer, "POST", "/buckets/footage/", &[]).is_none() || tier.probe().is_err() {
        assert!(Instant::now() < deadline, "SeaweedFS does not come up");
        std::thread::sleep(Duration::from_millis(100));
    }
    let path = |number: usize| format!("/buckets/footage/bare/{number:05}");
    let up = row("SeaweedFS", "up: plain HTTP to its filer", bytes, None, || {
        let content = fs::read(segment).unwrap();
        for (number, chunk) in content.chunks(CHUNK_BYTES).enumerate() {
            http(filer, "PUT", &path(number), chunk).expect("stored");
        }
    });
    let down = row("SeaweedFS", "down: plain HTTP from its filer", bytes, None, || {
        let read: usize = (0..bytes.div_ceil(CHUNK_BYTES))
            .map(|number| http(filer, "GET", &path(number), &[]).expect("there").len())
            .sum();
        assert!(read >= bytes);
    });
    measure("SeaweedFS", &tier, segment, bytes, up, down);
}

/// Head and body of the answer to a plain request, if it is a good one.
fn http(port: u16, method: &str, path: &str, body: &[u8]) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "{method} {path} HTTP/1.0\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len()).ok()?;
    stream.write_all(body).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let status = answer.split(|byte| *byte == b' ').nth(1)?;
    status.starts_with(b"2").then_some(answer)
}
