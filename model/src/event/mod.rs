//! Events as they come in over MQTT: the payloads of `docs/formats/`, typed. Checking them is the gateway's business.

pub mod alarm;
pub mod device;
pub mod pass;
pub mod telemetry;

pub use alarm::{Alarm, AlarmKind};
pub use device::DeviceStatus;
pub use pass::{Direction, Pass, Plate, VehicleClass};
pub use telemetry::Telemetry;
