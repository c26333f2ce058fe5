//! Makes stores of any size for benches: sealed segments with real headers and footers around bodies that are holes.
//!
//! What the index, the catalogue and the footers cost and how long a look-up takes is the same as with footage. Nothing in
//! such a store can be read or checked.

mod sealed;

pub use sealed::{MadeGop, sealed_segment};

use std::{io::IoSlice, path::Path, sync::Arc};

use sightline_model::{
    CameraId, Timestamp,
    media::{Policy, RunId, StreamKey, micros_to_ticks},
};

use crate::{
    Error,
    disk::{Disk, RealDisk},
    format::{
        align,
        block::Entry,
        header::{RECORDS_START, SegmentHeader, file_name},
        record::RECORD_HEADER_BYTES,
    },
    index::builder::{Added, SegmentBuilder},
    store::SEGMENTS_FOLDER,
};

/// What to make.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Name of the node, at most 32 bytes.
    pub node: String,
    /// Streams in the store, at most 100,000.
    pub streams: u32,
    /// Streams in one segment.
    pub streams_a_segment: u32,
    /// Segments that each stream is in.
    pub rounds: u32,
    /// GOPs of a stream in one segment.
    pub gops: u32,
    /// Length of a GOP in microseconds.
    pub gop_us: i64,
    /// Media bytes of a GOP, about.
    pub gop_bytes: u32,
    /// Where footage begins.
    pub from: Timestamp,
}

impl Plan {
    /// Segments in the store.
    #[must_use]
    pub fn segments(&self) -> u64 {
        u64::from(self.groups()) * u64::from(self.rounds)
    }

    /// End of the footage: every stream has footage without a gap up to here.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        self.begin(self.rounds)
    }

    fn groups(&self) -> u32 {
        self.streams.div_ceil(self.streams_a_segment.max(1))
    }

    fn begin(&self, round: u32) -> Timestamp {
        self.from.plus_micros(i64::from(round) * i64::from(self.gops) * self.gop_us)
    }
}

/// Stream number `number` of a store that was made.
#[must_use]
pub fn stream(number: u32) -> Option<StreamKey> {
    format!("camera-{number:05}").parse::<CameraId>().ok().map(StreamKey::main)
}

/// Makes the segments of `plan` in the store `dir`, which must have none. `progress` gets the segments done and the segments
/// there will be.
///
/// # Errors
/// When the files cannot be written.
pub fn segments(dir: &Path, plan: &Plan, mut progress: impl FnMut(u64, u64)) -> Result<(), Error> {
    let folder = dir.join(SEGMENTS_FOLDER);
    std::fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
    let disk: Arc<dyn Disk> = Arc::new(RealDisk::new(folder, false));
    let mut id = 0;
    for round in 0..plan.rounds {
        for group in 0..plan.groups() {
            id += 1;
            segment(&*disk, plan, id, round, group)
                .map_err(Error::io("write", disk.path().join(file_name(id))))?;
            progress(id, plan.segments());
        }
    }
    Ok(())
}

fn segment(disk: &dyn Disk, plan: &Plan, id: u64, round: u32, group: u32) -> std::io::Result<()> {
    let created = plan.begin(round);
    let sealed_at = plan.begin(round + 1);
    let first = group * plan.streams_a_segment;
    let last = (first + plan.streams_a_segment).min(plan.streams);
    let keys: Vec<StreamKey> = (first..last).filter_map(stream).collect();
    let mut builder = SegmentBuilder::default();
    let mut end = RECORDS_START;
    for number in 0..plan.gops {
        for (place, key) in keys.iter().enumerate() {
            let number = round * plan.gops + number;
            let entry = entry(plan, number, place as u64, end);
            end = align(end + u64::from(entry.record_bytes));
            builder.add(*key, &Added::Gop(entry));
        }
    }
    let footer = builder.footer(id, end, sealed_at);
    let header = SegmentHeader { id, class: 0, lane: 0, created, node: plan.node.clone(), replaces: 0 };
    let file = disk.create(&file_name(id))?;
    file.write_at(0, &mut [IoSlice::new(&header.encode())])?;
    file.set_length(end)?;
    file.write_at(end, &mut [IoSlice::new(&footer.bytes)])
}

/// A GOP as encoders make them: of even length, of sizes that vary.
fn entry(plan: &Plan, number: u32, place: u64, offset: u64) -> Entry {
    let spread = mix((place << 32) | u64::from(number));
    let bytes =
        plan.gop_bytes / 4 * 3 + u32::try_from(spread % u64::from(plan.gop_bytes / 2 + 1)).unwrap_or(0);
    let header = u32::try_from(RECORD_HEADER_BYTES).unwrap_or(0);
    let units = 50;
    Entry {
        start: plan.from.plus_micros(i64::from(number) * plan.gop_us),
        duration_90k: u32::try_from(micros_to_ticks(plan.gop_us)).unwrap_or(u32::MAX),
        run: RunId(1),
        number,
        part: 0,
        policy: Policy::Full,
        joined: false,
        encrypted: true,
        pieces: 1,
        params: 512,
        units,
        bytes,
        offset,
        record_bytes: header + units * 8 + bytes,
        before: 0,
    }
}

/// The finalizer of splitmix64 (Steele, Lea, Flood, 2014).
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
