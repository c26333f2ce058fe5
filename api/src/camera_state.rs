//! What is shown of a camera's state. Recording is claimed on evidence: GOPs that are synced to disk.

use std::time::Duration;

use serde::Serialize;
use sightline_footage::DiskState;
use sightline_model::{
    CameraId, Timestamp,
    camera::StreamState,
    media::{StreamKey, StreamKind},
};

use crate::Api;

/// Newest synced footage may be this old while a camera counts as recording: two long GOPs and a sync.
const EVIDENCE: Duration = Duration::from_secs(25);

/// State of a camera.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct CameraState {
    /// Whether its footage is reaching the disk.
    pub(crate) recording: bool,
    /// Since when it has been so.
    pub(crate) since: Option<Timestamp>,
    /// Why it is not recording, as a stable code: one of the reasons of gaps, `connecting`, `starting` or `no_ingest`.
    pub(crate) reason: Option<String>,
    /// Why, in words.
    pub(crate) detail: Option<String>,
    /// When the next attempt to reach it is due.
    pub(crate) retry_at: Option<Timestamp>,
    /// End of its newest footage on disk.
    pub(crate) last_gop_at: Option<Timestamp>,
}

/// What is known of a camera besides ingest's word.
struct Evidence<'a> {
    enabled: bool,
    last_gop_at: Option<Timestamp>,
    disk: &'a DiskState,
    now: Timestamp,
}

/// The state of one camera now.
pub(crate) fn of(api: &Api, camera: CameraId, enabled: bool, now: Timestamp) -> CameraState {
    let key = StreamKey { camera, stream: StreamKind::Main };
    let state = api.states().borrow().get(&key).cloned();
    let last_gop_at = api.footage().last_synced(key);
    judge(state.as_ref(), &Evidence { enabled, last_gop_at, disk: &api.footage().disk_state(), now })
}

fn judge(state: Option<&StreamState>, evidence: &Evidence<'_>) -> CameraState {
    let not = |since, reason: &str, detail: Option<String>, retry_at| CameraState {
        recording: false,
        since,
        reason: Some(reason.to_owned()),
        detail,
        retry_at,
        last_gop_at: evidence.last_gop_at,
    };
    match state {
        _ if !evidence.enabled => {
            let since = match state {
                Some(StreamState::Disabled { since }) => Some(*since),
                _ => None,
            };
            not(since, "disabled", None, None)
        }
        None => not(None, "no_ingest", Some("no ingest node has taken this camera yet".to_owned()), None),
        Some(StreamState::Disabled { since }) => not(Some(*since), "disabled", None, None),
        Some(StreamState::Connecting { since }) => not(Some(*since), "connecting", None, None),
        Some(StreamState::Waiting { since, reason, detail, retry_at, .. }) => {
            not(Some(*since), reason.as_str(), Some(detail.clone()), Some(*retry_at))
        }
        Some(StreamState::Streaming { since }) => {
            let fresh = evidence.last_gop_at.is_some_and(|end| evidence.now.duration_since(end) <= EVIDENCE);
            match evidence.disk {
                _ if fresh => CameraState {
                    recording: true,
                    since: Some(*since),
                    reason: None,
                    detail: None,
                    retry_at: None,
                    last_gop_at: evidence.last_gop_at,
                },
                // Its cameras record to another disk.
                DiskState::Writing | DiskState::Out { .. } => {
                    let detail = "frames are coming; none has reached the disk yet".to_owned();
                    not(Some(*since), "starting", Some(detail), None)
                }
                DiskState::Full { since, .. } | DiskState::Failing { since, .. } => {
                    let detail = "frames are coming, but the disk does not take them".to_owned();
                    not(Some(*since), "disk_overload", Some(detail), None)
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use sightline_model::gap::GapReason;

    use super::*;

    fn evidence(last_gop_s: Option<i64>, disk: &DiskState) -> Evidence<'_> {
        let last_gop_at = last_gop_s.map(Timestamp::from_secs);
        Evidence { enabled: true, last_gop_at, disk, now: Timestamp::from_secs(1000) }
    }

    #[test]
    fn an_open_socket_is_no_recording() {
        let streaming = StreamState::Streaming { since: Timestamp::from_secs(900) };
        let ok = DiskState::Writing;
        let full = DiskState::Full { free_bytes: 0, needed_bytes: 1, since: Timestamp::from_secs(950) };
        let judged = |last, disk| judge(Some(&streaming), &evidence(last, disk));
        assert!(judged(Some(998), &ok).recording);
        assert_eq!(judged(None, &ok).reason.as_deref(), Some("starting"));
        assert_eq!(judged(Some(900), &full).reason.as_deref(), Some("disk_overload"));
        assert!(!judge(None, &evidence(Some(999), &ok)).recording, "nobody pulls it");
    }

    #[test]
    fn a_failure_says_why_and_when_the_next_try_is() {
        let waiting = StreamState::Waiting {
            since: Timestamp::from_secs(990),
            reason: GapReason::Unauthorized,
            detail: "401 from 10.0.0.9".to_owned(),
            retry_at: Timestamp::from_secs(1010),
            attempts: 3,
        };
        let state = judge(Some(&waiting), &evidence(None, &DiskState::Writing));
        assert_eq!((state.recording, state.reason.as_deref()), (false, Some("unauthorized")));
        assert_eq!(state.retry_at, Some(Timestamp::from_secs(1010)));
        let off = Evidence { enabled: false, ..evidence(None, &DiskState::Writing) };
        assert_eq!(judge(Some(&waiting), &off).reason.as_deref(), Some("disabled"));
    }
}
