//! Where the key frames lie: what a player scrubs by.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use sightline_footage::GopEntry;
use sightline_model::{CameraId, TimeRange, Timestamp, id::GrantId, page::Page};
use sightline_trust::LookKind;

use super::look;
use crate::{
    Api,
    extract::{At, PathId, QueryOf, SignedIn, range},
    problem::{Error, Refusal},
};

const DEFAULT_LIMIT: usize = 1000;
const MOST_ITEMS: usize = 10_000;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct List {
    /// First instant, RFC 3339.
    #[param(value_type = Timestamp)]
    from: At,
    /// First instant after, RFC 3339.
    #[param(value_type = Timestamp)]
    to: At,
    /// The grant to look under (see `POST /grants`).
    #[param(value_type = Option<String>)]
    grant: Option<GrantId>,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<At>,
    /// Most items on the page (default 1000, at most 10000).
    limit: Option<usize>,
}

/// A key frame.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct KeyFrame {
    /// When it was seen.
    at: Timestamp,
    /// Bytes of its GOP: how much happened there.
    bytes: u64,
}

/// Where the key frames lie.
#[utoipa::path(get, path = "/footage/{camera}/keyframes", tag = "footage",
    params(("camera" = String, Path, description = "Camera id"), List), responses((status = OK, body = Page<KeyFrame>)))]
pub(crate) async fn keyframes(
    State(api): State<Api>,
    who: SignedIn,
    PathId(camera): PathId<CameraId>,
    QueryOf(query): QueryOf<List>,
) -> Result<Json<Page<KeyFrame>>, Error> {
    let asked = range(query.from.0, query.to.0, api.config().timeline_most_s)?;
    let permit = look(&api, &who, camera, query.grant, LookKind::Timeline, Some(asked)).await?;
    let from = match query.cursor {
        Some(At(cursor)) if asked.contains(cursor) => cursor,
        Some(_) => {
            return Err(
                Refusal::field("cursor", "is not one of this list: give back `next` unchanged").into()
            );
        }
        None => asked.from,
    };
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MOST_ITEMS);
    // One more tells where the next page begins; one more again may begin before the page and is left out.
    let entries = permit.entries(TimeRange { from, to: asked.to }, limit + 2).await?;
    Ok(Json(page(&entries, from, limit)))
}

/// Key frames from `from` on; parts of long GOPs that have none are left out.
fn page(entries: &[GopEntry], from: Timestamp, limit: usize) -> Page<KeyFrame> {
    let mut inside = entries.iter().filter(|entry| entry.start >= from);
    let items = inside
        .by_ref()
        .take(limit)
        .filter(|entry| entry.part == 0)
        .map(|entry| KeyFrame { at: entry.start, bytes: entry.bytes })
        .collect();
    Page { items, next: inside.next().map(|entry| entry.start.to_string()) }
}
