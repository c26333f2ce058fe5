//! Sealed segments made up for measuring: a real header and a real footer, and a hole where the records would lie.
//!
//! A year of a city's footage does not fit on the disk of a bench; its index does. What is made here can be opened, listed
//! and searched; reading media finds the hole. No program that records calls this.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::Path,
};

use sightline_model::{
    Timestamp,
    media::{Policy, RunId, StreamKey},
};

use crate::{
    Error,
    format::{
        ALIGN, align,
        block::Entry,
        header::{RECORDS_START, SegmentHeader, file_name},
        payload::gop_record_bytes,
    },
    index::builder::{Added, SegmentBuilder},
    store::SEGMENTS_FOLDER,
};

/// A GOP that was never recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MadeGop {
    /// The stream.
    pub key: StreamKey,
    /// Its start.
    pub start: Timestamp,
    /// Its length in 1/90,000 s.
    pub duration_90k: u32,
    /// The run it belongs to.
    pub run: RunId,
    /// Its number in the run.
    pub number: u32,
    /// Its access units.
    pub units: u32,
    /// Bytes of media.
    pub media_bytes: u32,
}

/// Writes a sealed segment of these GOPs, one record each and in this order, into the folder of a store that is not open;
/// synced when this returns. The caller chooses ids that only grow.
///
/// # Errors
/// When the file cannot be written.
pub fn sealed_segment(dir: &Path, id: u64, lane: u8, gops: &[MadeGop]) -> Result<(), Error> {
    let mut builder = SegmentBuilder::default();
    let mut end = RECORDS_START;
    for gop in gops {
        let entry = entry(gop, end);
        end = align(end + u64::from(entry.record_bytes));
        builder.record([0; 32]);
        builder.add(gop.key, &Added::Gop(entry));
    }
    let sealed_at = gops.last().map_or(Timestamp(0), |gop| gop.start);
    let created = gops.first().map_or(Timestamp(0), |gop| gop.start);
    let header = SegmentHeader { id, class: 0, lane, created, node: "made".to_owned(), replaces: 0 };
    let footer = builder.footer(id, end, sealed_at);
    let folder = dir.join(SEGMENTS_FOLDER);
    let path = folder.join(file_name(id));
    let write = || {
        fs::create_dir_all(&folder)?;
        let file = File::create(&path)?;
        file.write_all_at(&header.encode(), 0)?;
        file.write_all_at(&footer.bytes, end)?;
        file.sync_all()?;
        File::open(&folder)?.sync_all()
    };
    write().map_err(Error::io("write", &path))
}

fn entry(gop: &MadeGop, offset: u64) -> Entry {
    let record_bytes = gop_record_bytes(gop.units, u64::from(gop.media_bytes), true);
    Entry {
        start: gop.start,
        duration_90k: gop.duration_90k,
        run: gop.run,
        number: gop.number,
        part: 0,
        policy: Policy::Full,
        joined: false,
        encrypted: true,
        pieces: 1,
        // Any place before the first record would do: the hole holds no parameter sets either.
        params: u32::try_from(RECORDS_START / ALIGN).unwrap_or(0),
        units: gop.units,
        bytes: gop.media_bytes,
        offset,
        record_bytes: u32::try_from(record_bytes).unwrap_or(u32::MAX),
        before: 0,
    }
}

#[cfg(test)]
mod tests {
    use sightline_model::TimeRange;

    use super::*;
    use crate::{Config, Footage, Seams, testkit::key};

    #[tokio::test]
    async fn a_store_finds_what_was_made() {
        let dir = tempfile::tempdir().unwrap();
        let gop = |number: u32| MadeGop {
            key: key(if number.is_multiple_of(2) { "a" } else { "b" }),
            start: Timestamp::from_secs(1_000 + 2 * i64::from(number / 2)),
            duration_90k: 180_000,
            run: RunId(7),
            number: number / 2,
            units: 50,
            media_bytes: 450_000 + number,
        };
        let gops: Vec<_> = (0..40).map(gop).collect();
        sealed_segment(dir.path(), 1, 0, &gops[..20]).unwrap();
        sealed_segment(dir.path(), 2, 0, &gops[20..]).unwrap();
        let config = Config { dir: dir.path().to_owned(), min_free_bytes: 0, ..Config::default() };
        let (footage, recovery) =
            Footage::open(config, Seams::default(), Timestamp::from_secs(2_000)).unwrap();
        assert_eq!((recovery.segments, recovery.gops, recovery.rescanned), (2, 40, 0));
        let all = TimeRange::new(Timestamp(0), Timestamp::from_secs(2_000)).unwrap();
        let found = footage.entries(key("a"), all, usize::MAX).await.unwrap();
        assert_eq!(found.len(), 20);
        assert!(found.iter().zip(0..).all(|(entry, number)| entry.number == number && entry.units == 50));
        let nearest = footage.nearest(key("b"), Timestamp::from_secs(1_021)).await.unwrap().unwrap();
        assert_eq!((nearest.number, nearest.bytes), (10, 450_021));
        footage.shutdown().await.unwrap();
    }
}
