//! Grants: no look without a ground.

use serde::{Deserialize, Serialize};

use crate::{
    CameraId, RegionId, TimeRange, Timestamp,
    id::{AccountId, GrantId},
};

/// Why somebody looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum GroundKind {
    /// A running patrol session; `ref` is the patrol's id.
    Patrol,
    /// An alert that is not closed; `ref` is the alert's id.
    Alert,
    /// A registered case with members and an end; `ref` is its number.
    Case,
    /// A resident's request (lost property, dispute, subject access); `ref` is the request's number.
    Assistance,
    /// Proving a camera; `ref` is the work order.
    Maintenance,
}

impl GroundKind {
    /// The name in answers and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Patrol => "patrol",
            Self::Alert => "alert",
            Self::Case => "case",
            Self::Assistance => "assistance",
            Self::Maintenance => "maintenance",
        }
    }
}

/// The ground of a grant: a kind, and the thing it refers to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Ground {
    /// The kind of ground.
    pub kind: GroundKind,
    /// What it refers to: a case number, an alert's or patrol's id, a request's number.
    #[serde(rename = "ref")]
    pub reference: String,
}

/// A grant: who may look at which cameras, of what time, why and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Grant {
    /// Its id, given as `grant=` on every footage and vehicle route.
    pub id: GrantId,
    /// Who holds it.
    pub account: AccountId,
    /// Why.
    pub ground: Ground,
    /// The reason in the holder's words.
    pub reason: String,
    /// Cameras in scope by name.
    pub cameras: Vec<CameraId>,
    /// Regions in scope, with all below them.
    pub regions: Vec<RegionId>,
    /// Footage and passes in scope by time. Live needs a range that contains now.
    #[serde(flatten)]
    pub range: TimeRange,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When it was ended by hand.
    pub ended_at: Option<Timestamp>,
}

/// A registered case (investigation).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Case {
    /// Its registered number.
    pub number: String,
    /// What it is about, in a line.
    pub title: String,
    /// Who may act under it.
    pub members: Vec<AccountId>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it ends, unless prolonged.
    pub ends_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
}
