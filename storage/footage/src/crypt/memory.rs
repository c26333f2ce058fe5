//! A key provider for tests: keys in a map, destroyed on demand, and a switch that makes it fail.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;

use super::{CameraHour, DataKey, KeyError, KeyId, KeyProvider};

/// Keys in memory. What was not synced is lost by [`MemoryKeys::crash`].
#[derive(Debug, Default)]
pub(crate) struct MemoryKeys(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    keys: BTreeMap<CameraHour, (KeyId, Option<Arc<DataKey>>)>,
    unsynced: Vec<CameraHour>,
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
        let id = state.keys.get(&of).map_or(KeyId::NONE, |(id, _)| *id);
        state.keys.insert(of, (id, None));
    }

    pub(crate) fn fail(&self, failing: bool) {
        self.0.lock().failing = failing;
    }

    /// Forgets every key that was not synced, as a crash of the machine would.
    pub(crate) fn crash(&self) {
        let mut state = self.0.lock();
        for of in std::mem::take(&mut state.unsynced) {
            state.keys.remove(&of);
        }
    }
}

impl KeyProvider for MemoryKeys {
    fn current(&self, of: CameraHour) -> Result<(KeyId, Arc<DataKey>), KeyError> {
        let mut state = self.0.lock();
        state.check()?;
        match state.keys.get(&of) {
            Some((id, Some(key))) => Ok((*id, Arc::clone(key))),
            Some((id, None)) => Err(KeyError::Destroyed { id: *id, of }),
            None => {
                let (id, key) = (KeyId::random(of.day())?, Arc::new(DataKey::random()?));
                state.keys.insert(of, (id, Some(Arc::clone(&key))));
                state.unsynced.push(of);
                Ok((id, key))
            }
        }
    }

    fn get(&self, id: KeyId, of: CameraHour) -> Result<Arc<DataKey>, KeyError> {
        let state = self.0.lock();
        state.check()?;
        match state.keys.get(&of) {
            Some((known, Some(key))) if *known == id => Ok(Arc::clone(key)),
            Some((known, None)) if *known == id => Err(KeyError::Destroyed { id, of }),
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
        assert_eq!(keys.current(of).unwrap_err(), KeyError::Destroyed { id, of });
    }
}
