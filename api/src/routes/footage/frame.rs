//! Single pictures.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use sightline_model::{CameraId, TimeRange, Timestamp, id::GrantId};
use sightline_picture::Size;
use sightline_trust::LookKind;

use super::look;
use crate::{
    Api,
    extract::{PathId, QueryOf, SignedIn},
    problem::{Error, Refusal},
};

/// When the frame was seen.
const FRAME_TIME: HeaderName = HeaderName::from_static("x-frame-time");

const LEAST_WIDTH: u32 = 160;
const MOST_WIDTH: u32 = 1920;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// The time, RFC 3339: the nearest key frame is shown. `latest` for the newest one.
    at: String,
    /// The grant to look under (see `POST /grants`).
    #[param(value_type = Option<String>)]
    grant: Option<GrantId>,
    /// Width in pixels, from 160 to 1920 (others are brought inside); as the camera sends it when absent.
    width: Option<u32>,
}

/// One picture as JPEG. The header `X-Frame-Time` says when it was seen.
#[utoipa::path(get, path = "/footage/{camera}/frame.jpg", tag = "footage",
    params(("camera" = String, Path, description = "Camera id"), Wanted),
    responses((status = OK, content_type = "image/jpeg", body = Vec<u8>,
        headers(("X-Frame-Time" = String, description = "When the frame was seen, RFC 3339")))))]
pub(crate) async fn frame(
    State(api): State<Api>,
    who: SignedIn,
    PathId(camera): PathId<CameraId>,
    QueryOf(wanted): QueryOf<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let at = at(&wanted.at)?;
    let range = at.map(|at| TimeRange { from: at, to: at.plus_micros(1) });
    let permit = look(&api, &who, camera, wanted.grant, LookKind::Still, range).await?;
    let Some(entry) = permit.still() else {
        let place = at.map_or_else(|| "at all".to_owned(), |at| format!("near {at}"));
        return Err(Refusal::NoFootage { camera: camera.to_string(), place }.into());
    };
    let size = wanted.width.map_or(Size::Original, |width| Size::Width(width.clamp(LEAST_WIDTH, MOST_WIDTH)));
    let tag = tag(camera, entry.start, size);
    let caching = if at.is_some() { "private, max-age=300" } else { "private, no-cache" };
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        describe(response.headers_mut(), &tag, entry.start, caching);
        return Ok(response);
    }
    let picture = match api.pictures().cached(permit.key(), entry.start, size) {
        Some(picture) => picture,
        None => {
            let gop = permit.read(entry).await?;
            api.pictures().still(permit.key(), &gop, size).await?
        }
    };
    api.count_media(picture.len());
    let mut response =
        ([(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg"))], picture).into_response();
    describe(response.headers_mut(), &tag, entry.start, caching);
    Ok(response)
}

fn describe(headers: &mut HeaderMap, tag: &str, frame: Timestamp, caching: &'static str) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    for (name, value) in [(header::ETAG, tag.to_owned()), (FRAME_TIME, frame.to_string())] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}

fn tag(camera: CameraId, frame: Timestamp, size: Size) -> String {
    let width = match size {
        Size::Original => 0,
        Size::Width(width) => width,
    };
    format!("\"{camera}-{}-{width}\"", frame.0)
}

/// The time asked for; `None` for the newest picture.
fn at(text: &str) -> Result<Option<Timestamp>, Refusal> {
    if text == "latest" {
        return Ok(None);
    }
    text.replace(' ', "+")
        .parse()
        .map(Some)
        .map_err(|error| Refusal::field("at", format!("{error}; or write latest")))
}
