use std::collections::BTreeMap;

use proptest::prelude::*;
use sightline_model::{
    Timestamp,
    media::{StreamKey, StreamKind},
};
use sqlx::Row as _;

use super::*;
use crate::testing::{TestRecords, open};

fn key(name: &str) -> StreamKey {
    StreamKey::main(name.parse().unwrap())
}

fn part(from: i64, to: i64) -> Part {
    Part {
        gops: 3,
        bytes: 900,
        footage: Some((Timestamp(from), Timestamp(to))),
        last_gop_end: Some(Timestamp(to)),
        known_until: Some(Timestamp(to)),
        block_offset: 5000,
        block_bytes: 40,
        block_crc: u32::MAX - 7,
        ..Part::default()
    }
}

fn sealed(id: u64, parts: &[(StreamKey, Part)]) -> Sealed {
    let hulls = parts.iter().filter_map(|(_, part)| part.footage);
    let footage = hulls.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    let segment = Segment {
        id,
        disk: u8::try_from(id % 3).unwrap(),
        class: u8::try_from(id % 2).unwrap(),
        lane: 1,
        place: Place::Local,
        bytes: 10_000 + id,
        records_end: 4_000,
        gops: parts.iter().map(|(_, part)| u64::from(part.gops)).sum(),
        gaps: parts.iter().map(|(_, part)| u64::from(part.gaps)).sum(),
        streams: parts.len() as u64,
        created: Timestamp(1),
        sealed_at: Timestamp(2),
        footage,
        merkle_root: [u8::try_from(id % 256).unwrap(); 32],
    };
    Sealed { segment, parts: parts.to_vec() }
}

fn places(found: &[PartPlace]) -> Vec<(u64, Part)> {
    found.iter().map(|found| (found.segment, found.part)).collect()
}

const ALWAYS: Hull = (Timestamp(i64::MIN), Timestamp(i64::MAX));

#[tokio::test]
async fn what_is_put_in_is_found_by_time_and_reads_back_as_it_was() {
    let records = open().await;
    let node = records.footage_node("north").await.unwrap();
    let odd = Part {
        gaps: 2,
        missing: Some((Timestamp(150), Timestamp(460))),
        last_gop_end: Some(Timestamp(320)),
        known_until: Some(Timestamp(310)),
        ..part(200, 400)
    };
    let gaps_only = Part {
        gaps: 1,
        missing: Some((Timestamp(500), Timestamp(600))),
        known_until: Some(Timestamp(600)),
        ..Part::default()
    };
    let lot = [
        sealed(7, &[(key("a"), part(0, 100)), (key("b"), part(5, 90))]),
        sealed(8, &[(key("a"), odd)]),
        sealed(9, &[(key("a"), gaps_only)]),
    ];
    records.insert_footage(node, &lot).await.unwrap();
    let streams = records.footage_streams(node).await.unwrap();
    let a = &streams[0];
    assert_eq!((a.key, a.parts, a.gops, a.gaps, a.bytes), (key("a"), 3, 6, 3, 1800));
    assert_eq!(
        (a.first, a.last_gop_end, a.known_until),
        (Some(Timestamp(0)), Some(Timestamp(320)), Some(Timestamp(600)))
    );
    assert_eq!((a.until, a.longest_us, a.far), (Timestamp(600), 310, 0));
    let mut reader = records.footage_reader().await.unwrap();
    assert_eq!(
        places(&reader.near(a.no, ALWAYS, None, 9).await.unwrap()),
        [(7, part(0, 100)), (8, odd), (9, gaps_only)]
    );
    assert_eq!(places(&reader.before(a.no, Timestamp(150), 1).await.unwrap()), [(8, odd)]);
    assert_eq!(places(&reader.before(a.no, Timestamp(149), 2).await.unwrap()), [(7, part(0, 100))]);
    assert_eq!(places(&reader.after(a.no, Timestamp(0), 1).await.unwrap()), [(8, odd)]);
    assert!(reader.before(a.no, Timestamp(-1), 1).await.unwrap().is_empty());
    let listed = records.footage_segments(node, Some(7), 10).await.unwrap();
    assert_eq!(listed, [lot[1].segment.clone(), lot[2].segment.clone()]);
    let known = records.known_footage(node).await.unwrap();
    assert_eq!(known[0], Known { id: 7, disk: 1, place: Place::Local, bytes: 10_007 });
    assert_eq!(known.len(), 3);
    reader.close().await.unwrap();
}

#[tokio::test]
async fn pages_go_on_behind_the_last_row_also_among_equal_starts() {
    let records = open().await;
    let node = records.footage_node("north").await.unwrap();
    let lot: Vec<_> = (1..=7).map(|id| sealed(id, &[(key("a"), part(100, 200))])).collect();
    records.insert_footage(node, &lot).await.unwrap();
    let no = records.footage_streams(node).await.unwrap()[0].no;
    let mut reader = records.footage_reader().await.unwrap();
    let (mut seen, mut last) = (Vec::new(), None);
    loop {
        let page = reader.near(no, (Timestamp(0), Timestamp(101)), last.as_ref(), 2).await.unwrap();
        let Some(end) = page.last() else { break };
        seen.extend(page.iter().map(|found| found.segment));
        last = Some(*end);
    }
    assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7]);
    assert!(reader.near(no, (Timestamp(0), Timestamp(100)), None, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn putting_in_again_changes_nothing_and_other_contents_replace() {
    let records = open().await;
    let node = records.footage_node("north").await.unwrap();
    let first = sealed(4, &[(key("a"), part(0, 100)), (key("b"), part(0, 50))]);
    for _ in 0..2 {
        records.insert_footage(node, &[first.clone(), first.clone()]).await.unwrap();
    }
    records.set_footage_place(node, &[4], Place::Both).await.unwrap();
    records.insert_footage(node, std::slice::from_ref(&first)).await.unwrap();
    let streams = records.footage_streams(node).await.unwrap();
    assert_eq!(
        streams.iter().map(|stream| (stream.parts, stream.gops)).collect::<Vec<_>>(),
        [(1, 3), (1, 3)]
    );
    assert_eq!(records.footage_segments(node, None, 9).await.unwrap()[0].place, Place::Both);

    let mut second = sealed(4, &[(key("a"), part(20, 60))]);
    second.segment.bytes += 1;
    records.insert_footage(node, &[second]).await.unwrap();
    let streams = records.footage_streams(node).await.unwrap();
    assert_eq!(streams.len(), 1);
    assert_eq!((streams[0].gops, streams[0].last_gop_end), (3, Some(Timestamp(60))));
}

#[tokio::test]
async fn nodes_do_not_see_each_others_footage_and_one_is_cleared_alone() {
    let records = open().await;
    let (north, south) =
        (records.footage_node("north").await.unwrap(), records.footage_node("south").await.unwrap());
    assert_eq!(records.footage_node("north").await.unwrap(), north);
    for node in [north, south] {
        records.insert_footage(node, &[sealed(1, &[(key("a"), part(0, 9))])]).await.unwrap();
    }
    records.clear_footage(north).await.unwrap();
    assert!(records.known_footage(north).await.unwrap().is_empty());
    assert!(records.footage_streams(north).await.unwrap().is_empty());
    assert_eq!(records.known_footage(south).await.unwrap().len(), 1);
    assert_eq!(records.footage_streams(south).await.unwrap()[0].gops, 3);
    records.clear_footage(south).await.unwrap();
    for table in ["footage_parts", "footage_keys", "footage_segments"] {
        let count = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}")));
        assert_eq!(count.fetch_one(records.readers()).await.unwrap().get::<i64, _>(0), 0, "{table}");
    }
}

#[tokio::test]
async fn times_that_make_no_sense_are_stored_and_found() {
    let records = open().await;
    let node = records.footage_node("north").await.unwrap();
    let lot = [
        sealed(1, &[(key("a"), part(i64::MIN, i64::MAX))]),
        sealed(2, &[(key("a"), part(0, 10))]),
        sealed(3, &[(key("a"), part(i64::MAX - 5, i64::MAX))]),
        sealed(4, &[(key("a"), part(3, 3 + NEAR_US + 1))]),
    ];
    records.insert_footage(node, &lot).await.unwrap();
    let streams = records.footage_streams(node).await.unwrap();
    assert_eq!((streams[0].far, streams[0].longest_us), (2, 10));
    assert_eq!(streams[0].first, Some(Timestamp(-TIME_LIMIT_US)));
    let mut reader = records.footage_reader().await.unwrap();
    let far: Vec<_> = reader.far(streams[0].no).await.unwrap().iter().map(|found| found.segment).collect();
    assert_eq!(far, [1, 4]);
    let near = reader.near(streams[0].no, ALWAYS, None, 9).await.unwrap();
    assert_eq!(places(&near), [(2, part(0, 10)), (3, part(i64::MAX, i64::MAX).clamped())]);
    records.remove_footage(node, &[1, 2, 3, 4]).await.unwrap();
    assert!(records.footage_streams(node).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_damaged_list_of_keys_names_the_way_out() {
    let records = open().await;
    let node = records.footage_node("north").await.unwrap();
    records.insert_footage(node, &[sealed(1, &[(key("a"), part(0, 9))])]).await.unwrap();
    sqlx::query("UPDATE footage_keys SET keys = X'FF'").execute(records.writer()).await.unwrap();
    let error = records.remove_footage(node, &[1]).await.unwrap_err().to_string();
    assert!(error.contains("--rebuild"), "{error}");
    records.clear_footage(node).await.unwrap();
}

/// One step of a random history.
#[derive(Debug, Clone)]
enum Step {
    Insert { id: u64, variant: u8, parts: Vec<(u8, i64, i64, bool)> },
    Remove(Vec<u64>),
    Place(u64, u8),
}

fn step() -> impl Strategy<Value = Step> {
    let part = (0u8..4, -50i64..50, 0i64..40, any::<bool>());
    let insert = (1u64..9, 0u8..2, proptest::collection::vec(part, 1..5));
    prop_oneof![
        4 => insert.prop_map(|(id, variant, parts)| Step::Insert { id, variant, parts }),
        2 => proptest::collection::vec(1u64..10, 1..4).prop_map(Step::Remove),
        1 => (1u64..9, 0u8..3).prop_map(|(id, place)| Step::Place(id, place)),
    ]
}

fn made(id: u64, variant: u8, parts: &[(u8, i64, i64, bool)]) -> Sealed {
    let parts: BTreeMap<StreamKey, Part> = parts
        .iter()
        .map(|(stream, from, length, gap)| {
            let kind = if stream % 2 == 0 { StreamKind::Main } else { StreamKind::Sub };
            let stream = StreamKey { camera: format!("c-{}", stream / 2).parse().unwrap(), stream: kind };
            // Every fourth length is far beyond what is found by its start.
            let length = if length % 4 == 3 { NEAR_US + length } else { *length };
            let (from, to) = (Timestamp(*from), Timestamp(from + length));
            let gap_part =
                Part { gaps: 1, missing: Some((from, to)), known_until: Some(to), ..Part::default() };
            (stream, if *gap { gap_part } else { part(from.0, to.0) })
        })
        .collect();
    let mut sealed = sealed(id, &parts.into_iter().collect::<Vec<_>>());
    sealed.segment.sealed_at = Timestamp(i64::from(variant));
    sealed
}

async fn compare(records: &TestRecords, node: NodeNo, reader: &mut Reader, naive: &BTreeMap<u64, Sealed>) {
    let segments: Vec<_> = naive.values().map(|sealed| sealed.segment.clone()).collect();
    assert_eq!(records.footage_segments(node, None, 99).await.unwrap(), segments);
    let mut streams: BTreeMap<StreamKey, Vec<(u64, Part)>> = BTreeMap::new();
    for (id, sealed) in naive {
        for (key, part) in &sealed.parts {
            streams.entry(*key).or_default().push((*id, *part));
        }
    }
    let found = records.footage_streams(node).await.unwrap();
    assert_eq!(
        found.iter().map(|stream| stream.key).collect::<Vec<_>>(),
        streams.keys().copied().collect::<Vec<_>>()
    );
    for (stream, parts) in found.iter().zip(streams.values()) {
        let sum = |of: fn(&Part) -> u64| parts.iter().map(|(_, part)| of(part)).sum::<u64>();
        assert_eq!((stream.parts, stream.far), (parts.len() as u64, sum(|part| u64::from(part.is_far()))));
        assert_eq!((stream.gops, stream.gaps), (sum(|part| part.gops.into()), sum(|part| part.gaps.into())));
        assert_eq!(stream.bytes, sum(|part| part.bytes));
        assert_eq!(stream.first, parts.iter().filter_map(|(_, part)| part.footage).map(|hull| hull.0).min());
        assert_eq!(stream.last_gop_end, parts.iter().rev().find_map(|(_, part)| part.last_gop_end));
        assert_eq!(stream.known_until, parts.last().unwrap().1.known_until);
        assert!(parts.iter().all(|(_, part)| part.hull().1 <= stream.until));
        let near = |part: &Part| !part.is_far();
        let long = |part: &Part| part.hull().1.0 - part.hull().0.0 > stream.longest_us;
        assert!(!parts.iter().any(|(_, part)| near(part) && long(part)));
        let mut by_start: Vec<_> = parts.iter().filter(|(_, part)| near(part)).copied().collect();
        by_start.sort_by_key(|(_, part)| part.hull().0);
        let starts = |found: &[PartPlace]| found.iter().map(|found| found.start).collect::<Vec<_>>();
        let all = reader.near(stream.no, ALWAYS, None, 99).await.unwrap();
        let expected: Vec<_> = by_start.iter().map(|(_, part)| part.hull().0).collect();
        assert_eq!(starts(&all), expected);
        let mut both = [places(&all), by_start.clone()];
        both.iter_mut().for_each(|list| list.sort_by_key(|(id, _)| *id));
        assert_eq!(both[0], both[1]);
        for at in [-20, 0, 20].map(Timestamp) {
            let before: Vec<_> =
                expected.iter().rev().filter(|start| **start <= at).take(2).copied().collect();
            assert_eq!(starts(&reader.before(stream.no, at, 2).await.unwrap()), before);
            let after: Vec<_> = expected.iter().filter(|start| **start > at).take(2).copied().collect();
            assert_eq!(starts(&reader.after(stream.no, at, 2).await.unwrap()), after);
        }
        let far = reader.far(stream.no).await.unwrap();
        assert_eq!(far.len() as u64, stream.far);
    }
    let classes = records.footage_classes(node).await.unwrap();
    let total = |class: u8| segments.iter().filter(move |segment| segment.class == class);
    for found in &classes {
        assert_eq!(found.segments, total(found.class).count() as u64);
        let local = total(found.class).filter(|segment| segment.place != Place::Tier);
        assert_eq!(found.local_bytes, local.map(|segment| segment.bytes).sum::<u64>());
    }
    assert_eq!(classes.iter().map(|class| class.segments).sum::<u64>(), segments.len() as u64);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn any_history_leaves_what_a_plain_map_holds(steps in proptest::collection::vec(step(), 1..14)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let records = open().await;
            let node = records.footage_node("north").await.unwrap();
            let mut reader = records.footage_reader().await.unwrap();
            let mut naive: BTreeMap<u64, Sealed> = BTreeMap::new();
            for step in steps {
                match step {
                    Step::Insert { id, variant, parts } => {
                        let new = made(id, variant, &parts);
                        // The same root, size and time mean the same contents, and stay as they are.
                        let same = |had: &Sealed| had.segment.sealed_at == new.segment.sealed_at;
                        if !naive.get(&id).is_some_and(same) {
                            naive.insert(id, new.clone());
                        }
                        records.insert_footage(node, &[new]).await.unwrap();
                    }
                    Step::Remove(ids) => {
                        naive.retain(|id, _| !ids.contains(id));
                        records.remove_footage(node, &ids).await.unwrap();
                    }
                    Step::Place(id, place) => {
                        let place = Place::from_code(i64::from(place)).unwrap();
                        if let Some(sealed) = naive.get_mut(&id) {
                            sealed.segment.place = place;
                        }
                        records.set_footage_place(node, &[id], place).await.unwrap();
                    }
                }
                compare(&records, node, &mut reader, &naive).await;
            }
        });
    }
}
