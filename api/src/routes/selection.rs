//! Which cameras a view takes, and in what order. Pure, but for the reading of the registry at the end.

use std::collections::{BTreeMap, BTreeSet};

use sightline_model::{
    CameraId, RegionId, Timestamp,
    alert::Alert,
    camera::{Camera, Position},
    patrol::Selection,
};

use crate::{
    Api,
    problem::{Error, Refusal},
};

/// Cameras this near to an alert's place may be looked at under it, in metres: the same bound as grants on alerts have.
const NEAR_METRES: f64 = 300.0;
/// Most cameras of one alert, as grants on alerts have.
const ALERT_CAMERAS: usize = 9;

const METRES_PER_DEGREE: f64 = 111_195.0;

/// What a selection is judged by.
struct Facts<'a> {
    /// The selection's regions with all below them.
    regions: &'a BTreeSet<RegionId>,
    /// When each camera was last seen on a patrol.
    last_seen: &'a BTreeMap<CameraId, Timestamp>,
    now: Timestamp,
}

/// The cameras of a selection in order: a route keeps its own, "unseen" puts those longest unseen first, else by id.
fn pick(selection: &Selection, cameras: Vec<Camera>, facts: &Facts<'_>) -> Vec<Camera> {
    let route: BTreeMap<CameraId, usize> =
        selection.cameras.iter().enumerate().rev().map(|(place, camera)| (*camera, place)).collect();
    let fits = |camera: &Camera| {
        let unseen = selection.unseen_for_s.is_none_or(|seconds| {
            facts
                .last_seen
                .get(&camera.id)
                .is_none_or(|seen| facts.now.duration_since(*seen).as_secs() >= seconds)
        });
        camera.enabled
            && unseen
            && (selection.regions.is_empty() || facts.regions.contains(&camera.region))
            && (route.is_empty() || route.contains_key(&camera.id))
            && selection.tags.iter().all(|tag| camera.tags.contains(&tag.to_lowercase()))
    };
    let mut picked: Vec<_> = cameras.into_iter().filter(fits).collect();
    picked.sort_by_key(|camera| camera.id);
    if selection.unseen_for_s.is_some() {
        // Never seen sorts before every time.
        picked.sort_by_key(|camera| facts.last_seen.get(&camera.id).copied());
    }
    if !route.is_empty() {
        picked.sort_by_key(|camera| route.get(&camera.id).copied());
    }
    picked
}

/// The cameras of an alert: its own, then those that see the place, then those near it; the nearest first.
fn pick_near(alert: &Alert, cameras: Vec<Camera>) -> Vec<Camera> {
    let place = alert.position;
    let distance = |camera: &Camera| match (place, camera.position) {
        _ if Some(camera.id) == alert.camera => 0.0,
        (Some(place), Some(position)) => metres(&position, &place),
        _ => f64::INFINITY,
    };
    let mut near: Vec<_> = cameras.into_iter().filter(|camera| distance(camera) <= NEAR_METRES).collect();
    near.sort_by(|a, b| {
        let own = |camera: &Camera| Some(camera.id) != alert.camera;
        own(a).cmp(&own(b)).then(distance(a).total_cmp(&distance(b)))
    });
    near.truncate(ALERT_CAMERAS);
    near.retain(|camera| camera.enabled);
    near.sort_by_key(|camera| {
        let sees =
            matches!((place, camera.position), (Some(place), Some(position)) if sees(&position, &place));
        (Some(camera.id) != alert.camera, !sees)
    });
    near
}

/// North and east of `to` from `from`, in metres; good to a percent within a city.
fn offset(from: &Position, to: &Position) -> (f64, f64) {
    let north = (to.lat - from.lat) * METRES_PER_DEGREE;
    let east = (to.lon - from.lon) * METRES_PER_DEGREE * from.lat.to_radians().cos();
    (north, east)
}

fn metres(from: &Position, to: &Position) -> f64 {
    let (north, east) = offset(from, to);
    north.hypot(east)
}

/// Whether a camera at `camera` has `place` in its field of view and range.
fn sees(camera: &Position, place: &Position) -> bool {
    let (north, east) = offset(camera, place);
    let away = (east.atan2(north).to_degrees() - camera.bearing_deg).rem_euclid(360.0);
    let off_axis = away.min(360.0 - away);
    north.hypot(east) <= camera.range_m && off_axis <= camera.fov_deg / 2.0
}

/// The cameras that a selection takes now.
pub(crate) async fn cameras(api: &Api, selection: &Selection, now: Timestamp) -> Result<Vec<Camera>, Error> {
    let regions = api.records().regions_with_descendants(&selection.regions).await?;
    let all = api.records().all_cameras().await?;
    let known: BTreeSet<_> = all.iter().map(|camera| camera.id).collect();
    if let Some(missing) = selection.cameras.iter().find(|camera| !known.contains(camera)) {
        return Err(
            Refusal::field("selection.cameras", format!("names {missing}, which is not registered")).into()
        );
    }
    let last_seen = match selection.unseen_for_s {
        Some(_) => api.records().last_seen_of(&known.into_iter().collect::<Vec<_>>()).await?,
        None => BTreeMap::new(),
    };
    Ok(pick(selection, all, &Facts { regions: &regions, last_seen: &last_seen, now }))
}

/// The cameras that an alert is to be looked at through.
pub(crate) async fn cameras_of_alert(api: &Api, alert: &Alert) -> Result<Vec<Camera>, Error> {
    Ok(pick_near(alert, api.records().all_cameras().await?))
}

#[cfg(test)]
mod tests {
    use sightline_model::{
        alert::{AlertSource, AlertState, Severity},
        camera::CameraKind,
        id::AlertId,
        media::Policy,
    };

    use super::*;

    fn camera(id: &str, region: &str, tags: &[&str], position: Option<Position>) -> Camera {
        Camera {
            id: id.parse().unwrap(),
            name: id.to_uppercase(),
            region: region.parse().unwrap(),
            kind: CameraKind::Street,
            position,
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            main_url: "rtsp://10.0.0.1/".into(),
            sub_url: None,
            credentials: None,
            policy: Policy::Full,
            enabled: true,
            revision: 1,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }

    fn ids(cameras: &[Camera]) -> Vec<&str> {
        cameras.iter().map(|camera| camera.id.as_str()).collect()
    }

    fn picked(selection: serde_json::Value) -> Vec<String> {
        let cameras = vec![
            camera("c", "north", &["gate"], None),
            camera("a", "north", &["gate", "bus"], None),
            camera("b", "south", &["bus"], None),
            Camera { enabled: false, ..camera("off", "north", &["gate", "bus"], None) },
        ];
        let selection: Selection = serde_json::from_value(selection).unwrap();
        let regions = selection.regions.iter().copied().collect();
        let last_seen =
            [("a", 900), ("b", 10)].map(|(id, at)| (id.parse().unwrap(), Timestamp::from_secs(at))).into();
        let facts = Facts { regions: &regions, last_seen: &last_seen, now: Timestamp::from_secs(1000) };
        ids(&pick(&selection, cameras, &facts)).into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn every_condition_must_hold_and_the_order_is_as_asked() {
        use serde_json::json;
        assert_eq!(picked(json!({})), ["a", "b", "c"]);
        assert_eq!(picked(json!({ "regions": ["north"], "tags": ["Gate"] })), ["a", "c"]);
        assert_eq!(picked(json!({ "cameras": ["c", "a"] })), ["c", "a"]);
        assert_eq!(picked(json!({ "unseen_for_s": 101 })), ["c", "b"]);
        assert_eq!(picked(json!({ "unseen_for_s": 100, "cameras": ["b", "c"] })), ["b", "c"]);
    }

    #[test]
    fn an_alert_s_own_camera_comes_first_then_those_that_see_the_place() {
        let at = |north_m: f64, bearing_deg| {
            let lat = 30.0 + north_m / METRES_PER_DEGREE;
            Some(Position { lat, lon: 120.0, bearing_deg, fov_deg: 90.0, range_m: 100.0 })
        };
        let cameras = vec![
            camera("away", "north", &[], at(10.0, 0.0)),
            camera("far", "north", &[], at(400.0, 180.0)),
            camera("looks", "north", &[], at(50.0, 180.0)),
            camera("own", "north", &[], None),
        ];
        let alert = Alert {
            id: AlertId(uuid::Uuid::nil()),
            state: AlertState::Candidate,
            source: AlertSource::Alarm { event: "e".into(), alarm: "fire".into(), drill: false },
            severity: Severity::Severe,
            title: String::new(),
            occurred_at: Timestamp(0),
            raised_at: Timestamp(0),
            camera: Some("own".parse().unwrap()),
            region: None,
            position: at(0.0, 0.0),
            repeats: 0,
            history: vec![],
            revision: 1,
        };
        assert_eq!(ids(&pick_near(&alert, cameras)), ["own", "looks", "away"]);
    }
}
