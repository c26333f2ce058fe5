//! Patrol views: which cameras go on the wall, in what order.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use sightline_model::{
    CameraId, Timestamp,
    account::Right,
    camera::Camera,
    id::AlertId,
    media::StreamKind,
    patrol::{Layout, Selection},
};

use super::selection;
use crate::{
    Api,
    extract::{JsonBody, SignedIn},
    problem::Error,
};

/// What is to be on the wall.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ViewRequest {
    /// Cameras by place, name, tag or time since they were last seen.
    #[serde(default)]
    selection: Selection,
    /// The cameras that see the place of this alert, instead.
    alert: Option<AlertId>,
    /// Tiles on the wall.
    #[serde(default)]
    layout: Layout,
}

/// One tile.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Tile {
    camera: CameraId,
    name: String,
    /// Which stream suits the layout.
    stream: StreamKind,
}

/// The wall.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct View {
    /// Every tile in order; the wall shows as many at once as the layout has.
    tiles: Vec<Tile>,
    /// How many there are.
    total: usize,
}

/// Pick the cameras of a view.
#[utoipa::path(post, path = "/views/select", tag = "patrols", request_body = ViewRequest, responses((status = OK, body = View)))]
pub(crate) async fn select(
    State(api): State<Api>,
    who: SignedIn,
    JsonBody(wanted): JsonBody<ViewRequest>,
) -> Result<Json<View>, Error> {
    api.trust().require(&who.caller, Right::SeeCameras)?;
    let cameras = match wanted.alert {
        Some(alert) => {
            api.trust().require(&who.caller, Right::WorkAlerts)?;
            selection::cameras_of_alert(&api, &api.records().alert(alert).await?).await?
        }
        None => selection::cameras(&api, &wanted.selection, Timestamp::now()).await?,
    };
    let tiles: Vec<_> = cameras.into_iter().map(|camera| tile(camera, wanted.layout)).collect();
    Ok(Json(View { total: tiles.len(), tiles }))
}

fn tile(camera: Camera, layout: Layout) -> Tile {
    let small = camera.sub_url.is_some() && layout != Layout::One;
    let stream = if small { StreamKind::Sub } else { StreamKind::Main };
    Tile { camera: camera.id, name: camera.name, stream }
}
