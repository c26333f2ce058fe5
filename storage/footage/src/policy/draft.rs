//! A plan in the making: what happens to each segment so far.

use std::cmp::Reverse;

use sightline_model::{TimeRange, Timestamp};

use super::{
    Action, Class, Cut, Policies, Reason, SegmentStock, Step, Stock,
    clock::{end, is_future},
    hold::{Holds, merged},
};

/// What happens to a stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Stays,
    Thinned,
    Dropped,
}

/// What happens to a segment.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) segment: &'a SegmentStock,
    /// `None` when nobody describes its class.
    pub(super) class: Option<&'a Class>,
    /// The latest moment in it.
    pub(super) end: Timestamp,
    /// Whether it may be touched at all: complete, of a known class, and not from the future.
    pub(super) free_to_go: bool,
    /// By stretch: whether it is held.
    held: Vec<bool>,
    fates: Vec<Fate>,
    /// The first reason for which any of it goes.
    pub(super) reason: Option<Reason>,
    pub(super) evicted: Option<Reason>,
    /// Its place among those that go for the same reason, where that is not their age.
    pub(super) turn: usize,
}

impl<'a> Draft<'a> {
    fn new(segment: &'a SegmentStock, policies: &'a Policies, holds: &Holds, now: Timestamp) -> Self {
        let class = policies.class(segment.class);
        let held = segment
            .stretches
            .iter()
            .map(|stretch| stretch.key.is_some_and(|key| holds.touch(key.camera, stretch.from, stretch.to)));
        Self {
            segment,
            class,
            end: end(segment),
            free_to_go: segment.sealed && class.is_some() && !is_future(segment, now),
            held: held.collect(),
            fates: vec![Fate::Stays; segment.stretches.len()],
            reason: None,
            evicted: None,
            turn: 0,
        }
    }

    /// All segments, oldest first.
    pub(super) fn all(stock: &'a Stock, policies: &'a Policies, holds: &Holds, now: Timestamp) -> Vec<Self> {
        let mut drafts: Vec<Self> =
            stock.segments.iter().map(|segment| Self::new(segment, policies, holds, now)).collect();
        drafts.sort_by_key(|draft| (draft.end, draft.segment.id));
        drafts
    }

    /// Whether all of it is older than `age`.
    pub(super) fn is_older(&self, age: std::time::Duration, now: Timestamp) -> bool {
        self.end + age <= now
    }

    /// Whether it may go before its maximum.
    pub(super) fn past_min(&self, now: Timestamp) -> bool {
        self.free_to_go && self.class.is_some_and(|class| self.is_older(class.min, now))
    }

    /// Whether nothing of it stays.
    pub(super) fn is_gone(&self) -> bool {
        self.reason.is_some() && self.fates.iter().all(|fate| *fate == Fate::Dropped)
    }

    /// Its bytes once the plan is carried out.
    pub(super) fn bytes(&self) -> u64 {
        if self.is_gone() { 0 } else { self.segment.bytes.saturating_sub(self.loss()) }
    }

    /// Bytes of the stretches that pass `wanted`, once the plan is carried out.
    pub(super) fn bytes_of(&self, wanted: impl Fn(&super::Stretch) -> bool) -> u64 {
        self.stretches()
            .filter(|(stretch, _, _)| wanted(stretch))
            .map(|(stretch, _, fate)| match fate {
                Fate::Stays => stretch.bytes,
                Fate::Thinned => stretch.thin_bytes,
                Fate::Dropped => 0,
            })
            .sum()
    }

    /// Stretches, whether they are held, and what happens to them.
    pub(super) fn stretches(&self) -> impl Iterator<Item = (&super::Stretch, bool, Fate)> {
        let with = self.segment.stretches.iter().zip(&self.held).zip(&self.fates);
        with.map(|((stretch, held), fate)| (stretch, *held, *fate))
    }

    fn loss(&self) -> u64 {
        self.stretches()
            .map(|(stretch, _, fate)| match fate {
                Fate::Stays => 0,
                Fate::Thinned => stretch.bytes.saturating_sub(stretch.thin_bytes),
                Fate::Dropped => stretch.bytes,
            })
            .sum()
    }

    /// Drops what passes `wanted` and is not held, and says how many bytes that gives back. Nothing happens when it would be
    /// less than `least_percent` of what is left of the segment and something of it stays: writing it again would not be
    /// worth while. With any bound it never is for a segment that has to be fetched from the tier first.
    pub(super) fn drop_all(
        &mut self,
        wanted: impl Fn(&super::Stretch) -> bool,
        least_percent: u64,
        reason: Reason,
    ) -> u64 {
        let (had, before) = (self.bytes(), self.fates.clone());
        let mut goes = self.fates.is_empty();
        for ((stretch, held), fate) in self.segment.stretches.iter().zip(&self.held).zip(&mut self.fates) {
            if !held && *fate != Fate::Dropped && wanted(stretch) {
                *fate = Fate::Dropped;
                goes = true;
            }
        }
        let whole = goes && self.fates.iter().all(|fate| *fate == Fate::Dropped);
        let given =
            had.saturating_sub(if whole { 0 } else { self.segment.bytes.saturating_sub(self.loss()) });
        let far = self.segment.place == super::Place::Tier && least_percent > 0;
        if !goes || !whole && (far || !enough(given, had, least_percent)) {
            self.fates = before;
            return 0;
        }
        self.reason.get_or_insert(reason);
        given
    }

    /// Thins what is not held, if that gives back enough.
    pub(super) fn thin(&mut self, least_percent: u64, reason: Reason) {
        let before = self.fates.clone();
        let had = self.bytes();
        let mut goes = false;
        for ((stretch, held), fate) in self.segment.stretches.iter().zip(&self.held).zip(&mut self.fates) {
            if !held && stretch.full && *fate == Fate::Stays {
                *fate = Fate::Thinned;
                goes = true;
            }
        }
        let given = had.saturating_sub(self.segment.bytes.saturating_sub(self.loss()));
        if goes && enough(given, had, least_percent) {
            self.reason.get_or_insert(reason);
        } else {
            self.fates = before;
        }
    }

    /// Whether the local copy goes while the tier keeps its own.
    pub(super) fn may_be_evicted(&self) -> bool {
        let segment = self.segment;
        segment.sealed
            && segment.place == super::Place::Both
            && self.reason.is_none()
            && self.evicted.is_none()
    }

    /// What to do with it, if anything.
    pub(super) fn step(&self, holds: &Holds) -> Option<Step> {
        let segment = self.segment.id;
        if let Some(reason) = &self.evicted {
            let frees_bytes = self.segment.bytes;
            let on_disk = Some(self.segment.disk);
            return Some(Step {
                action: Action::Evict { segment },
                reason: reason.clone(),
                on_disk,
                frees_bytes,
                loses_bytes: 0,
            });
        }
        let reason = self.reason.clone()?;
        let action = if self.is_gone() { Action::Delete { segment } } else { self.rewrite(holds) };
        let loses_bytes = self.segment.bytes - self.bytes();
        let local = self.segment.place.is_local();
        let (on_disk, frees_bytes) = if local { (Some(self.segment.disk), loses_bytes) } else { (None, 0) };
        Some(Step { action, reason, on_disk, frees_bytes, loses_bytes })
    }

    fn rewrite(&self, holds: &Holds) -> Action {
        Action::Rewrite {
            segment: self.segment.id,
            drop: self.cuts(Fate::Dropped),
            thin: self.cuts(Fate::Thinned),
            keep: self.keep(holds),
        }
    }

    /// The stretches of one fate, those of a stream that touch put together.
    fn cuts(&self, wanted: Fate) -> Vec<Cut> {
        let mut streams: std::collections::BTreeMap<_, Vec<TimeRange>> = std::collections::BTreeMap::new();
        for (stretch, _, _) in self.stretches().filter(|(_, _, fate)| *fate == wanted) {
            let to = stretch.to.max(stretch.from.plus_micros(1));
            streams.entry(stretch.key).or_default().push(TimeRange { from: stretch.from, to });
        }
        let cut = |(stream, ranges)| merged(ranges).into_iter().map(move |range| Cut { stream, range });
        streams.into_iter().flat_map(cut).collect()
    }

    /// What is held of the streams in it.
    fn keep(&self, holds: &Holds) -> Vec<Cut> {
        let mut keys: Vec<_> =
            self.stretches().filter(|(_, held, _)| *held).filter_map(|(stretch, _, _)| stretch.key).collect();
        keys.sort_unstable();
        keys.dedup();
        let from = self
            .segment
            .stretches
            .iter()
            .map(|stretch| stretch.from)
            .min()
            .unwrap_or(self.segment.range.from);
        let near = |range: &&TimeRange| range.from < self.end && range.to > from;
        keys.into_iter()
            .flat_map(|key| {
                holds
                    .of(key.camera)
                    .iter()
                    .filter(near)
                    .map(move |range| Cut { stream: Some(key), range: *range })
            })
            .collect()
    }

    /// Order of doing: what gives space back at once first, what costs reading and writing last.
    pub(super) fn rank(step: &Step) -> (u8, Reverse<bool>) {
        let rank = match (&step.action, &step.reason) {
            (Action::Evict { .. }, Reason::DiskFull { .. }) => 0,
            (Action::Delete { .. }, _) => 1,
            (Action::DestroyKeys { .. }, _) => 2,
            (Action::Shed { .. } | Action::Resume { .. }, _) => 3,
            (Action::Rewrite { .. }, Reason::PastFull { .. }) => 7,
            (Action::Rewrite { .. }, _) => 4,
            (Action::Upload { .. }, _) => 5,
            (Action::Evict { .. }, _) => 6,
        };
        (rank, Reverse(matches!(step.reason, Reason::PastMaximum { .. })))
    }
}

fn enough(given: u64, of: u64, least_percent: u64) -> bool {
    given > 0 && u128::from(given) * 100 >= u128::from(of) * u128::from(least_percent)
}
