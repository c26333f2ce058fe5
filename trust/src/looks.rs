//! Which looks were entered lately, so that one look is one entry: playing on, scrubbing and reloading a timeline do not
//! flood the log, and nothing is ever shown that no entry covers. Pure.

use std::{collections::VecDeque, time::Duration};

use sightline_model::{
    CameraId, TimeRange, Timestamp,
    id::{AccountId, GrantId},
};

use crate::LookKind;

/// How long an entry stands for further looks of the same kind inside its range.
const STANDS_FOR: Duration = Duration::from_secs(60);
/// Entries remembered: beyond it the oldest go, which costs an entry more and hides nothing.
const MAX_REMEMBERED: usize = 20_000;

/// Who looked at what under which grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub account: AccountId,
    pub grant: GrantId,
    pub camera: CameraId,
    pub kind: LookKind,
}

/// Entries of the last minute.
#[derive(Debug, Default)]
pub(crate) struct Looks {
    entered: VecDeque<(Timestamp, Key, TimeRange)>,
}

impl Looks {
    /// Whether an entry of the last minute covers this look.
    pub(crate) fn covers(&self, key: Key, range: TimeRange, now: Timestamp) -> bool {
        let fresh = |at: Timestamp| at <= now && now.duration_since(at) < STANDS_FOR;
        let mut lately = self.entered.iter().rev();
        lately
            .any(|(at, entered, entered_range)| fresh(*at) && *entered == key && entered_range.covers(&range))
    }

    /// An entry has been written.
    pub(crate) fn entered(&mut self, key: Key, range: TimeRange, now: Timestamp) {
        while self.entered.front().is_some_and(|(at, ..)| now.duration_since(*at) >= STANDS_FOR) {
            self.entered.pop_front();
        }
        if self.entered.len() >= MAX_REMEMBERED {
            self.entered.pop_front();
        }
        self.entered.push_back((now, key, range));
    }
}

/// Refusals of the last minute, so that a page that asks again and again makes one entry a minute.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    entered: VecDeque<(Timestamp, AccountId, &'static str, CameraId)>,
}

impl Refusals {
    /// Whether this refusal is the first of its kind within a minute; remembers it if so.
    pub(crate) fn is_first(
        &mut self,
        account: AccountId,
        code: &'static str,
        camera: CameraId,
        now: Timestamp,
    ) -> bool {
        while self.entered.front().is_some_and(|(at, ..)| now.duration_since(*at) >= STANDS_FOR) {
            self.entered.pop_front();
        }
        let known =
            self.entered.iter().any(|(_, who, what, which)| (*who, *what, *which) == (account, code, camera));
        if !known && self.entered.len() < MAX_REMEMBERED {
            self.entered.push_back((now, account, code, camera));
        }
        !known
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn key(camera: u8) -> Key {
        Key {
            account: AccountId(Uuid::nil()),
            grant: GrantId(Uuid::nil()),
            camera: format!("camera-{camera}").parse().unwrap(),
            kind: LookKind::Playback,
        }
    }

    proptest! {
        /// Against the plain rule: a look is covered only when some entry of its own key, less than a minute old, contains it.
        #[test]
        fn nothing_is_covered_that_was_not_entered(
            steps in prop::collection::vec((0_u8..3, 0_i64..100, 1_i64..40, 0_i64..30), 1..60)
        ) {
            let mut looks = Looks::default();
            let mut model: Vec<(Timestamp, Key, TimeRange)> = Vec::new();
            let mut now = Timestamp::from_secs(1000);
            for (camera, from, length, pause) in steps {
                now = now + Duration::from_secs(pause.unsigned_abs());
                let range = TimeRange { from: Timestamp(from), to: Timestamp(from + length) };
                let covered = looks.covers(key(camera), range, now);
                let expected = model.iter().any(|(at, key_, entered)| {
                    now.duration_since(*at) < STANDS_FOR && *key_ == key(camera) && entered.covers(&range)
                });
                prop_assert_eq!(covered, expected);
                if !covered {
                    looks.entered(key(camera), range, now);
                    model.push((now, key(camera), range));
                }
            }
        }
    }

    #[test]
    fn memory_is_bounded_and_forgetting_only_costs_an_entry() {
        let mut looks = Looks::default();
        let now = Timestamp::from_secs(1);
        let range = |n: usize| TimeRange { from: Timestamp(n as i64), to: Timestamp(n as i64 + 1) };
        for n in 0..=MAX_REMEMBERED {
            looks.entered(key(0), range(n), now);
        }
        assert_eq!(looks.entered.len(), MAX_REMEMBERED);
        assert!(!looks.covers(key(0), range(0), now) && looks.covers(key(0), range(1), now));
    }
}
