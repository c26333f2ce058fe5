//! Opening and ending grants: reads the facts, asks the policy, enters the act.

use std::collections::BTreeSet;

use sightline_model::{
    CameraId, RegionId, TimeRange, Timestamp,
    account::Right,
    alert::Alert,
    audit::{Act, Action},
    camera::Position,
    grant::{Grant, Ground, GroundKind},
    id::{AlertId, GrantId, PatrolId},
    page::Page,
};
use sightline_records::{Error as RecordsError, cameras::CameraFilter};
use uuid::Uuid;

use crate::{
    Caller, Error, GrantRequest, Refusal, Trust, audit,
    policy::{self, Facts},
};

/// Cameras within this distance of an alert's place may be looked at under it.
const NEAR_METRES: f64 = 300.0;
/// Cameras read from the registry at once.
const PAGE: usize = 1000;
/// Most cameras that a request may name.
const MOST_NAMED: usize = 1000;

impl Trust {
    /// Opens a grant, when the policy allows it; the act is entered first.
    ///
    /// # Errors
    /// [`Error::Refused`] with the rule that the request breaks.
    pub async fn open_grant(
        &self,
        caller: &Caller,
        mut request: GrantRequest,
        now: Timestamp,
    ) -> Result<Grant, Error> {
        request.ground = canonical(request.ground);
        let mut named = BTreeSet::new();
        request.cameras.retain(|camera| named.insert(*camera));
        self.check_registered(&request.cameras).await?;
        let facts = self.facts_to_open(&request.ground).await?;
        let region_cameras = self.cameras_in(&request.regions).await?;
        let terms = policy::decide(&request, &caller.account, &facts, region_cameras, now)?;
        let grant = Grant {
            id: GrantId(Uuid::now_v7()),
            account: caller.account.id,
            ground: request.ground,
            reason: request.reason.trim().to_owned(),
            cameras: terms.cameras,
            regions: terms.regions,
            range: terms.range,
            created_at: now,
            expires_at: terms.expires_at,
            ended_at: None,
        };
        self.record(grant_act(&grant, Action::GrantOpened, opened_detail(&grant), now)).await?;
        self.records().insert_grant(&grant).await?;
        self.counters().grants_opened.add(1);
        Ok(grant)
    }

    /// Refuses names that no camera has: most often they are typing errors.
    async fn check_registered(&self, cameras: &[CameraId]) -> Result<(), Error> {
        if cameras.len() > MOST_NAMED {
            let way_out = "name at most 1000 cameras, or a region";
            return Err(Error::Invalid { field: "cameras", value: cameras.len().to_string(), way_out });
        }
        for camera in cameras {
            self.records().camera(*camera).await?;
        }
        Ok(())
    }

    /// One of the caller's grants.
    ///
    /// # Errors
    /// [`Refusal::GrantForeign`] when it is not.
    pub async fn grant(&self, caller: &Caller, id: GrantId) -> Result<Grant, Error> {
        match self.records().grant(id).await {
            Ok(grant) if grant.account == caller.account.id => Ok(grant),
            Ok(_) | Err(RecordsError::NotFound { .. }) => Err(Refusal::GrantForeign.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// The caller's grants that still stand.
    ///
    /// # Errors
    /// When the records fail.
    pub async fn grants(
        &self,
        caller: &Caller,
        cursor: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Page<Grant>, Error> {
        Ok(self.records().grants_of(caller.account.id, Some(now), cursor, limit).await?)
    }

    /// Ends one of the caller's grants.
    ///
    /// # Errors
    /// [`Refusal::GrantForeign`] when it is not the caller's.
    pub async fn end_grant(&self, caller: &Caller, id: GrantId, now: Timestamp) -> Result<Grant, Error> {
        let grant = self.grant(caller, id).await?;
        self.record(grant_act(&grant, Action::GrantEnded, String::new(), now)).await?;
        Ok(self.records().end_grant(grant.id, now).await?)
    }

    /// Checks a search of vehicle passes under a grant and enters it. The result says what may be searched: the search must
    /// not reach beyond it.
    ///
    /// # Errors
    /// [`Error::RoleForbids`], [`Error::Refused`], or [`Error::AuditUnavailable`].
    pub async fn search(
        &self,
        caller: &Caller,
        grant: Option<GrantId>,
        scope: PassScope,
        now: Timestamp,
    ) -> Result<PassScope, Error> {
        self.require(caller, Right::SearchPasses)?;
        let given = self.given(caller, grant).await;
        let refused = Act {
            at: now,
            account: Some(caller.account.id),
            action: Action::LookRefused,
            grant: given.as_ref().ok().map(|grant| grant.id),
            ground: given.as_ref().ok().map(|grant| grant.ground.clone()),
            camera: scope.cameras.first().copied(),
            range: Some(scope.range),
            detail: String::new(),
        };
        let allowed = match given {
            Ok(grant) => self.searchable(caller, &grant, &scope, now).await.map(|found| (grant, found)),
            Err(error) => Err(error),
        };
        let (grant, (cameras, range)) = match allowed {
            Err(Error::Refused(refusal)) => {
                self.enter_refusal(caller, refused, &refusal).await;
                return Err(refusal.into());
            }
            allowed => allowed?,
        };
        let detail = format!("{}; {}", named_or_counted(&cameras), scope.what);
        let act = grant_act(&grant, Action::PassSearch, detail, now);
        let one = <[CameraId; 1]>::try_from(cameras.as_slice()).ok().map(|[camera]| camera);
        self.record(Act { range: Some(range), camera: one, ..act }).await?;
        Ok(PassScope { cameras, range, what: scope.what })
    }

    /// The cameras and the time of a search, as far as the grant covers them.
    async fn searchable(
        &self,
        caller: &Caller,
        grant: &Grant,
        scope: &PassScope,
        now: Timestamp,
    ) -> Result<(Vec<CameraId>, TimeRange), Error> {
        let facts = self.facts(&grant.ground).await?;
        policy::standing(grant, &caller.account, &facts, now)?;
        let outside = Refusal::TimeOutside { granted: grant.range };
        let range = grant.range.intersection(&scope.range).ok_or(outside)?;
        let granted = self.cameras_of(grant).await?;
        match scope.cameras.iter().find(|camera| !granted.contains(camera)) {
            Some(camera) => Err(Refusal::CameraOutside { camera: *camera }.into()),
            None if scope.cameras.is_empty() => Ok((granted.into_iter().collect(), range)),
            None => Ok((scope.cameras.clone(), range)),
        }
    }

    /// Every camera that a grant covers, by name and by region.
    async fn cameras_of(&self, grant: &Grant) -> Result<BTreeSet<CameraId>, Error> {
        let mut cameras: BTreeSet<CameraId> = grant.cameras.iter().copied().collect();
        if !grant.regions.is_empty() {
            let filter = CameraFilter { regions: grant.regions.clone(), ..CameraFilter::default() };
            let mut cursor = None;
            loop {
                let page = self.records().cameras(&filter, cursor.as_deref(), PAGE).await?;
                cameras.extend(page.items.iter().map(|camera| camera.id));
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
        }
        Ok(cameras)
    }

    /// What is known of the thing that a ground refers to, without what only opening a grant needs.
    pub(crate) async fn facts(&self, ground: &Ground) -> Result<Facts, Error> {
        let records = self.records();
        let reference = ground.reference.as_str();
        let found = match ground.kind {
            GroundKind::Patrol => match reference.parse::<PatrolId>() {
                Ok(id) => records.patrol(id).await.map(Facts::Patrol),
                Err(_) => return Ok(Facts::Nothing),
            },
            GroundKind::Alert => match reference.parse::<AlertId>() {
                Ok(id) => {
                    let alert = records.alert(id).await;
                    alert.map(|alert| Facts::Alert { alert: Box::new(alert), near: Vec::new() })
                }
                Err(_) => return Ok(Facts::Nothing),
            },
            GroundKind::Case => records.case(reference).await.map(Facts::Case),
            GroundKind::Assistance | GroundKind::Maintenance => return Ok(Facts::Outside),
        };
        match found {
            Err(RecordsError::NotFound { .. }) => Ok(Facts::Nothing),
            other => Ok(other?),
        }
    }

    /// The same with the cameras near an alert's place.
    async fn facts_to_open(&self, ground: &Ground) -> Result<Facts, Error> {
        match self.facts(ground).await? {
            Facts::Alert { alert, .. } => Ok(Facts::Alert { near: self.cameras_near(&alert).await?, alert }),
            other => Ok(other),
        }
    }

    /// Cameras near an alert's place, the nearest first. An alert without a place has its own camera only.
    async fn cameras_near(&self, alert: &Alert) -> Result<Vec<CameraId>, Error> {
        let Some(place) = alert.position else { return Ok(Vec::new()) };
        let mut near: Vec<(f64, CameraId)> = Vec::new();
        for camera in self.records().all_cameras().await? {
            let metres = camera.position.map_or(f64::INFINITY, |position| metres(&place, &position));
            if metres <= NEAR_METRES {
                near.push((metres, camera.id));
            }
        }
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        Ok(near.into_iter().map(|(_, camera)| camera).collect())
    }

    async fn cameras_in(&self, regions: &[RegionId]) -> Result<usize, Error> {
        if regions.is_empty() {
            return Ok(0);
        }
        let filter = CameraFilter { regions: regions.to_vec(), ..CameraFilter::default() };
        // One page is enough: the policy's bound lies far below it.
        Ok(self.records().cameras(&filter, None, PAGE).await?.items.len())
    }

    /// The camera's region and all above it.
    pub(crate) async fn regions_above(&self, camera: CameraId) -> Result<Vec<RegionId>, Error> {
        match self.records().camera(camera).await {
            Ok(camera) => Ok(self.records().region_with_ancestors(camera.region).await?),
            // Removed from the registry: its footage is still there, but only a grant that names it reaches it.
            Err(RecordsError::NotFound { .. }) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }
}

/// What a search of vehicle passes covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassScope {
    /// These cameras; empty for all that the grant covers.
    pub cameras: Vec<CameraId>,
    /// Of this time.
    pub range: TimeRange,
    /// What was searched for, as it goes into the log.
    pub what: String,
}

/// References to things of Sightline in their one written form, so that they are found again when the thing ends.
fn canonical(ground: Ground) -> Ground {
    let reference = ground.reference.trim();
    let id = match ground.kind {
        GroundKind::Patrol => reference.parse::<PatrolId>().ok().map(|id| id.to_string()),
        GroundKind::Alert => reference.parse::<AlertId>().ok().map(|id| id.to_string()),
        GroundKind::Case | GroundKind::Assistance | GroundKind::Maintenance => None,
    };
    Ground { kind: ground.kind, reference: id.unwrap_or_else(|| reference.to_owned()) }
}

/// What a grant covers and why, so that the log proves it whatever becomes of the table of grants.
fn opened_detail(grant: &Grant) -> String {
    let mut scope = named_or_counted(&grant.cameras);
    if !grant.regions.is_empty() {
        let regions: Vec<&str> = grant.regions.iter().map(RegionId::as_str).collect();
        scope.push_str(&format!(", regions {}", regions.join(" ")));
    }
    format!("{scope}; until {}; {}", grant.expires_at, grant.reason)
}

fn named_or_counted(cameras: &[CameraId]) -> String {
    audit::named_or_counted("cameras", cameras.iter().map(CameraId::as_str))
}

fn grant_act(grant: &Grant, action: Action, detail: String, now: Timestamp) -> Act {
    Act {
        at: now,
        account: Some(grant.account),
        action,
        grant: Some(grant.id),
        ground: Some(grant.ground.clone()),
        camera: None,
        range: Some(grant.range),
        detail,
    }
}

/// Distance on the ground, good to a percent within a city (equirectangular projection).
fn metres(a: &Position, b: &Position) -> f64 {
    const METRES_PER_DEGREE: f64 = 111_195.0;
    let north = b.lat - a.lat;
    let east = (b.lon - a.lon) * a.lat.to_radians().cos();
    north.hypot(east) * METRES_PER_DEGREE
}

#[cfg(test)]
mod tests;
