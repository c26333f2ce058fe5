//! Cameras as the registry knows them, and the state that ingest reports of each.

use serde::{Deserialize, Serialize};

use crate::{CameraId, RegionId, Timestamp, gap::GapReason, media::Policy};

/// Whose camera it is, which decides masks, retention and who may look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CameraKind {
    /// A public street or crossing.
    #[default]
    Street,
    /// A residential compound (居民小区).
    Compound,
    /// A key site (重点单位): station, depot, school, hospital.
    KeySite,
}

/// Where a camera stands and what it sees.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct Position {
    /// WGS 84 latitude in degrees.
    pub lat: f64,
    /// WGS 84 longitude in degrees.
    pub lon: f64,
    /// Direction of view, degrees clockwise from north.
    #[serde(default)]
    pub bearing_deg: f64,
    /// Horizontal field of view in degrees.
    #[serde(default = "default_fov")]
    pub fov_deg: f64,
    /// How far the picture is useful, in metres.
    #[serde(default = "default_range")]
    pub range_m: f64,
}

fn default_fov() -> f64 {
    90.0
}

fn default_range() -> f64 {
    60.0
}

/// User name and password for a camera. `Debug` hides both; it is serialised by the records store alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(hidden)")
    }
}

/// A registered camera.
#[derive(Debug, Clone, PartialEq)]
pub struct Camera {
    /// Its code.
    pub id: CameraId,
    /// Name as people say it.
    pub name: String,
    /// The region it stands in.
    pub region: RegionId,
    /// Whose camera it is.
    pub kind: CameraKind,
    /// Where it stands, when known.
    pub position: Option<Position>,
    /// Words to select it by, lower case, sorted.
    pub tags: Vec<String>,
    /// RTSP address of the main stream, without credentials.
    pub main_url: String,
    /// RTSP address of the sub-stream, without credentials.
    pub sub_url: Option<String>,
    /// How to sign in to it.
    pub credentials: Option<Credentials>,
    /// What is kept of the main stream.
    pub policy: Policy,
    /// Whether it is pulled at all.
    pub enabled: bool,
    /// Grows with each change, for lost-update checks.
    pub revision: i64,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What ingest says of one stream. Recording is claimed on evidence (synced GOPs) and never on an open socket.
///
/// ```text
/// Disabled ── enabled ──> Connecting ── first GOP synced ──> Recording
///                             ^                                  │
///                             └── back-off over ── Waiting <─────┘ failure
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum StreamState {
    /// Switched off in the registry.
    Disabled {
        /// Since when.
        since: Timestamp,
    },
    /// Being connected; no complete GOP yet.
    Connecting {
        /// Since when.
        since: Timestamp,
    },
    /// Complete GOPs are coming.
    Streaming {
        /// Since when without a break.
        since: Timestamp,
    },
    /// Failed; will be tried again.
    Waiting {
        /// Since when there has been no footage.
        since: Timestamp,
        /// Why, as a stable code.
        reason: GapReason,
        /// Why, in words that name what happened.
        detail: String,
        /// When the next try is due.
        retry_at: Timestamp,
        /// Tries since the last success.
        attempts: u32,
    },
}
