//! The JSON Schemas of every payload, as they stand in `docs/formats/`.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::Value;
use sightline_model::event::{Alarm, DeviceStatus, Pass, Telemetry};

use crate::message::{AlertMessage, NodeState, Rejected};

/// Name and schema of every payload, in the order of the documentation.
#[must_use]
pub fn schemas() -> Vec<(&'static str, Value)> {
    vec![
        ("pass", incoming::<Pass>("A vehicle seen at a point")),
        ("alarm", incoming::<Alarm>("An alarm from the field")),
        ("device-status", incoming::<DeviceStatus>("What a device says of itself")),
        ("telemetry", incoming::<Telemetry>("Position of a supervised commercial vehicle")),
        ("alert", outgoing::<AlertMessage<'static>>("An alert on the duty desk")),
        ("node-state", outgoing::<NodeState>("Whether a node is there")),
        ("rejected", outgoing::<Rejected>("A message that was refused, and why")),
    ]
}

fn incoming<T: JsonSchema>(title: &str) -> Value {
    titled(SchemaSettings::draft2020_12().into_generator(), title, SchemaGenerator::into_root_schema_for::<T>)
}

fn outgoing<T: JsonSchema>(title: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    titled(settings.into_generator(), title, SchemaGenerator::into_root_schema_for::<T>)
}

fn titled(generator: SchemaGenerator, title: &str, schema: fn(SchemaGenerator) -> schemars::Schema) -> Value {
    let mut schema = schema(generator).to_value();
    if let Some(fields) = schema.as_object_mut() {
        fields.insert("title".to_owned(), title.into());
    }
    schema
}
