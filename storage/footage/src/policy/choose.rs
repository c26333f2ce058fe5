//! The decision: one pass over everything, in the order of how strong a reason is.

use std::collections::BTreeMap;

use sightline_model::{CameraId, Timestamp};

use super::{
    Action, Class, Hold, Note, OwnerId, Place, Plan, Policies, Reason, Refusal, Step, Stock, Stretch,
    clock::{self, is_future},
    disk,
    draft::Draft,
    hold::Holds,
    keys,
};

/// Decides what is to be done at `now`. See the module's words for what it never does.
#[must_use]
pub fn choose(stock: &Stock, policies: &Policies, holds: &[Hold], now: Timestamp) -> Plan {
    let mut choice =
        Choice { stock, policies, now, holds: Holds::new(holds, now), refusal: None, notes: Vec::new() };
    choice.refusal = clock::refusal(stock, policies, now);
    let plan = choice.plan();
    match choice.too_much(&plan) {
        Some(refusal) => {
            choice.refusal = Some(refusal);
            choice.notes.clear();
            choice.plan()
        }
        None => plan,
    }
}

/// See [`choose`].
pub(super) struct Choice<'a> {
    pub(super) stock: &'a Stock,
    pub(super) policies: &'a Policies,
    pub(super) now: Timestamp,
    pub(super) holds: Holds,
    /// Once there is one, nothing is destroyed.
    pub(super) refusal: Option<Refusal>,
    pub(super) notes: Vec<Note>,
}

impl<'a> Choice<'a> {
    fn plan(&mut self) -> Plan {
        let mut drafts = Draft::all(self.stock, self.policies, &self.holds, self.now);
        self.note_strange();
        if self.refusal.is_none() {
            self.expire(&mut drafts);
            self.meet_quotas(&mut drafts);
        }
        self.fill_tier(&mut drafts);
        disk::make_room(self, &mut drafts);
        drafts.sort_by_key(|draft| draft.turn);
        let mut steps: Vec<Step> = drafts.iter().filter_map(|draft| draft.step(&self.holds)).collect();
        steps.extend(self.uploads(&drafts));
        if self.refusal.is_none() {
            steps.extend(keys::destroyed(self, &drafts));
        }
        steps.extend(disk::shed(self, &drafts));
        steps.sort_by_key(Draft::rank);
        Plan { at: self.now, refusal: self.refusal.clone(), steps, notes: std::mem::take(&mut self.notes) }
    }

    fn too_much(&self, plan: &Plan) -> Option<Refusal> {
        let all: u64 = self.stock.segments.iter().map(|segment| segment.bytes).sum();
        let (lost_bytes, bound_percent) = (plan.loses_bytes(), self.policies.max_step_percent);
        let percent = (u128::from(lost_bytes) * 100).div_ceil(u128::from(all.max(1)));
        let percent = u64::try_from(percent).unwrap_or(u64::MAX);
        (percent > bound_percent).then_some(Refusal::TooMuch { lost_bytes, percent, bound_percent })
    }

    fn note_strange(&mut self) {
        let mut unknown: BTreeMap<u8, usize> = BTreeMap::new();
        let mut future = Vec::new();
        for segment in &self.stock.segments {
            if self.policies.class(segment.class).is_none() {
                *unknown.entry(segment.class).or_default() += 1;
            }
            if is_future(segment, self.now) {
                future.push(clock::end(segment));
            }
        }
        let unknown = unknown.into_iter().map(|(class, segments)| Note::UnknownClass { class, segments });
        self.notes.extend(unknown);
        if let Some(newest) = future.iter().max() {
            self.notes.push(Note::Future { segments: future.len(), newest: *newest });
        }
    }

    /// What is past its maximum goes, however little it is.
    fn expire(&self, drafts: &mut [Draft<'_>]) {
        for draft in drafts.iter_mut().filter(|draft| draft.free_to_go) {
            let Some(class) = draft.class else { continue };
            if draft.is_older(class.max, self.now) {
                draft.drop_all(|_| true, 0, Reason::PastMaximum { class: class.code });
            }
        }
    }

    /// Only what lies on a disk: to thin what is in the tier alone would cost more than it gives.
    fn thin(&self, drafts: &mut [Draft<'_>]) {
        let least = self.policies.rewrite_min_percent;
        for draft in drafts.iter_mut().filter(|draft| draft.free_to_go && draft.segment.place.is_local()) {
            let Some(class) = draft.class else { continue };
            if class.full.is_some_and(|full| draft.is_older(full, self.now)) && !draft.is_gone() {
                draft.thin(least, Reason::PastFull { class: class.code });
            }
        }
    }

    /// Thins, and meets quotas. Each drop makes a segment smaller and another one of it more worth while, so this goes on
    /// until nothing changes any more: otherwise the next plan would find something to do.
    fn meet_quotas(&mut self, drafts: &mut [Draft<'_>]) {
        let mut left = u64::MAX;
        loop {
            self.thin(drafts);
            let mut notes = Vec::new();
            for class in self.policies.classes() {
                notes.extend(self.class_quota(class, drafts));
            }
            for (owner, quota_bytes) in &self.policies.owners {
                notes.extend(self.owner_quota(*owner, *quota_bytes, drafts));
            }
            let had = std::mem::replace(&mut left, drafts.iter().map(Draft::bytes).sum());
            if left == had {
                self.notes.extend(notes);
                return;
            }
        }
    }

    /// Drops the oldest of a class until it is within its quota; a note if it cannot be.
    fn class_quota(&self, class: &Class, drafts: &mut [Draft<'_>]) -> Option<Note> {
        let quota_bytes = class.quota_bytes?;
        let mut of: Vec<_> = drafts.iter_mut().filter(|draft| draft.segment.class == class.code).collect();
        let used: u64 = of.iter().map(|draft| draft.bytes()).sum();
        let mut over_bytes = used.saturating_sub(quota_bytes);
        for draft in of.iter_mut().filter(|draft| draft.past_min(self.now) && !draft.is_gone()) {
            if over_bytes == 0 {
                break;
            }
            let reason = Reason::ClassQuota { class: class.code };
            let given = draft.drop_all(|_| true, self.policies.rewrite_min_percent, reason);
            over_bytes = over_bytes.saturating_sub(given);
        }
        (over_bytes > 0).then_some(Note::ClassOver { class: class.code, over_bytes })
    }

    /// Drops the oldest of an owner's cameras until they are within its quota; a note if they cannot be.
    fn owner_quota(&self, owner: OwnerId, quota_bytes: u64, drafts: &mut [Draft<'_>]) -> Option<Note> {
        let owned = |stretch: &Stretch| self.owner(stretch.key.map(|key| key.camera)) == Some(owner);
        let used: u64 = drafts.iter().map(|draft| draft.bytes_of(owned)).sum();
        let mut over_bytes = used.saturating_sub(quota_bytes);
        for draft in drafts.iter_mut().filter(|draft| draft.past_min(self.now)) {
            if over_bytes == 0 {
                break;
            }
            let had = draft.bytes_of(owned);
            if had > 0 {
                draft.drop_all(owned, self.policies.rewrite_min_percent, Reason::OwnerQuota { owner });
                over_bytes = over_bytes.saturating_sub(had - draft.bytes_of(owned));
            }
        }
        (over_bytes > 0).then_some(Note::OwnerOver { owner, over_bytes })
    }

    fn owner(&self, camera: Option<CameraId>) -> Option<OwnerId> {
        self.stock.owners.get(&camera?).copied()
    }

    /// Local copies that have stood beside the tier's for long enough.
    fn fill_tier(&self, drafts: &mut [Draft<'_>]) {
        let Some(tier) = self.policies.tier else { return };
        for draft in drafts.iter_mut().filter(|draft| draft.may_be_evicted()) {
            if draft.is_older(tier.keep_local, self.now) {
                draft.evicted = Some(Reason::TierAge);
            }
        }
    }

    fn uploads(&self, drafts: &[Draft<'_>]) -> Vec<Step> {
        let Some(tier) = self.policies.tier else { return Vec::new() };
        let due = |draft: &&Draft<'_>| {
            let segment = draft.segment;
            segment.sealed
                && segment.place == Place::Local
                && draft.reason.is_none()
                && draft.is_older(tier.after, self.now)
        };
        let step = |draft: &Draft<'_>| Step {
            action: Action::Upload { segment: draft.segment.id },
            reason: Reason::TierAge,
            on_disk: None,
            frees_bytes: 0,
            loses_bytes: 0,
        };
        drafts.iter().filter(due).map(step).collect()
    }
}
