//! Keys for those who write and read footage.

use std::sync::{Arc, atomic::Ordering};

use sightline_footage::{CameraHour, DataKey, KeyError, KeyId, KeyProvider};

use super::{
    FileKeys, Slot,
    day::{Access, Batch, Day, Found},
    error::KeyFileError,
    naming, set_aside,
};

impl KeyProvider for FileKeys {
    fn encrypts(&self) -> bool {
        self.encrypts
    }

    fn current(&self, of: CameraHour) -> Result<(KeyId, Arc<DataKey>), KeyError> {
        self.told(self.current_key(of))
    }

    fn get(&self, id: KeyId, of: CameraHour) -> Result<Arc<DataKey>, KeyError> {
        if let Some(key) = self.cache.lock().get(id, of) {
            return Ok(key);
        }
        match self.told(self.stored_key(id, of))? {
            Found::Key(key) => Ok(key),
            Found::Destroyed => Err(KeyError::Destroyed { id, of }),
            Found::Unknown => Err(KeyError::Unknown { id, of }),
        }
    }

    fn at_hand(&self, id: KeyId, of: CameraHour) -> Result<Option<Arc<DataKey>>, KeyError> {
        Ok(self.cache.lock().get(id, of))
    }

    fn sync(&self) -> Result<(), KeyError> {
        let dirty = |slot: &&Arc<Slot>| slot.dirty.load(Ordering::Acquire);
        let slots: Vec<_> = self.days.lock().slots.values().rev().filter(dirty).cloned().collect();
        slots.iter().try_for_each(|slot| self.told(self.flush(slot)))
    }
}

impl FileKeys {
    fn told<T>(&self, result: Result<T, KeyFileError>) -> Result<T, KeyError> {
        result.map_err(|error| {
            Self::count(&self.counters.failures, 1);
            error.into_key_error()
        })
    }

    fn current_key(&self, of: CameraHour) -> Result<(KeyId, Arc<DataKey>), KeyFileError> {
        if self.access == Access::Read {
            return Err(KeyFileError::ReadOnly { path: self.folder.path().to_owned() });
        }
        let slot = self.slot_or_new(of.day());
        let mut data = slot.data.lock();
        let day = self.writable(&slot, &mut data)?;
        if let Some(id) = day.newest(of) {
            if let Some(key) = self.cache.lock().get(id, of) {
                return Ok((id, key));
            }
            match day.find(&self.folder, id, of) {
                Ok(Found::Key(key)) => {
                    Self::count(&self.counters.opened, 1);
                    self.cache.lock().put(id, of, Arc::clone(&key));
                    return Ok((id, key));
                }
                Ok(Found::Destroyed | Found::Unknown) => {}
                // What was recorded with it is lost until the file is restored; what comes now must not be.
                Err(error) => {
                    tracing::error!(%error, "A key of {of} cannot be used, a new one is made: {error}.")
                }
            }
        }
        let (id, key) = day.make(of)?;
        slot.dirty.store(true, Ordering::Release);
        Self::count(&self.counters.made, 1);
        self.cache.lock().put(id, of, Arc::clone(&key));
        Ok((id, key))
    }

    /// The day with its index of camera-hours; begun when there is none.
    fn writable<'a>(&self, slot: &Slot, data: &'a mut Option<Day>) -> Result<&'a mut Day, KeyFileError> {
        match self.load(slot, data, true) {
            Ok(_) => {}
            Err(KeyFileError::Damaged { .. }) => {
                set_aside(&self.folder, slot.day)?;
                self.days.lock().damaged.insert(slot.day);
                *data = None;
            }
            Err(error) => return Err(error),
        }
        match data {
            Some(day) => Ok(day),
            none => Ok(none.insert(Day::new(slot.day, &self.masters.read())?)),
        }
    }

    fn stored_key(&self, id: KeyId, of: CameraHour) -> Result<Found, KeyFileError> {
        let mut found = Found::Unknown;
        if let Some(slot) = self.slot(id.day())? {
            let mut data = slot.data.lock();
            if let Some(day) = self.load(&slot, &mut data, false)? {
                found = day.find(&self.folder, id, of)?;
                if self.access == Access::Read
                    && !matches!(found, Found::Key(_))
                    && day.is_stale(&self.folder)
                {
                    *data = None;
                    if let Some(day) = self.load(&slot, &mut data, false)? {
                        found = day.find(&self.folder, id, of)?;
                    }
                }
            }
            // Still under the day's lock, so that a destruction cannot come between.
            if let Found::Key(key) = &found {
                Self::count(&self.counters.opened, 1);
                self.cache.lock().put(id, of, Arc::clone(key));
            }
        }
        if matches!(found, Found::Unknown) && self.days.lock().damaged.contains(&id.day()) {
            let path = self.folder.file(&naming::file_name(id.day()));
            return Err(KeyFileError::Damaged { path, what: "it was set aside when it could not be read" });
        }
        Ok(found)
    }

    /// Makes the keys of a day durable. New keys may be made meanwhile.
    fn flush(&self, slot: &Slot) -> Result<(), KeyFileError> {
        let _io = slot.io.lock();
        let Some(batch) = slot.data.lock().as_ref().and_then(Day::batch) else { return Ok(()) };
        let file = self.write(slot, &batch)?;
        if let Some(day) = slot.data.lock().as_mut() {
            let clean = day.written(&batch, file);
            slot.dirty.store(!clean, Ordering::Release);
        }
        Ok(())
    }

    /// The same with the day's data locked.
    pub(super) fn flush_held(&self, slot: &Slot, data: &mut Option<Day>) -> Result<(), KeyFileError> {
        let Some(day) = data else { return Ok(()) };
        let Some(batch) = day.batch() else { return Ok(()) };
        let file = self.write(slot, &batch)?;
        day.written(&batch, file);
        slot.dirty.store(false, Ordering::Release);
        Ok(())
    }

    fn write(&self, slot: &Slot, batch: &Batch) -> Result<Arc<std::fs::File>, KeyFileError> {
        let name = naming::file_name(slot.day);
        if let Some(file) = &batch.file {
            self.folder.write(file, &name, batch.offset, &batch.bytes)?;
            return Ok(Arc::clone(file));
        }
        self.folder.put(&name, &batch.bytes)?;
        Ok(Arc::new(self.folder.open(&name, true)?))
    }
}
