//! The segments of a playlist, and the init segments they need.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::Deserialize;
use sightline_model::{CameraId, Timestamp, id::GrantId, media::Gop};
use sightline_trust::LookKind;

use super::{clip::decodable, look, playlist::just};
use crate::{
    Api,
    extract::{At, PathId, QueryOf, SignedIn, range},
    fmp4::{self, Fragment},
    problem::{Error, Refusal},
};

/// Decode times stay exact in players that count in doubles.
const MOST_BASE_90K: u64 = 1 << 53;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct InitOf {
    /// Start of the first GOP that uses it, as the playlist gives it.
    #[param(value_type = Timestamp)]
    at: At,
    /// The playlist's first instant.
    #[param(value_type = Timestamp)]
    from: At,
    /// The first instant after the playlist.
    #[param(value_type = Timestamp)]
    to: At,
    /// The grant to look under.
    #[param(value_type = Option<String>)]
    grant: Option<GrantId>,
}

/// The init segment of a playlist's segments. Its address stands in the playlist.
#[utoipa::path(get, path = "/footage/{camera}/init.mp4", tag = "footage",
    params(("camera" = String, Path, description = "Camera id"), InitOf),
    responses((status = OK, content_type = "video/mp4", body = Vec<u8>)))]
pub(crate) async fn init(
    State(api): State<Api>,
    who: SignedIn,
    PathId(camera): PathId<CameraId>,
    QueryOf(query): QueryOf<InitOf>,
) -> Result<Response, Error> {
    let place = Place { at: query.at.0, from: query.from.0, to: query.to.0, grant: query.grant };
    let gop = find(&api, &who, camera, &place).await?;
    Ok(answer(&api, fmp4::init_segment(&gop.start.params)))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SegmentOf {
    /// Start of the GOP, as the playlist gives it.
    #[param(value_type = Timestamp)]
    at: At,
    /// Its decode time in the playlist, in 1/90,000 s.
    base: u64,
    /// Its number in the playlist, from 1.
    n: u32,
    /// The playlist's first instant.
    #[param(value_type = Timestamp)]
    from: At,
    /// The first instant after the playlist.
    #[param(value_type = Timestamp)]
    to: At,
    /// The grant to look under.
    #[param(value_type = Option<String>)]
    grant: Option<GrantId>,
}

/// One segment of a playlist: one GOP. Its address stands in the playlist.
#[utoipa::path(get, path = "/footage/{camera}/segment.m4s", tag = "footage",
    params(("camera" = String, Path, description = "Camera id"), SegmentOf),
    responses((status = OK, content_type = "video/mp4", body = Vec<u8>)))]
pub(crate) async fn segment(
    State(api): State<Api>,
    who: SignedIn,
    PathId(camera): PathId<CameraId>,
    QueryOf(query): QueryOf<SegmentOf>,
) -> Result<Response, Error> {
    if query.base >= MOST_BASE_90K {
        return Err(
            Refusal::field("base", "is too large: use the addresses that stand in the playlist").into()
        );
    }
    let place = Place { at: query.at.0, from: query.from.0, to: query.to.0, grant: query.grant };
    let gop = find(&api, &who, camera, &place).await?;
    let units = decodable(&gop, query.n == 1);
    let fragment = Fragment {
        sequence: query.n,
        base_decode_time_90k: query.base,
        duration_90k: gop.duration_90k,
        sample_entry: 1,
        units: &units,
    };
    Ok(answer(&api, fmp4::fragment(&fragment)))
}

/// Where a playlist says that a GOP lies.
struct Place {
    at: Timestamp,
    from: Timestamp,
    to: Timestamp,
    grant: Option<GrantId>,
}

async fn find(api: &Api, who: &SignedIn, camera: CameraId, place: &Place) -> Result<Arc<Gop>, Error> {
    let playlist = range(place.from, place.to, api.config().playlist_most_s.saturating_add(120))?;
    let permit = look(api, who, camera, place.grant, LookKind::Playback, Some(playlist)).await?;
    // The first GOP of a playlist may begin before its range: any instant of it inside finds it.
    let inside = place.at.max(playlist.from);
    let entries = permit.entries(just(inside), 4).await?;
    let entry = entries.iter().find(|entry| entry.start == place.at).ok_or_else(|| Refusal::NoFootage {
        camera: camera.to_string(),
        place: format!("that begins at {}", place.at),
    })?;
    Ok(permit.read(entry).await?)
}

fn answer(api: &Api, bytes: Bytes) -> Response {
    api.count_media(bytes.len());
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(fmp4::MIME)),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=300")),
    ];
    (headers, bytes).into_response()
}
