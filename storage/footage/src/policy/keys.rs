//! Days whose keys die: their footage becomes unreadable in every copy, also in those that nobody can reach.

use std::collections::{BTreeSet, HashMap};

use sightline_model::{CameraId, TimeRange, Timestamp};

use super::{
    Action, KeyDay, Reason, Step,
    choose::Choice,
    draft::{Draft, Fate},
};
use crate::crypt::CameraHour;

/// How far before a held range the GOPs may begin that reach into it: their hour's key stays as well.
const KEY_REACH_US: i64 = 600_000_000;

/// Hours that are still needed: of single cameras, and of all.
#[derive(Default)]
struct Needed {
    of: HashMap<CameraId, BTreeSet<u32>>,
    all: BTreeSet<u32>,
}

/// Days that are past every class's maximum lose their keys, but for those of footage that is held or still there.
pub(super) fn destroyed(choice: &Choice<'_>, drafts: &[Draft<'_>]) -> Vec<Step> {
    let longest = choice.policies.longest_max();
    let over: Vec<&KeyDay> =
        choice.stock.keys.iter().filter(|day| day.range().to + longest <= choice.now).collect();
    let needed = needed(drafts, &over.iter().map(|day| day.range()).collect::<Vec<_>>());
    let stays = |hour: &CameraHour| {
        let range = hour.range();
        choice.holds.touch(hour.camera, range.from, range.to.plus_micros(KEY_REACH_US))
            || needed.all.contains(&hour.hour)
            || needed.of.get(&hour.camera).is_some_and(|hours| hours.contains(&hour.hour))
    };
    let step = |day: &KeyDay| {
        let keep: Vec<CameraHour> = day.hours.iter().filter(|hour| stays(hour)).copied().collect();
        (keep.len() < day.hours.len()).then_some(Step {
            action: Action::DestroyKeys { day: day.day, keep },
            reason: Reason::DayOver,
            on_disk: None,
            frees_bytes: 0,
            loses_bytes: 0,
        })
    };
    over.into_iter().filter_map(step).collect()
}

/// The hours of `days` in which footage lies that stays.
fn needed(drafts: &[Draft<'_>], days: &[TimeRange]) -> Needed {
    let mut needed = Needed::default();
    for (stretch, _, _) in
        drafts.iter().flat_map(Draft::stretches).filter(|(_, _, fate)| *fate != Fate::Dropped)
    {
        for day in days.iter().filter(|day| stretch.from < day.to && stretch.to >= day.from) {
            let hours = match stretch.key {
                Some(key) => needed.of.entry(key.camera).or_default(),
                None => &mut needed.all,
            };
            hours.extend(hour(stretch.from.max(day.from))..=hour(stretch.to.min(day.to.plus_micros(-1))));
        }
    }
    needed
}

/// Hours since 1970 (UTC).
fn hour(at: Timestamp) -> u32 {
    u32::try_from(at.0.div_euclid(3_600_000_000).max(0)).unwrap_or(u32::MAX)
}
