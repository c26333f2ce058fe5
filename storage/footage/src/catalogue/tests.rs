//! Both catalogues give the same answers after any history.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sightline_model::{
    Timestamp,
    media::{StreamKey, StreamKind},
};
use sightline_records::{Config, Records, footage::StreamNo};

use super::*;

/// Stream, start, length and form of a part.
type Drawn = (u8, i64, i64, u8);

/// One change of a random history.
#[derive(Debug, Clone)]
enum Step {
    Insert(Vec<(u64, u8, Vec<Drawn>)>),
    Remove(Vec<u64>),
    Place(Vec<u64>, u8),
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    let part = (0u8..4, -50i64..50, 0i64..40, 0u8..4);
    let segment = (1u64..12, 0u8..2, proptest::collection::vec(part, 1..5));
    let ids = || proptest::collection::vec(1u64..12, 1..4);
    prop_oneof![
        12 => proptest::collection::vec(segment, 1..4).prop_map(Step::Insert),
        6 => ids().prop_map(Step::Remove),
        3 => (ids(), 0u8..3).prop_map(|(ids, place)| Step::Place(ids, place)),
        1 => Just(Step::Clear),
    ]
}

fn stream(number: u8) -> StreamKey {
    let stream = if number.is_multiple_of(2) { StreamKind::Main } else { StreamKind::Sub };
    StreamKey { camera: format!("c-{}", number / 2).parse().unwrap(), stream }
}

fn part(from: i64, length: i64, form: u8) -> Part {
    let length = if length % 7 == 6 { NEAR_US + length } else { length };
    let hull = (Timestamp(from), Timestamp(from + length));
    let ends = Part { known_until: Some(hull.1), block_offset: 900, block_crc: 1 << 31, ..Part::default() };
    let missing = Some((Timestamp(from - 7), Timestamp(from + 2)));
    match form {
        0 => Part { gaps: 1, missing: Some(hull), ..ends },
        1 => Part {
            gops: 2,
            gaps: 3,
            footage: Some(hull),
            missing,
            last_gop_end: Some(Timestamp(from + 1)),
            ..ends
        },
        _ => Part { gops: 5, bytes: 1 << 33, footage: Some(hull), last_gop_end: Some(hull.1), ..ends },
    }
}

fn sealed(id: u64, variant: u8, parts: &[Drawn]) -> Sealed {
    let parts: BTreeMap<StreamKey, Part> =
        parts.iter().map(|(key, from, length, form)| (stream(*key), part(*from, *length, *form))).collect();
    let hulls = parts.values().filter_map(|part| part.footage);
    Sealed {
        segment: SealedSegment {
            id,
            disk: u8::try_from(id % 2).unwrap(),
            class: u8::try_from(id % 3).unwrap(),
            lane: 0,
            place: Place::Local,
            bytes: 1000 * id,
            records_end: 800,
            gops: parts.values().map(|part| u64::from(part.gops)).sum(),
            gaps: parts.values().map(|part| u64::from(part.gaps)).sum(),
            streams: parts.len() as u64,
            created: Timestamp(5),
            sealed_at: Timestamp(6),
            footage: hulls.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))),
            merkle_root: [variant; 32],
        },
        parts: parts.into_iter().collect(),
    }
}

fn apply(catalogue: &dyn Catalogue, step: &Step) {
    match step {
        Step::Insert(segments) => {
            let sealed: Vec<_> =
                segments.iter().map(|(id, variant, parts)| sealed(*id, *variant, parts)).collect();
            // The last one of an id counts.
            let sealed: BTreeMap<u64, Sealed> =
                sealed.into_iter().map(|sealed| (sealed.segment.id, sealed)).collect();
            catalogue.insert(&sealed.into_values().collect::<Vec<_>>()).unwrap();
        }
        Step::Remove(ids) => catalogue.remove(ids).unwrap(),
        Step::Place(ids, place) => {
            let place = [Place::Local, Place::Both, Place::Tier][usize::from(*place)];
            catalogue.set_place(ids, place).unwrap();
        }
        Step::Clear => catalogue.clear().unwrap(),
    }
}

/// Rows with what differs between the two by nature taken away: the database orders equal starts by insertion.
fn plain(parts: Result<Vec<PartPlace>, Error>) -> Vec<PartPlace> {
    let mut parts = parts.unwrap();
    parts.iter_mut().for_each(|part| part.order = 0);
    parts.sort_by_key(|part| (part.start, part.segment));
    parts
}

/// The same for a cut list, where among equal starts either may be left out.
fn starts(parts: Result<Vec<PartPlace>, Error>) -> Vec<Timestamp> {
    parts.unwrap().iter().map(|part| part.start).collect()
}

fn compare(memory: &dyn Catalogue, sql: &dyn Catalogue) {
    assert_eq!(memory.known().unwrap(), sql.known().unwrap());
    assert_eq!(memory.segments(Some(2), 5).unwrap(), sql.segments(Some(2), 5).unwrap());
    assert_eq!(memory.classes().unwrap(), sql.classes().unwrap());
    let (ours, theirs) = (memory.streams().unwrap(), sql.streams().unwrap());
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.into_iter().zip(theirs) {
        assert!(theirs.until >= ours.until && theirs.longest_us >= ours.longest_us);
        let (until, longest_us) = (ours.until, ours.longest_us);
        assert_eq!(ours, StreamTotal { no: StreamNo(0), until, longest_us, ..theirs });
    }
    let always = (Timestamp(i64::MIN), Timestamp(i64::MAX));
    for key in (0..5).map(stream) {
        assert_eq!(plain(memory.near(key, always, None, 99)), plain(sql.near(key, always, None, 99)));
        assert_eq!(plain(memory.far(key)), plain(sql.far(key)));
        for at in [-30, -1, 0, 17].map(Timestamp) {
            assert_eq!(starts(memory.before(key, at, 3)), starts(sql.before(key, at, 3)));
            assert_eq!(starts(memory.after(key, at, 3)), starts(sql.after(key, at, 3)));
            let starting = (at, Timestamp(at.0 + 20));
            assert_eq!(plain(memory.near(key, starting, None, 99)), plain(sql.near(key, starting, None, 99)));
        }
        for catalogue in [memory, sql] {
            let (mut paged, mut last) = (Vec::new(), None);
            while let Some(end) = {
                let page = catalogue.near(key, always, last.as_ref(), 2).unwrap();
                paged.extend(page.iter().copied());
                page.last().copied()
            } {
                last = Some(end);
            }
            assert_eq!(paged, catalogue.near(key, always, None, 99).unwrap());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, ..ProptestConfig::default() })]
    #[test]
    fn memory_and_database_agree_after_any_history(steps in proptest::collection::vec(step(), 1..10)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let config = Config { path: dir.path().join("records.sqlite"), ..Config::default() };
        let open = async || {
            let records = Records::open(&config).await.unwrap();
            SqlCatalogue::open(records, "north").await.unwrap()
        };
        let memory = MemoryCatalogue::default();
        let mut sql = runtime.block_on(open());
        for (number, step) in steps.iter().enumerate() {
            apply(&memory, step);
            apply(&sql, step);
            compare(&memory, &sql);
            if number % 4 == 3 {
                sql = runtime.block_on(open());
                compare(&memory, &sql);
            }
        }
    }
}
