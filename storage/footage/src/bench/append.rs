//! Writing: as fast as the disk takes it.

use std::{
    fs::File,
    io::Write,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use sightline_model::{
    Timestamp,
    media::{AccessUnit, Codec, GopStart, ParameterSets, Policy, RunId, StreamKey},
    tail::TailItem,
};

use super::{BenchPlan, WriteFigure, quantile, ratio};
use crate::{Config, Error, Footage, Keep, KeyProvider, Seams, TailWriter};

/// The programs, in the order of the report.
pub(super) const NAMES: [&str; 3] = ["bare program", "store, in the clear", "store, encrypted"];
/// The bare program's file.
pub(super) const BARE: &str = "bare";
/// Access units of a GOP.
const UNITS: usize = 50;
/// 2 s, in 1/90,000 s.
const GOP_90K: u32 = 180_000;
/// Both sync at most this many bytes at once.
const SYNC_BYTES: u64 = 32 << 20;
/// GOPs that may wait for the disk.
const AHEAD: u64 = 400;
/// Media is cut out of this much, so that it does not all come out of the cache.
const POOL_BYTES: usize = 64 << 20;

/// What the rounds gave, in the order of [`NAMES`].
#[derive(Debug, Default)]
pub(super) struct Rounds {
    took: [Vec<Duration>; 3],
    of_bare: [Vec<f64>; 3],
    written: [u64; 3],
    syncs: [u64; 3],
}

impl Rounds {
    fn add(&mut self, program: usize, took: Duration, bare: Duration, written: u64, syncs: u64) {
        if let (Some(times), Some(ratios)) = (self.took.get_mut(program), self.of_bare.get_mut(program)) {
            times.push(took);
            ratios.push(ratio(bare, took));
        }
        for (all, new) in [(&mut self.written, written), (&mut self.syncs, syncs)] {
            all.get_mut(program).into_iter().for_each(|sum| *sum = new);
        }
    }

    pub(super) fn figures(mut self, plan: &BenchPlan) -> Vec<WriteFigure> {
        let media_bytes = (plan.cameras * plan.gops * plan.gop_bytes) as u64;
        let mut figures = Vec::new();
        let times = self.took.iter_mut().zip(&mut self.of_bare).zip(self.written).zip(self.syncs);
        for (name, (((took, of_bare), written_bytes), syncs)) in NAMES.into_iter().zip(times) {
            of_bare.sort_by(f64::total_cmp);
            let of_bare = of_bare.get(of_bare.len() / 2).copied().unwrap_or(0.0);
            let took = quantile(took, 0.5);
            figures.push(WriteFigure { name, media_bytes, written_bytes, took, of_bare, syncs });
        }
        figures
    }
}

pub(super) fn key(camera: usize) -> Option<StreamKey> {
    format!("bench-{camera}").parse().ok().map(StreamKey::main)
}

pub(super) fn start_of(gop: usize) -> Timestamp {
    Timestamp::from_secs(1_800_000_000 + 2 * i64::try_from(gop).unwrap_or(0))
}

/// Bytes that no disk can make smaller.
fn pool(plan: &BenchPlan) -> Bytes {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(POOL_BYTES + plan.gop_bytes);
    while bytes.len() < POOL_BYTES + plan.gop_bytes {
        // xorshift64 (Marsaglia, 2003).
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    Bytes::from(bytes)
}

/// The media of GOP `number` of all.
fn media(pool: &Bytes, number: usize, length: usize) -> Bytes {
    let from = number.wrapping_mul(length) % POOL_BYTES;
    pool.slice(from..from + length)
}

pub(super) async fn round(
    plan: &BenchPlan,
    home: &Path,
    keys: &Arc<dyn KeyProvider>,
    rounds: &mut Rounds,
) -> Result<(), Error> {
    let pool = pool(plan);
    let path = home.join(BARE);
    let (bare, syncs) = bare(plan, &path, &pool).map_err(Error::io("write", &path))?;
    rounds.add(0, bare, bare, (plan.cameras * plan.gops * plan.gop_bytes) as u64, syncs);
    for (at, (name, keys)) in stores(keys).into_iter().enumerate() {
        let (footage, _) =
            Footage::open(config(plan, &home.join(name)), Seams { keys, ..Seams::default() }, start_of(0))?;
        let began = Instant::now();
        push(plan, &footage, &pool)?;
        footage.flush().await?;
        let took = began.elapsed();
        footage.shutdown().await?;
        let counted = footage.metrics();
        rounds.add(at + 1, took, bare, counted.bytes_appended, counted.syncs);
    }
    Ok(())
}

/// The stores of a round: where they lie, and their keys.
pub(super) fn stores(keys: &Arc<dyn KeyProvider>) -> [(&'static str, Option<Arc<dyn KeyProvider>>); 2] {
    [("clear", None), ("encrypted", Some(Arc::clone(keys)))]
}

pub(super) fn config(plan: &BenchPlan, dir: &Path) -> Config {
    Config {
        dir: dir.to_owned(),
        lanes: plan.lanes,
        segment_bytes: plan.segment_bytes,
        sync_bytes: SYNC_BYTES,
        min_free_bytes: 0,
        commit_interval: Duration::from_secs(3600),
        read_cache_bytes: 0,
        ..Config::default()
    }
}

/// The least that writes and syncs the same bytes.
fn bare(plan: &BenchPlan, path: &Path, pool: &Bytes) -> std::io::Result<(Duration, u64)> {
    let began = Instant::now();
    let mut file = File::create(path)?;
    let (mut unsynced, mut syncs) = (0, 1);
    for number in 0..plan.cameras * plan.gops {
        file.write_all(&media(pool, number, plan.gop_bytes))?;
        unsynced += plan.gop_bytes as u64;
        if unsynced >= SYNC_BYTES {
            file.sync_data()?;
            (unsynced, syncs) = (0, syncs + 1);
        }
    }
    file.sync_data()?;
    Ok((began.elapsed(), syncs))
}

/// Feeds every camera its GOPs, one after the other, as fast as the disk takes them.
fn push(plan: &BenchPlan, footage: &Footage, pool: &Bytes) -> Result<(), Error> {
    let keys = (0..plan.cameras).filter_map(key);
    let writers: Result<Vec<TailWriter>, Error> =
        keys.map(|key| footage.writer(key, Keep::Recorded)).collect();
    let mut writers = writers?;
    let params = params();
    let mut number = 0;
    for gop in 0..plan.gops {
        for writer in &mut writers {
            let media = media(pool, number, plan.gop_bytes);
            items(gop, &media, &params).into_iter().for_each(|item| writer.push(item));
            number += 1;
            // Ingest never waits for the disk; who feeds faster than any disk must.
            while ahead(footage) > AHEAD && footage.disk_state().problem().is_none() {
                std::thread::sleep(Duration::from_micros(200));
            }
        }
    }
    Ok(())
}

fn ahead(footage: &Footage) -> u64 {
    let marks = footage.watermarks();
    marks.tail_end.saturating_sub(marks.appended)
}

fn params() -> Arc<ParameterSets> {
    let decoder_config =
        Bytes::from_static(&[1, 100, 0, 31, 255, 225, 0, 4, 103, 100, 0, 31, 1, 0, 4, 104, 238, 60, 128]);
    let rfc6381 = "avc1.64001F".to_owned();
    Arc::new(ParameterSets { codec: Codec::H264, width: 1920, height: 1080, rfc6381, decoder_config })
}

fn items(gop: usize, media: &Bytes, params: &Arc<ParameterSets>) -> Vec<TailItem> {
    let number = u32::try_from(gop).unwrap_or(0);
    let begin = GopStart {
        run: RunId(1),
        number,
        part: 0,
        at: start_of(gop),
        camera_clock: None,
        media_90k: i64::from(number) * i64::from(GOP_90K),
        policy: Policy::Full,
        params: Arc::clone(params),
    };
    let unit_bytes = media.len().div_ceil(UNITS).max(1);
    let units = (0..media.len()).step_by(unit_bytes).enumerate().map(|(index, from)| {
        let data = media.slice(from..(from + unit_bytes).min(media.len()));
        TailItem::Unit(AccessUnit {
            pts_90k: i32::try_from(index).unwrap_or(0) * 3600,
            key: index == 0,
            data,
        })
    });
    std::iter::once(TailItem::Begin(begin))
        .chain(units)
        .chain([TailItem::End { duration_90k: GOP_90K }])
        .collect()
}
