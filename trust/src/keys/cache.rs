//! Keys used lately. Two generations: when the young one is full it becomes the old one, and what the old one held and nobody
//! asked for is forgotten.

use std::{collections::HashMap, sync::Arc};

use sightline_footage::{CameraHour, DataKey, KeyId};

type Entry = (CameraHour, Arc<DataKey>);

/// Never holds more than its bound.
#[derive(Debug)]
pub(super) struct Cache {
    half: usize,
    young: HashMap<KeyId, Entry>,
    old: HashMap<KeyId, Entry>,
}

impl Cache {
    pub(super) fn new(bound: usize) -> Self {
        Self { half: (bound / 2).max(1), young: HashMap::new(), old: HashMap::new() }
    }

    /// The key, when it is the one for `of`.
    pub(super) fn get(&mut self, id: KeyId, of: CameraHour) -> Option<Arc<DataKey>> {
        if let Some((whose, key)) = self.young.get(&id) {
            return (*whose == of).then(|| Arc::clone(key));
        }
        let (whose, key) = self.old.remove(&id)?;
        self.put(id, whose, Arc::clone(&key));
        (whose == of).then_some(key)
    }

    pub(super) fn put(&mut self, id: KeyId, of: CameraHour, key: Arc<DataKey>) {
        if self.young.len() >= self.half {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(id, (of, key));
    }

    /// Forgets the keys for which `keep` is false.
    pub(super) fn retain(&mut self, keep: impl Fn(KeyId, CameraHour) -> bool) {
        self.young.retain(|id, (of, _)| keep(*id, *of));
        self.old.retain(|id, (of, _)| keep(*id, *of));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_bounded_and_keeps_what_is_used() {
        let of = CameraHour { camera: "gate-1".parse().unwrap(), hour: 0 };
        let key = Arc::new(DataKey::random().unwrap());
        let mut cache = Cache::new(10);
        for n in 1..1000 {
            cache.put(KeyId(n), of, Arc::clone(&key));
            assert!(cache.get(KeyId(1), of).is_some(), "used all the time, at {n}");
            assert!(cache.young.len() + cache.old.len() <= 10, "at {n}");
        }
        assert!(cache.get(KeyId(2), of).is_none());
        cache.retain(|id, _| id != KeyId(1));
        assert!(cache.get(KeyId(1), of).is_none());
        assert!(cache.get(KeyId(999), CameraHour { hour: 1, ..of }).is_none(), "the key of another hour");
    }
}
