//! Audit entries: one for each look and each act that touches rights. How they are chained is `trust`'s business.

use serde::{Deserialize, Serialize};

use crate::{
    CameraId, TimeRange, Timestamp,
    grant::Ground,
    id::{AccountId, GrantId},
};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Signed in.
    SignIn,
    /// Tried to sign in and was refused.
    SignInRefused,
    /// Signed out.
    SignOut,
    /// Opened a grant.
    GrantOpened,
    /// Ended a grant.
    GrantEnded,
    /// Was refused a look.
    LookRefused,
    /// Asked what footage there is.
    Timeline,
    /// Looked at single pictures.
    Still,
    /// Looked at recorded video.
    Playback,
    /// Looked at live video.
    Live,
    /// Searched vehicle passes.
    PassSearch,
    /// Registered, changed or removed a camera.
    CameraChanged,
    /// Made, changed or disabled an account.
    AccountChanged,
    /// Registered or changed a case.
    CaseChanged,
    /// Proposed a hotlist entry.
    HotlistProposed,
    /// Approved a hotlist entry.
    HotlistApproved,
    /// Withdrew a hotlist entry.
    HotlistWithdrawn,
    /// Confirmed, dismissed, dispatched or resolved an alert.
    AlertWorked,
    /// Made or changed a patrol plan.
    PlanChanged,
    /// Started a patrol.
    PatrolStarted,
    /// Ended a patrol.
    PatrolEnded,
    /// Destroyed keys of footage, and with them the footage.
    KeysDestroyed,
    /// Replaced the key that wraps all others.
    MasterKeyReplaced,
}

impl Action {
    /// The name in records, as in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::SignInRefused => "sign_in_refused",
            Self::SignOut => "sign_out",
            Self::GrantOpened => "grant_opened",
            Self::GrantEnded => "grant_ended",
            Self::LookRefused => "look_refused",
            Self::Timeline => "timeline",
            Self::Still => "still",
            Self::Playback => "playback",
            Self::Live => "live",
            Self::PassSearch => "pass_search",
            Self::CameraChanged => "camera_changed",
            Self::AccountChanged => "account_changed",
            Self::CaseChanged => "case_changed",
            Self::HotlistProposed => "hotlist_proposed",
            Self::HotlistApproved => "hotlist_approved",
            Self::HotlistWithdrawn => "hotlist_withdrawn",
            Self::AlertWorked => "alert_worked",
            Self::PlanChanged => "plan_changed",
            Self::PatrolStarted => "patrol_started",
            Self::PatrolEnded => "patrol_ended",
            Self::KeysDestroyed => "keys_destroyed",
            Self::MasterKeyReplaced => "master_key_replaced",
        }
    }
}

/// What is to be entered; number, previous hash and hash come with the entering.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Act {
    /// When.
    pub at: Timestamp,
    /// Who; `None` when nobody was signed in.
    pub account: Option<AccountId>,
    /// What was done.
    pub action: Action,
    /// Under which grant.
    pub grant: Option<GrantId>,
    /// On what ground.
    pub ground: Option<Ground>,
    /// Which camera.
    pub camera: Option<CameraId>,
    /// Of what time.
    pub range: Option<TimeRange>,
    /// What else matters, in one line: the object of the act, the reason of a refusal.
    pub detail: String,
}

/// An act as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Entry {
    /// Number in the log, from 1 without holes.
    pub seq: u64,
    /// The act.
    #[serde(flatten)]
    pub act: Act,
    /// Hash of the entry before, hexadecimal; 64 zeros before the first.
    pub prev_hash: String,
    /// SHA-256 over this entry's canonical form, hexadecimal.
    pub hash: String,
}
