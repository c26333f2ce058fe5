//! Keys that live as long as a run.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;

use crate::crypt::{CameraHour, DataKey, KeyError, KeyId, KeyProvider};

/// See the module's words.
#[derive(Debug, Default)]
pub(super) struct PassingKeys(Mutex<HashMap<CameraHour, (KeyId, Arc<DataKey>)>>);

impl KeyProvider for PassingKeys {
    fn current(&self, of: CameraHour) -> Result<(KeyId, Arc<DataKey>), KeyError> {
        let mut keys = self.0.lock();
        if let Some((id, key)) = keys.get(&of) {
            return Ok((*id, Arc::clone(key)));
        }
        let (id, key) = (KeyId(keys.len() as u64 + 1), Arc::new(DataKey::random()?));
        keys.insert(of, (id, Arc::clone(&key)));
        Ok((id, key))
    }

    fn get(&self, id: KeyId, of: CameraHour) -> Result<Arc<DataKey>, KeyError> {
        let keys = self.0.lock();
        let found = keys.get(&of).filter(|(known, _)| *known == id).map(|(_, key)| Arc::clone(key));
        found.ok_or(KeyError::Unknown { id, of })
    }

    fn sync(&self) -> Result<(), KeyError> {
        Ok(())
    }
}
