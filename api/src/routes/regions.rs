//! The tree of regions.

use axum::{Json, extract::State};
use sightline_model::{Timestamp, account::Right, audit::Action, page::Page, region::Region};

use super::acts::act;
use crate::{
    Api,
    extract::{JsonBody, SignedIn},
    problem::{Error, Refusal},
};

/// The whole tree, parents before children.
#[utoipa::path(get, path = "/regions", tag = "cameras", responses((status = OK, body = Page<Region>)))]
pub(crate) async fn list(State(api): State<Api>, who: SignedIn) -> Result<Json<Page<Region>>, Error> {
    api.trust().require(&who.caller, Right::SeeState)?;
    Ok(Json(Page { items: api.records().regions().await?, next: None }))
}

/// Add a region, or change the one with the same id.
#[utoipa::path(post, path = "/regions", tag = "cameras", request_body = Region, responses((status = OK, body = Region)))]
pub(crate) async fn put(
    State(api): State<Api>,
    who: SignedIn,
    JsonBody(region): JsonBody<Region>,
) -> Result<Json<Region>, Error> {
    api.trust().require(&who.caller, Right::EditCameras)?;
    if !(1..=100).contains(&region.name.trim().chars().count()) {
        return Err(Refusal::field("name", "must have 1 to 100 characters").into());
    }
    api.records().upsert_region(&region).await?;
    let now = Timestamp::now();
    api.trust().record(act(&who, Action::CameraChanged, format!("region {} put", region.id), now)).await?;
    Ok(Json(region))
}
