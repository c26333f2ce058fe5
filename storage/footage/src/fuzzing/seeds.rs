//! Where a fuzzer begins: bytes from the real encoders.

use std::sync::Arc;

use bytes::Bytes;
use sightline_model::{
    Timestamp,
    gap::{Gap, GapReason},
    media::{AccessUnit, CameraClock, GopStart, Policy, RunId, StreamKey},
    tail::TailItem,
};

use super::{MemoryDisk, params};
use crate::{
    Config, Footage, Keep, Seams,
    format::{
        block::Block,
        footer::TRAILER_BYTES,
        header::RECORDS_START,
        payload::{encode_gap, encode_params},
        record::{Kind, RECORD_HEADER_BYTES, RECORD_MAGIC, RecordHeader},
    },
    recovery,
    store::NewDisk,
};

/// The seeds of all targets: target, name, bytes. Always the same.
pub fn seeds() -> Vec<(&'static str, String, Vec<u8>)> {
    let mut seeds = Vec::new();
    for (name, store) in [("one", Store { streams: 1, gops: 3 }), ("many", Store { streams: 3, gops: 6 })] {
        let (open, sealed) = (store.file(false), store.file(true));
        for (state, file) in [("open", &open), ("sealed", &sealed)] {
            let mut bytes = vec![7];
            bytes.extend_from_slice(&file[usize::try_from(RECORDS_START).unwrap()..]);
            seeds.push(("segment", format!("{name}-{state}"), bytes));
        }
        seeds.extend(
            records(&open).into_iter().enumerate().map(|(n, r)| ("record", format!("{name}-{n}"), r)),
        );
        seeds.extend(
            blocks(&sealed).into_iter().enumerate().map(|(n, b)| ("block", format!("{name}-{n}"), b)),
        );
        let trailer = sealed.len() - usize::try_from(TRAILER_BYTES).unwrap();
        seeds.push(("footer", format!("{name}-trailer"), sealed[trailer..].to_vec()));
        let mut directory = Vec::new();
        crate::format::footer::encode_directory(&loaded(&sealed).1, &mut directory);
        seeds.push(("footer", format!("{name}-directory"), directory));
    }
    seeds.extend(plain_records());
    seeds
}

/// What a seed store holds.
struct Store {
    streams: u8,
    gops: u32,
}

impl Store {
    /// The store's only segment, closed or as a crash leaves it. In the clear, so that the bytes are always the same.
    fn file(&self, closed: bool) -> Vec<u8> {
        let disk = MemoryDisk::default();
        let config = Config {
            dir: "/memory".into(),
            lanes: 1,
            min_free_bytes: 0,
            allocate_bytes: 0,
            sync_interval: std::time::Duration::from_secs(3600),
            ..Config::default()
        };
        let new = NewDisk { disk: Arc::new(disk.clone()), lock: None, out: None };
        let (footage, _) = Footage::open_on(vec![new], config, Seams::default(), Timestamp(0)).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let keys: Vec<_> = (0..self.streams)
                .map(|stream| StreamKey::main(format!("cam-{stream}").parse().unwrap()))
                .collect();
            let mut writers: Vec<_> =
                keys.iter().map(|key| footage.writer(*key, Keep::Recorded).unwrap()).collect();
            for number in 0..self.gops {
                for writer in &mut writers {
                    push(writer, number);
                }
                footage.flush().await.unwrap();
            }
            if closed {
                drop(writers);
                footage.shutdown().await.unwrap();
            }
        });
        let mut file = disk.largest();
        // The clock of this machine is the only thing that differs from one time to the next.
        if closed {
            let sealed_at = file.len() - 40;
            file[sealed_at..sealed_at + 8].fill(0);
            let trailer = file.len() - usize::try_from(TRAILER_BYTES).unwrap();
            super::mend(&mut file[trailer..]);
        }
        file
    }
}

fn push(writer: &mut crate::TailWriter, number: u32) {
    let policy = if number % 3 == 2 { Policy::Keyframes } else { Policy::Full };
    let at = Timestamp(1_795_000_000_000_000 + i64::from(number) * 1_500_000);
    if number == 4 {
        writer.push(TailItem::Absent { since: at.plus_micros(-400_000), reason: GapReason::Stalled });
    }
    writer.push(TailItem::Begin(GopStart {
        run: RunId(1_795_000_000_000_000),
        number,
        part: 0,
        at,
        camera_clock: (number == 1).then_some(CameraClock { offset_us: -250, uncertainty_us: 9 }),
        media_90k: i64::from(number) * 135_000,
        policy,
        params: params(),
    }));
    for frame in 0..5u8 {
        let data = Bytes::from(vec![frame; usize::from(frame) + 3]);
        writer.push(TailItem::Unit(AccessUnit { pts_90k: i32::from(frame) * 22_500, key: frame == 0, data }));
    }
    writer.push(TailItem::End { duration_90k: 112_500 });
}

/// Every record of a segment.
fn records(file: &[u8]) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    let mut at = usize::try_from(RECORDS_START).unwrap();
    while let Some(rest) = file.get(at..).filter(|rest| rest.len() >= 160) {
        if !rest.starts_with(&RECORD_MAGIC) {
            at += 8;
            continue;
        }
        let length = usize::try_from(u32::from_le_bytes(rest[4..8].try_into().unwrap())).unwrap();
        records.push(rest[..length].to_vec());
        at += length.next_multiple_of(8);
    }
    records
}

fn loaded(sealed: &[u8]) -> (crate::format::footer::Trailer, Vec<crate::format::footer::DirectoryRow>) {
    let disk = MemoryDisk::default();
    disk.put(&crate::format::header::file_name(1), sealed.to_vec());
    let Ok(opened) = recovery::load(&disk, 1) else { panic!("a seed cannot be opened") };
    opened.footer.unwrap()
}

/// Every index block of a sealed segment.
fn blocks(sealed: &[u8]) -> Vec<Vec<u8>> {
    let rows = loaded(sealed).1;
    let block = |row: &crate::format::footer::DirectoryRow| {
        let (from, to) =
            (usize::try_from(row.block.offset).unwrap(), usize::try_from(row.block.end()).unwrap());
        let bytes = sealed[from..to].to_vec();
        assert!(Block::decode(&bytes).is_some());
        bytes
    };
    rows.iter().map(block).collect()
}

/// Records that no store above makes.
fn plain_records() -> Vec<(&'static str, String, Vec<u8>)> {
    let key = StreamKey::main("cam-0".parse().unwrap());
    let gap = Gap { from: Timestamp(1), to: Timestamp(9), reason: GapReason::DiskOverload };
    let (mut gap_bytes, mut params_bytes) = (Vec::new(), Vec::new());
    RecordHeader { total_bytes: 176, ..RecordHeader::new(Kind::Gap, key, gap.from) }.encode(&mut gap_bytes);
    encode_gap(&gap, &mut gap_bytes);
    let header = RecordHeader { total_bytes: 200, ..RecordHeader::new(Kind::Params, key, gap.from) };
    header.encode(&mut params_bytes);
    assert_eq!(params_bytes.len() as u64, RECORD_HEADER_BYTES);
    encode_params(&params(), &mut params_bytes);
    vec![("record", "gap".to_owned(), gap_bytes), ("record", "params".to_owned(), params_bytes)]
}
