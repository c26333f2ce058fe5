//! What a device says of itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Payload of `device/{camera}/status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
pub struct DeviceStatus {
    /// Id given by the source.
    #[schemars(length(min = 1, max = 64))]
    pub id: String,
    /// When.
    pub time: Timestamp,
    /// Whether it says it is well.
    pub healthy: bool,
    /// Firmware version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub firmware: Option<String>,
    /// Temperature inside, in degrees Celsius.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -100.0, max = 200.0))]
    pub temperature_c: Option<f64>,
    /// One line from the device.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 280))]
    pub text: String,
}
