//! Audit entries for what is no look.

use sightline_model::{
    CameraId, Timestamp,
    audit::{Act, Action},
};

use crate::extract::SignedIn;

/// An act of whoever asks.
pub(crate) fn act(who: &SignedIn, action: Action, detail: impl Into<String>, now: Timestamp) -> Act {
    let account = Some(who.caller.account.id);
    Act {
        at: now,
        account,
        action,
        grant: None,
        ground: None,
        camera: None,
        range: None,
        detail: detail.into(),
    }
}

/// An act on a camera.
pub(crate) fn on_camera(who: &SignedIn, camera: CameraId, detail: impl Into<String>, now: Timestamp) -> Act {
    Act { camera: Some(camera), ..act(who, Action::CameraChanged, detail, now) }
}
