//! Opening and ending grants: reads the facts, asks the policy, enters the act.

use sightline_model::{
    CameraId, RegionId, Timestamp,
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
    Caller, Error, GrantRequest, Refusal, Trust,
    policy::{self, Facts},
};

/// Cameras within this distance of an alert's place may be looked at under it.
const NEAR_METRES: f64 = 300.0;
/// Cameras a region may hold for a grant to be counted at all; the policy's bound is far below.
const MOST_COUNTED: usize = 1000;

impl Trust {
    /// Opens a grant, when the policy allows it; the act is entered first.
    ///
    /// # Errors
    /// [`Error::Refused`] with the rule that the request breaks.
    pub async fn open_grant(
        &self,
        caller: &Caller,
        request: GrantRequest,
        now: Timestamp,
    ) -> Result<Grant, Error> {
        let facts = self.facts(&request.ground).await?;
        let region_cameras = self.cameras_in(&request.regions).await?;
        let terms = policy::decide(&request, &caller.account, &facts, region_cameras, now)?;
        for camera in &terms.cameras {
            self.records().camera(*camera).await?;
        }
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
        self.record(grant_act(
            &grant,
            Action::GrantOpened,
            format!("{} cameras, {} regions: {}", grant.cameras.len(), grant.regions.len(), grant.reason),
            now,
        ))
        .await?;
        self.records().insert_grant(&grant).await?;
        Ok(grant)
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
    /// [`Error::Refused`], or [`Error::AuditUnavailable`].
    pub async fn search(
        &self,
        caller: &Caller,
        grant: Option<GrantId>,
        scope: PassScope,
        now: Timestamp,
    ) -> Result<PassScope, Error> {
        let grant = self.grant(caller, grant.ok_or(Refusal::GrantMissing)?).await?;
        let facts = self.facts(&grant.ground).await?;
        policy::standing(&grant, &caller.account, facts.is_open(&caller.account, now), now)?;
        let range =
            grant.range.intersection(&scope.range).ok_or(Refusal::TimeOutside { granted: grant.range })?;
        let granted = self.cameras_of(&grant).await?;
        let cameras: Vec<CameraId> = match scope.cameras.as_slice() {
            [] => granted,
            asked => match asked.iter().find(|camera| !granted.contains(camera)) {
                Some(camera) => return Err(Refusal::CameraOutside { camera: *camera }.into()),
                None => asked.to_vec(),
            },
        };
        let detail = format!("{} cameras; {}", cameras.len(), scope.what);
        let act = grant_act(&grant, Action::PassSearch, detail, now);
        self.record(Act { range: Some(range), camera: scope.cameras.first().copied(), ..act }).await?;
        Ok(PassScope { cameras, range, what: scope.what })
    }

    /// Every camera that a grant covers, by name and by region.
    async fn cameras_of(&self, grant: &Grant) -> Result<Vec<CameraId>, Error> {
        let mut cameras = grant.cameras.clone();
        if !grant.regions.is_empty() {
            let filter = CameraFilter { regions: grant.regions.clone(), ..CameraFilter::default() };
            cameras.extend(
                self.records()
                    .cameras(&filter, None, MOST_COUNTED)
                    .await?
                    .items
                    .iter()
                    .map(|camera| camera.id),
            );
        }
        Ok(cameras)
    }

    /// What is known of the thing that a ground refers to.
    pub(crate) async fn facts(&self, ground: &Ground) -> Result<Facts, Error> {
        let records = self.records();
        let found = match ground.kind {
            GroundKind::Patrol => match ground.reference.parse::<PatrolId>() {
                Ok(id) => records.patrol(id).await.map(Facts::Patrol),
                Err(_) => return Ok(Facts::Nothing),
            },
            GroundKind::Alert => match ground.reference.parse::<AlertId>() {
                Ok(id) => match records.alert(id).await {
                    Ok(alert) => {
                        Ok(Facts::Alert { near: self.cameras_near(&alert).await?, alert: Box::new(alert) })
                    }
                    Err(error) => Err(error),
                },
                Err(_) => return Ok(Facts::Nothing),
            },
            GroundKind::Case => records.case(&ground.reference).await.map(Facts::Case),
            GroundKind::Assistance | GroundKind::Maintenance => return Ok(Facts::Outside),
        };
        match found {
            Err(RecordsError::NotFound { .. }) => Ok(Facts::Nothing),
            other => Ok(other?),
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
        Ok(self.records().cameras(&filter, None, MOST_COUNTED).await?.items.len())
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
    pub range: sightline_model::TimeRange,
    /// What was searched for, as it goes into the log.
    pub what: String,
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
