//! Holds: camera-seconds that must stay, whatever their age.

use serde::{Deserialize, Serialize};
use sightline_model::{CameraId, TimeRange, Timestamp};

/// Pins exact camera-seconds: every GOP that reaches into them stays as it is, and so does its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Names it.
    pub id: String,
    /// Who wants it.
    pub owner: String,
    /// Why, for those who read a plan or the log.
    pub reason: String,
    /// Of which cameras, all their streams.
    pub cameras: Vec<CameraId>,
    /// From when to when.
    pub range: TimeRange,
    /// When it ends by itself; `None`: when it is lifted.
    pub until: Option<Timestamp>,
}

impl Hold {
    /// Whether it is in force at `now`.
    #[must_use]
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// Whether it pins any of `from..to` (a moment, when both are the same) of a camera.
    #[must_use]
    pub fn touches(&self, camera: CameraId, from: Timestamp, to: Timestamp) -> bool {
        from < self.range.to
            && (to > self.range.from || from >= self.range.from)
            && self.cameras.contains(&camera)
    }
}

/// The holds that are in force, quick to ask.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    /// By camera, then by start; never overlapping.
    ranges: std::collections::HashMap<CameraId, Vec<TimeRange>>,
}

impl Holds {
    pub(crate) fn new(holds: &[Hold], now: Timestamp) -> Self {
        let mut ranges: std::collections::HashMap<CameraId, Vec<TimeRange>> =
            std::collections::HashMap::new();
        for hold in holds.iter().filter(|hold| hold.is_active(now)) {
            for camera in &hold.cameras {
                ranges.entry(*camera).or_default().push(hold.range);
            }
        }
        for list in ranges.values_mut() {
            *list = merged(std::mem::take(list));
        }
        Self { ranges }
    }

    /// Cameras of which anything is pinned.
    pub(crate) fn cameras(&self) -> impl Iterator<Item = CameraId> {
        self.ranges.keys().copied()
    }

    /// What is pinned of a camera, in order.
    pub(crate) fn of(&self, camera: CameraId) -> &[TimeRange] {
        self.ranges.get(&camera).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether any of `from..to` (a moment, when both are the same) of a camera is pinned.
    pub(crate) fn touch(&self, camera: CameraId, from: Timestamp, to: Timestamp) -> bool {
        let list = self.of(camera);
        let first = list.partition_point(|range| range.to <= from);
        list.get(first).is_some_and(|range| range.from < to || (from == to && range.from <= from))
    }
}

/// Ranges in order, those that touch put together.
pub(super) fn merged(mut ranges: Vec<TimeRange>) -> Vec<TimeRange> {
    ranges.sort_unstable_by_key(|range| (range.from, range.to));
    let mut out: Vec<TimeRange> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match out.last_mut() {
            Some(last) if range.from <= last.to => last.to = last.to.max(range.to),
            _ => out.push(range),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn camera(n: u8) -> CameraId {
        format!("c{n}").parse().unwrap()
    }

    fn hold(cameras: &[u8], from: i64, to: i64, until: Option<i64>) -> Hold {
        Hold {
            id: "h".into(),
            owner: "o".into(),
            reason: "r".into(),
            cameras: cameras.iter().map(|n| camera(*n)).collect(),
            range: TimeRange::new(Timestamp(from), Timestamp(to)).unwrap(),
            until: until.map(Timestamp),
        }
    }

    #[test]
    fn a_hold_ends_at_its_end() {
        let hold = hold(&[1], 0, 10, Some(50));
        assert!(hold.is_active(Timestamp(49)) && !hold.is_active(Timestamp(50)));
        assert!(!Holds::new(&[hold], Timestamp(50)).touch(camera(1), Timestamp(0), Timestamp(10)));
    }

    proptest! {
        #[test]
        fn the_quick_answer_is_the_plain_one(
            holds in proptest::collection::vec((0u8..3, 0i64..40, 1i64..10), 0..8),
            asked in (0u8..3, 0i64..50, 0i64..10),
        ) {
            let holds: Vec<Hold> =
                holds.into_iter().map(|(n, from, length)| hold(&[n], from, from + length, None)).collect();
            let (n, from, to) = (asked.0, Timestamp(asked.1), Timestamp(asked.1 + asked.2));
            let plain = holds.iter().any(|hold| hold.touches(camera(n), from, to));
            let quick = Holds::new(&holds, Timestamp(0));
            prop_assert_eq!(quick.touch(camera(n), from, to), plain);
        }
    }
}
