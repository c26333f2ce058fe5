//! Store and catalogue together: what is filed, what is trusted, and what happens when one of them is older or gone.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use sightline_model::{
    Timestamp,
    media::{Gop, RunId, StreamKey},
};
use sightline_records::{Config as RecordsConfig, Records};

use super::{all, read_all};
use crate::{
    Config, Error, Footage, Recovery, Seams,
    catalogue::{
        Catalogue, ClassTotal, Hull, Known, MemoryCatalogue, Part, PartPlace, Place, Sealed, SealedSegment,
        SqlCatalogue, StreamTotal,
    },
    disk::sim::SimDisk,
    rebuild::rebuild_on,
    store::NewDisk,
    testkit::{config, gop_of, key, new_disk, push, recorded, s, seams, until},
};

/// A catalogue that refuses new rows while it is told to.
#[derive(Debug, Default)]
struct Refusing {
    rows: MemoryCatalogue,
    refuses: AtomicBool,
}

impl Catalogue for Refusing {
    fn known(&self) -> Result<Vec<Known>, Error> {
        self.rows.known()
    }
    fn segments(&self, after: Option<u64>, limit: usize) -> Result<Vec<SealedSegment>, Error> {
        self.rows.segments(after, limit)
    }
    fn streams(&self) -> Result<Vec<StreamTotal>, Error> {
        self.rows.streams()
    }
    fn classes(&self) -> Result<Vec<ClassTotal>, Error> {
        self.rows.classes()
    }
    fn insert(&self, sealed: &[Sealed]) -> Result<(), Error> {
        if self.refuses.load(Ordering::SeqCst) { Err(Error::Stopped) } else { self.rows.insert(sealed) }
    }
    fn remove(&self, ids: &[u64]) -> Result<(), Error> {
        self.rows.remove(ids)
    }
    fn clear(&self) -> Result<(), Error> {
        self.rows.clear()
    }
    fn set_place(&self, ids: &[u64], place: Place) -> Result<(), Error> {
        self.rows.set_place(ids, place)
    }
    fn near(
        &self,
        key: StreamKey,
        starts: Hull,
        after: Option<&PartPlace>,
        limit: usize,
    ) -> Result<Vec<PartPlace>, Error> {
        self.rows.near(key, starts, after, limit)
    }
    fn before(&self, key: StreamKey, at: Timestamp, limit: usize) -> Result<Vec<PartPlace>, Error> {
        self.rows.before(key, at, limit)
    }
    fn after(&self, key: StreamKey, at: Timestamp, limit: usize) -> Result<Vec<PartPlace>, Error> {
        self.rows.after(key, at, limit)
    }
    fn far(&self, key: StreamKey) -> Result<Vec<PartPlace>, Error> {
        self.rows.far(key)
    }
}

fn open_with(disks: Vec<NewDisk>, catalogue: Arc<dyn Catalogue>) -> (Footage, Recovery) {
    let seams = Seams { catalogue: Some(catalogue), ..seams() };
    Footage::open_on(disks, Config { lanes: 1, ..config() }, seams, s(0)).unwrap()
}

const CAMERAS: [&str; 3] = ["a", "b", "c"];

/// Records `count` GOPs of each camera from `first` on, each in a segment of about three.
async fn record(footage: &Footage, first: u32, count: u32) -> BTreeMap<StreamKey, Vec<Gop>> {
    let mut pushed: BTreeMap<StreamKey, Vec<Gop>> = BTreeMap::new();
    let mut writers: Vec<_> =
        CAMERAS.iter().map(|camera| (key(camera), recorded(footage, key(camera)))).collect();
    for number in first..first + count {
        for (key, writer) in &mut writers {
            let gop = gop_of(i64::from(number) * 1000, 1000, RunId(1), number, 0, 7000);
            push(writer, &gop);
            pushed.entry(*key).or_default().push(gop);
        }
        footage.flush().await.unwrap();
    }
    pushed
}

async fn holds(footage: &Footage, pushed: &BTreeMap<StreamKey, Vec<Gop>>) {
    for (key, gops) in pushed {
        assert_eq!(read_all(footage, *key).await, *gops, "{key}");
        for gop in gops.iter().step_by(5) {
            let found = footage.nearest(*key, gop.start.at.plus_micros(700)).await.unwrap().unwrap();
            assert_eq!(found.number, gop.start.number);
        }
    }
}

/// Everything a catalogue says, in an order of its own.
fn dump(catalogue: &dyn Catalogue) -> (Vec<SealedSegment>, Vec<(StreamKey, u64, Part)>) {
    let mut parts = Vec::new();
    for stream in catalogue.streams().unwrap() {
        let near = catalogue.near(stream.key, (Timestamp(i64::MIN), Timestamp(i64::MAX)), None, usize::MAX);
        for found in near.unwrap().into_iter().chain(catalogue.far(stream.key).unwrap()) {
            parts.push((stream.key, found.segment, found.part));
        }
    }
    parts.sort_by_key(|(key, segment, _)| (*key, *segment));
    (catalogue.segments(None, usize::MAX).unwrap(), parts)
}

#[tokio::test]
async fn sealed_segments_leave_memory_and_are_trusted_at_the_next_start() {
    let disk = SimDisk::default();
    let catalogue = Arc::new(MemoryCatalogue::default());
    let (footage, recovery) = open_with(vec![new_disk(&disk)], Arc::<MemoryCatalogue>::clone(&catalogue));
    assert_eq!(recovery.filed, 0);
    let pushed = record(&footage, 0, 30).await;
    until(|| (footage.shared().index.read().stored_segments > 3).then_some(())).await;
    holds(&footage, &pushed).await;
    footage.shutdown().await.unwrap();
    {
        let index = footage.shared().index.read();
        assert!(index.segments.is_empty(), "all are filed once the store is shut down");
        assert!(index.streams.values().all(|stream| stream.parts.is_empty()));
    }
    assert_eq!(footage.metrics().segments, disk.names().len() as u64);
    holds(&footage, &pushed).await;

    let (reopened, recovery) = open_with(vec![new_disk(&disk)], catalogue);
    assert_eq!((recovery.filed, recovery.rescanned, recovery.gone), (0, 0, 0), "{recovery}");
    assert_eq!((recovery.gops, recovery.streams), (90, 3));
    holds(&reopened, &pushed).await;
    assert_eq!(reopened.last_synced(key("a")), Some(s(30)));
}

#[tokio::test]
async fn a_catalogue_that_refuses_hides_nothing_and_the_next_start_files_it() {
    let disk = SimDisk::default();
    let catalogue = Arc::new(Refusing::default());
    let (footage, _) = open_with(vec![new_disk(&disk)], Arc::<Refusing>::clone(&catalogue));
    catalogue.refuses.store(true, Ordering::SeqCst);
    let pushed = record(&footage, 0, 20).await;
    holds(&footage, &pushed).await;
    footage.shutdown().await.unwrap();
    holds(&footage, &pushed).await;
    assert!(catalogue.known().unwrap().is_empty());
    // A process that is killed between sealing and filing leaves the same.
    catalogue.refuses.store(false, Ordering::SeqCst);
    let (reopened, recovery) = open_with(vec![new_disk(&disk)], catalogue);
    assert_eq!(recovery.filed, disk.names().len() as u64);
    assert!(recovery.to_string().contains("new to the catalogue"), "{recovery}");
    holds(&reopened, &pushed).await;
}

#[tokio::test]
async fn an_older_catalogue_removes_no_footage_and_learns_what_is_new() {
    let disk = SimDisk::default();
    let catalogue = Arc::new(MemoryCatalogue::default());
    let (footage, _) = open_with(vec![new_disk(&disk)], Arc::<MemoryCatalogue>::clone(&catalogue));
    let mut pushed = record(&footage, 0, 15).await;
    footage.shutdown().await.unwrap();
    drop(footage);
    let older = MemoryCatalogue::default();
    older.insert(&sealed_of(&*catalogue)).unwrap();
    let (footage, _) = open_with(vec![new_disk(&disk)], catalogue);
    for (key, gops) in record(&footage, 15, 15).await {
        pushed.entry(key).or_default().extend(gops);
    }
    footage.shutdown().await.unwrap();
    drop(footage);
    let names = disk.names();
    let (restored, recovery) = open_with(vec![new_disk(&disk)], Arc::new(older));
    assert_eq!(disk.names(), names, "nothing was removed");
    assert!(recovery.filed > 0 && recovery.gone == 0, "{recovery}");
    assert_eq!(recovery.gops, 90);
    holds(&restored, &pushed).await;
}

/// What a catalogue holds, as it was put in.
fn sealed_of(catalogue: &dyn Catalogue) -> Vec<Sealed> {
    let (segments, parts) = dump(catalogue);
    let of = |id: u64| parts.iter().filter(move |(_, segment, _)| *segment == id);
    let sealed = |segment: SealedSegment| Sealed {
        parts: of(segment.id).map(|(key, _, part)| (*key, *part)).collect(),
        segment,
    };
    segments.into_iter().map(sealed).collect()
}

#[tokio::test]
async fn rows_of_a_file_that_went_are_struck_off_and_the_rest_is_found() {
    let disk = SimDisk::default();
    let catalogue = Arc::new(MemoryCatalogue::default());
    let (footage, _) = open_with(vec![new_disk(&disk)], Arc::<MemoryCatalogue>::clone(&catalogue));
    record(&footage, 0, 12).await;
    footage.shutdown().await.unwrap();
    drop(footage);
    let name = disk.names().remove(0);
    crate::disk::Disk::remove(&disk, &name).unwrap();
    let (reopened, recovery) = open_with(vec![new_disk(&disk)], catalogue);
    assert_eq!((recovery.gone, recovery.filed), (1, 0), "{recovery}");
    let left = all(&reopened, key("a")).await;
    assert!(!left.is_empty() && left.len() < 12 && left[0].number > 0);
}

#[tokio::test]
async fn a_disk_that_is_not_there_keeps_its_rows_and_comes_back_with_everything() {
    let disks = [SimDisk::default(), SimDisk::with_seed(1)];
    let catalogue = Arc::new(MemoryCatalogue::default());
    let both = || disks.iter().map(new_disk).collect::<Vec<_>>();
    let (footage, _) = open_with(both(), Arc::<MemoryCatalogue>::clone(&catalogue));
    let pushed = record(&footage, 0, 12).await;
    footage.shutdown().await.unwrap();
    drop(footage);
    let rows = dump(&*catalogue);
    let missing = disks.iter().position(|disk| !disk.names().is_empty()).unwrap();
    let kept = rows.0.iter().filter(|segment| usize::from(segment.disk) == missing).count() as u64;
    let empty = SimDisk::default();
    for instead in [None, Some(&empty)] {
        // Out, or there and empty as if it were not mounted.
        let mut now = both();
        match instead {
            None => now[missing].out = Some("no such device".to_owned()),
            Some(empty) => now[missing] = new_disk(empty),
        }
        let (footage, recovery) = open_with(now, Arc::<MemoryCatalogue>::clone(&catalogue));
        assert_eq!((recovery.away, recovery.gone), (kept, 0), "{recovery}");
        assert!(recovery.to_string().contains("not there"), "{recovery}");
        for key in pushed.keys() {
            // No error, whether its footage can be had or not.
            all(&footage, *key).await;
        }
        footage.shutdown().await.unwrap();
        assert_eq!(dump(&*catalogue), rows);
    }
    let (footage, recovery) = open_with(both(), catalogue);
    assert_eq!((recovery.away, recovery.filed), (0, 0), "{recovery}");
    holds(&footage, &pushed).await;
}

#[tokio::test]
async fn a_rebuilt_catalogue_equals_the_original_also_from_damaged_footers() {
    let disk = SimDisk::default();
    let catalogue = Arc::new(MemoryCatalogue::default());
    let (footage, _) = open_with(vec![new_disk(&disk)], Arc::<MemoryCatalogue>::clone(&catalogue));
    let pushed = record(&footage, 0, 15).await;
    footage.shutdown().await.unwrap();
    drop(footage);
    catalogue.set_place(&[1], Place::Both).unwrap();
    let original = dump(&*catalogue);
    let mut progress = Vec::new();
    let again = |told: &mut Vec<(u64, u64)>| {
        let mut tell = |done, all| told.push((done, all));
        rebuild_on(&[new_disk(&disk)], &config(), &*catalogue, s(99), &mut tell).unwrap()
    };
    let recovery = again(&mut progress);
    let count = original.0.len() as u64;
    assert_eq!((recovery.filed, recovery.footers_rebuilt), (count, 0), "{recovery}");
    assert_eq!(progress.last(), Some(&(count, count)));
    assert_eq!(dump(&*catalogue), original);

    // An index block, a directory, a trailer: each of another segment.
    let names = disk.names();
    for (name, from_end) in names.iter().zip([None, Some(150), Some(20)]) {
        let mut bytes = disk.read(name);
        let records_end = original.0[names.iter().position(|other| other == name).unwrap()].records_end;
        let at = from_end.map_or(usize::try_from(records_end).unwrap(), |back| bytes.len() - back);
        bytes[at] ^= 1;
        disk.put(name, bytes);
    }
    let recovery = again(&mut progress);
    assert_eq!((recovery.footers_rebuilt, recovery.damaged), (3, 0), "{recovery}");
    let (mut segments, parts) = dump(&*catalogue);
    for (segment, original) in segments.iter_mut().zip(&original.0) {
        // Sealed anew, with the same contents.
        segment.sealed_at = original.sealed_at;
    }
    assert_eq!((segments, parts), original);
    let (footage, recovery) = open_with(vec![new_disk(&disk)], catalogue);
    assert!(recovery.was_clean() && recovery.filed == 0, "{recovery}");
    holds(&footage, &pushed).await;
}

#[tokio::test]
async fn segments_that_are_forgotten_are_not_found_any_more_also_not_in_a_cache() {
    let disk = SimDisk::default();
    let catalogue = Arc::new(MemoryCatalogue::default());
    let (footage, _) = open_with(vec![new_disk(&disk)], Arc::<MemoryCatalogue>::clone(&catalogue));
    let pushed = record(&footage, 0, 20).await;
    until(|| (footage.shared().index.read().stored_segments >= 2).then_some(())).await;
    holds(&footage, &pushed).await;
    // One that is filed, and one that is still written to.
    let (first, last) = (1, footage.list_segments().unwrap().last().unwrap().id);
    footage.shared().forget_segments(&[first, last]).unwrap();
    let left = footage.list_segments().unwrap();
    assert!(left.iter().all(|segment| segment.id != first && segment.id != last) && !left.is_empty());
    for key in pushed.keys() {
        let entries = all(&footage, *key).await;
        assert!(!entries.is_empty() && entries.len() < 20);
        let from = entries[0].start;
        assert!(from > s(0));
        let timeline = footage.timeline(*key, super::range(0, 20), s(20)).await.unwrap();
        assert_eq!(
            timeline.spans[0].range.from, from,
            "the timeline begins with the first footage that is left"
        );
    }
    assert!(catalogue.known().unwrap().iter().all(|known| known.id != first && known.id != last));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_over_the_records_database_is_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let records_config =
        RecordsConfig { path: dir.path().join("records.sqlite"), ..RecordsConfig::default() };
    let disk = SimDisk::default();
    let mut pushed: BTreeMap<StreamKey, Vec<Gop>> = BTreeMap::new();
    for round in 0..3u32 {
        let records = Records::open(&records_config).await.unwrap();
        let catalogue = Arc::new(SqlCatalogue::open(records.clone(), "north").await.unwrap());
        let disks = vec![new_disk(&disk)];
        let (footage, recovery) =
            tokio::task::spawn_blocking(move || open_with(disks, catalogue)).await.unwrap();
        assert_eq!((recovery.filed, recovery.gops), (0, u64::from(round) * 36), "{recovery}");
        holds(&footage, &pushed).await;
        for (key, gops) in record(&footage, round * 12, 12).await {
            pushed.entry(key).or_default().extend(gops);
        }
        holds(&footage, &pushed).await;
        footage.shutdown().await.unwrap();
        holds(&footage, &pushed).await;
        drop(footage);
        records.close().await;
    }
}
