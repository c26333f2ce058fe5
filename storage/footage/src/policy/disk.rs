//! A disk that runs full: first the copies that the tier has as well, then the least wanted footage.

use super::{
    Action, DiskStock, Note, Place, Reason, Step,
    choose::Choice,
    draft::Draft,
    shed::{self, Shed},
};

/// Makes room on every disk that is short of it.
pub(super) fn make_room(choice: &Choice<'_>, drafts: &mut [Draft<'_>]) {
    for disk in &choice.stock.disks {
        let mut short = disk.keep_free_bytes.saturating_sub(free_bytes(disk, drafts, true));
        let reason = Reason::DiskFull { disk: disk.id };
        for draft in drafts.iter_mut().filter(|draft| draft.segment.disk == disk.id && draft.may_be_evicted())
        {
            if short == 0 {
                break;
            }
            draft.evicted = Some(reason.clone());
            short = short.saturating_sub(draft.segment.bytes);
        }
        if choice.refusal.is_none() && short > 0 {
            give_up_footage(choice, disk, drafts, short);
        }
    }
}

/// Oldest first within a priority, the smallest priority first; whole segments before parts of segments, because writing
/// again needs room itself.
fn give_up_footage(choice: &Choice<'_>, disk: &DiskStock, drafts: &mut [Draft<'_>], mut short: u64) {
    let mut order: Vec<&mut Draft<'_>> = drafts
        .iter_mut()
        .filter(|draft| draft.segment.disk == disk.id && draft.segment.place.is_local())
        .filter(|draft| draft.evicted.is_none() && !draft.is_gone() && draft.past_min(choice.now))
        .collect();
    order.sort_by_key(|draft| (draft.class.map(|class| class.priority), draft.end, draft.segment.id));
    for whole in [true, false] {
        for (turn, draft) in order.iter_mut().enumerate() {
            if short == 0 {
                return;
            }
            let held = draft.stretches().any(|(_, held, _)| held);
            if draft.is_gone() || held == whole {
                continue;
            }
            let had = draft.bytes();
            let reason = Reason::DiskFull { disk: disk.id };
            let given = draft.drop_all(|_| true, choice.policies.rewrite_min_percent, reason);
            // A whole segment gives its file back; that a rewrite of it was planned has not been counted.
            draft.turn = turn;
            let counted = if draft.is_gone() { draft.segment.bytes.max(had) } else { given };
            short = short.saturating_sub(counted);
        }
    }
}

/// What is free on a disk once plans are carried out: as far as it comes at once, without writing anything again, or all.
fn free_bytes(disk: &DiskStock, drafts: &[Draft<'_>], at_once: bool) -> u64 {
    let (mut gained, mut cost) = (0, 0);
    for draft in drafts.iter().filter(|draft| draft.segment.disk == disk.id) {
        let (had, has) = (draft.segment.bytes, draft.bytes());
        if draft.segment.place == Place::Tier {
            // What the tier alone has is written again to the disk.
            cost += if draft.reason.is_some() { has } else { 0 };
        } else if draft.evicted.is_some() {
            gained += had;
        } else if draft.is_gone() || !at_once {
            gained += had - has;
        }
    }
    disk.free_bytes.saturating_add(gained).saturating_sub(cost)
}

/// Gives classes up, or takes them up again, by what will be free once the plan is carried out.
pub(super) fn shed(choice: &mut Choice<'_>, drafts: &[Draft<'_>]) -> Vec<Step> {
    let mut steps = Vec::new();
    for disk in &choice.stock.disks {
        let free = free_bytes(disk, drafts, false);
        if let Some(short_bytes) = disk.keep_free_bytes.checked_sub(free).filter(|short| *short > 0) {
            choice.notes.push(Note::DiskShort { disk: disk.id, short_bytes });
        }
        let Shed { stop, resume } = shed::decide(disk, free, choice.policies);
        let step = |action, reason| Step { action, reason, on_disk: None, frees_bytes: 0, loses_bytes: 0 };
        let id = disk.id;
        steps.extend(
            stop.into_iter()
                .map(|class| step(Action::Shed { disk: id, class }, Reason::DiskFull { disk: id })),
        );
        steps.extend(
            resume
                .into_iter()
                .map(|class| step(Action::Resume { disk: id, class }, Reason::DiskFree { disk: id })),
        );
    }
    steps
}
