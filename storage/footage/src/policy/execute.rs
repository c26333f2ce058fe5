//! Carries a plan out, step by step, on an open store.
//!
//! A segment leaves the index first and its file goes then, so that no query finds what is gone. A step that fails is logged
//! and left for the next plan; the others go on. When the holds change, what is left of the plan is given up: the next one
//! knows them.

use std::{
    io,
    sync::atomic::Ordering,
    thread,
    time::{Duration, Instant},
};

use sightline_model::Timestamp;

use super::{
    Action, Plan, Step,
    journal::Journal,
    keeper::Keeping,
    plan::Cut,
    rewrite::{self, Verdict, Verdicts},
    seam::KeyDestroyer,
    survey::{Part, Survey, parts_of, place_of},
    whole::whole_gops,
};
use crate::{
    Error,
    catalogue::{Place as Kept, Sealed, convert::sealed},
    disk::{Disk, DiskFile},
    format::header::{SegmentHeader, file_name},
    index::{Place, Segment},
    shared::Shared,
    tier::mover,
};

/// Removals that one sync of the folder covers.
const REMOVALS_A_SYNC: usize = 64;
/// The longest pause of a rewrite between two looks at whether it should stop.
const PAUSE: Duration = Duration::from_millis(100);

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Done {
    /// Steps that were carried out.
    pub steps: u64,
    /// Steps that failed, and why is in the log.
    pub failed: u64,
    /// Segments that were deleted.
    pub deleted: u64,
    /// Segments that were written again.
    pub rewritten: u64,
    /// Bytes of footage that are gone.
    pub lost_bytes: u64,
    /// Whether the rest of the plan was given up, because holds changed or the store stops.
    pub given_up: bool,
}

/// See the module's words.
pub(crate) struct Executor<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) keeping: &'a Keeping,
    pub(crate) survey: &'a mut Survey,
    pub(crate) journal: &'a mut Journal,
    pub(crate) keys: Option<&'a dyn KeyDestroyer>,
    /// The holds that the plan knows, by their revision.
    pub(crate) revision: u64,
    pub(crate) bytes_per_s: u64,
}

impl<'a> Executor<'a> {
    /// Carries `plan` out.
    pub(crate) fn run(&mut self, plan: &Plan) -> Done {
        let mut done = Done::default();
        let mut removed = Vec::new();
        for step in &plan.steps {
            let deletion = matches!(step.action, Action::Delete { .. });
            if !deletion || removed.len() >= REMOVALS_A_SYNC {
                self.settle(&mut removed);
            }
            if self.keeping.is_stopping() || self.keeping.revision() != self.revision {
                done.given_up = true;
                break;
            }
            let outcome = self.step(step, &mut removed);
            self.tell(plan, step, outcome, &mut done);
        }
        self.settle(&mut removed);
        if let Err(error) = self.journal.sync() {
            tracing::warn!("the log of footage policies could not be written: {error}");
        }
        done
    }

    fn tell(&mut self, plan: &Plan, step: &Step, outcome: Result<(), Error>, done: &mut Done) {
        let (what, to) = (step.action.name(), step.action.target());
        match &outcome {
            Ok(()) => {
                done.steps += 1;
                done.lost_bytes += step.loses_bytes;
                done.deleted += u64::from(matches!(step.action, Action::Delete { .. }));
                done.rewritten += u64::from(matches!(step.action, Action::Rewrite { .. }));
                tracing::info!(what, to, why = %step.reason, freed_bytes = step.frees_bytes, "footage policy carried out");
            }
            Err(Error::Stopped) => done.given_up = true,
            Err(error) => {
                done.failed += 1;
                tracing::warn!(what, to, why = %step.reason, "footage policy could not be carried out: {error}");
            }
        }
        self.journal.add(plan.at, step, outcome.err().as_ref());
    }

    fn step(&mut self, step: &Step, removed: &mut Vec<Place>) -> Result<(), Error> {
        match &step.action {
            Action::Delete { segment } => self.delete(*segment, removed),
            Action::Rewrite { segment, drop, thin, keep } => self.rewrite(*segment, [drop, thin, keep]),
            Action::DestroyKeys { day, keep } => match self.keys {
                Some(keys) => keys.destroy_day(*day, keep).map_err(Error::Key),
                None => Ok(()),
            },
            Action::Shed { disk, class } => self.shed(*disk, *class, true),
            Action::Resume { disk, class } => self.shed(*disk, *class, false),
            Action::Evict { segment } => match &self.shared.tier {
                Some(link) => mover::evict(self.shared, link, *segment),
                None => Ok(()),
            },
            // The mover sends what is due by itself.
            Action::Upload { .. } => Ok(()),
        }
    }

    fn shed(&self, disk: u16, class: u8, shed: bool) -> Result<(), Error> {
        if let Some(room) = self.shared.rooms().iter().find(|room| u16::from(room.no) == disk) {
            room.set_shed(class, shed);
        }
        Ok(())
    }

    fn delete(&self, id: u64, removed: &mut Vec<Place>) -> Result<(), Error> {
        let _gate = self.keeping.gate(self.revision).ok_or(Error::Stopped)?;
        let Some((place, kept)) = place_of(self.shared, id)? else { return Ok(()) };
        // A disk that is not there now keeps its segments, and their rows.
        let here = kept != Kept::Tier;
        if here {
            self.disk(place)?;
        }
        self.leave_tier(id, kept)?;
        self.shared.forget_segments(&[id])?;
        if here {
            self.unlink(place)?;
            removed.push(place);
        }
        Ok(())
    }

    /// Takes a segment out of the tier before its rows go: whatever is there would be taken in again.
    fn leave_tier(&self, id: u64, kept: Kept) -> Result<(), Error> {
        match &self.shared.tier {
            Some(link) if kept != Kept::Local => mover::remove(link, id),
            _ => Ok(()),
        }
    }

    fn unlink(&self, place: Place) -> Result<(), Error> {
        self.shared.files.close(place);
        match self.disk(place)?.remove(&file_name(place.id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::io("remove", self.shared.files.path(place))(error))
            }
            _ => Ok(()),
        }
    }

    /// Makes removals durable. If that fails they come back with a crash, and go again then.
    fn settle(&mut self, removed: &mut Vec<Place>) {
        let mut disks: Vec<u8> = removed.drain(..).map(|place| place.disk).collect();
        disks.sort_unstable();
        disks.dedup();
        for room in self.shared.rooms().iter().filter(|room| disks.contains(&room.no)) {
            if let Err(error) = room.disk.sync_folder() {
                tracing::warn!(path = %room.disk.path().display(), "removed segments may come back: {error}");
            }
            let _ = room.has_space(0);
        }
    }

    fn disk(&self, place: Place) -> Result<&'a dyn Disk, Error> {
        let shared: &'a Shared = self.shared;
        let room = shared.rooms().get(usize::from(place.disk)).filter(|room| !room.has_left());
        room.map(|room| &*room.disk).ok_or(Error::Stopped)
    }

    fn rewrite(&mut self, id: u64, [drop, thin, keep]: [&Vec<Cut>; 3]) -> Result<(), Error> {
        let Some((segment, parts)) = parts_of(self.shared, id)? else { return Ok(()) };
        let verdicts = self.judge(&parts, drop, thin, keep)?;
        if verdicts.values().all(|verdict| *verdict == Verdict::Keep) {
            self.survey.unthinnable.insert(id);
            return Ok(());
        }
        let place = segment.place();
        let disk = self.disk(place)?;
        self.check_space(disk, &segment)?;
        let header = SegmentHeader {
            id: self.shared.next_segment.fetch_add(1, Ordering::Relaxed),
            replaces: id,
            ..segment.header.clone()
        };
        let draft = format!("{}.tmp", file_name(header.id));
        let file = disk.create(&draft).map_err(Error::io("create", disk.path().join(&draft)))?;
        let written = self.write(&segment, &*file, &header, &verdicts);
        let outcome = written.and_then(|new| match new {
            Some((footer, bytes)) => {
                let new = sealed(&header, place.disk, bytes, &footer.trailer, &footer.rows);
                self.swap(disk, &draft, place, &new)
            }
            None => Err(Error::Stopped),
        });
        if outcome.is_err() {
            let _ = disk.remove(&draft);
        }
        outcome
    }

    fn judge(&self, parts: &[Part], drop: &[Cut], thin: &[Cut], keep: &[Cut]) -> Result<Verdicts, Error> {
        let mut verdicts = Verdicts::new();
        for part in parts {
            for gop in whole_gops(&part.block(self.shared)?.entries) {
                let verdict = rewrite::judge(part.key, &gop, drop, thin, keep);
                verdicts.insert((part.key, gop.name), verdict);
            }
        }
        Ok(verdicts)
    }

    /// Both copies stand side by side for a while.
    fn check_space(&self, disk: &dyn Disk, segment: &Segment) -> Result<(), Error> {
        let free_bytes = disk.free_bytes().map_err(Error::io("ask for the free space of", disk.path()))?;
        let needed_bytes =
            segment.bytes.load(Ordering::Acquire).saturating_add(self.shared.config.min_free_bytes);
        if free_bytes < needed_bytes {
            return Err(Error::DiskFull { path: disk.path().to_owned(), free_bytes, needed_bytes });
        }
        Ok(())
    }

    fn write(
        &mut self,
        segment: &Segment,
        file: &dyn DiskFile,
        header: &SegmentHeader,
        verdicts: &Verdicts,
    ) -> Result<Option<(crate::index::builder::Footer, u64)>, Error> {
        let old = self.shared.files.file(segment.place())?;
        let source = rewrite::Source {
            file: &*old,
            header: &segment.header,
            bytes: segment.records_end(&*old)?,
            verdicts,
            keys: self.shared.keys.as_deref(),
        };
        let mut pace = Pace::new(self.bytes_per_s);
        let (keeping, revision) = (self.keeping, self.revision);
        let mut stopped = false;
        let written = rewrite::write_again(&source, file, header, Timestamp::now(), &mut |bytes| {
            let stop = || keeping.is_stopping() || keeping.revision() != revision;
            stopped = pace.wait(bytes, &stop);
            if stopped { Err(io::Error::other("stopped")) } else { Ok(()) }
        });
        if stopped {
            return Ok(None);
        }
        let (footer, bytes, tally) = written?;
        if tally.sealed_for_good > 0 {
            self.survey.unthinnable.insert(header.id);
        }
        Ok(Some((footer, bytes)))
    }

    /// The new segment gets its name, durably; queries go over to it; the old one goes.
    fn swap(&self, disk: &dyn Disk, draft: &str, old: Place, new: &Sealed) -> Result<(), Error> {
        let _gate = self.keeping.gate(self.revision).ok_or(Error::Stopped)?;
        let name = file_name(new.segment.id);
        let failed = || Error::io("name", disk.path().join(&name));
        disk.rename(draft, &name).map_err(failed())?;
        if let Err(error) = disk.sync_folder() {
            // Whether the name would survive a crash nobody knows: the old one stays the truth.
            let _ = disk.remove(&name);
            return Err(failed()(error));
        }
        let kept = place_of(self.shared, old.id)?.map_or(Kept::Local, |(_, kept)| kept);
        self.leave_tier(old.id, kept)?;
        self.shared.replace_segment(old.id, new)?;
        self.unlink(old)?;
        disk.sync_folder().map_err(Error::io("sync", disk.path()))?;
        Ok(())
    }
}

/// Keeps a rewrite slow.
#[derive(Debug)]
struct Pace {
    bytes_per_s: u64,
    began: Instant,
    bytes: u64,
}

impl Pace {
    fn new(bytes_per_s: u64) -> Self {
        Self { bytes_per_s: bytes_per_s.max(1), began: Instant::now(), bytes: 0 }
    }

    /// Waits until `bytes` more may be read and written; `true`: it should stop instead.
    fn wait(&mut self, bytes: u64, stop: &dyn Fn() -> bool) -> bool {
        self.bytes += bytes;
        let micros = u128::from(self.bytes) * 1_000_000 / u128::from(self.bytes_per_s);
        let due = self.began + Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX));
        loop {
            if stop() {
                return true;
            }
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            thread::sleep(left.min(PAUSE));
        }
    }
}
