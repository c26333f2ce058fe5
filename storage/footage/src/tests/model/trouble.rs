//! What happens to the world of a history that it did not ask for.

use rand::RngExt;

use super::{
    super::all,
    check::{Allowed, check_stream, lies_in},
    world::{World, pick},
};
use crate::{
    disk::sim::{EIO, ENOSPC, EROFS, Failure, Op, SimDisk},
    format::header::parse_file_name,
};

impl World {
    fn any_disk(&mut self) -> SimDisk {
        let index = self.rng.random_range(0..self.disks.len());
        self.disks[index].clone()
    }

    /// The machine loses its power, or the process is killed.
    pub(super) async fn crash(&mut self, kill: bool) {
        let seed: u64 = self.rng.random();
        self.say(format!("{} {seed}", if kill { "kill" } else { "crash" }));
        for (disk, seed) in self.disks.iter_mut().zip(seed..) {
            *disk = if kill { disk.kill(seed) } else { disk.crash(seed) };
        }
        self.keys.crash();
        self.keys.fail(false);
        (self.trouble, self.locked) = (false, false);
        self.reopen();
        self.check(Allowed::Lost).await;
    }

    /// Opening may meet a failure, and must say so; nothing is lost by it.
    pub(super) fn try_open(&mut self) {
        if !self.rng.random_ratio(1, 4) {
            return;
        }
        let ops = [Op::List, Op::Open, Op::Read, Op::Write, Op::Sync, Op::Length, Op::Remove, Op::SetLength];
        let op = pick(&mut self.rng, &ops);
        let after = self.rng.random_range(0..6);
        let disk = self.any_disk();
        disk.fail(Failure::once(op).after(after));
        let opened = self.open_once();
        self.say(format!("open with a failure of {op:?} after {after}: {opened:?}"));
        disk.heal();
    }

    pub(super) fn fail(&mut self) {
        let ops = [Op::Write, Op::Sync, Op::SyncFolder, Op::Create, Op::Rename, Op::FreeSpace];
        let op = pick(&mut self.rng, &ops);
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
        self.any_disk().fail(failure);
        self.trouble = true;
    }

    pub(super) fn fill(&mut self) {
        let disk = self.any_disk();
        let (used, room) = (disk.used(), self.rng.random_range(0..60_000));
        let restless = if self.rng.random::<bool>() { self.rng.random_range(0..60_000) } else { 0 };
        self.say(format!("{room} bytes left, others hold up to {restless}"));
        disk.faults(|faults| {
            faults.capacity = Some(used + room);
            faults.restless_bytes = restless;
        });
        self.trouble = true;
    }

    /// Keys cannot be had for a while.
    pub(super) fn lock(&mut self) {
        self.say("no keys");
        self.keys.fail(true);
        (self.trouble, self.locked) = (true, true);
    }

    /// A disk stands still while cameras go on: they are not held up, and questions are answered.
    pub(super) async fn slow(&mut self) {
        let op = pick(&mut self.rng, &[Op::Write, Op::Sync]);
        self.say(format!("{op:?} stands still"));
        let gate = self.any_disk().shut(op);
        self.record();
        self.record();
        if !self.locked {
            let index = self.any();
            let (camera, naive) = &mut self.cameras[index];
            check_stream(&self.footage, camera.key, naive, Allowed::Late, None).await;
        }
        drop(gate);
    }

    /// A bit flips in a segment, or a sector cannot be read any more. What lies in that segment may be damaged, and nothing else.
    pub(super) async fn rot(&mut self) {
        self.flush().await;
        let disk = self.any_disk();
        let names: Vec<String> = disk.names();
        if names.is_empty() {
            return;
        }
        let name = pick(&mut self.rng, &names.iter().map(String::as_str).collect::<Vec<_>>()).to_owned();
        let length = disk.read(&name).len();
        let bit = self.rng.random_range(128 * 8..length.max(129) * 8);
        self.rotten.extend(parse_file_name(&name));
        for (camera, naive) in &mut self.cameras {
            for entry in all(&self.footage, camera.key).await {
                if lies_in(&entry, &self.rotten) {
                    naive.doubt(&entry);
                }
            }
        }
        if self.rng.random_ratio(1, 4) {
            self.say(format!("{name} cannot be read at byte {}", bit / 8));
            disk.spoil(&name, bit / 8);
        } else {
            self.say(format!("bit {bit} of {name} flips"));
            disk.rot(&name, bit);
        }
    }
}
