//! Footage: what there is, single pictures, clips, playlists and live. Every look goes through the one door in `trust`.

pub(crate) mod clip;
pub(crate) mod frame;
pub(crate) mod keyframes;
pub(crate) mod live;
mod pieces;
pub(crate) mod playlist;
pub(crate) mod segment;
pub(crate) mod timeline;

use sightline_model::{CameraId, TimeRange, Timestamp, id::GrantId, media::StreamKind};
use sightline_trust::{Look, LookKind, Permit};

use crate::{Api, extract::SignedIn, problem::Error};

/// A look at a camera's recorded main stream.
async fn look(
    api: &Api,
    who: &SignedIn,
    camera: CameraId,
    grant: Option<GrantId>,
    kind: LookKind,
    range: Option<TimeRange>,
) -> Result<Permit, Error> {
    let look = Look { camera, stream: StreamKind::Main, kind, range };
    Ok(api.trust().look(&who.caller, grant, look, Timestamp::now()).await?)
}
