//! A store on a simulated disk, cameras that feed it, and everything that can happen to them.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use rand::{RngExt, SeedableRng, rngs::SmallRng};
use sightline_model::{Timestamp, gap::GapReason, tail::TailItem};

use super::{
    camera::{Camera, Shape},
    check::{Allowed, ask, check_stream, check_watermarks},
    naive::Naive,
};
use crate::{
    Config, DiskState, Error, Footage, Recovery, Seams, Watermarks,
    crypt::memory::MemoryKeys,
    disk::sim::SimDisk,
    testkit::{config, key, new_disk, recorded, until_async},
};

/// Prints what happened when a history fails.
#[derive(Default)]
struct Log(Vec<String>);

impl Drop for Log {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for (number, step) in self.0.iter().enumerate() {
                eprintln!("{number:4}  {step}");
            }
        }
    }
}

/// See the module's words.
pub(super) struct World {
    pub(super) rng: SmallRng,
    pub(super) disks: Vec<SimDisk>,
    pub(super) keys: Arc<MemoryKeys>,
    config: Config,
    pub(super) footage: Footage,
    pub(super) cameras: Vec<(Camera, Naive)>,
    marks: Watermarks,
    /// Faults were put in since everything was well last.
    pub(super) trouble: bool,
    /// No key can be had, so nothing can be read either.
    pub(super) locked: bool,
    /// Segments in which a bit has flipped.
    pub(super) rotten: BTreeSet<u64>,
    log: Log,
}

/// The clock of all histories begins here, microseconds.
const BEGIN_US: i64 = 1_795_000_000_000_000;

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed);
        let count = pick(&mut rng, &[1, 1, 2, 3]);
        let disks: Vec<_> = (0..count).map(|_| SimDisk::with_seed(rng.random())).collect();
        let keys = Arc::new(MemoryKeys::default());
        let config = draw_config(&mut rng);
        let (footage, _) = open(&disks, &config, &keys).unwrap();
        let cameras = ["a", "b", "c"].map(|name| (Camera::new(key(name), BEGIN_US), Naive::default())).into();
        let (marks, log) =
            (Watermarks::default(), Log(vec![format!("seed {seed}, {count} disks: {config:?}")]));
        let (trouble, locked, rotten) = (false, false, BTreeSet::new());
        let mut world =
            Self { rng, disks, keys, config, footage, cameras, marks, trouble, locked, rotten, log };
        world.claim();
        world
    }

    /// Goes one step on and checks what must always hold.
    pub(super) async fn step(&mut self) {
        match self.rng.random_range(0..100) {
            0..40 => self.record(),
            40..46 => self.jump(),
            46..51 => self.change(),
            51..57 => self.absent(),
            57..67 => self.flush().await,
            67..71 => self.restart().await,
            71..76 => self.crash(false).await,
            76..78 => self.crash(true).await,
            78..84 => self.fail(),
            84..87 => self.fill(),
            87..88 => self.lock(),
            88..91 => self.slow().await,
            91..93 => self.rot().await,
            _ => self.ask().await,
        }
        let marks = self.footage.watermarks();
        check_watermarks(self.marks, marks);
        self.marks = marks;
    }

    /// The end of a history: everything is well again, and everything is there.
    pub(super) async fn finish(&mut self) {
        self.flush().await;
        self.restart().await;
        self.ask().await;
        self.crash(false).await;
    }

    pub(super) fn say(&mut self, what: impl Into<String>) {
        self.log.0.push(what.into());
    }

    pub(super) fn any(&mut self) -> usize {
        self.rng.random_range(0..self.cameras.len())
    }

    fn claim(&mut self) {
        for (camera, naive) in &mut self.cameras {
            camera.writer = Some(recorded(&self.footage, camera.key));
            naive.complete();
        }
    }

    pub(super) fn record(&mut self) {
        let index = self.any();
        for _ in 0..self.rng.random_range(1..4) {
            let shape = Shape::draw(&mut self.rng);
            let pause_us = if self.rng.random_ratio(1, 4) { self.rng.random_range(0..9_000_000) } else { 0 };
            let (camera, naive) = &mut self.cameras[index];
            camera.at = camera.at.plus_micros(pause_us);
            let (run, number, at) = (camera.run, camera.number, camera.at);
            let what = format!("{} run {run} GOP {number} at {at}: {shape:?}", camera.key);
            naive.push(camera.push(shape));
            self.say(what);
        }
    }

    fn jump(&mut self) {
        let index = self.any();
        let by_us = match self.rng.random_range(0..4) {
            0 => self.rng.random_range(-3_600_000_000..3_600_000_000),
            _ => self.rng.random_range(-30_000_000..30_000_000),
        };
        let (camera, naive) = &mut self.cameras[index];
        camera.new_run(by_us);
        // What was open is cut by the next GOP, or by the flag that the stream is gone.
        camera.writer = None;
        camera.writer = Some(recorded(&self.footage, camera.key));
        naive.complete();
        let what = format!("{} jumps by {by_us} us, run {}", camera.key, camera.run);
        self.say(what);
    }

    fn change(&mut self) {
        let index = self.any();
        self.cameras[index].0.change(&mut self.rng);
        if self.rng.random_ratio(1, 3) {
            let class = self.rng.random_range(0..3);
            self.footage.set_class(self.cameras[index].0.key, class);
            self.say(format!("{} is of class {class}", self.cameras[index].0.key));
        }
    }

    fn absent(&mut self) {
        let index = self.any();
        let reason = GapReason::from_code(self.rng.random_range(0..12));
        let (camera, naive) = &mut self.cameras[index];
        naive.complete();
        let since = camera.at;
        if let Some(writer) = &mut camera.writer {
            writer.push(TailItem::Absent { since, reason });
        }
        let what = format!("{} is absent: {reason:?}", camera.key);
        self.say(what);
    }

    /// Heals the disks and flushes: then everything that is complete and was not let go is there, and safe.
    pub(super) async fn flush(&mut self) {
        if self.trouble {
            let said = self.footage.flush().await.map_err(|error| error.to_string());
            self.say(format!("flush in trouble: {said:?}"));
            if said.is_ok() && !self.locked {
                self.check(Allowed::LetGo).await;
            }
            self.disks.iter().for_each(SimDisk::heal);
            self.keys.fail(false);
            self.locked = false;
            self.say("heal");
        }
        let footage = &self.footage;
        until_async(async || footage.flush().await.ok()).await;
        let state = self.footage.disk_state();
        assert!(matches!(state, DiskState::Writing | DiskState::Out { .. }), "{state:?}");
        let allowed = self.allowed();
        self.say(format!("flushed: {allowed:?}, {state:?}"));
        if self.trouble && self.rng.random::<bool>() {
            self.disks.iter().for_each(SimDisk::forget_clean_pages);
        }
        self.trouble = false;
        self.check(allowed).await;
    }

    /// What is complete is there, unless the store says that it let something go.
    fn allowed(&self) -> Allowed {
        if self.footage.metrics().gops_dropped == 0 { Allowed::Nothing } else { Allowed::LetGo }
    }

    pub(super) async fn check(&mut self, allowed: Allowed) {
        for (camera, naive) in &mut self.cameras {
            check_stream(&self.footage, camera.key, naive, allowed, Some(&self.rotten)).await;
        }
    }

    async fn restart(&mut self) {
        self.flush().await;
        self.footage.shutdown().await.unwrap();
        let allowed = self.allowed();
        self.say("restart");
        self.reopen();
        // The shutdown closed what was open.
        self.check(allowed).await;
    }

    /// Opens the store anew, with another configuration.
    pub(super) fn reopen(&mut self) {
        for (camera, _) in &mut self.cameras {
            camera.writer = None;
            camera.new_run(2_000_000);
        }
        self.config = draw_config(&mut self.rng);
        self.try_open();
        let (footage, recovery) = open(&self.disks, &self.config, &self.keys).unwrap();
        self.say(format!("{recovery}"));
        self.footage = footage;
        self.marks = Watermarks::default();
        self.claim();
    }

    /// Opens the store for nothing but to close it again.
    pub(super) fn open_once(&self) -> Result<(), Error> {
        open(&self.disks, &self.config, &self.keys).map(drop)
    }

    async fn ask(&mut self) {
        let index = self.any();
        let (camera, _) = &self.cameras[index];
        ask(&self.footage, camera.key, &mut self.rng, camera.at).await;
    }
}

fn open(disks: &[SimDisk], config: &Config, keys: &Arc<MemoryKeys>) -> Result<(Footage, Recovery), Error> {
    let seams = Seams { keys: Some(Arc::<MemoryKeys>::clone(keys)), ..Seams::default() };
    Footage::open_on(disks.iter().map(new_disk).collect(), config.clone(), seams, Timestamp(0))
}

pub(super) fn pick<T: Copy>(rng: &mut SmallRng, from: &[T]) -> T {
    from[rng.random_range(0..from.len())]
}

fn draw_config(rng: &mut SmallRng) -> Config {
    Config {
        segment_bytes: 64 << 10,
        lanes: rng.random_range(1..4),
        index_cache_bytes: pick(rng, &[2000, 1 << 20]),
        read_cache_bytes: pick(rng, &[0, 1 << 20]),
        tail_bytes: pick(rng, &[128 << 10, 1 << 20, 8 << 20]),
        commit_interval: pick(rng, &[Duration::from_millis(500), Duration::from_secs(3600)]),
        sync_interval: pick(rng, &[Duration::from_secs(3600), Duration::from_millis(2)]),
        ..config()
    }
}
