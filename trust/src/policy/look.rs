//! What a standing grant shows at a moment. Pure.
//!
//! A look passes two gates: [`admit`] (does the grant stand, does it name the camera, does its ground allow this way of
//! looking) and [`opened`] (of the asked time, what is open now). A still passes the second one twice: once with the
//! time that was asked for, once with the time of the picture that was found.

use std::time::Duration;

use sightline_model::{
    CameraId, RegionId, TimeRange, Timestamp,
    account::Account,
    grant::{Grant, GroundKind},
};

use super::{ALERT_AFTER, ALERT_BEFORE, Facts, MAINTENANCE_BEFORE, MINUTE, PATROL_BEFORE};
use crate::{LookKind, refusal::Refusal};

/// What counts as live when it is asked for as recorded: the newest picture lies a little in the past, and requests
/// take their time.
const JUST_NOW: Duration = MINUTE;

/// What somebody wants to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The camera.
    pub camera: CameraId,
    /// In what way.
    pub kind: LookKind,
    /// Of what time; `None` for live and for the newest picture.
    pub range: Option<TimeRange>,
}

/// Proof that [`admit`] was passed: [`opened`] cannot be asked without it.
#[derive(Debug, Clone, Copy)]
pub struct Admitted<'a> {
    grant: &'a Grant,
    facts: &'a Facts,
    kind: LookKind,
}

/// Both gates: the time that the look opens, `None` for live and for the newest picture.
///
/// # Errors
/// The first rule that the look breaks.
pub fn check(
    grant: &Grant,
    account: &Account,
    facts: &Facts,
    wanted: &Wanted,
    regions: &[RegionId],
    now: Timestamp,
) -> Result<Option<TimeRange>, Refusal> {
    opened(admit(grant, account, facts, wanted, regions, now)?, wanted.range, now)
}

/// The first gate. `regions` is the camera's region and all above it.
///
/// # Errors
/// The first rule that the look breaks.
pub fn admit<'a>(
    grant: &'a Grant,
    account: &Account,
    facts: &'a Facts,
    wanted: &Wanted,
    regions: &[RegionId],
    now: Timestamp,
) -> Result<Admitted<'a>, Refusal> {
    standing(grant, account, facts, now)?;
    let kind = grant.ground.kind;
    let covered =
        grant.cameras.contains(&wanted.camera) || grant.regions.iter().any(|region| regions.contains(region));
    if !covered {
        return Err(Refusal::CameraOutside { camera: wanted.camera });
    }
    if kind == GroundKind::Maintenance && matches!(wanted.kind, LookKind::Playback | LookKind::Live) {
        return Err(Refusal::StillsOnly { kind });
    }
    Ok(Admitted { grant, facts, kind: wanted.kind })
}

/// Whether a grant still stands at all.
///
/// # Errors
/// Why it does not.
pub fn standing(grant: &Grant, account: &Account, facts: &Facts, now: Timestamp) -> Result<(), Refusal> {
    let kind = grant.ground.kind;
    if grant.account != account.id {
        return Err(Refusal::GrantForeign);
    }
    if let Some(at) = grant.ended_at {
        return Err(Refusal::GrantEnded { at });
    }
    if now >= grant.expires_at {
        return Err(Refusal::GrantExpired { at: grant.expires_at });
    }
    if !facts.is_open(account, now) {
        return Err(Refusal::GroundClosed { kind });
    }
    // The role may have changed since.
    if !account.role.may_open(kind) {
        return Err(Refusal::RoleForbidsGround { role: account.role, kind });
    }
    Ok(())
}

/// The second gate: the part of `range` that is open now.
///
/// Live and the newest picture (`None`) need a grant that covers now. A timeline is cut to what is open: what there is
/// beyond is nobody's business. A still needs one open instant, since its picture is a whole GOP. Recorded video must be
/// open from end to end, so that nobody takes a shortened answer for all there was.
///
/// # Errors
/// [`Refusal::TimeOutside`] with the time that is open.
pub fn opened(
    admitted: Admitted<'_>,
    range: Option<TimeRange>,
    now: Timestamp,
) -> Result<Option<TimeRange>, Refusal> {
    let Admitted { grant, facts, kind } = admitted;
    let refused = |granted| Err(Refusal::TimeOutside { granted });
    let asked = match (range, kind) {
        (Some(range), LookKind::Timeline | LookKind::Playback | LookKind::Still) => range,
        _ if grant.range.contains(now) => return Ok(None),
        _ => return refused(grant.range),
    };
    let windows: Vec<TimeRange> = windows(facts, grant.ground.kind, now)
        .iter()
        .filter_map(|open| open.intersection(&grant.range))
        .collect();
    let found = match kind {
        LookKind::Playback => windows.iter().any(|open| open.covers(&asked)).then_some(asked),
        LookKind::Still => windows.iter().any(|open| open.intersection(&asked).is_some()).then_some(asked),
        LookKind::Timeline | LookKind::Live => windows.iter().find_map(|open| open.intersection(&asked)),
    };
    match found {
        Some(range) => Ok(Some(range)),
        None => refused(windows.first().copied().unwrap_or(grant.range)),
    }
}

/// The recorded time that a ground opens at `now`, before it is cut to the grant's own range.
fn windows(facts: &Facts, kind: GroundKind, now: Timestamp) -> Vec<TimeRange> {
    let since = |past: Duration| TimeRange { from: now - past - JUST_NOW, to: Timestamp(i64::MAX) };
    match (facts, kind) {
        (Facts::Patrol(_), _) => vec![since(PATROL_BEFORE)],
        (Facts::Alert { alert, .. }, _) => {
            let around =
                TimeRange { from: alert.occurred_at - ALERT_BEFORE, to: alert.occurred_at + ALERT_AFTER };
            vec![around, since(Duration::ZERO)]
        }
        (Facts::Case(_), _) => vec![TimeRange { from: Timestamp(i64::MIN), to: Timestamp(i64::MAX) }],
        (Facts::Outside, GroundKind::Maintenance) => vec![since(MAINTENANCE_BEFORE)],
        (Facts::Outside, _) => vec![TimeRange { from: Timestamp(i64::MIN), to: Timestamp(i64::MAX) }],
        (Facts::Nothing, _) => Vec::new(),
    }
}

/// The range that is entered for a look: stills by the minutes they lie in, so that scrubbing is one entry a minute of
/// footage. It always contains `range`.
#[must_use]
pub fn entered_range(kind: LookKind, range: TimeRange) -> TimeRange {
    let minute = i64::try_from(MINUTE.as_micros()).unwrap_or(1);
    let begin = |at: i64| at.div_euclid(minute).saturating_mul(minute);
    match kind {
        LookKind::Still => TimeRange {
            from: Timestamp(begin(range.from.0)),
            to: Timestamp(begin(range.to.0.saturating_sub(1)).saturating_add(minute)),
        },
        LookKind::Timeline | LookKind::Playback | LookKind::Live => range,
    }
}

#[cfg(test)]
#[path = "look_tests.rs"]
mod tests;
