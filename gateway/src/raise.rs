//! What an event brings up: candidates for the duty desk, never more. Pure.

use sightline_model::{
    CameraId, Timestamp,
    alert::{AlertSource, Severity},
    camera::Position,
    event::{Alarm, AlarmKind, Pass},
    hotlist::HotlistReason,
    id::AlertId,
};
use sightline_records::alerts::NewAlert;
use uuid::Uuid;

use crate::{
    matcher::{Matcher, Sighting},
    places::Places,
};

/// The candidates of a pass: one for each entry that its plate is on. Hits of one entry join while its alert is open.
pub(crate) fn of_pass(
    pass: &Pass,
    plate: Option<&str>,
    matcher: &Matcher,
    places: &Places,
    now: Timestamp,
) -> Vec<NewAlert> {
    let Some(plate) = plate else { return Vec::new() };
    let sighting = Sighting { plate, at: pass.time, regions: places.regions(pass.camera) };
    matcher
        .hits(sighting, now)
        .map(|hit| NewAlert {
            id: new_id(),
            join_key: Some(format!("hotlist:{}", hit.entry.id)),
            source: AlertSource::Hotlist {
                hotlist: hit.entry.id,
                event: pass.id.clone(),
                plate_read: plate.to_owned(),
                plate_listed: hit.entry.plate.clone(),
                look_alike: hit.look_alike,
                reason: hit.entry.reason.as_str().to_owned(),
            },
            severity: severity_of(hit.entry.reason),
            title: format!(
                "{plate} may be {} on the hotlist: {}",
                hit.entry.plate,
                hit.entry.reason.as_str()
            ),
            occurred_at: pass.time,
            camera: Some(pass.camera),
            region: places.region(pass.camera),
            position: places.position(pass.camera),
        })
        .collect()
}

/// The candidate of an alarm.
pub(crate) fn of_alarm(alarm: &Alarm, places: &Places) -> NewAlert {
    let kind = alarm_name(alarm.kind);
    let drill = if alarm.drill { "drill: " } else { "" };
    let text = if alarm.text.is_empty() { String::new() } else { format!(": {}", alarm.text) };
    // A point without a view: it sees all around and nowhere.
    let place = |lat, lon| Position { lat, lon, bearing_deg: 0.0, fov_deg: 360.0, range_m: 0.0 };
    let camera: Option<CameraId> = alarm.camera;
    NewAlert {
        id: new_id(),
        join_key: None,
        source: AlertSource::Alarm { event: alarm.id.clone(), alarm: kind.to_owned(), drill: alarm.drill },
        severity: alarm.severity,
        title: format!("{drill}{}{text}", kind.replace('_', " ")),
        occurred_at: alarm.time,
        camera,
        region: camera.and_then(|camera| places.region(camera)),
        position: alarm
            .place
            .map(|at| place(at.lat, at.lon))
            .or_else(|| camera.and_then(|camera| places.position(camera))),
    }
}

fn new_id() -> AlertId {
    AlertId(Uuid::now_v7())
}

const fn severity_of(reason: HotlistReason) -> Severity {
    match reason {
        HotlistReason::ClonedPlate | HotlistReason::CaseVehicle => Severity::Moderate,
        HotlistReason::Stolen | HotlistReason::HitAndRun | HotlistReason::DangerousGoods => Severity::Severe,
        HotlistReason::Welfare => Severity::Extreme,
    }
}

const fn alarm_name(kind: AlarmKind) -> &'static str {
    match kind {
        AlarmKind::HelpButton => "help_button",
        AlarmKind::HelpCall => "help_call",
        AlarmKind::DoorForced => "door_forced",
        AlarmKind::Tamper => "tamper",
        AlarmKind::Fire => "fire",
        AlarmKind::DeviceFault => "device_fault",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sightline_model::{hotlist::HotlistEntry, region::Region};

    use super::*;
    use crate::matcher::tests::entry;

    fn pass(camera: &str) -> Pass {
        let pass = json!({ "id": "p1", "time": "1970-01-01T00:00:00.00015Z", "camera": camera });
        serde_json::from_value(pass).unwrap()
    }

    #[test]
    fn a_hit_is_a_candidate_that_names_what_was_read_and_what_is_listed() {
        let matcher = Matcher::new([entry("京A12B45")]);
        let raised = of_pass(&pass("gate-3"), Some("京A12845"), &matcher, &Places::default(), Timestamp(160));
        let [alert] = raised.as_slice() else { panic!("{raised:?}") };
        let AlertSource::Hotlist { plate_read, plate_listed, look_alike, .. } = &alert.source else {
            panic!()
        };
        assert_eq!((plate_read.as_str(), plate_listed.as_str(), *look_alike), ("京A12845", "京A12B45", true));
        assert!(alert.join_key.as_ref().unwrap().starts_with("hotlist:"));
        assert!(of_pass(&pass("gate-3"), None, &matcher, &Places::default(), Timestamp(160)).is_empty());
    }

    #[test]
    fn an_entry_of_a_region_hits_at_the_cameras_below_it() {
        let region = |id: &str, parent: Option<&str>, level| Region {
            id: id.parse().unwrap(),
            parent: parent.map(|parent| parent.parse().unwrap()),
            level,
            name: id.to_owned(),
        };
        use sightline_model::region::RegionLevel::{City, District};
        let regions = [region("city", None, City), region("north", Some("city"), District)];
        let mut places = Places::new(&[], &regions);
        places.insert("gate-3", "north");
        let matcher = Matcher::new([HotlistEntry { region: Some("city".parse().unwrap()), ..entry("A1") }]);
        let at = |camera| of_pass(&pass(camera), Some("A1"), &matcher, &places, Timestamp(160)).len();
        assert_eq!((at("gate-3"), at("unknown")), (1, 0));
    }

    #[test]
    fn a_drill_says_so() {
        let alarm = json!({ "id": "a", "time": "2026-11-22T12:00:00Z", "kind": "door_forced", "drill": true,
            "text": "east gate", "place": { "lat": 39.9, "lon": 116.4 } });
        let alert = of_alarm(&serde_json::from_value(alarm).unwrap(), &Places::default());
        assert_eq!(alert.title, "drill: door forced: east gate");
        assert_eq!(alert.position.unwrap().lat, 39.9);
    }

    impl Places {
        pub(crate) fn insert(&mut self, camera: &str, region: &str) {
            self.insert_camera(camera.parse().unwrap(), region.parse().unwrap());
        }
    }
}
