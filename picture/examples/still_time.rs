//! How long a still takes, from asking to JPEG, through one worker.
//!
//! ```sh
//! cargo run --release -p sightline-picture --example still_time -- picture/tests/fixtures/street-h264 [more...]
//! ```
//!
//! Each argument names a `.config` and a `.unit` file without the ending (`tests/fixtures/make.py` makes them). Prints
//! one line for each size: percentiles over 200 requests one after another, the worker's own times, the JPEG's size.
#![allow(clippy::print_stdout, reason = "it is a command-line tool")]

use std::{env, error::Error, fs, path::Path, sync::Arc, time::Instant};

use sightline_model::{
    Timestamp,
    media::{AccessUnit, Codec, Gop, GopStart, ParameterSets, Policy, RunId, StreamKey},
};
use sightline_picture::{Config, Pictures, Size};

const ROUNDS: i64 = 200;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1).peekable();
    // The pool starts this very program again as its worker.
    if args.peek().is_some_and(|first| first == "picture-worker") {
        std::process::exit(i32::from(sightline_picture::worker_main() != std::process::ExitCode::SUCCESS));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        for path in args {
            for size in [Size::Original, Size::Width(640), Size::Width(320)] {
                time(&path, size).await?;
            }
        }
        Ok(())
    })
}

async fn time(path: &str, size: Size) -> Result<(), Box<dyn Error>> {
    let mut gop = read(path)?;
    let stream = StreamKey::main("bench".parse()?);
    let started = Instant::now();
    let pictures = Pictures::start(Config { workers: 1, ..Config::default() })?;
    let mut bytes = pictures.still(stream, &gop, size).await?.len();
    let first = started.elapsed();
    let mut micros = Vec::new();
    for round in 1..=ROUNDS {
        gop.start.at = Timestamp::from_secs(round);
        let asked = Instant::now();
        bytes = pictures.still(stream, &gop, size).await?.len();
        micros.push(asked.elapsed().as_micros());
    }
    micros.sort_unstable();
    let ms = |part: usize| micros.get(micros.len() * part / 100).map_or(0.0, |us| *us as f64 / 1e3);
    let metrics = pictures.metrics();
    let mean = |seconds: f64| seconds * 1e3 / metrics.decoded as f64;
    println!(
        "{:<14} {:<9} p50 {:6.1} ms  p99 {:6.1} ms  (decode and scale {:5.1}, JPEG {:4.1})  {:4} kB  first with start {:4.0} ms",
        Path::new(path).file_name().unwrap_or_default().to_string_lossy(),
        size.to_string(),
        ms(50),
        ms(99),
        mean(metrics.decode_seconds),
        mean(metrics.encode_seconds),
        bytes / 1000,
        first.as_secs_f64() * 1e3,
    );
    pictures.shutdown().await;
    Ok(())
}

fn read(path: &str) -> Result<Gop, Box<dyn Error>> {
    let decoder_config = fs::read(format!("{path}.config"))?.into();
    let data = fs::read(format!("{path}.unit"))?.into();
    let codec = if path.ends_with("h265") { Codec::H265 } else { Codec::H264 };
    let params =
        Arc::new(ParameterSets { codec, width: 0, height: 0, rfc6381: String::new(), decoder_config });
    let start = GopStart {
        run: RunId(1),
        number: 0,
        part: 0,
        at: Timestamp::from_secs(0),
        camera_clock: None,
        media_90k: 0,
        policy: Policy::Full,
        params,
    };
    Ok(Gop { start, duration_90k: 180_000, units: vec![AccessUnit { pts_90k: 0, key: true, data }] })
}
