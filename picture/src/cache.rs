//! Pictures made lately, and failures of just now: least recently used goes first, bounded by bytes.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use bytes::Bytes;
use sightline_model::{Timestamp, media::StreamKey};

use crate::{Error, Size};

/// What an entry takes beside its picture: two map entries and the key.
const ENTRY_BYTES: usize = 256;
/// How long a failure stands. A key frame that killed a worker would kill the next one too; after this it may try again,
/// since a timeout may also have been an overloaded machine.
const FAILURE_STANDS: Duration = Duration::from_secs(30);

/// Which picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) stream: StreamKey,
    /// Start of the GOP.
    pub(crate) at: Timestamp,
    pub(crate) size: Size,
}

/// A picture, or why there is none.
pub(crate) type Outcome = Result<Bytes, Error>;

#[derive(Debug)]
struct Entry {
    outcome: Outcome,
    /// Failures only.
    until: Option<Instant>,
    used: u64,
}

impl Entry {
    fn bytes(&self) -> usize {
        ENTRY_BYTES + self.outcome.as_ref().map_or(0, Bytes::len)
    }
}

/// Invariants: `bytes <= limit`; `order` has each entry's `used` exactly once.
#[derive(Debug)]
pub(crate) struct Cache {
    limit: usize,
    bytes: usize,
    uses: u64,
    entries: HashMap<Key, Entry>,
    order: BTreeMap<u64, Key>,
}

impl Cache {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, bytes: 0, uses: 0, entries: HashMap::new(), order: BTreeMap::new() }
    }

    pub(crate) fn get(&mut self, key: &Key, now: Instant) -> Option<Outcome> {
        let entry = self.entries.get_mut(key)?;
        if entry.until.is_some_and(|until| until <= now) {
            self.remove(key);
            return None;
        }
        self.order.remove(&entry.used);
        self.uses += 1;
        entry.used = self.uses;
        self.order.insert(entry.used, *key);
        Some(entry.outcome.clone())
    }

    pub(crate) fn put(&mut self, key: Key, outcome: Outcome, now: Instant) {
        self.remove(&key);
        self.uses += 1;
        let until = outcome.is_err().then(|| now + FAILURE_STANDS);
        let entry = Entry { outcome, until, used: self.uses };
        let bytes = entry.bytes();
        if bytes > self.limit {
            return;
        }
        self.order.insert(entry.used, key);
        self.entries.insert(key, entry);
        self.bytes += bytes;
        while self.bytes > self.limit {
            let Some((_, oldest)) = self.order.pop_first() else { break };
            self.remove(&oldest);
        }
    }

    fn remove(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key) {
            self.order.remove(&entry.used);
            self.bytes -= entry.bytes();
        }
    }

    pub(crate) fn entries(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn key(number: i64) -> Key {
        Key { stream: StreamKey::main("cam-1".parse().unwrap()), at: Timestamp(number), size: Size::Original }
    }

    fn picture(bytes: usize) -> Outcome {
        Ok(vec![0; bytes].into())
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let now = Instant::now();
        let mut cache = Cache::new(3 * (ENTRY_BYTES + 100));
        for number in 0..3 {
            cache.put(key(number), picture(100), now);
        }
        assert!(cache.get(&key(0), now).is_some());
        cache.put(key(3), picture(100), now);
        let there: Vec<_> = (0..4).filter(|n| cache.get(&key(*n), now).is_some()).collect();
        assert_eq!(there, [0, 2, 3]);
    }

    #[test]
    fn failures_stand_for_a_while_only() {
        let now = Instant::now();
        let mut cache = Cache::new(10_000);
        cache.put(key(1), Err(Error::Timeout { after: Duration::from_secs(5) }), now);
        assert!(cache.get(&key(1), now + FAILURE_STANDS / 2).is_some());
        assert!(cache.get(&key(1), now + FAILURE_STANDS).is_none());
        assert_eq!((cache.entries(), cache.bytes()), (0, 0));
    }

    #[test]
    fn sizes_and_streams_are_told_apart() {
        let now = Instant::now();
        let mut cache = Cache::new(10_000);
        cache.put(key(1), picture(1), now);
        assert!(cache.get(&Key { size: Size::Width(320), ..key(1) }, now).is_none());
        let stream = StreamKey { stream: sightline_model::media::StreamKind::Sub, ..key(1).stream };
        assert!(cache.get(&Key { stream, ..key(1) }, now).is_none());
    }

    proptest! {
        /// Against a list that is kept in order of use.
        #[test]
        fn it_holds_what_a_naive_list_holds(acts in vec((any::<bool>(), 0i64..12, 0usize..900), 0..120)) {
            let (now, limit) = (Instant::now(), 4_000);
            let mut cache = Cache::new(limit);
            let mut naive: Vec<(i64, usize)> = Vec::new();
            for (put, number, bytes) in acts {
                let was = naive.iter().position(|(n, _)| *n == number);
                if put {
                    cache.put(key(number), picture(bytes), now);
                    if let Some(at) = was { naive.remove(at); }
                    naive.push((number, bytes + ENTRY_BYTES));
                    while naive.iter().map(|(_, b)| b).sum::<usize>() > limit { naive.remove(0); }
                } else {
                    prop_assert_eq!(cache.get(&key(number), now).is_some(), was.is_some());
                    if let Some(at) = was { let entry = naive.remove(at); naive.push(entry); }
                }
                prop_assert_eq!(cache.bytes(), naive.iter().map(|(_, b)| b).sum::<usize>());
                prop_assert_eq!(cache.entries(), naive.len());
                prop_assert_eq!(cache.order.len(), naive.len());
            }
        }
    }
}
