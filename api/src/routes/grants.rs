//! Grants: no look without a ground.

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use sightline_model::{
    CameraId, RegionId, Timestamp,
    grant::{Grant, Ground},
    id::GrantId,
    page::Page,
};
use sightline_trust::GrantRequest;

use crate::{
    Api,
    extract::{JsonBody, Paging, PathId, QueryOf, SignedIn},
    problem::Error,
};

/// A grant to be opened.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewGrant {
    /// Why: a kind, and what it refers to.
    ground: Ground,
    /// Cameras by name. A patrol or an alert without any: all of its cameras.
    #[serde(default)]
    cameras: Vec<CameraId>,
    /// Regions, with all below them.
    #[serde(default)]
    regions: Vec<RegionId>,
    /// First instant of the footage; a patrol or alert may leave it out.
    from: Option<Timestamp>,
    /// First instant after it; a patrol or alert may leave it out. Live needs a window that contains now.
    to: Option<Timestamp>,
    /// Why, in your own words.
    reason: String,
}

/// Open a grant.
#[utoipa::path(post, path = "/grants", tag = "grants", request_body = NewGrant,
    responses((status = CREATED, body = Grant)))]
pub(crate) async fn open(
    State(api): State<Api>,
    who: SignedIn,
    JsonBody(new): JsonBody<NewGrant>,
) -> Result<Response, Error> {
    let NewGrant { ground, cameras, regions, from, to, reason } = new;
    let request = GrantRequest { ground, cameras, regions, from, to, reason };
    let grant = api.trust().open_grant(&who.caller, request, Timestamp::now()).await?;
    let location = HeaderValue::from_str(&format!("/api/v1/grants/{}", grant.id));
    let location = location.unwrap_or(HeaderValue::from_static("/api/v1/grants"));
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(grant)).into_response())
}

/// My grants that still stand, the newest first.
#[utoipa::path(get, path = "/grants", tag = "grants", params(Paging), responses((status = OK, body = Page<Grant>)))]
pub(crate) async fn list(
    State(api): State<Api>,
    who: SignedIn,
    QueryOf(page): QueryOf<Paging>,
) -> Result<Json<Page<Grant>>, Error> {
    Ok(Json(api.trust().grants(&who.caller, page.cursor(), page.limit(), Timestamp::now()).await?))
}

/// One of my grants.
#[utoipa::path(get, path = "/grants/{id}", tag = "grants", params(("id" = String, Path, description = "Grant id")),
    responses((status = OK, body = Grant)))]
pub(crate) async fn get(
    State(api): State<Api>,
    who: SignedIn,
    PathId(id): PathId<GrantId>,
) -> Result<Json<Grant>, Error> {
    Ok(Json(api.trust().grant(&who.caller, id).await?))
}

/// End a grant before its time.
#[utoipa::path(delete, path = "/grants/{id}", tag = "grants", params(("id" = String, Path, description = "Grant id")),
    responses((status = NO_CONTENT)))]
pub(crate) async fn end(
    State(api): State<Api>,
    who: SignedIn,
    PathId(id): PathId<GrantId>,
) -> Result<StatusCode, Error> {
    api.trust().end_grant(&who.caller, id, Timestamp::now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
