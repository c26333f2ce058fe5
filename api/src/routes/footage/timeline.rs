//! What footage there is.

use axum::{Json, extract::State};
use serde::Serialize;
use sightline_model::{CameraId, Timestamp, gap::Gap, media::Policy};
use sightline_trust::LookKind;

use super::look;
use crate::{
    Api,
    extract::{FromTo, PathId, QueryOf, SignedIn},
    problem::Error,
};

/// A stretch of unbroken footage kept in one way.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct SpanView {
    from: Timestamp,
    to: Timestamp,
    policy: Policy,
}

/// What footage there is: spans and gaps, each in time order, tile the time from the first footage to now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct TimelineView {
    spans: Vec<SpanView>,
    gaps: Vec<Gap>,
}

/// What footage there is in a time, and what is missing and why.
#[utoipa::path(get, path = "/footage/{camera}/timeline", tag = "footage",
    params(("camera" = String, Path, description = "Camera id"), FromTo), responses((status = OK, body = TimelineView)))]
pub(crate) async fn timeline(
    State(api): State<Api>,
    who: SignedIn,
    PathId(camera): PathId<CameraId>,
    QueryOf(query): QueryOf<FromTo>,
) -> Result<Json<TimelineView>, Error> {
    let range = query.range(api.config().timeline_most_s)?;
    let permit = look(&api, &who, camera, query.grant, LookKind::Timeline, Some(range)).await?;
    let timeline = permit.timeline(Timestamp::now()).await?;
    let spans = timeline.spans.into_iter().map(|span| SpanView {
        from: span.range.from,
        to: span.range.to,
        policy: span.policy,
    });
    Ok(Json(TimelineView { spans: spans.collect(), gaps: timeline.gaps }))
}
