//! A key provider for tests: keys in a map, destroyed on demand, and a switch that makes it fail.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;

use super::{CameraHour, DataKey, KeyError, KeyId, KeyProvider};

/// Keys in memory. What was not synced is lost by [`MemoryKeys::crash`].
#[derive(Debug, Default)]
pub(crate) struct MemoryKeys(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    current: BTreeMap<CameraHour, KeyId>,
    /// `None` where it was destroyed.
    keys: BTreeMap<KeyId, (CameraHour, Option<Arc<DataKey>>)>,
    unsynced: Vec<KeyId>,
    failing: bool,
}

impl State {
    fn check(&self) -> Result<(), KeyError> {
        if self.failing { Err(KeyError::Unavailable { detail: "told to fail".to_owned() }) } else { Ok(()) }
    }
}

impl MemoryKeys {
    pub(crate) fn destroy(&self, of: CameraHour) {
        let mut state = self.0.lock();
        state.current.remove(&of);
        for (_, key) in state.keys.values_mut().filter(|(whose, _)| *whose == of) {
            *key = None;
        }
    }

    pub(crate) fn fail(&self, failing: bool) {
        self.0.lock().failing = failing;
    }

    /// Forgets every key that was not synced, as a crash of the machine would.
    pub(crate) fn crash(&self) {
        let mut state = self.0.lock();
        for id in std::mem::take(&mut state.unsynced) {
            state.keys.remove(&id);
            state.current.retain(|_, current| *current != id);
        }
    }
}

impl KeyProvider for MemoryKeys {
    fn current(&self, of: CameraHour) -> Result<(KeyId, Arc<DataKey>), KeyError> {
        let mut state = self.0.lock();
        state.check()?;
        let known = state.current.get(&of).and_then(|id| Some((*id, state.keys.get(id)?.1.clone()?)));
        if let Some(known) = known {
            return Ok(known);
        }
        let (id, key) = (KeyId::random(of.day())?, Arc::new(DataKey::random()?));
        state.current.insert(of, id);
        state.keys.insert(id, (of, Some(Arc::clone(&key))));
        state.unsynced.push(id);
        Ok((id, key))
    }

    fn get(&self, id: KeyId, of: CameraHour) -> Result<Arc<DataKey>, KeyError> {
        let state = self.0.lock();
        state.check()?;
        match state.keys.get(&id) {
            Some((whose, Some(key))) if *whose == of => Ok(Arc::clone(key)),
            Some((whose, None)) if *whose == of => Err(KeyError::Destroyed { id, of }),
            _ => Err(KeyError::Unknown { id, of }),
        }
    }

    fn sync(&self) -> Result<(), KeyError> {
        let mut state = self.0.lock();
        state.check()?;
        state.unsynced.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use sightline_model::Timestamp;

    use super::*;

    #[test]
    fn keys_stay_are_lost_and_are_destroyed() {
        let keys = MemoryKeys::default();
        let of = CameraHour::of("gate-3".parse().unwrap(), Timestamp(0));
        let (lost, _) = keys.current(of).unwrap();
        keys.crash();
        assert_eq!(keys.get(lost, of).unwrap_err(), KeyError::Unknown { id: lost, of });
        let (id, key) = keys.current(of).unwrap();
        keys.sync().unwrap();
        keys.crash();
        assert_eq!(keys.get(id, of).unwrap().expose(), key.expose());
        keys.fail(true);
        assert!(matches!(keys.get(id, of), Err(KeyError::Unavailable { .. })));
        keys.fail(false);
        keys.destroy(of);
        assert_eq!(keys.get(id, of).unwrap_err(), KeyError::Destroyed { id, of });
        let (again, _) = keys.current(of).unwrap();
        assert_ne!(again, id);
    }
}
