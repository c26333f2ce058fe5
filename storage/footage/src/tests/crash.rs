//! Whatever is cut or flipped in a segment, the rest is found again.

use proptest::prelude::*;
use sightline_model::{Timestamp, media::Gop};

use super::{all, read_all};
use crate::{
    disk::{Disk, sim::SimDisk},
    format::{header::RECORDS_START, record::Kind},
    recovery::{self, scan},
    testkit::{config, gop, key, open, push, recorded, recovered_on, s},
};

/// A store's only segment, unsealed, with the place of each record in it.
async fn segment_of(gops: &[Gop]) -> (String, Vec<u8>, Vec<(u64, u64, Kind)>) {
    let disk = SimDisk::default();
    let footage = open(&disk, crate::Config { lanes: 1, ..config() });
    let mut writer = recorded(&footage, key("a"));
    for gop in gops {
        push(&mut writer, gop);
    }
    footage.flush().await.unwrap();
    let name = disk.names().remove(0);
    let bytes = disk.read(&name);
    let file = disk.open(&name).unwrap();
    let mut places = Vec::new();
    scan::scan(&*file, 1, bytes.len() as u64, &mut |found| {
        if let scan::Found::Record { offset, header, .. } = found {
            places.push((offset, offset + u64::from(header.total_bytes), header.kind));
        }
        Ok(())
    })
    .unwrap();
    (name, bytes, places)
}

fn recovered(name: &str, bytes: Vec<u8>) -> (SimDisk, crate::index::Index, crate::Recovery) {
    let disk = SimDisk::default();
    disk.put(name, bytes);
    let (index, recovery) = recovered_on(&disk);
    (disk, index, recovery)
}

#[tokio::test]
async fn cut_anywhere_the_complete_records_are_kept_and_the_torn_one_is_cut() {
    let gops: Vec<_> = (0..4).map(|number| gop(i64::from(number) * 1000, number, 0)).collect();
    let (name, bytes, places) = segment_of(&gops).await;
    for cut in usize::try_from(RECORDS_START).unwrap()..=bytes.len() {
        let (disk, index, recovery) = recovered(&name, bytes[..cut].to_vec());
        let complete = places.iter().filter(|(_, end, _)| *end <= cut as u64);
        let expected = complete.clone().filter(|(_, _, kind)| *kind == Kind::Gop).count();
        assert_eq!(recovery.gops, expected as u64, "cut at {cut}");
        match complete.map(|(_, end, _)| end.next_multiple_of(8)).next_back() {
            Some(end) => {
                assert_eq!(recovery.bytes_cut, (cut as u64).saturating_sub(end), "cut at {cut}");
                assert!(index.segments.is_empty());
                let (again, second) = recovered_on(&disk);
                assert!(second.was_clean() && second.gops == recovery.gops, "cut at {cut}: {second}");
                assert_eq!(again.streams.len(), index.streams.len());
            }
            None => assert_eq!((recovery.empty_removed, disk.names().len()), (1, 0), "cut at {cut}"),
        }
    }
}

#[tokio::test]
async fn a_flipped_byte_costs_at_most_its_own_record() {
    let gops: Vec<_> = (0..4).map(|number| gop(i64::from(number) * 1000, number, 0)).collect();
    let (name, bytes, places) = segment_of(&gops).await;
    for at in usize::try_from(RECORDS_START).unwrap()..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x40;
        let (disk, _, recovery) = recovered(&name, flipped);
        let hit = places.iter().find(|(from, end, _)| (*from..*end).contains(&(at as u64)));
        let lost = u64::from(hit.is_some_and(|(_, _, kind)| *kind == Kind::Gop));
        assert_eq!(recovery.gops, 4 - lost, "flipped at {at}");
        let footage = open(&disk, config());
        for entry in all(&footage, key("a")).await {
            match footage.read(&entry).await {
                Ok(read) => assert_eq!(*read, gops[entry.number as usize], "flipped at {at}"),
                Err(error) => panic!("flipped at {at}: {error}"),
            }
        }
    }
}

#[tokio::test]
async fn damage_in_the_middle_stands_as_a_gap_of_its_own() {
    let gops: Vec<_> = (0..4).map(|number| gop(i64::from(number) * 1000, number, 0)).collect();
    let (name, mut bytes, places) = segment_of(&gops).await;
    let (_, end, _) = places[3];
    bytes[usize::try_from(end).unwrap() - 1] ^= 1;
    let (disk, _, recovery) = recovered(&name, bytes);
    assert_eq!((recovery.gops, recovery.damaged), (3, 1));
    assert!(recovery.to_string().contains("1 damaged"), "{recovery}");
    let footage = open(&disk, config());
    let timeline = footage.timeline(key("a"), super::range(0, 4), s(4)).await.unwrap();
    let reason = sightline_model::gap::GapReason::Damaged;
    assert_eq!(timeline.gaps, [sightline_model::gap::Gap { from: s(1), to: s(2), reason }]);
}

#[tokio::test]
async fn a_damaged_footer_is_made_again_and_nothing_is_lost() {
    let disk = SimDisk::default();
    let footage = open(&disk, crate::Config { lanes: 1, ..config() });
    let mut writer = recorded(&footage, key("a"));
    let gops: Vec<_> = (0..4).map(|number| gop(i64::from(number) * 1000, number, 0)).collect();
    for gop in &gops {
        push(&mut writer, gop);
    }
    footage.shutdown().await.unwrap();
    let name = disk.names().remove(0);
    let sealed = disk.read(&name);
    let loaded = recovery::load(&disk, 1);
    let records_end = loaded.ok().unwrap().footer.unwrap().0.records_end;
    for at in usize::try_from(records_end).unwrap()..sealed.len() {
        let mut flipped = sealed.clone();
        flipped[at] ^= 4;
        let damaged = SimDisk::default();
        damaged.put(&name, flipped);
        let footage = open(&damaged, config());
        assert_eq!(all(&footage, key("a")).await.len(), 4, "flipped at {at}");
    }
    let mut cut = sealed.clone();
    cut.truncate(sealed.len() - 3);
    let damaged = SimDisk::default();
    damaged.put(&name, cut);
    assert_eq!(read_all(&open(&damaged, config()), key("a")).await, gops);
}

#[tokio::test]
async fn files_that_are_no_segments_are_left_alone_and_drafts_are_removed() {
    let disk = SimDisk::default();
    disk.put("0000000000000001.seg", b"not a segment at all".repeat(20));
    disk.put("0000000000000002.seg", Vec::new());
    disk.put("0000000000000003.seg.tmp", vec![1; 50]);
    disk.put("notes.txt", b"hello".to_vec());
    let (_, recovery) = recovered_on(&disk);
    assert_eq!((recovery.unreadable.len(), recovery.segments, recovery.highest_id), (2, 0, 2));
    assert!(recovery.to_string().contains("left alone"));
    assert_eq!(disk.names(), ["0000000000000001.seg", "0000000000000002.seg", "notes.txt"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn any_bytes_behind_a_header_open_without_a_panic(
        tail in proptest::collection::vec(any::<u8>(), 0..600),
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (name, mut bytes, _) = runtime.block_on(segment_of(&[gop(0, 0, 0), gop(1000, 1, 0)]));
        bytes.extend(tail);
        let body = bytes.len() - 128;
        for (at, value) in flips {
            bytes[128 + at.index(body)] ^= value;
        }
        let (_, index, recovery) = recovered(&name, bytes);
        prop_assert!(recovery.gops <= 2);
        prop_assert!(index.streams.values().all(|stream| stream.first.is_none_or(|first| first >= Timestamp(0))));
    }
}
