//! Destroying keys, and wrapping them anew under another master key. Whoever calls this has to enter it into the audit log
//! first: `Trust::destroy_keys` does.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, atomic::Ordering},
};

use sightline_footage::CameraHour;

use super::{
    FileKeys, Slot,
    day::{self, Access, Rewrite},
    error::KeyFileError,
    master::MasterKey,
    naming,
};

/// What a destruction did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Destroyed {
    /// Keys that are gone.
    pub keys: u64,
    /// Keys of the same days that stay.
    pub kept: u64,
}

impl FileKeys {
    /// Destroys the key of `day` (days since 1970, UTC) and with it the keys of all its camera-hours, except those of
    /// `keep`: they are wrapped by a fresh day key first. Doing it again changes nothing, unless fewer are kept.
    ///
    /// Keys that readers hold at this moment live until they let go of them.
    ///
    /// # Errors
    /// When the day's file cannot be read or replaced: then either nothing or all of it has happened, and it can be done
    /// again.
    pub fn destroy_day(&self, day: u32, keep: &[CameraHour]) -> Result<Destroyed, KeyFileError> {
        let keep: HashSet<_> = keep.iter().copied().collect();
        let Some(slot) = self.writable_slot(day)? else { return Ok(Destroyed::default()) };
        self.rewrite(&slot, Rewrite::AllBut(&keep))
    }

    /// Destroys the keys of single camera-hours. Their days' keys are replaced too, so that nothing opens what an older
    /// copy of the file holds.
    ///
    /// # Errors
    /// As [`FileKeys::destroy_day`], day by day.
    pub fn destroy(&self, these: &[CameraHour]) -> Result<Destroyed, KeyFileError> {
        let mut days: BTreeMap<u32, HashSet<CameraHour>> = BTreeMap::new();
        for of in these {
            days.entry(of.day()).or_default().insert(*of);
        }
        let mut done = Destroyed::default();
        for (day, these) in days {
            let Some(slot) = self.writable_slot(day)? else { continue };
            let more = self.rewrite(&slot, Rewrite::Only(&these))?;
            done = Destroyed { keys: done.keys + more.keys, kept: done.kept + more.kept };
        }
        Ok(done)
    }

    /// Puts every day under `new`, which then stands in the master key file; the master key before it is overwritten.
    /// Gives the number of days. After a crash the next start goes on with it. Backups of the key folder that were made
    /// before need the old master key: they are worth nothing once its last copy is gone.
    ///
    /// # Errors
    /// When a file cannot be read or replaced. Both master keys are kept then, and the next start goes on.
    pub fn rewrap(&self, new: MasterKey) -> Result<u64, KeyFileError> {
        if self.access == Access::Read {
            return Err(KeyFileError::ReadOnly { path: self.folder.path().to_owned() });
        }
        let _alone = self.rotation.lock();
        self.finish_rotation()?;
        self.masters.write().begin(new)?;
        self.finish_rotation()
    }

    /// Goes on with a replacement of the master key, if one was begun.
    pub(super) fn finish_rotation(&self) -> Result<u64, KeyFileError> {
        if self.masters.read().before.is_none() {
            return Ok(0);
        }
        let slots: Vec<_> = self.days.lock().slots.values().cloned().collect();
        for slot in &slots {
            self.rewrite(slot, Rewrite::Rewrap)?;
        }
        self.masters.write().finish()?;
        Ok(slots.len() as u64)
    }

    fn writable_slot(&self, day: u32) -> Result<Option<Arc<Slot>>, KeyFileError> {
        if self.access == Access::Read {
            return Err(KeyFileError::ReadOnly { path: self.folder.path().to_owned() });
        }
        self.slot(day)
    }

    fn rewrite(&self, slot: &Slot, what: Rewrite<'_>) -> Result<Destroyed, KeyFileError> {
        let done = self.try_rewrite(slot, what);
        match &done {
            Ok(done) => Self::count(&self.counters.destroyed, done.keys),
            Err(_) => Self::count(&self.counters.failures, 1),
        }
        done
    }

    fn try_rewrite(&self, slot: &Slot, what: Rewrite<'_>) -> Result<Destroyed, KeyFileError> {
        let name = naming::file_name(slot.day);
        let _io = slot.io.lock();
        let mut data = slot.data.lock();
        slot.mend(&self.folder)?;
        self.flush_held(slot, &mut data)?;
        if !self.folder.has(&name)? {
            return Ok(Destroyed::default());
        }
        let masters = self.masters.read();
        let (header, _) = day::read_header(&self.folder, slot.day)?;
        let rewritten = day::rewrite(&self.folder, slot.day, &masters, what)?;
        let nothing_to_do = match what {
            Rewrite::AllBut(_) => header.destroyed && rewritten.gone == 0,
            Rewrite::Only(_) => rewritten.gone == 0,
            Rewrite::Rewrap => header.master == masters.current.id(),
        };
        if nothing_to_do {
            return Ok(Destroyed { keys: 0, kept: rewritten.kept });
        }
        let replaced = self.folder.replace(&name, &rewritten.bytes);
        *data = None;
        slot.dirty.store(false, Ordering::Release);
        self.forget(slot.day, what);
        if let Err(error) = replaced {
            slot.interrupted.store(true, Ordering::Release);
            return Err(error);
        }
        Ok(Destroyed { keys: rewritten.gone, kept: rewritten.kept })
    }

    /// Lets go of the keys in memory that `what` destroys.
    fn forget(&self, day: u32, what: Rewrite<'_>) {
        self.cache.lock().retain(|id, of| match what {
            Rewrite::AllBut(keep) => id.day() != day || keep.contains(&of),
            Rewrite::Only(these) => !these.contains(&of),
            Rewrite::Rewrap => true,
        });
    }
}
