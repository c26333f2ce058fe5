//! Which on-demand streams have readers, or had one a moment ago.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use sightline_model::media::StreamKey;

/// Readers now, and streams that linger after their last one.
#[derive(Debug, Default)]
pub(crate) struct Demand {
    read: BTreeSet<StreamKey>,
    lingering: BTreeMap<StreamKey, Instant>,
}

impl Demand {
    /// `read` have readers from `now` on; what has lost its last one lingers.
    pub(crate) fn set(&mut self, read: &BTreeSet<StreamKey>, linger: Duration, now: Instant) {
        for key in self.read.difference(read) {
            self.lingering.insert(*key, now + linger);
        }
        self.lingering.retain(|key, until| !read.contains(key) && now < *until);
        self.read.clone_from(read);
    }

    /// Forgets what has lingered long enough; says whether that changed anything.
    pub(crate) fn expire(&mut self, now: Instant) -> bool {
        let before = self.lingering.len();
        self.lingering.retain(|_, until| now < *until);
        self.lingering.len() != before
    }

    /// When [`Self::expire`] has something to do.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.lingering.values().min().copied()
    }

    /// Whether `key` should run.
    pub(crate) fn wants(&self, key: StreamKey) -> bool {
        self.read.contains(&key) || self.lingering.contains_key(&key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_lingers_after_its_last_reader_and_a_new_reader_keeps_it() {
        let (one, two) = (StreamKey::main("one".parse().unwrap()), StreamKey::main("two".parse().unwrap()));
        let linger = Duration::from_secs(10);
        let start = Instant::now();
        let mut demand = Demand::default();
        demand.set(&[one, two].into(), linger, start);
        assert!(demand.wants(one) && demand.wants(two) && demand.next_expiry().is_none());

        demand.set(&[two].into(), linger, start);
        assert!(demand.wants(one));
        assert_eq!(demand.next_expiry(), Some(start + linger));
        assert!(!demand.expire(start + linger / 2));

        demand.set(&[one, two].into(), linger, start + linger / 2);
        assert!(!demand.expire(start + linger) && demand.wants(one), "read again in time");

        demand.set(&[].into(), linger, start + linger);
        assert!(demand.expire(start + linger * 2));
        assert!(!demand.wants(one) && !demand.wants(two) && demand.next_expiry().is_none());
    }
}
