//! A store on a simulated disk, cameras that feed it, and everything that can happen to them.

use std::{collections::BTreeSet, time::Duration};

use rand::{RngExt, SeedableRng, rngs::SmallRng};
use sightline_model::{Timestamp, gap::GapReason, tail::TailItem};

use super::{
    super::all,
    camera::{Camera, Shape},
    check::{Allowed, ask, check_stream, check_watermarks, lies_in},
    naive::Naive,
};
use crate::{
    Config, DiskState, Footage, Watermarks,
    disk::sim::{EIO, ENOSPC, EROFS, Failure, Op, SimDisk},
    testkit::{config, key, recorded, until_async},
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
    rng: SmallRng,
    disk: SimDisk,
    config: Config,
    footage: Footage,
    cameras: Vec<(Camera, Naive)>,
    marks: Watermarks,
    /// Faults were put in since everything was well last.
    trouble: bool,
    /// Segments in which a bit has flipped.
    rotten: BTreeSet<u64>,
    log: Log,
}

/// The clock of all histories begins here, microseconds.
const BEGIN_US: i64 = 1_795_000_000_000_000;

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed);
        let disk = SimDisk::with_seed(rng.random());
        let config = draw_config(&mut rng);
        let footage = Footage::open_on(std::sync::Arc::new(disk.clone()), None, config.clone(), Timestamp(0));
        let footage = footage.unwrap().0;
        let cameras = ["a", "b", "c"].map(|name| (Camera::new(key(name), BEGIN_US), Naive::default())).into();
        let (marks, log) = (Watermarks::default(), Log(vec![format!("seed {seed}: {config:?}")]));
        let mut world =
            Self { rng, disk, config, footage, cameras, marks, trouble: false, rotten: BTreeSet::new(), log };
        world.claim();
        world
    }

    /// Goes one step on and checks what must always hold.
    pub(super) async fn step(&mut self) {
        match self.rng.random_range(0..100) {
            0..40 => self.record(),
            40..46 => self.jump(),
            46..52 => self.change(),
            52..58 => self.absent(),
            58..68 => self.flush().await,
            68..72 => self.restart().await,
            72..77 => self.crash(false).await,
            77..79 => self.crash(true).await,
            79..85 => self.fail(),
            85..88 => self.fill(),
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

    fn say(&mut self, what: impl Into<String>) {
        self.log.0.push(what.into());
    }

    fn any(&mut self) -> usize {
        self.rng.random_range(0..self.cameras.len())
    }

    fn claim(&mut self) {
        for (camera, naive) in &mut self.cameras {
            camera.writer = Some(recorded(&self.footage, camera.key));
            naive.complete();
        }
    }

    fn record(&mut self) {
        let index = self.any();
        for _ in 0..self.rng.random_range(1..4) {
            let shape = Shape::draw(&mut self.rng);
            let pause_us = if self.rng.random_ratio(1, 4) { self.rng.random_range(0..9_000_000) } else { 0 };
            let (camera, naive) = &mut self.cameras[index];
            camera.at = camera.at.plus_micros(pause_us);
            let what = format!(
                "{} run {} GOP {} at {}: {shape:?}",
                camera.key, camera.run, camera.number, camera.at
            );
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

    /// Heals the disk and flushes: then everything that is complete and was not let go is there, and safe.
    async fn flush(&mut self) {
        if self.trouble {
            let said = self.footage.flush().await.is_ok();
            self.say(format!("flush in trouble: {said}"));
            if said {
                self.check(Allowed::LetGo).await;
            }
            self.disk.heal();
            self.say("heal");
        }
        let footage = &self.footage;
        until_async(async || footage.flush().await.ok()).await;
        assert_eq!(self.footage.disk_state(), DiskState::Writing);
        let allowed = self.allowed();
        self.say(format!("flushed: {allowed:?}"));
        if self.trouble && self.rng.random::<bool>() {
            self.disk.forget_clean_pages();
        }
        self.trouble = false;
        self.check(allowed).await;
    }

    /// What is complete is there, unless the store says that it let something go.
    fn allowed(&self) -> Allowed {
        if self.footage.metrics().gops_dropped == 0 { Allowed::Nothing } else { Allowed::LetGo }
    }

    async fn check(&mut self, allowed: Allowed) {
        for (camera, naive) in &mut self.cameras {
            check_stream(&self.footage, camera.key, naive, allowed, Some(&self.rotten)).await;
        }
    }

    async fn restart(&mut self) {
        self.flush().await;
        self.footage.shutdown().await.unwrap();
        let allowed = self.allowed();
        self.say("restart");
        self.reopen().await;
        // The shutdown closed what was open.
        self.check(allowed).await;
    }

    /// The machine loses its power, or the process is killed; sometimes what comes next fails at first.
    async fn crash(&mut self, kill: bool) {
        let seed = self.rng.random();
        self.say(format!("{} {seed}", if kill { "kill" } else { "crash" }));
        let image = if kill { self.disk.kill(seed) } else { self.disk.crash(seed) };
        self.disk = image;
        self.trouble = false;
        self.reopen().await;
        self.check(Allowed::Lost).await;
    }

    async fn reopen(&mut self) {
        for (camera, _) in &mut self.cameras {
            camera.writer = None;
            camera.new_run(2_000_000);
        }
        self.config = draw_config(&mut self.rng);
        let open = |world: &Self| {
            let disk = std::sync::Arc::new(world.disk.clone());
            Footage::open_on(disk, None, world.config.clone(), Timestamp(0))
        };
        if self.rng.random_ratio(1, 4) {
            let op = pick(
                &mut self.rng,
                &[Op::List, Op::Open, Op::Read, Op::Write, Op::Sync, Op::Length, Op::Remove],
            );
            let after = self.rng.random_range(0..6);
            self.disk.fail(Failure::once(op).after(after));
            let opened = open(self).map(drop);
            self.say(format!("open with a failure of {op:?} after {after}: {opened:?}"));
            self.disk.heal();
        }
        let (footage, recovery) = open(self).unwrap();
        self.say(format!("{recovery}"));
        self.footage = footage;
        self.marks = Watermarks::default();
        self.claim();
    }

    fn fail(&mut self) {
        let op = pick(
            &mut self.rng,
            &[Op::Write, Op::Sync, Op::SyncFolder, Op::Create, Op::Rename, Op::FreeSpace],
        );
        let errno = pick(&mut self.rng, &[EIO, EIO, ENOSPC, EROFS]);
        let failure = match self.rng.random_range(0..3) {
            0 => Failure::once(op),
            1 => Failure::times(op, self.rng.random_range(2..6)),
            _ => Failure::always(op),
        };
        let failure = failure.after(self.rng.random_range(0..3)).errno(errno);
        let drops = op == Op::Sync && self.rng.random::<bool>();
        let failure = if drops { failure.dropping_dirty_pages() } else { failure };
        self.say(format!("{failure:?}"));
        self.disk.fail(failure);
        self.trouble = true;
    }

    fn fill(&mut self) {
        let used = self.disk.used();
        let room = self.rng.random_range(0..60_000);
        let restless = if self.rng.random::<bool>() { self.rng.random_range(0..60_000) } else { 0 };
        self.say(format!("{room} bytes left, others hold up to {restless}"));
        self.disk.faults(|faults| {
            faults.capacity = Some(used + room);
            faults.restless_bytes = restless;
        });
        self.trouble = true;
    }

    /// The disk stands still while cameras go on: they are not held up, and questions are answered.
    async fn slow(&mut self) {
        let op = pick(&mut self.rng, &[Op::Write, Op::Sync]);
        self.say(format!("{op:?} stands still"));
        let gate = self.disk.shut(op);
        self.record();
        self.record();
        let index = self.any();
        let (camera, naive) = &mut self.cameras[index];
        check_stream(&self.footage, camera.key, naive, Allowed::Late, None).await;
        drop(gate);
    }

    /// A bit flips in a segment. What lies in that segment may be damaged, and nothing else.
    async fn rot(&mut self) {
        self.flush().await;
        let names: Vec<String> = self.disk.names();
        if names.is_empty() {
            return;
        }
        let name = pick(&mut self.rng, &names.iter().map(String::as_str).collect::<Vec<_>>()).to_owned();
        let length = self.disk.read(&name).len();
        let bit = self.rng.random_range(128 * 8..length.max(129) * 8);
        let id = crate::format::header::parse_file_name(&name).unwrap();
        self.rotten.insert(id);
        for (camera, naive) in &mut self.cameras {
            for entry in all(&self.footage, camera.key).await {
                if lies_in(&entry, &self.rotten) {
                    naive.doubt(&entry);
                }
            }
        }
        self.say(format!("bit {bit} of {name} flips"));
        self.disk.rot(&name, bit);
    }

    async fn ask(&mut self) {
        let index = self.any();
        let (camera, _) = &self.cameras[index];
        ask(&self.footage, camera.key, &mut self.rng, camera.at).await;
    }
}

fn pick<T: Copy>(rng: &mut SmallRng, from: &[T]) -> T {
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
