//! Vehicle passes (过车记录): one vehicle seen at one point. The vehicle, never who is in it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CameraId, Timestamp};

/// A plate as a camera read it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
pub struct Plate {
    /// The characters as read, before any normalising.
    #[schemars(length(min = 1, max = 32))]
    pub raw: String,
    /// Country or region of the plate, ISO 3166 code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 8))]
    pub region: Option<String>,
    /// Colour of the plate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 16))]
    pub colour: Option<String>,
    /// How sure the reader was, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub confidence: Option<f64>,
}

/// Class of vehicle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VehicleClass {
    /// Passenger car.
    Car,
    /// Van or light truck.
    Van,
    /// Truck.
    Truck,
    /// Bus or coach.
    Bus,
    /// Motorcycle.
    Motorcycle,
    /// Anything else.
    Other,
}

/// Way of travel as the camera sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Towards the camera.
    Approaching,
    /// Away from it.
    Leaving,
}

/// Payload of `pass/{source}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
pub struct Pass {
    /// Id given by the source: the same pass sent again has the same one.
    #[schemars(length(min = 1, max = 64))]
    pub id: String,
    /// When the vehicle was seen.
    pub time: Timestamp,
    /// The camera that saw it.
    pub camera: CameraId,
    /// Lane, counted from the kerb.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<u8>,
    /// The plate; `None` when none could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plate: Option<Plate>,
    /// Class of vehicle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vehicle_class: Option<VehicleClass>,
    /// Colour of the vehicle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 16))]
    pub vehicle_colour: Option<String>,
    /// Way of travel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// Speed in km/h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 400.0))]
    pub speed_kmh: Option<f64>,
}
