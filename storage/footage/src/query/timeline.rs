//! What there is and what is missing: spans and gaps that tile a range. The tiling itself is pure.

use sightline_model::{
    TimeRange, Timestamp,
    gap::{Gap, GapReason},
    media::Policy,
};

use super::{Miss, Query};
use crate::{
    tail::gaps::{GapTracker, TOLERANCE_US},
    types::{Span, Timeline},
};

/// A stretch of footage.
#[derive(Debug, Clone, Copy)]
struct Piece {
    from: Timestamp,
    to: Timestamp,
    policy: Policy,
}

impl Query<'_> {
    /// Spans and gaps between the first footage and `now`, within `range`.
    pub(crate) fn timeline(&self, range: TimeRange, now: Timestamp) -> Result<Timeline, Miss> {
        // Looked at a little wider than asked, so that a hole cut by the range's edge is judged by its true length.
        let (from, to) = (range.from.plus_micros(-TOLERANCE_US), range.to.plus_micros(TOLERANCE_US).min(now));
        let tail = self.tail(now);
        let mut pieces = Vec::new();
        let mut gaps = Vec::new();
        let mut parts = self.parts((from, to))?;
        let (first, known_until) = (parts.view.first, parts.view.known_until);
        while let Some(part) = parts.next()? {
            let block = self.block(&part)?;
            let piece =
                |e: &crate::format::block::Entry| Piece { from: e.start, to: e.end(), policy: e.policy };
            pieces.extend(block.entries.iter().map(piece).filter(|piece| piece.from < to && piece.to > from));
            gaps.extend(block.gaps.iter().filter(|gap| gap.from < to && gap.to > from));
        }
        let mut first = first;
        match tail {
            Some(tail) => {
                let open = tail.open.map(|(from, policy)| Piece { from, to: now.max(from), policy });
                let complete = tail.gops.iter().map(|piece| Piece {
                    from: piece.gop.start.at,
                    to: piece.gop.end(),
                    policy: piece.gop.start.policy,
                });
                let added: Vec<Piece> = complete.chain(open).collect();
                first = first.into_iter().chain(added.iter().map(|piece| piece.from)).min();
                pieces.extend(added);
                gaps.extend(tail.gaps);
            }
            None => gaps.extend(GapTracker::new(known_until).open(now)),
        }
        let Some(first) = first else { return Ok(Timeline::default()) };
        let Some(wide) = TimeRange::new(from.max(first), to) else { return Ok(Timeline::default()) };
        Ok(clip(&tile(wide, pieces, gaps), range))
    }
}

/// Tiles `range` with footage where there is some and gaps where there is none.
fn tile(range: TimeRange, mut pieces: Vec<Piece>, mut gaps: Vec<Gap>) -> Timeline {
    pieces.sort_by_key(|piece| (piece.from, piece.to));
    gaps.sort_by_key(|gap| (gap.from, gap.to));
    let mut out = Timeline::default();
    let mut at = range.from;
    for piece in pieces {
        let to = piece.to.min(range.to);
        if to <= at {
            continue;
        }
        let begins = piece.from.min(range.to);
        let from = if begins.micros_since(at) > TOLERANCE_US { begins } else { begins.min(at) };
        if from > at {
            explain(at, from, &gaps, &mut out.gaps);
            at = from;
        }
        add_span(&mut out.spans, at, to, piece.policy);
        at = to;
    }
    if range.to > at {
        match out.spans.last_mut() {
            Some(last) if last.range.to == at && range.to.micros_since(at) <= TOLERANCE_US => {
                last.range.to = range.to;
            }
            _ => explain(at, range.to, &gaps, &mut out.gaps),
        }
    }
    out
}

fn add_span(spans: &mut Vec<Span>, from: Timestamp, to: Timestamp, policy: Policy) {
    match spans.last_mut() {
        Some(last) if last.range.to == from && last.policy == policy => last.range.to = to,
        _ => spans.extend(TimeRange::new(from, to).map(|range| Span { range, policy })),
    }
}

/// Fills the hole `from..to` with the reasons that gap records give, and `Unknown` where none does.
fn explain(from: Timestamp, to: Timestamp, records: &[Gap], out: &mut Vec<Gap>) {
    let mut at = from;
    let mut add = |from: Timestamp, to: Timestamp, reason: GapReason| match out.last_mut() {
        Some(last) if last.to == from && last.reason == reason => last.to = to,
        _ if from < to => out.push(Gap { from, to, reason }),
        _ => {}
    };
    for record in records.iter().filter(|record| record.from < to) {
        if record.to <= at {
            continue;
        }
        // Between the end of a GOP and the gap after it there may be a sliver of jitter.
        if record.from.micros_since(at) > TOLERANCE_US {
            add(at, record.from, GapReason::Unknown);
            at = record.from;
        }
        let end = record.to.min(to);
        let end = if to.micros_since(end) <= TOLERANCE_US { to } else { end };
        add(at, end, record.reason);
        at = end;
        if at >= to {
            break;
        }
    }
    if at < to {
        add(at, to, GapReason::Unknown);
    }
}

fn clip(timeline: &Timeline, range: TimeRange) -> Timeline {
    let span = |span: &Span| span.range.intersection(&range).map(|range| Span { range, ..*span });
    let gap = |gap: &Gap| {
        let inside = gap.range()?.intersection(&range)?;
        Some(Gap { from: inside.from, to: inside.to, reason: gap.reason })
    };
    Timeline {
        spans: timeline.spans.iter().filter_map(span).collect(),
        gaps: timeline.gaps.iter().filter_map(gap).collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn s(tenths: i64) -> Timestamp {
        Timestamp(tenths * 100_000)
    }

    fn full(from: i64, to: i64) -> Piece {
        Piece { from: s(from), to: s(to), policy: Policy::Full }
    }

    fn gap(from: i64, to: i64, reason: GapReason) -> Gap {
        Gap { from: s(from), to: s(to), reason }
    }

    #[test]
    fn holes_get_the_reasons_of_records_and_jitter_is_closed() {
        let records = vec![gap(40, 60, GapReason::Stalled), gap(60, 80, GapReason::GatewayStopped)];
        let pieces = vec![full(0, 20), full(21, 40), full(80, 100)];
        let range = TimeRange::new(s(0), s(120)).unwrap();
        let timeline = tile(range, pieces, records.clone());
        assert_eq!(
            timeline.spans.iter().map(|span| (span.range.from, span.range.to)).collect::<Vec<_>>(),
            [(s(0), s(40)), (s(80), s(100))]
        );
        assert_eq!(timeline.gaps, [records[0], records[1], gap(100, 120, GapReason::Unknown)]);
    }

    #[test]
    fn footage_wins_over_a_gap_record_when_the_clock_stepped_back() {
        let range = TimeRange::new(s(0), s(100)).unwrap();
        let timeline =
            tile(range, vec![full(0, 100), full(20, 70)], vec![gap(30, 60, GapReason::Unreachable)]);
        assert_eq!((timeline.spans.len(), timeline.gaps.len()), (1, 0));
    }

    proptest! {
        #[test]
        fn spans_and_gaps_tile_the_range(
            pieces in proptest::collection::vec((0i64..200, 0i64..40, any::<bool>()), 0..20),
            records in proptest::collection::vec((0i64..200, 1i64..60, 0u8..12), 0..10),
        ) {
            let range = TimeRange::new(s(10), s(190)).unwrap();
            let pieces = pieces.into_iter().map(|(from, length, keyframes)| {
                let policy = if keyframes { Policy::Keyframes } else { Policy::Full };
                Piece { from: s(from), to: s(from + length), policy }
            }).collect();
            let records = records.into_iter()
                .map(|(from, length, reason)| gap(from, from + length, GapReason::from_code(reason))).collect();
            let timeline = tile(range, pieces, records);
            let mut tiles: Vec<(Timestamp, Timestamp)> = timeline.spans.iter().map(|span| (span.range.from, span.range.to))
                .chain(timeline.gaps.iter().map(|gap| (gap.from, gap.to))).collect();
            tiles.sort();
            let mut at = range.from;
            for (from, to) in tiles {
                prop_assert_eq!(from, at);
                prop_assert!(from < to);
                at = to;
            }
            prop_assert_eq!(at, range.to);
        }
    }
}
