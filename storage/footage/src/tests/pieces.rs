//! Long GOPs that were committed in pieces: one entry, many records, and damage to any one of them.

use std::time::Duration;

use bytes::Bytes;
use sightline_model::{
    gap::GapReason,
    media::{AccessUnit, Gop, RunId},
};

use super::{all, range, read_all};
use crate::{
    Config, Error, GopEntry,
    disk::{Disk, sim::SimDisk},
    format::record::Kind,
    recovery::scan,
    testkit::{config, gop_of, key, open, push, recorded, s},
};

/// Four seconds in eight pieces.
fn long_gop() -> Gop {
    let mut gop = gop_of(0, 4000, RunId(1), 0, 0, 0);
    let unit = |frame: i32| AccessUnit {
        pts_90k: frame * 9000,
        key: frame == 0,
        data: Bytes::from(format!("frame {frame} of a long GOP")),
    };
    gop.units = (0..40).map(unit).collect();
    gop
}

fn in_pieces() -> Config {
    Config { commit_interval: Duration::from_millis(500), lanes: 1, ..config() }
}

/// A crashed store with one long GOP and a short one behind it, and where the records of the long one lie.
async fn crashed() -> (SimDisk, String, Vec<(u64, u64)>) {
    let disk = SimDisk::default();
    let footage = open(&disk, in_pieces());
    let mut writer = recorded(&footage, key("a"));
    push(&mut writer, &long_gop());
    push(&mut writer, &gop_of(4000, 1000, RunId(1), 1, 0, 20));
    footage.flush().await.unwrap();
    assert_eq!(all(&footage, key("a")).await.len(), 2);
    let name = disk.names().remove(0);
    let file = disk.open(&name).unwrap();
    let mut places = Vec::new();
    scan::scan(&*file, 1, disk.read(&name).len() as u64, &mut |found| {
        if let scan::Found::Record { offset, header, .. } = found
            && (header.kind, header.number) == (Kind::Gop, 0)
        {
            places.push((offset, u64::from(header.total_bytes)));
        }
        Ok(())
    })
    .unwrap();
    assert_eq!(places.len(), 8, "pieces");
    (disk.crash(1), name, places)
}

#[tokio::test]
async fn a_recovered_gop_is_one_entry_of_all_its_pieces() {
    let (disk, _, _) = crashed().await;
    for _ in 0..2 {
        let footage = open(&disk, in_pieces());
        let entries = all(&footage, key("a")).await;
        assert_eq!((entries.len(), entries[0].pieces, entries[0].spread), (2, 8, false));
        assert_eq!(read_all(&footage, key("a")).await[0], long_gop());
    }
}

#[tokio::test]
async fn a_damaged_piece_costs_itself_when_the_index_is_made_anew() {
    let (disk, name, places) = crashed().await;
    for (piece, (offset, bytes)) in places.iter().enumerate() {
        for place in [offset + 3, offset + bytes - 1] {
            let mut file = disk.read(&name);
            file[usize::try_from(place).unwrap()] ^= 4;
            let damaged = SimDisk::default();
            damaged.put(&name, file);
            let footage = open(&damaged, in_pieces());
            let units: Vec<_> =
                read_all(&footage, key("a")).await.into_iter().flat_map(|gop| gop.units).collect();
            let truth = long_gop().units;
            let (before, after) = (&truth[..piece * 5], &truth[piece * 5 + 5..]);
            let expected: Vec<&Bytes> = before.iter().chain(after).map(|unit| &unit.data).collect();
            let found: Vec<&Bytes> = units.iter().map(|unit| &unit.data).collect();
            assert_eq!(found[..35], expected, "piece {piece} at {place}");
            let gaps = footage.timeline(key("a"), range(0, 5), s(5)).await.unwrap().gaps;
            let reason = if place == offset + 3 { GapReason::Unknown } else { GapReason::Damaged };
            // Before the first footage nothing is missing.
            assert!(piece == 0 || gaps.iter().map(|gap| gap.reason).eq([reason]), "piece {piece}: {gaps:?}");
        }
    }
}

#[tokio::test]
async fn a_damaged_piece_behind_a_sound_index_is_said_and_never_passed_on() {
    let (disk, name, places) = crashed().await;
    drop(open(&disk, in_pieces()));
    let sealed = disk.read(&name);
    for (offset, bytes) in places {
        for place in offset..offset + bytes {
            let mut file = sealed.clone();
            file[usize::try_from(place).unwrap()] ^= 4;
            let damaged = SimDisk::default();
            damaged.put(&name, file);
            let footage = open(&damaged, in_pieces());
            let entries: Vec<GopEntry> = all(&footage, key("a")).await;
            let error = footage.read(&entries[0]).await.unwrap_err();
            assert!(matches!(error, Error::Damaged { .. }), "{place}: {error}");
            assert_eq!(footage.read(&entries[1]).await.unwrap().start.number, 1);
        }
    }
}
