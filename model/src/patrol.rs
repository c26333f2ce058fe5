//! Patrols: planned looking at cameras, with proof of coverage.

use serde::{Deserialize, Serialize};

use crate::{
    CameraId, RegionId, Timestamp,
    id::{AccountId, PatrolId, PlanId},
};

/// Which cameras a view takes, and in what order. All given conditions must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// Regions, with all below them. Empty: everywhere.
    pub regions: Vec<RegionId>,
    /// These cameras and no others, in this order (a route).
    pub cameras: Vec<CameraId>,
    /// Tags that a camera must all have.
    pub tags: Vec<String>,
    /// Only cameras not seen on patrol for this long, in seconds; those longest unseen first.
    pub unseen_for_s: Option<u64>,
}

/// How many tiles a wall has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(try_from = "u8", into = "u8")]
pub enum Layout {
    /// One.
    One,
    /// Two by two.
    #[default]
    Four,
    /// Three by three.
    Nine,
}

impl Layout {
    /// Tiles on the wall.
    #[must_use]
    pub const fn tiles(self) -> usize {
        match self {
            Self::One => 1,
            Self::Four => 4,
            Self::Nine => 9,
        }
    }
}

impl TryFrom<u8> for Layout {
    type Error = String;
    fn try_from(tiles: u8) -> Result<Self, String> {
        match tiles {
            1 => Ok(Self::One),
            4 => Ok(Self::Four),
            9 => Ok(Self::Nine),
            other => Err(format!("{other} is not a layout: use 1, 4 or 9 tiles")),
        }
    }
}

impl From<Layout> for u8 {
    fn from(layout: Layout) -> Self {
        match layout {
            Layout::One => 1,
            Layout::Four => 4,
            Layout::Nine => 9,
        }
    }
}

impl utoipa::PartialSchema for Layout {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::Integer)
            .enum_values(Some([1, 4, 9]))
            .into()
    }
}

impl utoipa::ToSchema for Layout {}

/// A patrol plan: what is to be looked at, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Plan {
    /// Its id.
    pub id: PlanId,
    /// Name as people say it.
    pub name: String,
    /// Which cameras.
    pub selection: Selection,
    /// Tiles at once.
    pub layout: Layout,
    /// How long each view must be looked at before it counts as seen, in seconds.
    pub dwell_s: u32,
    /// Who made it.
    pub author: AccountId,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A running or ended patrol session. Its cameras are fixed at the start, so that coverage has a denominator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Patrol {
    /// Its id.
    pub id: PatrolId,
    /// The plan it follows; `None` for a view picked by hand.
    pub plan: Option<PlanId>,
    /// Who runs it.
    pub account: AccountId,
    /// The cameras to see, in order.
    pub cameras: Vec<CameraId>,
    /// Tiles at once.
    pub layout: Layout,
    /// How long a view must be looked at, in seconds.
    pub dwell_s: u32,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it was ended.
    pub ended_at: Option<Timestamp>,
}

/// Proof that a camera was seen on a patrol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Seen {
    /// The camera.
    pub camera: CameraId,
    /// When its picture was first shown.
    pub shown_at: Timestamp,
    /// When the operator said "seen".
    pub seen_at: Timestamp,
    /// Time of the newest frame that was shown; `None` when there was no picture, which is then said so.
    pub frame_at: Option<Timestamp>,
}

/// Something the operator noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Finding {
    /// The camera.
    pub camera: CameraId,
    /// When.
    pub at: Timestamp,
    /// What, in the operator's words.
    pub text: String,
}
