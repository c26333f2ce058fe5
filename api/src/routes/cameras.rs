//! The registry of cameras.

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use sightline_model::{
    CameraId, RegionId, Timestamp,
    account::Right,
    camera::{Camera, CameraKind, Position, StreamState},
    event::DeviceStatus,
    media::{Policy, StreamKey, StreamKind},
    page::Page,
};
use sightline_records::CameraFilter;

use super::{
    acts::on_camera,
    camera_form::{CameraPatch, NewCamera},
};
use crate::{
    Api,
    camera_state::{self, CameraState},
    extract::{JsonBody, Paging, PathId, QueryOf, SignedIn},
    problem::Error,
};

/// A camera, as it is shown. Its user and password never are.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct CameraView {
    id: CameraId,
    name: String,
    region: RegionId,
    kind: CameraKind,
    position: Option<Position>,
    tags: Vec<String>,
    policy: Policy,
    enabled: bool,
    /// Whether it has a small stream for walls.
    has_sub: bool,
    /// RTSP address of the main stream; only for who may change cameras.
    #[serde(skip_serializing_if = "Option::is_none")]
    main_url: Option<String>,
    /// RTSP address of the sub-stream; only for who may change cameras.
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_url: Option<String>,
    /// Whether a user and password are stored; only for who may change cameras.
    #[serde(skip_serializing_if = "Option::is_none")]
    has_credentials: Option<bool>,
    revision: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    state: CameraState,
}

fn view(api: &Api, who: &SignedIn, camera: Camera, now: Timestamp) -> CameraView {
    let edits = who.caller.account.role.may(Right::EditCameras);
    CameraView {
        state: camera_state::of(api, camera.id, camera.enabled, now),
        id: camera.id,
        name: camera.name,
        region: camera.region,
        kind: camera.kind,
        position: camera.position,
        tags: camera.tags,
        policy: camera.policy,
        enabled: camera.enabled,
        has_sub: camera.sub_url.is_some(),
        main_url: edits.then_some(camera.main_url),
        sub_url: camera.sub_url.filter(|_| edits),
        has_credentials: edits.then_some(camera.credentials.is_some()),
        revision: camera.revision,
        created_at: camera.created_at,
        updated_at: camera.updated_at,
    }
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct List {
    /// Only cameras in this region and all below it.
    #[param(value_type = Option<String>)]
    region: Option<RegionId>,
    /// Only cameras with this tag.
    tag: Option<String>,
    /// Only cameras whose id or name contains this.
    q: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Most items on the page (default 100, at most 1000).
    limit: Option<usize>,
}

/// List cameras.
#[utoipa::path(get, path = "/cameras", tag = "cameras", params(List), responses((status = OK, body = Page<CameraView>)))]
pub(crate) async fn list(
    State(api): State<Api>,
    who: SignedIn,
    QueryOf(query): QueryOf<List>,
) -> Result<Json<Page<CameraView>>, Error> {
    api.trust().require(&who.caller, Right::SeeCameras)?;
    let filter = CameraFilter {
        regions: query.region.into_iter().collect(),
        tags: query.tag.into_iter().collect(),
        q: query.q,
        ..CameraFilter::default()
    };
    let page = Paging { cursor: query.cursor, limit: query.limit };
    let page = api.records().cameras(&filter, page.cursor(), page.limit()).await?;
    let now = Timestamp::now();
    Ok(Json(page.map(|camera| view(&api, &who, camera, now))))
}

/// One camera.
#[utoipa::path(get, path = "/cameras/{id}", tag = "cameras", params(("id" = String, Path, description = "Camera id")),
    responses((status = OK, body = CameraView)))]
pub(crate) async fn get(
    State(api): State<Api>,
    who: SignedIn,
    PathId(id): PathId<CameraId>,
) -> Result<Json<CameraView>, Error> {
    api.trust().require(&who.caller, Right::SeeCameras)?;
    let camera = api.records().camera(id).await?;
    Ok(Json(view(&api, &who, camera, Timestamp::now())))
}

/// Register a camera.
#[utoipa::path(post, path = "/cameras", tag = "cameras", request_body = NewCamera,
    responses((status = CREATED, body = CameraView)))]
pub(crate) async fn create(
    State(api): State<Api>,
    who: SignedIn,
    JsonBody(new): JsonBody<NewCamera>,
) -> Result<Response, Error> {
    api.trust().require(&who.caller, Right::EditCameras)?;
    let now = Timestamp::now();
    let camera = api.records().insert_camera(&new.into_camera(now)?, now).await?;
    api.trust().record(on_camera(&who, camera.id, "registered", now)).await?;
    let location = HeaderValue::from_str(&format!("/api/v1/cameras/{}", camera.id));
    let location = location.unwrap_or(HeaderValue::from_static("/api/v1/cameras"));
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(view(&api, &who, camera, now)))
        .into_response())
}

/// Change a camera.
#[utoipa::path(patch, path = "/cameras/{id}", tag = "cameras", params(("id" = String, Path, description = "Camera id")),
    request_body = CameraPatch, responses((status = OK, body = CameraView)))]
pub(crate) async fn change(
    State(api): State<Api>,
    who: SignedIn,
    PathId(id): PathId<CameraId>,
    JsonBody(patch): JsonBody<CameraPatch>,
) -> Result<Json<CameraView>, Error> {
    api.trust().require(&who.caller, Right::EditCameras)?;
    let now = Timestamp::now();
    let expected = patch.revision;
    let camera = patch.apply(api.records().camera(id).await?)?;
    let camera = api.records().update_camera(&camera, expected, now).await?;
    api.trust().record(on_camera(&who, id, format!("changed to revision {}", camera.revision), now)).await?;
    Ok(Json(view(&api, &who, camera, now)))
}

/// Remove a camera from the registry. Its footage stays until it expires.
#[utoipa::path(delete, path = "/cameras/{id}", tag = "cameras",
    params(("id" = String, Path, description = "Camera id")), responses((status = NO_CONTENT)))]
pub(crate) async fn remove(
    State(api): State<Api>,
    who: SignedIn,
    PathId(id): PathId<CameraId>,
) -> Result<StatusCode, Error> {
    api.trust().require(&who.caller, Right::EditCameras)?;
    api.records().delete_camera(id).await?;
    api.trust().record(on_camera(&who, id, "removed", Timestamp::now())).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How a camera is doing.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Health {
    id: CameraId,
    state: CameraState,
    /// What ingest says of the main stream.
    #[schema(value_type = Option<Object>)]
    main: Option<StreamState>,
    /// What ingest says of the sub-stream, which is pulled only while somebody watches.
    #[schema(value_type = Option<Object>)]
    sub: Option<StreamState>,
    /// What the device last said of itself.
    device: Option<DeviceStatus>,
}

/// How a camera is doing: its streams, and what the device says of itself.
#[utoipa::path(get, path = "/cameras/{id}/health", tag = "cameras",
    params(("id" = String, Path, description = "Camera id")), responses((status = OK, body = Health)))]
pub(crate) async fn health(
    State(api): State<Api>,
    who: SignedIn,
    PathId(id): PathId<CameraId>,
) -> Result<Json<Health>, Error> {
    api.trust().require(&who.caller, Right::SeeCameras)?;
    let camera = api.records().camera(id).await?;
    let device = api.records().device_status(id).await?;
    let stream = |stream| api.states().borrow().get(&StreamKey { camera: id, stream }).cloned();
    let edits = who.caller.account.role.may(Right::EditCameras);
    Ok(Json(Health {
        id,
        state: camera_state::of(&api, id, camera.enabled, Timestamp::now()),
        main: stream(StreamKind::Main).filter(|_| edits),
        sub: stream(StreamKind::Sub).filter(|_| edits),
        device,
    }))
}
