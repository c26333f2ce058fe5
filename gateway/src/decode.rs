//! From bytes to a checked event, as a pure function: size, JSON, person fields, shape, limits.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use sightline_model::{
    CameraId, Timestamp,
    event::{Alarm, DeviceStatus, Pass, Telemetry},
    plate,
};

use crate::{
    limits,
    refusal::{Reason, Refusal},
    strip::{Stripped, strip},
    topics::Origin,
};

/// Longest payload in bytes.
pub const MAX_PAYLOAD_BYTES: usize = 64 * 1024;

/// How far in the future a time may lie.
pub(crate) const MAX_AHEAD: Duration = Duration::from_secs(24 * 3600);

/// A checked event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    Pass { source: String, pass: Pass, plate: Option<String> },
    Alarm { source: String, alarm: Alarm },
    Device { camera: CameraId, status: DeviceStatus },
    Telemetry { vehicle: String, position: Telemetry },
}

/// What became of a payload.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decoded {
    pub(crate) stripped: Stripped,
    pub(crate) outcome: Result<Event, Refusal>,
}

/// How long ago an event may be, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ages {
    pub(crate) pass: Duration,
    pub(crate) other: Duration,
    pub(crate) telemetry: Duration,
}

/// Reads one payload.
pub(crate) fn decode(origin: &Origin, payload: &[u8], now: Timestamp, ages: &Ages) -> Decoded {
    let refused = |refusal| Decoded { stripped: Stripped::default(), outcome: Err(refusal) };
    if payload.len() > MAX_PAYLOAD_BYTES {
        let detail = format!("{} bytes are too many: send at most {MAX_PAYLOAD_BYTES}", payload.len());
        return refused(Refusal::new(Reason::TooLarge, "", detail));
    }
    let mut value: Value = match serde_json::from_slice(payload) {
        Ok(value) => value,
        Err(error) => return refused(Refusal::new(Reason::NotJson, "", format!("not JSON: {error}"))),
    };
    let stripped = strip(&mut value);
    let outcome = read(origin, &value, now, ages)
        .map_err(|refusal| Refusal { payload: Some(std::mem::take(&mut value)), ..refusal });
    Decoded { stripped, outcome }
}

fn read(origin: &Origin, value: &Value, now: Timestamp, ages: &Ages) -> Result<Event, Refusal> {
    match origin {
        Origin::Pass(source) => {
            let pass: Pass = typed(value)?;
            limits::pass(&pass)?;
            time(pass.time, now, ages.pass)?;
            let plate = pass.plate.as_ref().and_then(|plate| plate::normalise(&plate.raw));
            Ok(Event::Pass { source: source.clone(), pass, plate })
        }
        Origin::Alarm(source) => {
            let alarm: Alarm = typed(value)?;
            limits::alarm(&alarm)?;
            time(alarm.time, now, ages.other)?;
            Ok(Event::Alarm { source: source.clone(), alarm })
        }
        Origin::Device(camera) => {
            let status: DeviceStatus = typed(value)?;
            limits::device(&status)?;
            time(status.time, now, ages.other)?;
            Ok(Event::Device { camera: *camera, status })
        }
        Origin::Telemetry(vehicle) => {
            let position: Telemetry = typed(value)?;
            limits::telemetry(&position)?;
            time(position.time, now, ages.telemetry)?;
            Ok(Event::Telemetry { vehicle: vehicle.clone(), position })
        }
    }
}

fn typed<T: DeserializeOwned>(value: &Value) -> Result<T, Refusal> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = match error.path().to_string() {
            root if root == "." => String::new(),
            path => path,
        };
        Refusal::new(Reason::WrongShape, path, error.inner().to_string())
    })
}

fn time(at: Timestamp, now: Timestamp, age: Duration) -> Result<(), Refusal> {
    if at > now + MAX_AHEAD {
        let detail = format!("{at} is more than 24 hours ahead of {now}: set the clock of the source");
        return Err(Refusal::new(Reason::FromFuture, "time", detail));
    }
    if at < now - age {
        let hours = age.as_secs() / 3600;
        let detail = format!("{at} is more than {hours} hours before {now}: so old an event is not kept");
        return Err(Refusal::new(Reason::TooOld, "time", detail));
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const AGES: Ages = Ages {
        pass: Duration::from_secs(7 * 86_400),
        other: Duration::from_secs(90 * 86_400),
        telemetry: Duration::from_secs(86_400),
    };

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn pass(change: impl FnOnce(&mut Value)) -> Decoded {
        let mut value = json!({ "id": "p1", "time": "2026-11-22T11:59:59Z", "camera": "gate-3",
            "plate": { "raw": "京A·12345", "confidence": 0.97 }, "vehicle_class": "car", "speed_kmh": 43.5 });
        change(&mut value);
        decode(&Origin::Pass("toll".into()), value.to_string().as_bytes(), now(), &AGES)
    }

    fn refusal(decoded: Decoded) -> (Reason, String, String) {
        let refusal = decoded.outcome.unwrap_err();
        (refusal.reason, refusal.path, refusal.detail)
    }

    #[test]
    fn a_good_pass_is_read() {
        let Ok(Event::Pass { source, pass, plate }) = pass(|_| ()).outcome else { panic!() };
        assert_eq!((source.as_str(), pass.id.as_str(), plate.as_deref()), ("toll", "p1", Some("京A12345")));
    }

    #[test]
    fn a_plate_that_is_no_plate_stays_raw_and_matches_nothing() {
        let Ok(Event::Pass { plate, .. }) = pass(|v| v["plate"]["raw"] = json!("???")).outcome else {
            panic!()
        };
        assert_eq!(plate, None);
    }

    #[test]
    fn every_refusal_names_the_field_and_the_way_out() {
        use Reason::*;
        type Case = (fn(&mut Value), Reason, &'static str, &'static str);
        let cases: [Case; 10] = [
            (|v| v["plate"]["raw"] = json!(7), WrongShape, "plate.raw", "expected a string"),
            (|v| v["camera"] = json!("Gate 3"), WrongShape, "camera", "a-z"),
            (|v| v["time"] = json!("yesterday"), WrongShape, "time", "RFC 3339"),
            (|v| v["vehicle_class"] = json!("tank"), WrongShape, "vehicle_class", "unknown variant"),
            (
                |v| *v = json!({ "time": "2026-11-22T11:59:59Z", "camera": "a" }),
                WrongShape,
                "",
                "missing field `id`",
            ),
            (|v| v["id"] = json!("x".repeat(65)), OutOfRange, "id", "at most 64"),
            (|v| v["plate"]["raw"] = json!(""), OutOfRange, "plate.raw", "at least 1"),
            (|v| v["speed_kmh"] = json!(401), OutOfRange, "speed_kmh", "0 to 400"),
            (|v| v["time"] = json!("2026-11-24T12:00:00Z"), FromFuture, "time", "clock"),
            (|v| v["time"] = json!("2026-11-01T12:00:00Z"), TooOld, "time", "168 hours"),
        ];
        for (change, reason, path, detail) in cases {
            let (was, at, why) = refusal(pass(change));
            assert_eq!((was, at.as_str()), (reason, path), "{why}");
            assert!(why.contains(detail), "{why}");
        }
    }

    #[test]
    fn what_is_no_json_or_too_long_is_refused_whole() {
        let origin = Origin::Pass("toll".into());
        let (reason, ..) = refusal(decode(&origin, b"{", now(), &AGES));
        assert_eq!(reason, Reason::NotJson);
        let (reason, ..) = refusal(decode(&origin, &[0xff; 10], now(), &AGES));
        assert_eq!(reason, Reason::NotJson);
        let (reason, ..) = refusal(decode(&origin, &vec![b' '; MAX_PAYLOAD_BYTES + 1], now(), &AGES));
        assert_eq!(reason, Reason::TooLarge);
    }

    #[test]
    fn a_refused_payload_is_told_without_its_person_fields() {
        let decoded = pass(|v| {
            v["driver"] = json!({ "age": 40 });
            v["id"] = json!(1);
        });
        assert_eq!(decoded.stripped.occupant, 1);
        let told = decoded.outcome.unwrap_err().payload.unwrap();
        assert!(told.get("driver").is_none() && told.get("camera").is_some());
    }

    #[test]
    fn the_other_kinds_are_read_too() {
        let time = "2026-11-22T11:59:59Z";
        let read = |origin: Origin, value: Value| {
            decode(&origin, value.to_string().as_bytes(), now(), &AGES).outcome
        };
        let alarm = json!({ "id": "a", "time": time, "kind": "help_button", "drill": true });
        assert!(matches!(read(Origin::Alarm("desk".into()), alarm), Ok(Event::Alarm { .. })));
        let status = json!({ "id": "s", "time": time, "healthy": false, "text": "lens dirty" });
        let camera = "gate-3".parse().unwrap();
        assert!(matches!(read(Origin::Device(camera), status), Ok(Event::Device { .. })));
        let position = json!({ "id": "t", "time": time, "lat": 39.9, "lon": 116.4, "speed_kmh": 80 });
        let read = read(Origin::Telemetry("coach".into()), position);
        assert!(matches!(read, Ok(Event::Telemetry { .. })));
    }

    #[test]
    fn the_documented_examples_are_accepted() {
        let document = include_str!("../../docs/formats/README.md");
        let mut examples = document.split("```json").skip(1).filter_map(|rest| rest.split("```").next());
        let camera = "gate-3".parse().unwrap();
        for origin in [
            Origin::Pass("toll-7".into()),
            Origin::Alarm("desk-2".into()),
            Origin::Device(camera),
            Origin::Telemetry("coach-12".into()),
        ] {
            let decoded = decode(&origin, examples.next().unwrap().as_bytes(), now(), &AGES);
            assert!(
                decoded.outcome.is_ok() && decoded.stripped == Stripped::default(),
                "{origin:?}: {decoded:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(payload in prop::collection::vec(any::<u8>(), 0..300)) {
            for origin in [Origin::Pass("a".into()), Origin::Alarm("a".into()), Origin::Telemetry("a".into())] {
                decode(&origin, &payload, now(), &AGES);
            }
        }

        #[test]
        fn what_is_accepted_is_within_limits(
            id in ".{0,70}", raw in ".{0,40}", speed in -10.0..500.0f64, confidence in -1.0..2.0f64, ahead in -800i64..50,
        ) {
            let decoded = pass(|v| {
                v["id"] = json!(id);
                v["time"] = json!(now() .plus_micros(ahead * 3_600_000_000));
                v["plate"] = json!({ "raw": raw, "confidence": confidence });
                v["speed_kmh"] = json!(speed);
            });
            let good = (1..=64).contains(&id.chars().count()) && !id.chars().any(char::is_control)
                && (1..=32).contains(&raw.chars().count()) && !raw.chars().any(char::is_control)
                && (0.0..=400.0).contains(&speed) && (0.0..=1.0).contains(&confidence) && (-168..=24).contains(&ahead);
            prop_assert_eq!(decoded.outcome.is_ok(), good);
        }
    }
}
