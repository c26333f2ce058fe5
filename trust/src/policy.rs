//! Who may open a grant on which ground, how wide it may be, and what a grant shows. Pure: facts in, terms or refusal out.

mod look;

use std::time::Duration;

use sightline_model::{
    CameraId, RegionId, TimeRange, Timestamp,
    account::Account,
    alert::Alert,
    grant::{Case, Ground, GroundKind},
    patrol::Patrol,
};

pub use look::{Admitted, Wanted, admit, check, entered_range, opened, standing};

use crate::refusal::Refusal;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// A patrol shows what is now, and this much of what just was.
const PATROL_BEFORE: Duration = Duration::from_secs(600);
/// A patrol grant never outlives this.
const PATROL_LONGEST: Duration = Duration::from_secs(12 * 3600);
/// An alert shows this much before it happened ...
const ALERT_BEFORE: Duration = Duration::from_secs(600);
/// ... and this much after.
const ALERT_AFTER: Duration = Duration::from_secs(3600);
/// Most cameras of one alert: those that can see the place.
const ALERT_CAMERAS: usize = 9;
/// Longest window of one case grant.
const CASE_LONGEST: Duration = Duration::from_secs(31 * 86_400);
/// Most cameras of one case grant.
const CASE_CAMERAS: usize = 200;
/// Longest window of an assistance grant.
const ASSISTANCE_LONGEST: Duration = DAY;
/// Most cameras of an assistance grant.
const ASSISTANCE_CAMERAS: usize = 10;
/// A maintenance grant shows this much of what just was.
const MAINTENANCE_BEFORE: Duration = HOUR;
/// Length of a reason in characters.
const REASON_CHARS: std::ops::RangeInclusive<usize> = 5..=500;
/// Longest reference in characters.
const REFERENCE_CHARS: usize = 128;

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRequest {
    /// On what ground.
    pub ground: Ground,
    /// Cameras by name.
    pub cameras: Vec<CameraId>,
    /// Regions, with all below.
    pub regions: Vec<RegionId>,
    /// First instant; the ground's own bound when absent.
    pub from: Option<Timestamp>,
    /// First instant after; the ground's own bound when absent.
    pub to: Option<Timestamp>,
    /// Why, in the holder's words.
    pub reason: String,
}

/// What is known of the thing that a ground refers to.
#[derive(Debug, Clone, PartialEq)]
pub enum Facts {
    /// The patrol.
    Patrol(Patrol),
    /// The alert, and the cameras near its place.
    Alert {
        /// The alert itself.
        alert: Box<Alert>,
        /// Cameras that stand near it.
        near: Vec<CameraId>,
    },
    /// The case.
    Case(Case),
    /// Assistance and maintenance refer to papers outside of Sightline.
    Outside,
    /// There is no such thing.
    Nothing,
}

impl Facts {
    /// Whether looks may still stand on it.
    #[must_use]
    pub fn is_open(&self, account: &Account, now: Timestamp) -> bool {
        match self {
            Self::Patrol(patrol) => patrol.ended_at.is_none() && patrol.account == account.id,
            Self::Alert { alert, .. } => !alert.state.is_closed(),
            Self::Case(case) => {
                case.closed_at.is_none() && now < case.ends_at && case.members.contains(&account.id)
            }
            Self::Outside => true,
            Self::Nothing => false,
        }
    }
}

/// What a grant will cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Cameras by name.
    pub cameras: Vec<CameraId>,
    /// Regions, with all below.
    pub regions: Vec<RegionId>,
    /// Footage and passes by time.
    pub range: TimeRange,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// Decides on a request. `region_cameras` is how many cameras stand in the asked regions.
///
/// # Errors
/// The first rule that the request breaks.
pub fn decide(
    request: &GrantRequest,
    account: &Account,
    facts: &Facts,
    region_cameras: usize,
    now: Timestamp,
) -> Result<Terms, Refusal> {
    let kind = request.ground.kind;
    if !account.role.may_open(kind) {
        return Err(Refusal::RoleForbidsGround { role: account.role, kind });
    }
    if !REASON_CHARS.contains(&request.reason.trim().chars().count()) {
        return Err(Refusal::ReasonMissing);
    }
    if !is_reference(&request.ground.reference) || !facts.is_open(account, now) {
        let reference = request.ground.reference.chars().take(64).collect();
        return Err(Refusal::GroundUnknown { kind, reference });
    }
    let bounds = bounds(facts, kind, now);
    if bounds.expires_at <= now {
        return Err(Refusal::GroundClosed { kind });
    }
    let range = window(request, &bounds, kind)?;
    let (cameras, regions) = scope(request, facts, &bounds, region_cameras, kind)?;
    Ok(Terms { cameras, regions, range, expires_at: bounds.expires_at })
}

fn is_reference(text: &str) -> bool {
    (1..=REFERENCE_CHARS).contains(&text.trim().chars().count()) && !text.chars().any(char::is_control)
}

/// How wide a grant on a ground may be.
struct Bounds {
    /// Time that may be covered at all.
    outer: TimeRange,
    /// Longest stretch of it.
    longest: Duration,
    /// Most cameras.
    cameras: usize,
    expires_at: Timestamp,
}

fn bounds(facts: &Facts, kind: GroundKind, now: Timestamp) -> Bounds {
    match facts {
        Facts::Patrol(patrol) => {
            let end = patrol.started_at + PATROL_LONGEST;
            let outer = TimeRange { from: patrol.started_at - PATROL_BEFORE, to: end };
            Bounds { outer, longest: DAY, cameras: usize::MAX, expires_at: end }
        }
        Facts::Alert { alert, .. } => {
            // Live needs a range that contains now, also for an alert that stands open for long. What was recorded
            // between the hour after the alert and now stays closed: `opened` sees to that.
            let to = (alert.occurred_at + ALERT_AFTER).max(now + HOUR);
            let from = (alert.occurred_at - ALERT_BEFORE).min(now);
            let outer = TimeRange { from, to };
            Bounds { outer, longest: Duration::MAX, cameras: ALERT_CAMERAS, expires_at: now + HOUR }
        }
        Facts::Case(case) => {
            let outer = TimeRange { from: Timestamp(0), to: case.ends_at };
            let expires_at = case.ends_at.min(now + HOUR * 8);
            Bounds { outer, longest: CASE_LONGEST, cameras: CASE_CAMERAS, expires_at }
        }
        Facts::Outside | Facts::Nothing if kind == GroundKind::Maintenance => {
            let outer = TimeRange { from: now - MAINTENANCE_BEFORE, to: now + HOUR };
            Bounds { outer, longest: DAY, cameras: CASE_CAMERAS, expires_at: now + HOUR }
        }
        Facts::Outside | Facts::Nothing => {
            // A request may be about what goes on right now (somebody is lost, a dispute in the yard), so live is within
            // it, for as long as the grant lasts.
            let outer = TimeRange { from: Timestamp(0), to: now + HOUR };
            Bounds { outer, longest: ASSISTANCE_LONGEST, cameras: ASSISTANCE_CAMERAS, expires_at: now + HOUR }
        }
    }
}

/// The asked window, cut to what the ground allows: what lies outside of it is not shown, so it is not granted either.
fn window(request: &GrantRequest, bounds: &Bounds, kind: GroundKind) -> Result<TimeRange, Refusal> {
    let asked = |limit: &str| Refusal::TooWide { kind, limit: limit.to_owned() };
    let bounded = matches!(kind, GroundKind::Patrol | GroundKind::Alert | GroundKind::Maintenance);
    let (from, to) = match (request.from, request.to) {
        (Some(from), Some(to)) => (from, to),
        (from, to) if bounded => (from.unwrap_or(bounds.outer.from), to.unwrap_or(bounds.outer.to)),
        _ => return Err(asked("needs a window of time: give from and to")),
    };
    let range =
        TimeRange::new(from, to).ok_or_else(|| asked("needs a window whose end is after its start"))?;
    let range = range.intersection(&bounds.outer).ok_or_else(|| {
        asked(&format!("covers time between {} and {} only", bounds.outer.from, bounds.outer.to))
    })?;
    if range.length() > bounds.longest {
        let hours = bounds.longest.as_secs() / HOUR.as_secs();
        return Err(asked(&format!("covers at most {hours} hours at once")));
    }
    Ok(range)
}

fn scope(
    request: &GrantRequest,
    facts: &Facts,
    bounds: &Bounds,
    region_cameras: usize,
    kind: GroundKind,
) -> Result<(Vec<CameraId>, Vec<RegionId>), Refusal> {
    let within = |allowed: &[CameraId]| -> Result<Vec<CameraId>, Refusal> {
        let outside = request.cameras.iter().find(|camera| !allowed.contains(camera));
        match outside {
            Some(camera) => Err(Refusal::CameraOutside { camera: *camera }),
            None if request.cameras.is_empty() => Ok(allowed.to_vec()),
            None => Ok(request.cameras.clone()),
        }
    };
    let too_wide = |limit: &str| Refusal::TooWide { kind, limit: limit.to_owned() };
    let cameras = match facts {
        Facts::Patrol(patrol) => within(&patrol.cameras)?,
        Facts::Alert { alert, near } => {
            let mut allowed: Vec<CameraId> = alert.camera.into_iter().collect();
            allowed.extend(near.iter().copied().filter(|camera| Some(*camera) != alert.camera));
            allowed.truncate(ALERT_CAMERAS);
            within(&allowed)?
        }
        _ => request.cameras.clone(),
    };
    let by_region = matches!(kind, GroundKind::Case | GroundKind::Maintenance);
    if !request.regions.is_empty() && !by_region {
        return Err(too_wide("names its cameras one by one, not by region"));
    }
    if cameras.is_empty() && request.regions.is_empty() {
        return Err(too_wide("needs at least one camera or region"));
    }
    if cameras.len().saturating_add(region_cameras) > bounds.cameras {
        return Err(too_wide(&format!("covers at most {} cameras", bounds.cameras)));
    }
    Ok((cameras, request.regions.clone()))
}

#[cfg(test)]
mod tests;
