//! Whether the clock can be believed: a wrong one must not cost footage.
//!
//! A clock that is behind makes footage look younger than it is, so nothing goes too early; that most footage is from the
//! future is said all the same. A clock that is ahead makes everything look old. It is noticed because life leaves signs:
//! footage, and the regular making of plans. Against a clock that jumped ahead and went on recording there, the bound on
//! what one plan may destroy is the last guard.

use sightline_model::Timestamp;

use super::{Policies, Refusal, SegmentStock, Stock};

/// Whether anything in a segment is later than `now`.
pub(super) fn is_future(segment: &SegmentStock, now: Timestamp) -> bool {
    end(segment) > now.plus_micros(SLACK_US)
}

/// Footage may be this far ahead of the clock without being called "from the future": steps and slews are small.
const SLACK_US: i64 = 60_000_000;

/// The last moment that anything in a segment is of.
pub(super) fn end(segment: &SegmentStock) -> Timestamp {
    segment.stretches.iter().map(|stretch| stretch.to).fold(segment.range.to, Timestamp::max)
}

/// Why `now` is not to be believed, if it is not.
pub(super) fn refusal(stock: &Stock, policies: &Policies, now: Timestamp) -> Option<Refusal> {
    let (all, ends) = (stock.segments.len(), stock.segments.iter().map(end));
    let future = stock.segments.iter().filter(|segment| is_future(segment, now)).count();
    if future * 2 > all {
        let newest = ends.max()?;
        return Some(Refusal::ClockBehind { now, segments: future, all, newest });
    }
    let limit = now.plus_micros(SLACK_US);
    let last = ends.chain(stock.seen).filter(|at| *at <= limit).max()?;
    (now > last + policies.ahead_max).then_some(Refusal::ClockAhead { now, last })
}
