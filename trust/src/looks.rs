//! Which looks were entered lately, so that one look is one entry: playing on, scrubbing and reloading a timeline do not
//! flood the log, and nothing is ever shown that no entry covers. Pure.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    hash::Hash,
    time::Duration,
};

use sightline_model::{
    CameraId, TimeRange, Timestamp,
    id::{AccountId, GrantId},
    media::StreamKey,
};

use crate::LookKind;

/// How long an entry stands for further looks of the same kind inside its range.
const STANDS_FOR: Duration = Duration::from_secs(60);
/// Entries remembered: beyond it the oldest go, which costs an entry more and hides nothing.
const MAX_REMEMBERED: usize = 20_000;

/// Who looked at what under which grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub account: AccountId,
    pub grant: GrantId,
    pub stream: StreamKey,
    pub kind: LookKind,
}

/// Entries of the last minute.
#[derive(Debug, Default)]
pub(crate) struct Looks {
    /// In the order they were entered, to forget the oldest.
    order: VecDeque<(Timestamp, Key)>,
    entered: HashMap<Key, VecDeque<(Timestamp, TimeRange)>>,
}

impl Looks {
    /// Whether an entry of the last minute covers this look.
    pub(crate) fn covers(&self, key: &Key, range: TimeRange, now: Timestamp) -> bool {
        // An entry from the future (the clock was set back) covers nothing.
        let fresh = |at: Timestamp| at <= now && now.duration_since(at) < STANDS_FOR;
        let lately = self.entered.get(key);
        lately.is_some_and(|lately| lately.iter().any(|(at, range_)| fresh(*at) && range_.covers(&range)))
    }

    /// An entry has been written.
    pub(crate) fn entered(&mut self, key: Key, range: TimeRange, now: Timestamp) {
        while let Some((at, oldest)) = self.order.front().copied() {
            if now.duration_since(at) < STANDS_FOR && self.order.len() < MAX_REMEMBERED {
                break;
            }
            self.order.pop_front();
            if let Some(lately) = self.entered.get_mut(&oldest) {
                lately.pop_front();
                if lately.is_empty() {
                    self.entered.remove(&oldest);
                }
            }
        }
        self.order.push_back((now, key));
        self.entered.entry(key).or_default().push_back((now, range));
    }
}

/// At most so many entries a minute for one source of refusals; what goes beyond is counted and told with the next one.
#[derive(Debug)]
pub(crate) struct Budget<K> {
    most: u32,
    spent: HashMap<K, Spent>,
}

#[derive(Debug)]
struct Spent {
    since: Timestamp,
    entries: u32,
    left_out: u64,
}

impl<K: Hash + Eq> Budget<K> {
    pub(crate) fn new(most: u32) -> Self {
        Self { most, spent: HashMap::new() }
    }

    /// Whether one more may be entered, and how many were left out before it.
    pub(crate) fn spend(&mut self, key: K, now: Timestamp) -> Option<u64> {
        // Whoever has left something out is kept until it is told.
        let stale = |spent: &Spent| now.duration_since(spent.since) >= STANDS_FOR;
        if self.spent.len() >= MAX_REMEMBERED {
            self.spent.retain(|_, spent| !stale(spent));
        }
        let spent = self.spent.entry(key).or_insert(Spent { since: now, entries: 0, left_out: 0 });
        if stale(spent) {
            (spent.since, spent.entries) = (now, 0);
        }
        if spent.entries >= self.most {
            spent.left_out += 1;
            return None;
        }
        spent.entries += 1;
        Some(std::mem::take(&mut spent.left_out))
    }
}

/// Refusals of the last minute: the same one is entered once a minute, all of one account at most 30 times a minute.
#[derive(Debug)]
pub(crate) struct Refusals {
    since: Timestamp,
    seen: HashSet<(AccountId, &'static str, Option<CameraId>)>,
    budget: Budget<AccountId>,
}

impl Default for Refusals {
    fn default() -> Self {
        Self { since: Timestamp(0), seen: HashSet::new(), budget: Budget::new(30) }
    }
}

impl Refusals {
    /// Whether this refusal is to be entered, and how many were left out before it.
    pub(crate) fn spend(
        &mut self,
        account: AccountId,
        code: &'static str,
        camera: Option<CameraId>,
        now: Timestamp,
    ) -> Option<u64> {
        let over = now < self.since || now.duration_since(self.since) >= STANDS_FOR;
        if over || self.seen.len() >= MAX_REMEMBERED {
            self.seen.clear();
            self.since = now;
        }
        if !self.seen.insert((account, code, camera)) {
            return None;
        }
        self.budget.spend(account, now)
    }
}

#[cfg(test)]
mod tests;
