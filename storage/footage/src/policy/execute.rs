//! Carries a plan out, step by step, on an open store.
//!
//! A segment leaves the index first and its file goes then, so that no query finds what is gone. A step that fails is logged
//! and left for the next plan; the others go on. When the holds change, what is left of the plan is given up: the next one
//! knows them.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
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
    survey::{Survey, block, directory, place_of},
    whole::whole_gops,
};
use crate::{
    Error,
    catalogue::{Place as Kept, Sealed, convert::sealed},
    disk::{Disk, DiskFile},
    format::header::{SegmentHeader, file_name},
    index::{Place, builder::Footer},
    recovery::{Opened, load},
    room::Room,
    shared::Shared,
    tier::mover,
};

/// Segments that leave the catalogue in one transaction, and whose removals one sync of the folder covers.
const DELETED_AT_ONCE: usize = 64;
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
    pub(crate) keys: Option<Arc<dyn KeyDestroyer>>,
    /// The holds that the plan knows, by their revision.
    pub(crate) revision: u64,
    pub(crate) bytes_per_s: u64,
}

impl<'a> Executor<'a> {
    /// Carries `plan` out.
    pub(crate) fn run(&mut self, plan: &Plan) -> Done {
        let mut done = Done::default();
        let mut steps = plan.steps.as_slice();
        let is_deletion = |step: &&Step| matches!(step.action, Action::Delete { .. });
        while !steps.is_empty() {
            if self.keeping.is_stopping() || self.keeping.revision() != self.revision {
                done.given_up = true;
                break;
            }
            let deletions = steps.iter().take(DELETED_AT_ONCE).take_while(is_deletion).count();
            let (now, later) = steps.split_at_checked(deletions.max(1)).unwrap_or((steps, &[]));
            let outcome = match now {
                [step] if deletions == 0 => self.step(step),
                _ => self.delete(now),
            };
            now.iter().for_each(|step| self.tell(plan, step, &outcome, &mut done));
            steps = later;
        }
        if let Err(error) = self.journal.sync() {
            tracing::warn!("the log of footage policies could not be written: {error}");
        }
        done
    }

    fn tell(&mut self, plan: &Plan, step: &Step, outcome: &Result<(), Error>, done: &mut Done) {
        let (what, to) = (step.action.name(), step.action.target());
        match outcome {
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
        self.journal.add(plan.at, step, outcome.as_ref().err());
    }

    fn step(&mut self, step: &Step) -> Result<(), Error> {
        match &step.action {
            Action::Delete { .. } => self.delete(std::slice::from_ref(step)),
            Action::Rewrite { segment, drop, thin, keep } => {
                self.rewrite(place(*segment, step)?, [drop, thin, keep])
            }
            Action::DestroyKeys { day, keep } => {
                if let Some(keys) = &self.keys {
                    keys.destroy_day(*day, keep).map_err(Error::Key)?;
                    self.shared.forget_read();
                }
                Ok(())
            }
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

    /// Out of the catalogue, unlinked, and all removals made durable at once. What the tier has too goes one by one: taking it
    /// away there may take its time, and holds must not have to wait for many of them.
    fn delete(&self, steps: &[Step]) -> Result<(), Error> {
        let mut near = Vec::new();
        let mut outcome = Ok(());
        for step in steps {
            let Action::Delete { segment } = step.action else { continue };
            let Some((place, kept)) = place_of(self.shared, segment)? else { continue };
            if kept == Kept::Local {
                near.push(place);
            } else {
                outcome = outcome.and(self.take_away(&[(place, kept)]));
            }
        }
        let near: Vec<_> = near.into_iter().map(|place| (place, Kept::Local)).collect();
        outcome.and(self.take_away(&near))
    }

    fn take_away(&self, segments: &[(Place, Kept)]) -> Result<(), Error> {
        let _gate = self.keeping.gate(self.revision).ok_or(Error::Stopped)?;
        let here: Vec<Place> =
            segments.iter().filter(|(_, kept)| *kept != Kept::Tier).map(|(place, _)| *place).collect();
        // A disk that is not there now keeps its segments, and their rows.
        here.iter().try_for_each(|place| disk(self.shared, *place).map(|_| ()))?;
        segments.iter().try_for_each(|(place, kept)| leave_tier(self.shared, place.id, *kept))?;
        self.shared.forget_segments(&segments.iter().map(|(place, _)| place.id).collect::<Vec<_>>())?;
        self.shared.forget_read();
        let unlinked = here.iter().try_for_each(|place| unlink(self.shared, *place));
        unlinked.and(sync_folders(self.shared, &here))
    }

    fn rewrite(&mut self, place: Place, [drop, thin, keep]: [&Vec<Cut>; 3]) -> Result<(), Error> {
        let disk = disk(self.shared, place)?;
        let unreadable = |what: &str| self.shared.files.damaged(place, 0, what);
        let old = load(disk, place.id).map_err(|_| unreadable("its header cannot be read"))?;
        let verdicts = self.judge(place, drop, thin, keep)?;
        if verdicts.values().all(|verdict| *verdict == Verdict::Keep) {
            self.survey.unthinnable.insert(place.id);
            return Ok(());
        }
        self.check_space(disk, old.bytes)?;
        let id = self.shared.next_segment.fetch_add(1, Ordering::Relaxed);
        let header = SegmentHeader { id, replaces: place.id, ..old.header.clone() };
        let draft = format!("{}.tmp", file_name(id));
        let file = disk.create(&draft).map_err(Error::io("create", disk.path().join(&draft)))?;
        let written = self.write(&old, &*file, &header, &verdicts);
        let outcome = written.and_then(|(footer, bytes)| {
            let new = sealed(&header, place.disk, bytes, &footer.trailer, &footer.rows);
            self.swap(disk, &draft, place, new)
        });
        if outcome.is_err() {
            let _ = disk.remove(&draft);
        }
        outcome
    }

    fn judge(&self, place: Place, drop: &[Cut], thin: &[Cut], keep: &[Cut]) -> Result<Verdicts, Error> {
        let mut verdicts = Verdicts::new();
        for row in directory(self.shared, place)? {
            for gop in whole_gops(&block(self.shared, place, &row)?.entries) {
                let verdict = rewrite::judge(row.key, &gop, drop, thin, keep);
                verdicts.insert((row.key, gop.name), verdict);
            }
        }
        Ok(verdicts)
    }

    /// Both copies stand side by side for a while.
    fn check_space(&self, disk: &dyn Disk, bytes: u64) -> Result<(), Error> {
        let free_bytes = disk.free_bytes().map_err(Error::io("ask for the free space of", disk.path()))?;
        let needed_bytes = bytes.saturating_add(self.shared.config.min_free_bytes);
        if free_bytes < needed_bytes {
            return Err(Error::DiskFull { path: disk.path().to_owned(), free_bytes, needed_bytes });
        }
        Ok(())
    }

    fn write(
        &mut self,
        old: &Opened,
        file: &dyn DiskFile,
        header: &SegmentHeader,
        verdicts: &Verdicts,
    ) -> Result<(Footer, u64), Error> {
        let source = rewrite::Source {
            file: &*old.file,
            header: &old.header,
            bytes: old.footer.as_ref().map_or(old.bytes, |(trailer, _)| trailer.records_end),
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
            return Err(Error::Stopped);
        }
        let (footer, bytes, tally) = written?;
        if tally.sealed_for_good > 0 {
            self.survey.unthinnable.insert(header.id);
        }
        Ok((footer, bytes))
    }

    /// The new segment gets its name, queries find it, and the old one goes. A note stands in the folder meanwhile, so that
    /// the next start finishes what a crash interrupted.
    fn swap(&self, disk: &dyn Disk, draft: &str, old: Place, new: Sealed) -> Result<(), Error> {
        let _gate = self.keeping.gate(self.revision).ok_or(Error::Stopped)?;
        let (id, note) = (new.segment.id, Note { new: new.segment.id, old: old.id }.name());
        let failed = || Error::io("name", disk.path().join(file_name(id)));
        disk.create(&note).and_then(|_| disk.sync_folder()).map_err(failed())?;
        let named = disk.rename(draft, &file_name(id)).and_then(|()| disk.sync_folder()).map_err(failed());
        if let Err(error) = named.and_then(|()| self.shared.file_again(new)) {
            // Whether the name would survive a crash nobody knows: the old one stays the truth.
            let _ = disk.remove(&file_name(id)).and_then(|()| disk.sync_folder());
            let _ = disk.remove(&note);
            return Err(error);
        }
        replaced(self.shared, disk, old, &note)
    }
}

/// The rest of a replacement: the old segment goes, from the catalogue and from the disk, and then the note.
fn replaced(shared: &Shared, disk: &dyn Disk, old: Place, note: &str) -> Result<(), Error> {
    let kept = place_of(shared, old.id)?.map_or(Kept::Local, |(_, kept)| kept);
    leave_tier(shared, old.id, kept)?;
    shared.forget_segments(&[old.id])?;
    shared.forget_read();
    unlink(shared, old)?;
    disk.sync_folder().map_err(Error::io("sync", disk.path()))?;
    // If it comes back with a crash, the next start finds nothing left to do and removes it.
    let _ = disk.remove(note);
    Ok(())
}

/// Says, by the name of an empty file, that a segment takes the place of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Note {
    new: u64,
    old: u64,
}

impl Note {
    fn name(self) -> String {
        format!("{:016x}.for.{:016x}", self.new, self.old)
    }

    fn parse(name: &str) -> Option<Self> {
        let (new, old) = name.split_once(".for.")?;
        let number = |text: &str| u64::from_str_radix(text, 16).ok().filter(|_| text.len() == 16);
        Some(Self { new: number(new)?, old: number(old)? })
    }
}

/// Finishes replacements that a crash interrupted: where the new segment got its name, the old one goes.
pub(crate) fn finish_replacements(shared: &Shared) {
    for room in shared.rooms().iter().filter(|room| !room.has_left()) {
        let names = room.disk.list().unwrap_or_default();
        for (name, note) in names.iter().filter_map(|name| Some((name, Note::parse(name)?))) {
            let has = |id: u64| names.contains(&file_name(id));
            let old = Place { id: note.old, disk: room.no };
            let outcome = match (has(note.new), has(note.old)) {
                (true, true) => replaced(shared, &*room.disk, old, name),
                _ => room.disk.remove(name).map_err(Error::io("remove", room.disk.path().join(name))),
            };
            let (new, old) = (file_name(note.new), file_name(note.old));
            match outcome {
                Ok(()) => tracing::info!(%new, %old, "a replacement that was interrupted is finished"),
                Err(error) => tracing::warn!(%new, %old, "a replacement cannot be finished: {error}"),
            }
        }
    }
}

/// Where the segment of a step is.
fn place(id: u64, step: &Step) -> Result<Place, Error> {
    let disk = step.on_disk.and_then(|disk| u8::try_from(disk).ok());
    Ok(Place { id, disk: disk.ok_or(Error::Stopped)? })
}

fn disk(shared: &Shared, place: Place) -> Result<&dyn Disk, Error> {
    let room = shared.rooms().get(usize::from(place.disk)).filter(|room| !room.has_left());
    room.map(|room| &*room.disk).ok_or(Error::Stopped)
}

/// Takes a segment out of the tier before its rows go: whatever is there would be taken in again.
fn leave_tier(shared: &Shared, id: u64, kept: Kept) -> Result<(), Error> {
    match &shared.tier {
        Some(link) if kept != Kept::Local => mover::remove(link, id),
        _ => Ok(()),
    }
}

fn unlink(shared: &Shared, place: Place) -> Result<(), Error> {
    shared.files.close(place);
    match disk(shared, place)?.remove(&file_name(place.id)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove", shared.files.path(place))(error))
        }
        _ => Ok(()),
    }
}

/// Makes removals durable. If that fails they come back with a crash, and go again then.
fn sync_folders(shared: &Shared, places: &[Place]) -> Result<(), Error> {
    let touched = |room: &&Arc<Room>| places.iter().any(|place| place.disk == room.no);
    for room in shared.rooms().iter().filter(touched) {
        room.disk.sync_folder().map_err(Error::io("sync", room.disk.path()))?;
        let _ = room.has_space(0);
    }
    Ok(())
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
