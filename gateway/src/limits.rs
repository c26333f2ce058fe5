//! Lengths and ranges of events: the same that the published schemas state.

use std::ops::RangeInclusive;

use sightline_model::event::{Alarm, DeviceStatus, Pass, Telemetry};

use crate::refusal::{Reason, Refusal};

type Checked = Result<(), Refusal>;

pub(crate) fn pass(pass: &Pass) -> Checked {
    text("id", &pass.id, 1..=64)?;
    if let Some(plate) = &pass.plate {
        text("plate.raw", &plate.raw, 1..=32)?;
        optional("plate.region", plate.region.as_deref(), 2..=8)?;
        optional("plate.colour", plate.colour.as_deref(), 1..=16)?;
        number("plate.confidence", plate.confidence, 0.0..=1.0)?;
    }
    optional("vehicle_colour", pass.vehicle_colour.as_deref(), 1..=16)?;
    number("speed_kmh", pass.speed_kmh, 0.0..=400.0)
}

pub(crate) fn alarm(alarm: &Alarm) -> Checked {
    text("id", &alarm.id, 1..=64)?;
    text("text", &alarm.text, 0..=280)?;
    number("place.lat", alarm.place.map(|place| place.lat), -90.0..=90.0)?;
    number("place.lon", alarm.place.map(|place| place.lon), -180.0..=180.0)
}

pub(crate) fn device(status: &DeviceStatus) -> Checked {
    text("id", &status.id, 1..=64)?;
    optional("firmware", status.firmware.as_deref(), 1..=64)?;
    number("temperature_c", status.temperature_c, -100.0..=200.0)?;
    text("text", &status.text, 0..=280)
}

pub(crate) fn telemetry(position: &Telemetry) -> Checked {
    text("id", &position.id, 1..=64)?;
    number("lat", Some(position.lat), -90.0..=90.0)?;
    number("lon", Some(position.lon), -180.0..=180.0)?;
    number("speed_kmh", Some(position.speed_kmh), 0.0..=400.0)?;
    number("heading_deg", Some(position.heading_deg), 0.0..=360.0)
}

fn optional(path: &str, value: Option<&str>, chars: RangeInclusive<usize>) -> Checked {
    value.map_or(Ok(()), |value| text(path, value, chars))
}

fn text(path: &str, value: &str, chars: RangeInclusive<usize>) -> Checked {
    let (least, most, has) = (chars.start(), chars.end(), value.chars().count());
    let detail = if has < *least {
        format!("{has} characters are too few: send at least {least}")
    } else if has > *most {
        format!("{has} characters are too many: send at most {most}")
    } else if value.chars().any(char::is_control) {
        "control characters are not allowed: send plain text".to_owned()
    } else {
        return Ok(());
    };
    Err(Refusal::new(Reason::OutOfRange, path, detail))
}

fn number(path: &str, value: Option<f64>, range: RangeInclusive<f64>) -> Checked {
    match value {
        Some(value) if !range.contains(&value) => {
            let detail = format!("{value} is out of range: send {} to {}", range.start(), range.end());
            Err(Refusal::new(Reason::OutOfRange, path, detail))
        }
        _ => Ok(()),
    }
}
