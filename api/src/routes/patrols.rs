//! Patrols: planned looking at cameras, with proof of coverage.

use std::collections::BTreeSet;

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use sightline_model::{
    CameraId, Timestamp,
    account::Right,
    audit::Action,
    grant::{Grant, Ground, GroundKind},
    id::{PatrolId, PlanId},
    page::Page,
    patrol::{Finding, Layout, Patrol, Seen, Selection},
};
use sightline_records::PatrolFilter;
use sightline_trust::GrantRequest;
use uuid::Uuid;

use super::{acts::act, plans::check_dwell, selection};
use crate::{
    Api,
    extract::{JsonBody, Paging, PathId, QueryOf, SignedIn},
    problem::{Error, Refusal},
};

/// Dwell of a view picked by hand when none is given, in seconds.
const DEFAULT_DWELL_S: u32 = 5;

/// How far the clocks of a browser and of this machine may differ.
const CLOCK_SLACK_US: i64 = 2_000_000;

/// A patrol to be started: along a plan, or over cameras picked by hand.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPatrol {
    /// The plan to follow.
    plan: Option<PlanId>,
    /// Which cameras, when no plan is followed.
    selection: Option<Selection>,
    /// Tiles at once, when no plan is followed.
    layout: Option<Layout>,
    /// How long each view must be looked at, when no plan is followed, in seconds.
    dwell_s: Option<u32>,
}

/// A patrol and the grant to look under.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Started {
    patrol: Patrol,
    grant: Grant,
}

/// What is to be walked, whichever way it was given.
struct Round {
    plan: Option<PlanId>,
    name: String,
    selection: Selection,
    layout: Layout,
    dwell_s: u32,
}

async fn round(api: &Api, new: NewPatrol) -> Result<Round, Error> {
    match (new.plan, new.selection) {
        (Some(plan), None) if new.layout.is_none() && new.dwell_s.is_none() => {
            let plan = api.records().plan(plan).await?;
            let name = format!("patrol along the plan {}", plan.name);
            Ok(Round {
                plan: Some(plan.id),
                name,
                selection: plan.selection,
                layout: plan.layout,
                dwell_s: plan.dwell_s,
            })
        }
        (None, Some(selection)) => {
            let dwell_s = new.dwell_s.unwrap_or(DEFAULT_DWELL_S);
            check_dwell(dwell_s)?;
            let layout = new.layout.unwrap_or_default();
            Ok(Round { plan: None, name: "patrol over a picked view".to_owned(), selection, layout, dwell_s })
        }
        _ => {
            Err(Refusal::field("plan", "give either plan alone, or selection with layout and dwell_s").into())
        }
    }
}

/// Start a patrol. Its cameras are fixed now; the grant that comes with it lasts as long as it does.
#[utoipa::path(post, path = "/patrols", tag = "patrols", request_body = NewPatrol,
    responses((status = CREATED, body = Started)))]
pub(crate) async fn start(
    State(api): State<Api>,
    who: SignedIn,
    JsonBody(new): JsonBody<NewPatrol>,
) -> Result<(StatusCode, Json<Started>), Error> {
    api.trust().require(&who.caller, Right::RunPatrols)?;
    let now = Timestamp::now();
    let round = round(&api, new).await?;
    let cameras: Vec<_> =
        selection::cameras(&api, &round.selection, now).await?.into_iter().map(|camera| camera.id).collect();
    if cameras.is_empty() {
        return Err(Refusal::field("selection", "takes no camera: widen it").into());
    }
    let patrol = Patrol {
        id: PatrolId(Uuid::now_v7()),
        plan: round.plan,
        account: who.caller.account.id,
        cameras,
        layout: round.layout,
        dwell_s: round.dwell_s,
        started_at: now,
        ended_at: None,
    };
    let detail = format!("patrol {} over {} cameras", patrol.id, patrol.cameras.len());
    api.trust().record(act(&who, Action::PatrolStarted, detail, now)).await?;
    api.records().start_patrol(&patrol).await?;
    let request = GrantRequest {
        ground: Ground { kind: GroundKind::Patrol, reference: patrol.id.to_string() },
        cameras: Vec::new(),
        regions: Vec::new(),
        from: None,
        to: None,
        reason: round.name,
    };
    let grant = match api.trust().open_grant(&who.caller, request, now).await {
        Ok(grant) => grant,
        Err(error) => {
            // A patrol without a grant shows nothing: it must not stand open.
            api.records().end_patrol(patrol.id, now).await?;
            return Err(error.into());
        }
    };
    Ok((StatusCode::CREATED, Json(Started { patrol, grant })))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct List {
    /// Only those still running, or only those that have ended.
    running: Option<bool>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Most items on the page (default 100, at most 1000).
    limit: Option<usize>,
}

/// Patrols, the newest first: my own, or everybody's for who reads reports.
#[utoipa::path(get, path = "/patrols", tag = "patrols", params(List), responses((status = OK, body = Page<Patrol>)))]
pub(crate) async fn list(
    State(api): State<Api>,
    who: SignedIn,
    QueryOf(query): QueryOf<List>,
) -> Result<Json<Page<Patrol>>, Error> {
    let all = who.caller.account.role.may(Right::SeeReports);
    if !all {
        api.trust().require(&who.caller, Right::RunPatrols)?;
    }
    let account = (!all).then_some(who.caller.account.id);
    let filter = PatrolFilter { account, running: query.running, plan: None };
    let page = Paging { cursor: query.cursor, limit: query.limit };
    Ok(Json(api.records().patrols(filter, page.cursor(), page.limit()).await?))
}

/// My own running patrol.
async fn mine(api: &Api, who: &SignedIn, id: PatrolId) -> Result<Patrol, Error> {
    api.trust().require(&who.caller, Right::RunPatrols)?;
    let patrol = api.records().patrol(id).await?;
    if patrol.account != who.caller.account.id {
        return Err(Refusal::NotYours { what: "patrol", id: id.to_string() }.into());
    }
    Ok(patrol)
}

fn running(patrol: Patrol) -> Result<Patrol, Refusal> {
    match patrol.ended_at {
        None => Ok(patrol),
        Some(_) => Err(Refusal::Ended { what: "patrol", id: patrol.id.to_string() }),
    }
}

/// A camera of a view.
#[derive(Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct Stop {
    camera: CameraId,
    name: String,
}

/// The view to look at now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Next {
    /// Its cameras; empty when all are seen.
    view: Vec<Stop>,
    /// Its number, from 0.
    index: usize,
    /// How many views the round has.
    views: usize,
    /// Whether every camera has been seen.
    done: bool,
    /// How long a view must be looked at, in seconds.
    dwell_s: u32,
}

/// The first view with a camera that was not seen yet: its cameras, its number, and how many there are.
fn next_view(patrol: &Patrol, seen: &BTreeSet<CameraId>) -> (Vec<CameraId>, usize, usize) {
    let mut views = patrol.cameras.chunks(patrol.layout.tiles());
    let count = views.len();
    let open = views.by_ref().enumerate().find(|(_, view)| view.iter().any(|camera| !seen.contains(camera)));
    open.map_or((Vec::new(), count, count), |(index, view)| (view.to_vec(), index, count))
}

/// The view to look at now.
#[utoipa::path(get, path = "/patrols/{id}/next", tag = "patrols", params(("id" = String, Path, description = "Patrol id")),
    responses((status = OK, body = Next)))]
pub(crate) async fn next(
    State(api): State<Api>,
    who: SignedIn,
    PathId(id): PathId<PatrolId>,
) -> Result<Json<Next>, Error> {
    let patrol = running(mine(&api, &who, id).await?)?;
    Ok(Json(next_of(&api, &patrol).await?))
}

async fn next_of(api: &Api, patrol: &Patrol) -> Result<Next, Error> {
    let seen = api.records().seen(patrol.id).await?.into_iter().map(|seen| seen.camera).collect();
    let (view, index, views) = next_view(patrol, &seen);
    let mut stops = Vec::with_capacity(view.len());
    for camera in view {
        let name = match api.records().camera(camera).await {
            Ok(camera) => camera.name,
            Err(sightline_records::Error::NotFound { .. }) => camera.to_string(),
            Err(error) => return Err(error.into()),
        };
        stops.push(Stop { camera, name });
    }
    Ok(Next { done: stops.is_empty(), view: stops, index, views, dwell_s: patrol.dwell_s })
}

/// Cameras that were looked at.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeenForm {
    cameras: Vec<SeenCamera>,
}

/// A camera that was looked at.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeenCamera {
    camera: CameraId,
    /// When its picture was first shown.
    shown_at: Timestamp,
    /// Time of the newest frame that was shown; `null` when there was no picture.
    frame_at: Option<Timestamp>,
}

/// What holds of a claim to have seen a camera, or why it does not.
fn prove(patrol: &Patrol, claim: &SeenCamera, now: Timestamp) -> Result<Seen, Refusal> {
    let camera = claim.camera;
    if !patrol.cameras.contains(&camera) {
        return Err(Refusal::field("camera", format!("{camera} is not on this patrol")));
    }
    let shown_us = now.micros_since(claim.shown_at);
    if shown_us < -CLOCK_SLACK_US || claim.shown_at.micros_since(patrol.started_at) < -CLOCK_SLACK_US {
        let why = format!(
            "{camera}: must lie between the patrol's start and now ({now}): check this computer's clock"
        );
        return Err(Refusal::field("shown_at", why));
    }
    if shown_us < i64::from(patrol.dwell_s) * 1_000_000 - CLOCK_SLACK_US {
        let why =
            format!("{camera}: the view must be looked at for {} s before it counts as seen", patrol.dwell_s);
        return Err(Refusal::field("shown_at", why));
    }
    if claim.frame_at.is_some_and(|frame| frame.micros_since(now) > CLOCK_SLACK_US) {
        return Err(Refusal::field("frame_at", format!("{camera}: lies in the future")));
    }
    Ok(Seen { camera, shown_at: claim.shown_at, seen_at: now, frame_at: claim.frame_at })
}

/// Say that cameras were seen. A view counts after it was looked at for the patrol's dwell.
#[utoipa::path(post, path = "/patrols/{id}/seen", tag = "patrols", params(("id" = String, Path, description = "Patrol id")),
    request_body = SeenForm, responses((status = OK, body = Next)))]
pub(crate) async fn seen(
    State(api): State<Api>,
    who: SignedIn,
    PathId(id): PathId<PatrolId>,
    JsonBody(form): JsonBody<SeenForm>,
) -> Result<Json<Next>, Error> {
    let patrol = running(mine(&api, &who, id).await?)?;
    let now = Timestamp::now();
    let proofs =
        form.cameras.iter().map(|claim| prove(&patrol, claim, now)).collect::<Result<Vec<_>, _>>()?;
    if proofs.is_empty() {
        return Err(Refusal::field("cameras", "must name at least one camera").into());
    }
    api.records().mark_seen(id, &proofs).await?;
    Ok(Json(next_of(&api, &patrol).await?))
}

/// Something noticed.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewFinding {
    camera: CameraId,
    /// What, in your own words.
    text: String,
}

/// Note something on a patrol.
#[utoipa::path(post, path = "/patrols/{id}/findings", tag = "patrols",
    params(("id" = String, Path, description = "Patrol id")), request_body = NewFinding,
    responses((status = CREATED, body = Finding)))]
pub(crate) async fn add_finding(
    State(api): State<Api>,
    who: SignedIn,
    PathId(id): PathId<PatrolId>,
    JsonBody(new): JsonBody<NewFinding>,
) -> Result<(StatusCode, Json<Finding>), Error> {
    let patrol = running(mine(&api, &who, id).await?)?;
    let text = new.text.trim().to_owned();
    if !(1..=1000).contains(&text.chars().count()) {
        return Err(Refusal::field("text", "must have 1 to 1000 characters").into());
    }
    if !patrol.cameras.contains(&new.camera) {
        return Err(Refusal::field("camera", format!("{} is not on this patrol", new.camera)).into());
    }
    let finding = Finding { camera: new.camera, at: Timestamp::now(), text };
    api.records().add_finding(id, &finding).await?;
    Ok((StatusCode::CREATED, Json(finding)))
}

/// End a patrol, and the grant with it.
#[utoipa::path(post, path = "/patrols/{id}/end", tag = "patrols", params(("id" = String, Path, description = "Patrol id")),
    responses((status = OK, body = Patrol)))]
pub(crate) async fn end(
    State(api): State<Api>,
    who: SignedIn,
    PathId(id): PathId<PatrolId>,
) -> Result<Json<Patrol>, Error> {
    let patrol = mine(&api, &who, id).await?;
    if patrol.ended_at.is_some() {
        return Ok(Json(patrol));
    }
    let now = Timestamp::now();
    // The entry first: an act that the log does not take is not done.
    api.trust().record(act(&who, Action::PatrolEnded, format!("patrol {id}"), now)).await?;
    Ok(Json(api.records().end_patrol(id, now).await?))
}

/// What a patrol has covered.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct PatrolReport {
    patrol: Patrol,
    /// Cameras on the patrol.
    total: usize,
    /// Cameras of which a picture was seen.
    seen: usize,
    /// `seen / total`.
    coverage: f64,
    /// Cameras that were not seen, or gave no picture.
    missed: Vec<CameraId>,
    /// The proofs.
    seen_list: Vec<Seen>,
    /// What was noticed.
    findings: Vec<Finding>,
}

/// What a patrol has covered: for who ran it, and for who reads reports.
#[utoipa::path(get, path = "/patrols/{id}/report", tag = "patrols",
    params(("id" = String, Path, description = "Patrol id")), responses((status = OK, body = PatrolReport)))]
pub(crate) async fn report(
    State(api): State<Api>,
    who: SignedIn,
    PathId(id): PathId<PatrolId>,
) -> Result<Json<PatrolReport>, Error> {
    let patrol = if who.caller.account.role.may(Right::SeeReports) {
        api.records().patrol(id).await?
    } else {
        mine(&api, &who, id).await?
    };
    let seen_list = api.records().seen(id).await?;
    let findings = api.records().findings(id).await?;
    Ok(Json(covered(patrol, seen_list, findings)))
}

#[allow(clippy::cast_precision_loss, reason = "a share of at most a few thousand cameras")]
fn covered(patrol: Patrol, seen_list: Vec<Seen>, findings: Vec<Finding>) -> PatrolReport {
    let shown: BTreeSet<_> =
        seen_list.iter().filter(|seen| seen.frame_at.is_some()).map(|seen| seen.camera).collect();
    let missed: Vec<_> = patrol.cameras.iter().copied().filter(|camera| !shown.contains(camera)).collect();
    let total = patrol.cameras.len();
    let seen = total - missed.len();
    PatrolReport {
        total,
        seen,
        coverage: seen as f64 / total.max(1) as f64,
        missed,
        seen_list,
        findings,
        patrol,
    }
}

#[cfg(test)]
mod tests;
