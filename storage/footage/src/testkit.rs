//! Made-up streams for tests.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use bytes::Bytes;
use sightline_model::{
    Timestamp,
    media::{AccessUnit, CameraClock, Codec, Gop, GopStart, ParameterSets, Policy, RunId, StreamKey},
    tail::TailItem,
};

use crate::{
    Config, Footage, Keep, Recovery, Seams, TailWriter, catalogue::MemoryCatalogue,
    crypt::memory::MemoryKeys, disk::sim::SimDisk, index::Index, recovery::Opening, room::Room,
    store::NewDisk,
};

pub(crate) fn key(camera: &str) -> StreamKey {
    StreamKey::main(camera.parse().unwrap())
}

pub(crate) fn params(variant: u8) -> Arc<ParameterSets> {
    Arc::new(ParameterSets {
        codec: if variant.is_multiple_of(2) { Codec::H264 } else { Codec::H265 },
        width: 1920,
        height: 1080,
        rfc6381: format!("avc1.64001{variant}"),
        decoder_config: Bytes::from(vec![variant; 20]),
    })
}

/// Seconds since the epoch.
pub(crate) fn s(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

pub(crate) fn ms(millis: i64) -> Timestamp {
    Timestamp(millis * 1000)
}

/// A GOP of three frames whose bytes tell what it is.
pub(crate) fn gop(start_ms: i64, number: u32, part: u16) -> Gop {
    gop_of(start_ms, 1000, RunId(1), number, part, 40)
}

pub(crate) fn gop_of(start_ms: i64, length_ms: u32, run: RunId, number: u32, part: u16, bytes: usize) -> Gop {
    let duration_90k = length_ms * 90;
    let start = GopStart {
        run,
        number,
        part,
        at: ms(start_ms),
        camera_clock: (number.is_multiple_of(2)).then_some(CameraClock { offset_us: -5, uncertainty_us: 7 }),
        media_90k: i64::from(number) * 90_000,
        policy: Policy::Full,
        params: params(u8::try_from(run.0 % 3).unwrap()),
    };
    let units = (0..3u8)
        .map(|frame| {
            let mut data = format!("{start_ms}/{number}/{part}/{frame}:").into_bytes();
            data.resize(data.len() + bytes, frame);
            AccessUnit {
                pts_90k: i32::from(frame) * i32::try_from(duration_90k / 3).unwrap(),
                key: frame == 0 && part == 0,
                data: Bytes::from(data),
            }
        })
        .collect();
    Gop { start, duration_90k, units }
}

/// Feeds a whole GOP.
pub(crate) fn push(writer: &mut TailWriter, gop: &Gop) {
    writer.push(TailItem::Begin(gop.start.clone()));
    for unit in &gop.units {
        writer.push(TailItem::Unit(unit.clone()));
    }
    writer.push(TailItem::End { duration_90k: gop.duration_90k });
}

/// A configuration that syncs only when asked.
pub(crate) fn config() -> Config {
    Config {
        dir: "/simulated".into(),
        sync_interval: Duration::from_secs(3600),
        min_free_bytes: 0,
        commit_interval: Duration::from_secs(3600),
        segment_bytes: 64 << 10,
        tail_bytes: 1 << 20,
        ..Config::default()
    }
}

pub(crate) fn open(disk: &SimDisk, config: Config) -> Footage {
    open_disks(std::slice::from_ref(disk), config)
}

/// A disk to open a store on.
pub(crate) fn new_disk(disk: &SimDisk) -> NewDisk {
    NewDisk { disk: Arc::new(disk.clone()), lock: None, out: None }
}

/// The one room of a disk.
pub(crate) fn rooms_of(disk: &SimDisk) -> Vec<Arc<Room>> {
    vec![Arc::new(Room::new(0, Arc::new(disk.clone()), 0))]
}

/// What opening a disk without a catalogue finds.
pub(crate) fn recovered_on(disk: &SimDisk) -> (Index, Recovery) {
    let rooms = rooms_of(disk);
    Opening::new(&rooms, &MemoryCatalogue::default(), s(0), &mut |_, _| ()).run().unwrap()
}

/// An encrypted store on several disks.
pub(crate) fn open_disks(disks: &[SimDisk], config: Config) -> Footage {
    let disks = disks.iter().map(new_disk).collect();
    Footage::open_on(disks, config, seams(), s(0)).unwrap().0
}

/// Keys that are the same for every store of a test run.
pub(crate) fn seams() -> Seams {
    static KEYS: LazyLock<Arc<MemoryKeys>> = LazyLock::new(Arc::default);
    Seams { keys: Some(Arc::<MemoryKeys>::clone(&KEYS)), ..Seams::default() }
}

pub(crate) fn recorded(footage: &Footage, key: StreamKey) -> TailWriter {
    footage.writer(key, Keep::Recorded).unwrap()
}

/// The numbers that random histories come from: always the same `default` ones, `SIGHTLINE_SEEDS` new ones, or the one
/// that `SIGHTLINE_SEED` names.
pub(crate) fn seeds(default: u64) -> std::ops::Range<u64> {
    let number = |name| {
        let text = std::env::var(name).ok()?;
        Some(text.parse::<u64>().unwrap_or_else(|_| panic!("{name} must be a number and is {text:?}")))
    };
    let new = || {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        u64::try_from(now.as_micros()).unwrap()
    };
    match (number("SIGHTLINE_SEED"), number("SIGHTLINE_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, Some(count)) => {
            let first = new();
            first..first + count
        }
        (None, None) => 0..default,
    }
}

/// Polls until `done` answers, for ten seconds.
pub(crate) async fn until<T>(mut done: impl FnMut() -> Option<T>) -> T {
    until_async(async || done()).await
}

/// The same for a condition that has to wait itself.
pub(crate) async fn until_async<T>(mut done: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(value) = done().await {
            return value;
        }
        assert!(std::time::Instant::now() < deadline, "the condition never came true");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
