//! How the system is doing, for the System page.

use axum::{Json, extract::State};
use serde::Serialize;
use sightline_footage::DiskState;
use sightline_model::{Timestamp, account::Right};

use crate::{Api, camera_state, extract::SignedIn, problem::Error};

/// How the system is doing.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Status {
    version: String,
    node: String,
    started_at: Timestamp,
    uptime_s: u64,
    cameras: Cameras,
    footage: Footage,
    live_viewers: u64,
}

/// Cameras by what they are doing.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub(crate) struct Cameras {
    total: usize,
    enabled: usize,
    recording: usize,
    /// Switched on, but not recording.
    troubled: usize,
}

/// The footage store.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Footage {
    /// `writing`, `full` or `failing`.
    disk: &'static str,
    /// What is wrong with it, in words.
    disk_detail: Option<String>,
    free_bytes: u64,
    /// GOPs that reached the disk since the start.
    gops_synced: u64,
    /// Bytes that reached the disk since the start.
    bytes_synced: u64,
    /// GOPs that had to be let go.
    gops_dropped: u64,
    /// GOPs that are complete but not yet synced.
    gops_waiting: u64,
    segments_sealed: u64,
    live_readers: u64,
}

/// How the system is doing.
#[utoipa::path(get, path = "/status", tag = "system", responses((status = OK, body = Status)))]
pub(crate) async fn status(State(api): State<Api>, who: SignedIn) -> Result<Json<Status>, Error> {
    api.trust().require(&who.caller, Right::SeeState)?;
    let now = Timestamp::now();
    let mut cameras = Cameras::default();
    for camera in api.records().all_cameras().await? {
        cameras.total += 1;
        cameras.enabled += usize::from(camera.enabled);
        cameras.recording += usize::from(camera_state::of(&api, camera.id, camera.enabled, now).recording);
    }
    cameras.troubled = cameras.enabled.saturating_sub(cameras.recording);
    Ok(Json(Status {
        version: api.version().to_owned(),
        node: api.node().to_owned(),
        started_at: api.started_at(),
        uptime_s: api.uptime().as_secs(),
        cameras,
        footage: footage(&api),
        live_viewers: api.metrics_inner().viewers(),
    }))
}

fn footage(api: &Api) -> Footage {
    let counted = api.footage().metrics();
    let (disk, disk_detail) = match &counted.disk {
        DiskState::Writing => ("writing", None),
        DiskState::Full { free_bytes, needed_bytes, .. } => {
            ("full", Some(format!("{free_bytes} bytes free, {needed_bytes} needed")))
        }
        DiskState::Failing { since, .. } => {
            ("failing", Some(format!("the disk refuses writes since {since}")))
        }
        DiskState::Out { since, detail } => ("out", Some(format!("taken out since {since}: {detail}"))),
    };
    Footage {
        disk,
        disk_detail,
        free_bytes: counted.free_bytes,
        gops_synced: counted.gops_synced,
        bytes_synced: counted.bytes_synced,
        gops_dropped: counted.gops_dropped,
        gops_waiting: counted.watermarks.tail_end.saturating_sub(counted.watermarks.synced),
        segments_sealed: counted.segments_sealed,
        live_readers: counted.live_readers,
    }
}
