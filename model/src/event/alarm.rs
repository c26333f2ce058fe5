//! Alarms from the field.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CameraId, Timestamp, alert::Severity};

/// Kind of alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// A help button was pressed.
    HelpButton,
    /// A call for help on a phone line.
    HelpCall,
    /// A door was forced.
    DoorForced,
    /// A device was opened or moved.
    Tamper,
    /// Fire.
    Fire,
    /// A device reports a fault of its own.
    DeviceFault,
}

/// Where the alarm is, when it is not at a camera.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
pub struct Place {
    /// WGS 84 latitude in degrees.
    #[schemars(range(min = -90.0, max = 90.0))]
    pub lat: f64,
    /// WGS 84 longitude in degrees.
    #[schemars(range(min = -180.0, max = 180.0))]
    pub lon: f64,
}

/// Payload of `alarm/{source}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
pub struct Alarm {
    /// Id given by the source.
    #[schemars(length(min = 1, max = 64))]
    pub id: String,
    /// When it was raised.
    pub time: Timestamp,
    /// What kind.
    pub kind: AlarmKind,
    /// How much it matters.
    #[serde(default)]
    pub severity: Severity,
    /// A drill, not the real thing.
    #[serde(default)]
    pub drill: bool,
    /// The camera at the place, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub camera: Option<CameraId>,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// One line from the source.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 280))]
    pub text: String,
}
