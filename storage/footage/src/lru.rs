//! A small cache bounded by weight that forgets what was used longest ago.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
};

#[derive(Debug)]
struct Slot<V> {
    value: V,
    weight: usize,
    used: u64,
}

/// Not shared by itself: put it behind a lock that is held for a lookup and never over I/O.
#[derive(Debug)]
pub(crate) struct Lru<K, V> {
    bound: usize,
    weight: usize,
    clock: u64,
    slots: HashMap<K, Slot<V>>,
    order: BTreeMap<u64, K>,
}

impl<K: Clone + Eq + Hash, V: Clone> Lru<K, V> {
    pub(crate) fn new(bound: usize) -> Self {
        Self { bound, weight: 0, clock: 0, slots: HashMap::new(), order: BTreeMap::new() }
    }

    pub(crate) fn get(&mut self, key: &K) -> Option<V> {
        let slot = self.slots.get_mut(key)?;
        self.order.remove(&slot.used);
        self.clock += 1;
        slot.used = self.clock;
        self.order.insert(self.clock, key.clone());
        Some(slot.value.clone())
    }

    /// Keeps `value`, unless it alone is heavier than the cache may be.
    pub(crate) fn insert(&mut self, key: K, value: V, weight: usize) {
        self.remove(&key);
        if weight > self.bound {
            return;
        }
        self.clock += 1;
        self.weight += weight;
        self.order.insert(self.clock, key.clone());
        self.slots.insert(key, Slot { value, weight, used: self.clock });
        while self.weight > self.bound {
            let Some((_, oldest)) = self.order.pop_first() else { break };
            if let Some(slot) = self.slots.remove(&oldest) {
                self.weight -= slot.weight;
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.slots.clear();
        self.order.clear();
        self.weight = 0;
    }

    pub(crate) fn remove(&mut self, key: &K) {
        if let Some(slot) = self.slots.remove(key) {
            self.order.remove(&slot.used);
            self.weight -= slot.weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_what_was_used_longest_ago_and_stays_within_its_bound() {
        let mut cache = Lru::new(10);
        cache.insert("a", 1, 4);
        cache.insert("b", 2, 4);
        assert_eq!(cache.get(&"a"), Some(1));
        cache.insert("c", 3, 4);
        assert_eq!((cache.get(&"a"), cache.get(&"b"), cache.get(&"c")), (Some(1), None, Some(3)));
        cache.insert("whale", 9, 11);
        assert_eq!((cache.get(&"whale"), cache.weight), (None, 8));
        cache.insert("a", 5, 2);
        assert_eq!((cache.get(&"a"), cache.weight), (Some(5), 6));
        cache.clear();
        assert_eq!((cache.get(&"a"), cache.weight), (None, 0));
        cache.insert("b", 6, 10);
        assert_eq!((cache.get(&"b"), cache.weight), (Some(6), 10));
    }
}
