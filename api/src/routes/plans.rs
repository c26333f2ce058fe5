//! Patrol plans: what is to be looked at, and for how long.

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use sightline_model::{
    Timestamp,
    account::Right,
    audit::Action,
    id::PlanId,
    page::Page,
    patrol::{Layout, Plan, Selection},
};
use uuid::Uuid;

use super::{acts::act, selection};
use crate::{
    Api,
    extract::{JsonBody, PathId, SignedIn},
    problem::{Error, Refusal},
};

/// Longest a view may be asked to be looked at, in seconds.
pub(crate) const MOST_DWELL_S: u32 = 3600;

/// A plan to be made.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPlan {
    /// Name as people say it.
    name: String,
    /// Which cameras.
    selection: Selection,
    /// Tiles at once.
    #[serde(default)]
    layout: Layout,
    /// How long each view must be looked at before it counts as seen, in seconds.
    dwell_s: u32,
}

/// Every plan.
#[utoipa::path(get, path = "/patrol-plans", tag = "patrols", responses((status = OK, body = Page<Plan>)))]
pub(crate) async fn list(State(api): State<Api>, who: SignedIn) -> Result<Json<Page<Plan>>, Error> {
    api.trust().require(&who.caller, Right::SeeCameras)?;
    Ok(Json(Page { items: api.records().plans().await?, next: None }))
}

/// Make a plan.
#[utoipa::path(post, path = "/patrol-plans", tag = "patrols", request_body = NewPlan,
    responses((status = CREATED, body = Plan)))]
pub(crate) async fn create(
    State(api): State<Api>,
    who: SignedIn,
    JsonBody(new): JsonBody<NewPlan>,
) -> Result<(StatusCode, Json<Plan>), Error> {
    api.trust().require(&who.caller, Right::EditPlans)?;
    let now = Timestamp::now();
    let name = new.name.trim().to_owned();
    if !(1..=100).contains(&name.chars().count()) {
        return Err(Refusal::field("name", "must have 1 to 100 characters").into());
    }
    check_dwell(new.dwell_s)?;
    // A plan that names what is not there is refused now, not at three in the morning.
    selection::cameras(&api, &new.selection, now).await?;
    let NewPlan { selection, layout, dwell_s, .. } = new;
    let author = who.caller.account.id;
    let plan = Plan { id: PlanId(Uuid::now_v7()), name, selection, layout, dwell_s, author, created_at: now };
    api.records().create_plan(&plan).await?;
    api.trust().record(act(&who, Action::PlanChanged, format!("plan {} made", plan.id), now)).await?;
    Ok((StatusCode::CREATED, Json(plan)))
}

/// Remove a plan. Patrols that followed it stay.
#[utoipa::path(delete, path = "/patrol-plans/{id}", tag = "patrols",
    params(("id" = String, Path, description = "Plan id")), responses((status = NO_CONTENT)))]
pub(crate) async fn remove(
    State(api): State<Api>,
    who: SignedIn,
    PathId(id): PathId<PlanId>,
) -> Result<StatusCode, Error> {
    api.trust().require(&who.caller, Right::EditPlans)?;
    api.records().delete_plan(id).await?;
    api.trust()
        .record(act(&who, Action::PlanChanged, format!("plan {id} removed"), Timestamp::now()))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) fn check_dwell(dwell_s: u32) -> Result<(), Refusal> {
    if (1..=MOST_DWELL_S).contains(&dwell_s) {
        return Ok(());
    }
    Err(Refusal::field("dwell_s", format!("must be from 1 to {MOST_DWELL_S}")))
}
