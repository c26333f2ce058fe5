//! What must hold after every step.

use std::collections::BTreeSet;

use rand::{RngExt, rngs::SmallRng};
use sightline_model::{TimeRange, Timestamp, media::StreamKey};

use super::{
    super::{all, always},
    naive::{Fate, Naive, assert_near},
};
use crate::{Error, Footage, GopEntry, Timeline, Watermarks, types::Location};

/// `indexed <= synced <= appended <= tail_end`; all but `appended` only grow.
pub(super) fn check_watermarks(before: Watermarks, now: Watermarks) {
    assert!(now.indexed <= now.synced, "{now:?}");
    assert!(now.synced <= now.appended, "{now:?}");
    assert!(now.appended <= now.tail_end, "{now:?}");
    assert!(now.indexed >= before.indexed && now.synced >= before.synced, "{before:?}, then {now:?}");
    assert!(now.tail_end >= before.tail_end, "{before:?}, then {now:?}");
}

/// What may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowed {
    /// Nothing that is complete.
    Nothing,
    /// What was let go: complete, and not said to be safe.
    LetGo,
    /// Everything that was not said to be safe, for good.
    Lost,
    /// The same, for now.
    Late,
}

/// Reads all of a stream and holds it against the model, which learns what is gone.
/// `settled`: everything that is there now is safe, unless it lies in one of these segments, which are rotten.
pub(super) async fn check_stream(
    footage: &Footage,
    key: StreamKey,
    naive: &mut Naive,
    allowed: Allowed,
    settled: Option<&BTreeSet<u64>>,
) {
    let entries = all(footage, key).await;
    let mut there: Vec<(GopEntry, Vec<usize>)> = Vec::new();
    for entry in &entries {
        match footage.read(entry).await {
            Ok(gop) => there.push((*entry, naive.check_read(entry, &gop))),
            // The key of what was never safe may be lost with it.
            Err(error @ (Error::Damaged { .. } | Error::Key(_) | Error::Io { .. })) => {
                let fates = &naive.gops[&(entry.run, entry.number)].fates;
                assert!(fates.iter().any(|fate| *fate != Fate::Safe), "{entry:?}: {error}");
            }
            Err(error) => panic!("{entry:?}: {error}"),
        }
    }
    check_pieces(&there, naive);
    let mut found = BTreeSet::new();
    for (entry, places) in &there {
        for index in places {
            let new = found.insert((entry.run, entry.number, *index));
            assert!(new, "{entry:?}: frame {index} is there twice");
            let fate = naive.fate_mut(entry, *index);
            assert_ne!(*fate, Fate::Gone, "{entry:?}: frame {index} was gone");
            if let (Some(rotten), Fate::Hoped) = (settled, *fate) {
                *fate = if lies_in(entry, rotten) { Fate::Doubtful } else { Fate::Safe };
            }
        }
    }
    for ((run, number), known) in &mut naive.gops {
        for (index, fate) in known.fates.iter_mut().enumerate() {
            let decided = matches!(fate, Fate::Gone | Fate::Doubtful);
            if decided || found.contains(&(*run, *number, index)) {
                continue;
            }
            let what = format!("{key}: frame {index} of GOP {number} of run {}", run.0);
            assert_ne!(*fate, Fate::Safe, "{what} was safe and is not there");
            match allowed {
                Allowed::Nothing if known.complete && *fate == Fate::Hoped => panic!("{what} is not there"),
                Allowed::LetGo if known.complete => *fate = Fate::Gone,
                Allowed::Lost => *fate = Fate::Gone,
                Allowed::Nothing | Allowed::LetGo | Allowed::Late => {}
            }
        }
    }
    check_questions(footage, key, &entries).await;
}

/// Whether a part of it may lie in one of these segments.
pub(super) fn lies_in(entry: &GopEntry, segments: &BTreeSet<u64>) -> bool {
    match entry.location {
        Location::Segment { place, .. } => {
            segments.contains(&place.id) || (entry.spread && !segments.is_empty())
        }
        Location::Tail => !segments.is_empty(),
    }
}

/// A whole GOP is tiled by its entries, up to the end that its source told.
fn check_pieces(there: &[(GopEntry, Vec<usize>)], naive: &Naive) {
    for ((run, number), known) in naive.gops.iter().filter(|(_, known)| known.pushed.in_order) {
        let mut pieces: Vec<_> =
            there.iter().filter(|(entry, _)| (entry.run, entry.number) == (*run, *number)).collect();
        pieces.sort_by_key(|(entry, _)| entry.part);
        for pair in pieces.windows(2) {
            if pair[0].1.last().zip(pair[1].1.first()).is_some_and(|(last, next)| last + 1 == *next) {
                assert_near(pair[0].0.end, pair[1].0.start, &pair[0].0);
            }
        }
        if let (Some(end), Some((last, places))) = (known.pushed.end, pieces.last())
            && places.last() == Some(&(known.pushed.units.len() - 1))
        {
            assert_near(last.end, end, last);
        }
    }
}

/// Spans and gaps tile `range` from the first footage to `now`; footage is in spans and not in gaps.
pub(super) async fn check_timeline(footage: &Footage, key: StreamKey, range: TimeRange, now: Timestamp) {
    let entries = all(footage, key).await;
    let timeline = footage.timeline(key, range, now).await.unwrap();
    let Some(first) = entries.first() else { return };
    let tiles = tiles(&timeline);
    let mut at = None;
    for (from, to) in &tiles {
        assert!(from < to && at.is_none_or(|at| at == *from), "{key}: {timeline:?}");
        at = Some(*to);
    }
    let until = range.to.min(now);
    if range.from.max(first.start) < until {
        let from = tiles.first().map(|tile| tile.0);
        assert!(from.is_some_and(|from| from <= range.from.max(first.start)), "{key}: {timeline:?}");
        assert_eq!(at, Some(until), "{key}: {range:?} {timeline:?}");
    }
    for gap in &timeline.gaps {
        let overlap = entries.iter().find(|entry| entry.start < gap.to && entry.end > gap.from);
        assert!(overlap.is_none(), "{key}: a gap over footage: {gap:?} {overlap:?}");
    }
}

fn tiles(timeline: &Timeline) -> Vec<(Timestamp, Timestamp)> {
    let mut tiles: Vec<_> = timeline.spans.iter().map(|span| (span.range.from, span.range.to)).collect();
    tiles.extend(timeline.gaps.iter().map(|gap| (gap.from, gap.to)));
    tiles.sort();
    tiles
}

/// The other forms of question agree with the whole list.
async fn check_questions(footage: &Footage, key: StreamKey, entries: &[GopEntry]) {
    let mut sorted = entries.to_vec();
    sorted.sort_by_key(GopEntry::identity);
    assert_eq!(identities(&sorted), identities(entries), "{key}: by start, then by run");
    let starts: Vec<_> = entries.iter().filter(|entry| entry.part == 0).collect();
    if starts.is_empty() {
        assert_eq!(footage.nearest(key, Timestamp(0)).await.unwrap(), None);
    }
}

/// Asks for what a random place and range hold.
pub(super) async fn ask(footage: &Footage, key: StreamKey, rng: &mut SmallRng, near: Timestamp) {
    let entries = all(footage, key).await;
    let at = near.plus_micros(rng.random_range(-90_000_000..20_000_000));
    let nearest = footage.nearest(key, at).await.unwrap();
    let rank = |entry: &&GopEntry| (entry.covers(at), entry.identity());
    let starts = || entries.iter().filter(|entry| entry.part == 0);
    let expected = starts().filter(|entry| entry.start <= at).max_by_key(rank);
    let expected = expected.or_else(|| starts().min_by_key(|entry| entry.identity()));
    assert_eq!(
        nearest.as_ref().map(GopEntry::identity),
        expected.map(GopEntry::identity),
        "{key}: nearest {at} among {entries:#?}"
    );
    let range = TimeRange { from: at, to: at.plus_micros(rng.random_range(1..30_000_000)) };
    let limit = rng.random_range(0..12);
    let found = footage.entries(key, range, limit).await.unwrap();
    let inside =
        |entry: &&GopEntry| entry.start < range.to && (entry.end > range.from || entry.start >= range.from);
    let expected: Vec<GopEntry> = entries.iter().filter(inside).take(limit).copied().collect();
    assert_eq!(identities(&found), identities(&expected), "{key}: {range:?}, at most {limit}");
    let now = near.plus_micros(5_000_000);
    check_timeline(footage, key, range, now).await;
    check_timeline(footage, key, always(), now).await;
}

fn identities(entries: &[GopEntry]) -> Vec<(Timestamp, u64, u32, u16, Timestamp, u32)> {
    let identity =
        |entry: &GopEntry| (entry.start, entry.run.0, entry.number, entry.part, entry.end, entry.units);
    entries.iter().map(identity).collect()
}
