//! The simplest possible store: a map of everything that was pushed, and what has to be there.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use sightline_model::{
    Timestamp,
    media::{Gop, Policy, RunId, ticks_to_micros},
};

use super::camera::Pushed;
use crate::GopEntry;

/// What is known of an access unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It may be lost in a crash.
    Hoped,
    /// The store said that it is safe.
    Safe,
    /// It was safe, and then the disk rotted where it may lie.
    Doubtful,
    /// It was lost when it could be.
    Gone,
}

/// A GOP and the fate of each of its kept access units.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) pushed: Pushed,
    pub(super) fates: Vec<Fate>,
    /// Another GOP was begun behind it, or its writer is gone: the store cannot be waiting for more of it.
    pub(super) complete: bool,
}

/// Everything about one stream.
#[derive(Debug, Default)]
pub(super) struct Naive {
    pub(super) gops: BTreeMap<(RunId, u32), Known>,
    places: HashMap<Bytes, (RunId, u32, usize)>,
}

/// Times of pieces are counted in microseconds from one piece to the next, each rounded down.
const ROUNDING_US: i64 = 100;

impl Naive {
    pub(super) fn push(&mut self, pushed: Pushed) {
        self.complete();
        let (run, number) = (pushed.start.run, pushed.start.number);
        let kept = match pushed.start.policy {
            Policy::Full => pushed.units.len(),
            Policy::Keyframes => 1,
        };
        for (index, unit) in pushed.units.iter().take(kept).enumerate() {
            self.places.insert(unit.data.clone(), (run, number, index));
        }
        let complete = pushed.end.is_some();
        self.gops.insert((run, number), Known { pushed, fates: vec![Fate::Hoped; kept], complete });
    }

    /// Nothing that is open goes on.
    pub(super) fn complete(&mut self) {
        self.gops.values_mut().for_each(|known| known.complete = true);
    }

    pub(super) fn fate_mut(&mut self, entry: &GopEntry, index: usize) -> &mut Fate {
        &mut self.gops.get_mut(&(entry.run, entry.number)).unwrap().fates[index]
    }

    /// The disk has rotted where this may lie.
    pub(super) fn doubt(&mut self, entry: &GopEntry) {
        let fates = &mut self.gops.get_mut(&(entry.run, entry.number)).unwrap().fates;
        for fate in fates.iter_mut().filter(|fate| **fate == Fate::Safe) {
            *fate = Fate::Doubtful;
        }
    }

    /// What was read for `entry` is what was pushed, to the byte; says which access units it is.
    pub(super) fn check_read(&self, entry: &GopEntry, gop: &Gop) -> Vec<usize> {
        assert!(entry.is(&gop.start), "{entry:?}: read {:?}", gop.start);
        assert_eq!(gop.units.len(), entry.units as usize, "{entry:?}");
        // Of an entry in several places the length is told by times, in microseconds.
        let off_90k = gop.duration_90k.abs_diff(entry.duration_90k);
        assert!(off_90k <= if entry.spread { 2 } else { 0 }, "{entry:?}: read {}", gop.duration_90k);
        assert_eq!(gop.bytes() as u64, entry.bytes, "{entry:?}");
        let known = &self.gops[&(entry.run, entry.number)];
        let pushed = &known.pushed.start;
        assert_eq!(
            (&gop.start.params, gop.start.policy, gop.start.camera_clock),
            (&pushed.params, pushed.policy, pushed.camera_clock)
        );
        let shift_90k = gop.start.media_90k - pushed.media_90k;
        assert_near(gop.start.at, pushed.at.plus_micros(ticks_to_micros(shift_90k)), entry);
        let mut places = Vec::new();
        for unit in &gop.units {
            let (run, number, index) = self.places[&unit.data];
            assert_eq!((run, number), (entry.run, entry.number), "another GOP's frame");
            let truth = &known.pushed.units[index];
            assert_eq!(unit.key, truth.key, "{entry:?}, frame {index}");
            assert_eq!(
                i64::from(unit.pts_90k) + shift_90k,
                i64::from(truth.pts_90k),
                "{entry:?}, frame {index}"
            );
            assert!(places.last().is_none_or(|last| last + 1 == index), "{entry:?}: not in order");
            places.push(index);
        }
        places
    }
}

pub(super) fn assert_near(found: Timestamp, expected: Timestamp, what: &GopEntry) {
    let off_us = found.micros_since(expected);
    assert!(off_us.abs() <= ROUNDING_US, "{what:?}: {found} is {off_us} us off {expected}");
}
