//! Recorded footage as an HLS playlist: one fMP4 segment a GOP.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use sightline_model::{CameraId, TimeRange, Timestamp, id::GrantId};

use super::pieces;
use crate::{
    Api,
    extract::{FromTo, PathId, QueryOf, SignedIn},
    media::{
        gap_header,
        place::{Piece, Placer},
        playlist::{Segment, write},
    },
    problem::Error,
};

/// MIME type of a playlist (RFC 8216 section 4).
const MIME: &str = "application/vnd.apple.mpegurl";

/// Recorded footage as an HLS playlist, from the key frame at or before `from`.
///
/// Segment addresses carry the grant. Gaps and new runs are discontinuities, each segment has its wall clock, and the headers
/// `X-Gaps` and `X-Gap-List` name what is missing.
#[utoipa::path(get, path = "/footage/{camera}/playlist.m3u8", tag = "footage",
    params(("camera" = String, Path, description = "Camera id"), FromTo),
    responses((status = OK, content_type = "application/vnd.apple.mpegurl", body = String, headers(
        ("X-Gaps" = u32, description = "How many stretches are missing"),
        ("X-Gap-List" = String, description = "The missing stretches: from/to/reason, parted by commas")))))]
pub(crate) async fn playlist(
    State(api): State<Api>,
    who: SignedIn,
    PathId(camera): PathId<CameraId>,
    QueryOf(query): QueryOf<FromTo>,
) -> Result<Response, Error> {
    let range = query.range(api.config().playlist_most_s)?;
    let pieces = pieces::find(&api, &who, camera, query.grant, range).await?;
    // Segments are looked at under the playlist's own range: one entry in the audit log covers them.
    let shown = pieces.permit.range().unwrap_or(range);
    let stretches = pieces::parameters(&pieces).await?;
    let mut stretches = stretches.iter().peekable();
    let mut init_at = shown.from;
    let mut placer = Placer::default();
    let mut segments = Vec::with_capacity(pieces.entries.len());
    for (entry, index) in pieces.entries.iter().zip(0_usize..) {
        if stretches.next_if(|(first, _)| *first == index).is_some() {
            init_at = entry.start;
        }
        let placed = placer.place(Piece::from(entry));
        let tail = tail(shown, query.grant);
        segments.push(Segment {
            uri: format!("segment.m4s?at={}&base={}&n={}{tail}", entry.start, placed.base_90k, index + 1),
            at: entry.start,
            duration_90k: entry.duration_90k,
            discontinuity: placed.discontinuity,
            independent: entry.part == 0,
            init_uri: format!("init.mp4?at={init_at}{tail}"),
        });
    }
    let mut headers = HeaderMap::new();
    gap_header::write(&mut headers, &pieces.gaps);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MIME));
    Ok((headers, write(&segments)).into_response())
}

fn tail(range: TimeRange, grant: Option<GrantId>) -> String {
    let TimeRange { from, to } = range;
    let grant = grant.map(|grant| format!("&grant={grant}")).unwrap_or_default();
    format!("&from={from}&to={to}{grant}")
}

/// The instant right after `at`.
pub(super) fn just(at: Timestamp) -> TimeRange {
    TimeRange { from: at, to: at.plus_micros(1) }
}
