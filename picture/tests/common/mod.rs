//! Fixtures, the worker alone, and a judge for pictures.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test binary uses its share")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use image::RgbImage;
use sightline_model::{
    Timestamp,
    media::{AccessUnit, Codec, Gop, GopStart, ParameterSets, Policy, RunId, StreamKey},
};
use sightline_picture::{Config, MetricsSnapshot, Pictures};

pub const WORKER: &str = env!("CARGO_BIN_EXE_picture-worker");

/// A pool of the real worker.
pub fn config(workers: usize) -> Config {
    Config {
        program: WORKER.into(),
        args: Vec::new(),
        workers,
        // Other work on the machine must not fail a test.
        timeout: Duration::from_secs(30),
        max_wait: Duration::from_secs(60),
        ..Config::default()
    }
}

pub fn fixture(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(file)
}

pub fn street() -> StreamKey {
    StreamKey::main("street-1".parse().unwrap())
}

/// A GOP that starts at `at` seconds and has the key frame of the fixture `name`.
pub fn gop(name: &str, at: i64) -> Gop {
    let config = fs::read(fixture(&format!("{name}.config"))).unwrap();
    let unit = fs::read(fixture(&format!("{name}.unit"))).unwrap();
    let codec = if name.ends_with("h265") { Codec::H265 } else { Codec::H264 };
    with_bytes(codec, config.into(), unit.into(), at)
}

pub fn with_bytes(codec: Codec, decoder_config: Bytes, data: Bytes, at: i64) -> Gop {
    let params =
        Arc::new(ParameterSets { codec, width: 768, height: 576, rfc6381: String::new(), decoder_config });
    let start = GopStart {
        run: RunId(1),
        number: 0,
        part: 0,
        at: Timestamp::from_secs(at),
        camera_clock: None,
        media_90k: 0,
        policy: Policy::Full,
        params,
    };
    Gop { start, duration_90k: 180_000, units: vec![AccessUnit { pts_90k: 0, key: true, data }] }
}

pub fn decoded(jpeg: &[u8]) -> RgbImage {
    image::load_from_memory_with_format(jpeg, image::ImageFormat::Jpeg).unwrap().to_rgb8()
}

/// What ffmpeg made of the same key frame, a quarter as wide and high.
pub fn reference(name: &str) -> RgbImage {
    image::open(fixture(&format!("{name}.png"))).unwrap().to_rgb8()
}

/// Averages of 4x4 pixels.
pub fn quarter(picture: &RgbImage) -> RgbImage {
    RgbImage::from_fn(picture.width() / 4, picture.height() / 4, |x, y| {
        let mut sums = [0u32; 3];
        for (dx, dy) in (0..4).flat_map(|dx| (0..4).map(move |dy| (dx, dy))) {
            for (sum, value) in sums.iter_mut().zip(picture.get_pixel(4 * x + dx, 4 * y + dy).0) {
                *sum += u32::from(value);
            }
        }
        image::Rgb(sums.map(|sum| u8::try_from((sum + 8) / 16).unwrap()))
    })
}

/// Without colour.
pub fn grey(picture: &RgbImage) -> RgbImage {
    image::DynamicImage::ImageLuma8(image::DynamicImage::ImageRgb8(picture.clone()).to_luma8()).to_rgb8()
}

/// Peak signal-to-noise ratio in dB over all three channels.
pub fn psnr(a: &RgbImage, b: &RgbImage) -> f64 {
    assert_eq!(a.dimensions(), b.dimensions());
    let squares: f64 = a.iter().zip(b.iter()).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2)).sum();
    let mean = squares / a.len() as f64;
    10.0 * (255.0f64.powi(2) / mean.max(1e-9)).log10()
}

/// Polls until `done`, with a deadline that only a broken test reaches.
pub async fn until(pictures: &Pictures, what: &str, done: impl Fn(&MetricsSnapshot) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !done(&pictures.metrics()) {
        assert!(Instant::now() < deadline, "{what} never came: {:?}", pictures.metrics());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// How often the error `code` was counted.
pub fn errors(metrics: &MetricsSnapshot, code: &str) -> u64 {
    metrics.errors.iter().find(|(name, _)| *name == code).map_or(0, |(_, count)| *count)
}
