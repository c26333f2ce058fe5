//! Alerts on the duty desk, and the moves a person may make.

use serde::{Deserialize, Serialize};

use crate::{
    CameraId, RegionId, Timestamp,
    camera::Position,
    id::{AccountId, AlertId, HotlistId},
};

/// What brought the alert up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AlertSource {
    /// A vehicle pass matched a hotlist entry: a candidate until a person has compared picture and text.
    Hotlist {
        /// The entry.
        hotlist: HotlistId,
        /// The pass's id.
        event: String,
        /// The plate as it was read.
        plate_read: String,
        /// The plate on the list.
        plate_listed: String,
        /// Whether only look-alike characters made them equal.
        look_alike: bool,
        /// The reason on the list.
        reason: String,
    },
    /// An alarm from the field.
    Alarm {
        /// The alarm's id.
        event: String,
        /// Its kind, as in the alarm's payload.
        alarm: String,
        /// Whether it is a drill.
        drill: bool,
    },
}

/// Where an alert stands.
///
/// ```text
///  candidate ──confirm──> confirmed ──dispatch──> dispatched
///      │                      │                       │
///      └──dismiss──> dismissed└────── resolve ────────┴──> resolved
/// ```
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum AlertState {
    /// Nobody has judged it yet.
    Candidate,
    /// A person compared picture and text and found it true.
    Confirmed,
    /// A person found it false. Closed.
    Dismissed,
    /// Somebody is on the way.
    Dispatched,
    /// Done. Closed.
    Resolved,
}

/// A move a person makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AlertMove {
    /// It is true.
    Confirm,
    /// It is false.
    Dismiss,
    /// Somebody goes.
    Dispatch,
    /// It is done.
    Resolve,
}

impl AlertMove {
    /// The name in routes and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Dismiss => "dismiss",
            Self::Dispatch => "dispatch",
            Self::Resolve => "resolve",
        }
    }
}

impl AlertState {
    /// The name in answers and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Confirmed => "confirmed",
            Self::Dismissed => "dismissed",
            Self::Dispatched => "dispatched",
            Self::Resolved => "resolved",
        }
    }

    /// Whether nothing more can happen to it.
    #[must_use]
    pub const fn is_closed(self) -> bool {
        matches!(self, Self::Dismissed | Self::Resolved)
    }

    /// The state after a move; `None` when the move is not possible from here.
    #[must_use]
    pub const fn after(self, step: AlertMove) -> Option<Self> {
        match (self, step) {
            (Self::Candidate, AlertMove::Confirm) => Some(Self::Confirmed),
            (Self::Candidate, AlertMove::Dismiss) => Some(Self::Dismissed),
            (Self::Confirmed, AlertMove::Dispatch) => Some(Self::Dispatched),
            (Self::Confirmed | Self::Dispatched, AlertMove::Resolve) => Some(Self::Resolved),
            _ => None,
        }
    }
}

/// How much it matters.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Default,
    utoipa::ToSchema,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// For the record.
    Minor,
    /// Needs a look.
    #[default]
    Moderate,
    /// Needs somebody soon.
    Severe,
    /// Needs somebody now.
    Extreme,
}

/// One step in an alert's life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AlertNote {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub account: AccountId,
    /// The move.
    pub step: AlertMove,
    /// What the person wrote.
    pub note: String,
}

/// An alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// Where it stands.
    pub state: AlertState,
    /// What brought it up.
    pub source: AlertSource,
    /// How much it matters.
    pub severity: Severity,
    /// One line for the desk.
    pub title: String,
    /// When the thing happened.
    pub occurred_at: Timestamp,
    /// When the alert was raised.
    pub raised_at: Timestamp,
    /// The camera that saw it, when one did.
    pub camera: Option<CameraId>,
    /// The region it happened in.
    pub region: Option<RegionId>,
    /// Where it happened.
    pub position: Option<Position>,
    /// How often the same thing came again while it was open.
    pub repeats: u32,
    /// What people did, oldest first.
    pub history: Vec<AlertNote>,
    /// Grows with each change, for lost-update checks.
    pub revision: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_move_is_allowed_or_refused_as_drawn() {
        use AlertMove::*;
        use AlertState::*;
        let drawn = [
            (Candidate, Confirm, Confirmed),
            (Candidate, Dismiss, Dismissed),
            (Confirmed, Dispatch, Dispatched),
            (Confirmed, Resolve, Resolved),
            (Dispatched, Resolve, Resolved),
        ];
        for from in [Candidate, Confirmed, Dismissed, Dispatched, Resolved] {
            for step in [Confirm, Dismiss, Dispatch, Resolve] {
                let expected = drawn.iter().find(|(f, s, _)| *f == from && *s == step).map(|(_, _, to)| *to);
                assert_eq!(from.after(step), expected, "{from:?} {step:?}");
                assert!(!from.is_closed() || expected.is_none(), "nothing leaves a closed state");
            }
        }
    }
}
