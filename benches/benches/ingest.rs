//! What ingest costs: CPU seconds a stream-hour of the whole way (RTSP, GOPs, tail, checksummed and synced segments),
//! beside a bare program that reads the same sockets and writes the same bytes, in the same run.
//!
//! ```sh
//! cargo bench -p sightline-benches --bench ingest -- 128 20
//! ```
//! takes the number of streams and the seconds measured. The load server is a process of its own, on the first core; what
//! is measured runs on the second (`taskset`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a bench stops at the first surprise"
)]
#![allow(clippy::print_stdout, reason = "a bench prints its report")]

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use sightline_benches::{bare, cpu, report};
use sightline_footage::{Footage, Keep, Seams};
use sightline_ingest::{Append, Sink, Supervisor, Target};
use sightline_model::{
    CameraId, Timestamp,
    media::{Codec, Policy, StreamKey},
};
use sightline_sim::{CameraSim, CameraSpec, Clip};
use tokio_util::sync::CancellationToken;

/// 1080p25 at 2 Mbit/s, a key frame every 2 s: sizes as an ordinary street camera has them.
const FRAMES_PER_S: u32 = 25;
const GOP_FRAMES: usize = 50;
const KEY_FRAME_BYTES: usize = 60_000;
const FRAME_BYTES: usize = (500_000 - KEY_FRAME_BYTES) / (GOP_FRAMES - 1);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["serve", streams] => serve(streams.parse().unwrap()),
        [role @ ("bare" | "full" | "keyframes"), server, streams, seconds] => {
            measure(role, server.parse().unwrap(), streams.parse().unwrap(), seconds.parse().unwrap());
        }
        [] => compare("64", "15"),
        [streams] => compare(streams, "15"),
        [streams, seconds] => compare(streams, seconds),
        other => panic!("{other:?}: give the number of streams and the seconds"),
    }
}

/// The load server; ended also when a role panics, or it would weigh on whatever is measured next.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs the load server and each role after another.
fn compare(streams: &str, seconds: &str) {
    let me = std::env::current_exe().unwrap();
    let mut server = Server(
        Command::new("taskset")
            .args(["-c", "0"])
            .arg(&me)
            .args(["serve", streams])
            .stdout(Stdio::piped())
            .spawn()
            .expect("taskset is installed"),
    );
    let mut addr = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut addr).unwrap();
    println!("{streams} streams, 1080p25 at 2 Mbit/s, one write a frame, {seconds} s each\n");
    report::head(&["program", "CPU s / stream-hour", "of the bare program", "memory a stream, kB", "Mbit/s"]);
    let mut floor = None;
    for role in ["bare", "full", "keyframes"] {
        let output = Command::new("taskset")
            .args(["-c", "1"])
            .arg(&me)
            .args([role, addr.trim(), streams, seconds])
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let figures: Vec<f64> = text.split_whitespace().map(|word| word.parse().unwrap()).collect();
        let [cpu, memory, rate] = figures[..] else { panic!("{role}: {text}") };
        let floor = *floor.get_or_insert(cpu);
        let cells = [
            role.to_owned(),
            format!("{cpu:.2}"),
            format!("{:.2}x", cpu / floor),
            format!("{memory:.0}"),
            format!("{rate:.0}"),
        ];
        report::row(&cells);
    }
}

fn camera(index: usize) -> CameraId {
    format!("bench-{index}").parse().unwrap()
}

/// A stream without meaning but with the sizes, NAL unit types and parameter sets of a real one.
fn clip() -> Clip {
    let real = Clip::StreetH264.reel().unwrap();
    let mut stream = Vec::new();
    let mut nal = |header: &[u8], bytes: usize| {
        stream.extend_from_slice(&[0, 0, 0, 1]);
        stream.extend_from_slice(header);
        // No byte is zero, so no start code comes up inside.
        stream.extend((header.len()..bytes).map(|_| rand::random_range(1..=255_u8)));
    };
    for set in real.parameter_sets() {
        nal(set, set.len());
    }
    for frame in 0..GOP_FRAMES {
        // Slice headers that begin a picture (first_mb_in_slice 0): an IDR slice, then non-IDR ones (ITU-T H.264, 7.3.3).
        if frame == 0 { nal(&[0x65, 0x88], KEY_FRAME_BYTES) } else { nal(&[0x41, 0x9A], FRAME_BYTES) }
    }
    Clip::from_annexb(Codec::H264, FRAMES_PER_S, &stream).unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn serve(streams: usize) {
    runtime().block_on(async {
        let clip = clip();
        let specs = (0..streams).map(|index| CameraSpec {
            main: clip.clone(),
            sub: None,
            offset: Duration::from_millis(37) * u32::try_from(index).unwrap(),
            ..CameraSpec::new(camera(index))
        });
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        // Kept: it stops when it is dropped.
        let sim = CameraSim::start(listen, specs.collect(), CancellationToken::new()).await.unwrap();
        println!("{}", sim.addr());
        std::future::pending::<()>().await;
    });
}

/// Runs one role and prints its CPU seconds a stream-hour, kB of memory a stream and Mbit/s.
fn measure(role: &str, server: SocketAddr, streams: usize, seconds: u64) {
    let dir =
        tempfile::tempdir_in(std::env::var_os("SIGHTLINE_BENCH_DIR").unwrap_or_else(|| ".".into())).unwrap();
    let length = Duration::from_secs(seconds);
    let before = cpu::resident_bytes();
    let (cpu, bytes, took) = runtime().block_on(async {
        match role {
            "bare" => bare_program(server, streams, dir.path(), length).await,
            _ => whole_way(role, server, streams, dir.path(), length).await,
        }
    });
    #[allow(clippy::cast_precision_loss, reason = "a report")]
    let (count, memory, bytes) =
        (streams as f64, cpu::resident_bytes().saturating_sub(before) as f64, bytes as f64);
    let hours = took.as_secs_f64() / 3600.0;
    println!(
        "{} {} {}",
        cpu.as_secs_f64() / (count * hours),
        memory / count / 1e3,
        bytes * 8.0 / 1e6 / took.as_secs_f64()
    );
}

async fn bare_program(
    server: SocketAddr,
    streams: usize,
    dir: &std::path::Path,
    length: Duration,
) -> (Duration, u64, Duration) {
    let file = std::fs::File::create(dir.join("bytes")).unwrap();
    let paths = (0..streams).map(|index| format!("{}/main", camera(index))).collect();
    let (cpu, started) = (cpu::time(), Instant::now());
    let bytes = bare::record(server, paths, file, length).await;
    (cpu::time() - cpu, bytes, started.elapsed())
}

struct Tail(Footage);

impl Sink for Tail {
    fn open(&self, key: StreamKey) -> Append {
        let mut writer = self.0.writer(key, Keep::Recorded).unwrap();
        Box::new(move |item| writer.push(item))
    }
}

async fn whole_way(
    role: &str,
    server: SocketAddr,
    streams: usize,
    dir: &std::path::Path,
    length: Duration,
) -> (Duration, u64, Duration) {
    let config =
        sightline_footage::Config { dir: dir.join("footage"), min_free_bytes: 0, ..Default::default() };
    let (footage, _) = Footage::open(config, Seams::default(), Timestamp::now()).unwrap();
    let ingest = Supervisor::start(
        sightline_ingest::Config::default(),
        Arc::new(Tail(footage.clone())),
        CancellationToken::new(),
    );
    ingest.set_targets((0..streams).map(|index| target(role, server, index)).collect());
    // As for the bare program, what is measured includes signing on: both begin with closed sockets.
    let (cpu, started) = (cpu::time(), Instant::now());
    tokio::time::sleep(length).await;
    let (cpu, took) = (cpu::time() - cpu, started.elapsed());
    let counted = ingest.metrics();
    assert_eq!(counted.packets_lost, 0, "the load server lost nothing");
    assert_eq!(counted.streaming, u64::try_from(streams).unwrap(), "every stream runs");
    (cpu, counted.bytes, took)
}

fn target(role: &str, server: SocketAddr, index: usize) -> Target {
    Target {
        key: StreamKey::main(camera(index)),
        url: format!("rtsp://{server}/{}/main", camera(index)),
        credentials: None,
        policy: if role == "full" { Policy::Full } else { Policy::Keyframes },
        always: true,
    }
}
