//! A clip: one fMP4 file, written GOP by GOP while it is read from the store.

use std::{collections::VecDeque, io, sync::Arc};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use sightline_footage::GopEntry;
use sightline_model::{
    CameraId,
    media::{AccessUnit, Gop, ParameterSets},
};
use sightline_trust::Permit;

use super::pieces;
use crate::{
    Api,
    extract::{FromTo, PathId, QueryOf, SignedIn},
    fmp4::{self, Fragment, InitOptions},
    media::{
        gap_header,
        place::{Piece, Placed, Placer},
    },
    problem::Error,
};

/// When the clip's first frame was seen.
const CLIP_START: HeaderName = HeaderName::from_static("x-clip-start");

/// A clip as fragmented MP4, from the key frame at or before `from`.
///
/// Missing footage takes its time in the file, and is named in the headers `X-Gaps` (how many) and `X-Gap-List`
/// (`from/to/reason`, parted by commas).
#[utoipa::path(get, path = "/footage/{camera}/clip.mp4", tag = "footage",
    params(("camera" = String, Path, description = "Camera id"), FromTo),
    responses((status = OK, content_type = "video/mp4", body = Vec<u8>, headers(
        ("X-Gaps" = u32, description = "How many stretches are missing"),
        ("X-Gap-List" = String, description = "The missing stretches: from/to/reason, parted by commas"),
        ("X-Clip-Start" = String, description = "When the first frame was seen, RFC 3339")))))]
pub(crate) async fn clip(
    State(api): State<Api>,
    who: SignedIn,
    PathId(camera): PathId<CameraId>,
    QueryOf(query): QueryOf<FromTo>,
) -> Result<Response, Error> {
    let range = query.range(api.config().clip_most_s)?;
    let pieces = pieces::find(&api, &who, camera, query.grant, range).await?;
    let params: Vec<_> = pieces::parameters(&pieces).await?.into_iter().map(|(_, params)| params).collect();
    let mut headers = HeaderMap::new();
    gap_header::write(&mut headers, &pieces.gaps);
    describe(&mut headers, camera, &pieces.entries);
    let clip = Clip::new(api, pieces.permit, pieces.entries, params);
    let body = Body::from_stream(stream::try_unfold(clip, |mut clip| async move {
        Ok::<_, io::Error>(clip.next().await?.map(|bytes| (bytes, clip)))
    }));
    Ok((headers, body).into_response())
}

fn describe(headers: &mut HeaderMap, camera: CameraId, entries: &[GopEntry]) {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(fmp4::MIME));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("none"));
    let Some(start) = entries.first().map(|entry| entry.start) else { return };
    let stamp: String = start.to_string().chars().filter(|c| *c != ':').take_while(|c| *c != '.').collect();
    let name = format!("inline; filename=\"{camera}_{}.mp4\"", stamp.trim_end_matches('Z'));
    for (header, value) in [(CLIP_START, start.to_string()), (header::CONTENT_DISPOSITION, name)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(header, value);
        }
    }
}

/// A clip being written. Holds one GOP at a time.
struct Clip {
    api: Api,
    permit: Permit,
    left: VecDeque<(GopEntry, Placed)>,
    /// Sample entries of the file, in order.
    params: Vec<Arc<ParameterSets>>,
    sequence: u32,
    /// What waits to be sent.
    ready: VecDeque<Bytes>,
}

impl Clip {
    fn new(api: Api, permit: Permit, entries: Vec<GopEntry>, stretches: Vec<Arc<ParameterSets>>) -> Self {
        // A camera may come back to earlier parameters: one sample entry for each distinct set.
        let mut params: Vec<Arc<ParameterSets>> = Vec::new();
        for stretch in stretches {
            if !params.contains(&stretch) {
                params.push(stretch);
            }
        }
        let created = entries.first().map(|entry| entry.start);
        let mut placer = Placer::default();
        let left: VecDeque<_> = entries
            .into_iter()
            .map(|entry| {
                let placed = placer.place(Piece::from(&entry));
                (entry, placed)
            })
            .collect();
        let options = InitOptions { duration_90k: Some(placer.end_90k()), created };
        let init = fmp4::init_segment_with(&params.iter().map(AsRef::as_ref).collect::<Vec<_>>(), options);
        Self { api, permit, left, params, sequence: 0, ready: VecDeque::from([init]) }
    }

    /// The next bytes of the file; `None` at its end.
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        while self.ready.is_empty() {
            let Some((entry, placed)) = self.left.pop_front() else { return Ok(None) };
            match self.permit.read(&entry).await {
                Ok(gop) => self.write(&gop, placed)?,
                Err(sightline_trust::Error::Footage(
                    error
                    @ (sightline_footage::Error::Gone { .. } | sightline_footage::Error::Damaged { .. }),
                )) => {
                    // Its time stays empty in the file.
                    tracing::warn!(%error, key = %entry.key, at = %entry.start, "a GOP is left out of a clip");
                }
                Err(error) => {
                    tracing::error!(%error, key = %entry.key, at = %entry.start, "a clip breaks off");
                    return Err(io::Error::other(error.to_string()));
                }
            }
        }
        let bytes = self.ready.pop_front();
        self.api.count_media(bytes.as_ref().map_or(0, Bytes::len));
        Ok(bytes)
    }

    fn write(&mut self, gop: &Gop, placed: Placed) -> io::Result<()> {
        let Some(entry) = self.params.iter().position(|params| **params == *gop.start.params) else {
            // The file's head is sent already. A broken connection is the one way left to say that it is not whole.
            tracing::warn!(at = %gop.start.at, "a clip breaks off: the camera's parameters changed for a moment");
            return Err(io::Error::other(
                "the camera's parameters changed for a moment: ask for a shorter clip",
            ));
        };
        let fresh = self.sequence == 0 || placed.discontinuity;
        self.sequence += 1;
        let units = decodable(gop, fresh);
        let fragment = Fragment {
            sequence: self.sequence,
            base_decode_time_90k: placed.base_90k,
            duration_90k: gop.duration_90k,
            sample_entry: u32::try_from(entry + 1).unwrap_or(1),
            units: &units,
        };
        self.ready.push_back(fmp4::fragment_head(&fragment));
        self.ready.extend(units.iter().map(|unit| unit.data.clone()).filter(|data| !data.is_empty()));
        Ok(())
    }
}

/// The units that a decoder can use: where decoding begins anew, pictures shown before the key frame refer to others that
/// are not there.
pub(super) fn decodable(gop: &Gop, fresh: bool) -> std::borrow::Cow<'_, [AccessUnit]> {
    let leading = |unit: &AccessUnit| gop.start.part == 0 && unit.pts_90k < 0;
    if fresh && gop.units.iter().any(leading) {
        gop.units.iter().filter(|unit| !leading(unit)).cloned().collect::<Vec<_>>().into()
    } else {
        gop.units.as_slice().into()
    }
}
