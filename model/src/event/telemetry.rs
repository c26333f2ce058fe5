//! Telemetry of supervised commercial vehicles (coaches, hazardous goods, heavy trucks).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Payload of `telemetry/{vehicle}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
pub struct Telemetry {
    /// Id given by the source.
    #[schemars(length(min = 1, max = 64))]
    pub id: String,
    /// When.
    pub time: Timestamp,
    /// WGS 84 latitude in degrees.
    #[schemars(range(min = -90.0, max = 90.0))]
    pub lat: f64,
    /// WGS 84 longitude in degrees.
    #[schemars(range(min = -180.0, max = 180.0))]
    pub lon: f64,
    /// Speed in km/h.
    #[schemars(range(min = 0.0, max = 400.0))]
    pub speed_kmh: f64,
    /// Heading, degrees clockwise from north.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 360.0))]
    pub heading_deg: f64,
    /// The terminal's alarm bits, as JT/T 808 numbers them.
    #[serde(default)]
    pub alarm_bits: u32,
}
