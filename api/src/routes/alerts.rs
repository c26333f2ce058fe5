//! Alerts on the duty desk.

use axum::{Json, extract::State};
use serde::Deserialize;
use sightline_model::{
    CameraId, Timestamp,
    account::Right,
    alert::{Alert, AlertMove},
    audit::{Act, Action},
    grant::GroundKind,
    id::AlertId,
    page::Page,
};
use sightline_records::alerts::AlertFilter;

use super::acts::act;
use crate::{
    Api,
    extract::{JsonBody, Paging, PathId, QueryOf, SignedIn},
    problem::Error,
};

/// Which alerts.
#[derive(Debug, Clone, Copy, Deserialize, Default, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Which {
    /// Those that are not closed.
    #[default]
    Open,
    /// All.
    All,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct List {
    /// `open` (default) or `all`.
    #[serde(default)]
    #[param(inline)]
    state: Which,
    /// Only those seen by this camera.
    #[param(value_type = Option<String>)]
    camera: Option<CameraId>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Most items on the page (default 100, at most 1000).
    limit: Option<usize>,
}

/// Alerts, the newest first.
#[utoipa::path(get, path = "/alerts", tag = "alerts", params(List), responses((status = OK, body = Page<Alert>)))]
pub(crate) async fn list(
    State(api): State<Api>,
    who: SignedIn,
    QueryOf(query): QueryOf<List>,
) -> Result<Json<Page<Alert>>, Error> {
    api.trust().require(&who.caller, Right::WorkAlerts)?;
    let filter = AlertFilter { open_only: matches!(query.state, Which::Open), camera: query.camera };
    let page = Paging { cursor: query.cursor, limit: query.limit };
    Ok(Json(api.records().alerts(&filter, page.cursor(), page.limit()).await?))
}

/// One alert.
#[utoipa::path(get, path = "/alerts/{id}", tag = "alerts", params(("id" = String, Path, description = "Alert id")),
    responses((status = OK, body = Alert)))]
pub(crate) async fn get(
    State(api): State<Api>,
    who: SignedIn,
    PathId(id): PathId<AlertId>,
) -> Result<Json<Alert>, Error> {
    api.trust().require(&who.caller, Right::WorkAlerts)?;
    Ok(Json(api.records().alert(id).await?))
}

/// A step in an alert's life.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// What you want to say about it.
    #[serde(default)]
    note: String,
    /// The revision that was read: the step is refused if somebody else was faster.
    revision: i64,
}

/// It is true: a person compared picture and text.
#[utoipa::path(post, path = "/alerts/{id}/confirm", tag = "alerts", params(("id" = String, Path, description = "Alert id")),
    request_body = Step, responses((status = OK, body = Alert)))]
pub(crate) async fn confirm(
    api: State<Api>,
    who: SignedIn,
    id: PathId<AlertId>,
    step: JsonBody<Step>,
) -> Result<Json<Alert>, Error> {
    work(api, who, id, step, AlertMove::Confirm).await
}

/// It is false.
#[utoipa::path(post, path = "/alerts/{id}/dismiss", tag = "alerts", params(("id" = String, Path, description = "Alert id")),
    request_body = Step, responses((status = OK, body = Alert)))]
pub(crate) async fn dismiss(
    api: State<Api>,
    who: SignedIn,
    id: PathId<AlertId>,
    step: JsonBody<Step>,
) -> Result<Json<Alert>, Error> {
    work(api, who, id, step, AlertMove::Dismiss).await
}

/// Somebody goes.
#[utoipa::path(post, path = "/alerts/{id}/dispatch", tag = "alerts", params(("id" = String, Path, description = "Alert id")),
    request_body = Step, responses((status = OK, body = Alert)))]
pub(crate) async fn dispatch(
    api: State<Api>,
    who: SignedIn,
    id: PathId<AlertId>,
    step: JsonBody<Step>,
) -> Result<Json<Alert>, Error> {
    work(api, who, id, step, AlertMove::Dispatch).await
}

/// It is done.
#[utoipa::path(post, path = "/alerts/{id}/resolve", tag = "alerts", params(("id" = String, Path, description = "Alert id")),
    request_body = Step, responses((status = OK, body = Alert)))]
pub(crate) async fn resolve(
    api: State<Api>,
    who: SignedIn,
    id: PathId<AlertId>,
    step: JsonBody<Step>,
) -> Result<Json<Alert>, Error> {
    work(api, who, id, step, AlertMove::Resolve).await
}

async fn work(
    State(api): State<Api>,
    who: SignedIn,
    PathId(id): PathId<AlertId>,
    JsonBody(step): JsonBody<Step>,
    to: AlertMove,
) -> Result<Json<Alert>, Error> {
    api.trust().require(&who.caller, Right::WorkAlerts)?;
    let now = Timestamp::now();
    let account = who.caller.account.id;
    let alert = api.gateway().move_alert(id, to, step.note.trim(), account, step.revision, now).await?;
    let detail = format!("{} alert {id}", to.as_str());
    api.trust().record(Act { camera: alert.camera, ..act(&who, Action::AlertWorked, detail, now) }).await?;
    if alert.state.is_closed() {
        // Looks under it are refused from now on; the grants are ended so that nobody's list shows them either.
        api.records().end_grants_of_ground(GroundKind::Alert, &id.to_string(), now).await?;
    }
    Ok(Json(alert))
}
