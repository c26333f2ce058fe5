//! What happens when: an endless list of messages in time order, from a seed. No clock and no network in here.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use rand::{RngExt, SeedableRng, rngs::SmallRng, seq::IndexedRandom};
use serde::Serialize;
use sightline_model::{
    CameraId, Timestamp,
    alert::Severity,
    event::{Alarm, AlarmKind, DeviceStatus, Direction, Pass, Plate, Telemetry, alarm::Place},
};

use super::{
    Config, Rates,
    fleet::{Vehicle, pick},
};
use crate::Error;

/// Vehicles that live around here: a real street sees most of them again.
const FLEET: usize = 600;
/// How far supervised vehicles and alarms are from the centre at most, in degrees (about 4 km).
const REACH_DEG: f64 = 0.036;

/// A message that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// When it happens; the time in its payload.
    pub at: Timestamp,
    /// The whole topic.
    pub topic: String,
    /// JSON.
    pub payload: Vec<u8>,
}

/// What makes the next message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Pass,
    HotPass,
    Alarm,
    Telemetry(usize),
    Status(usize),
}

/// A supervised vehicle on its way.
#[derive(Debug, Clone)]
struct Mover {
    name: String,
    place: Place,
    heading_deg: f64,
    speed_kmh: f64,
}

/// The endless list of messages.
pub struct Script {
    random: SmallRng,
    prefix: String,
    cameras: Vec<CameraId>,
    first_camera: CameraId,
    centre: Place,
    rates: Rates,
    fleet: Vec<Vehicle>,
    hot: Vec<Vehicle>,
    movers: Vec<Mover>,
    due: BinaryHeap<Reverse<(Timestamp, Source)>>,
}

impl Script {
    /// The list that begins at `start`.
    ///
    /// # Errors
    /// When there is no camera, or the prefix cannot begin a topic.
    pub fn new(config: &Config, start: Timestamp) -> Result<Self, Error> {
        let no_camera = Error::Events { problem: "no camera is given; name at least one" };
        let first_camera = *config.cameras.first().ok_or(no_camera)?;
        if config.prefix.is_empty() || config.prefix.contains(['#', '+', '\0']) {
            return Err(Error::Events { problem: "the topic prefix is empty or has a wildcard in it" });
        }
        let mut random = SmallRng::seed_from_u64(config.seed);
        let fleet = (0..FLEET).map(|_| Vehicle::any(&mut random)).collect();
        let hot = config.hotlisted.iter().map(|plate| Vehicle::with_plate(plate, &mut random)).collect();
        let movers = (0..config.rates.vehicles).map(|number| Mover::new(number, config.centre, &mut random));
        let mut script = Self {
            movers: movers.collect(),
            random,
            prefix: config.prefix.clone(),
            cameras: config.cameras.clone(),
            first_camera,
            centre: config.centre,
            rates: config.rates,
            fleet,
            hot,
            due: BinaryHeap::new(),
        };
        script.schedule_all(start);
        Ok(script)
    }

    /// The next message; `None` when every kind of event is switched off.
    pub fn next_message(&mut self) -> Option<Message> {
        loop {
            let Reverse((at, source)) = self.due.pop()?;
            let message = self.make(at, source);
            self.schedule(at, source);
            if message.is_some() {
                return message;
            }
        }
    }

    fn schedule_all(&mut self, start: Timestamp) {
        self.schedule(start, Source::Pass);
        self.schedule(start, Source::Alarm);
        if !self.hot.is_empty() {
            self.schedule(start, Source::HotPass);
        }
        // What comes at fixed intervals begins at a random point of its first one.
        for number in 0..self.movers.len() {
            self.begin(start, Source::Telemetry(number), self.rates.telemetry_interval_s);
        }
        for number in 0..self.cameras.len() {
            self.begin(start, Source::Status(number), self.rates.status_interval_s);
        }
    }

    fn begin(&mut self, start: Timestamp, source: Source, interval_s: f64) {
        if let Some(interval) = seconds(interval_s) {
            let first = interval.mul_f64(self.random.random_range(0.0..1.0));
            self.due.push(Reverse((start + first, source)));
        }
    }

    fn schedule(&mut self, after: Timestamp, source: Source) {
        let wait = match source {
            Source::Pass => self.poisson(self.rates.passes_per_min / 60.0),
            Source::HotPass => self.poisson(self.rates.hot_passes_per_hour / 3600.0),
            Source::Alarm => self.poisson(self.rates.alarms_per_hour / 3600.0),
            Source::Telemetry(_) => seconds(self.rates.telemetry_interval_s),
            Source::Status(_) => seconds(self.rates.status_interval_s),
        };
        if let Some(wait) = wait {
            self.due.push(Reverse((after + wait, source)));
        }
    }

    /// Time to the next of events that come independently at this rate.
    fn poisson(&mut self, per_second: f64) -> Option<Duration> {
        let mean_s = seconds(1.0 / per_second)?;
        let unlikely: f64 = self.random.random_range(f64::EPSILON..1.0);
        Some(mean_s.mul_f64(-unlikely.ln()))
    }

    fn make(&mut self, at: Timestamp, source: Source) -> Option<Message> {
        match source {
            Source::Pass => {
                let vehicle = self.fleet.choose(&mut self.random)?.clone();
                let plate = vehicle.read(&mut self.random);
                Some(self.pass(at, &vehicle, plate))
            }
            Source::HotPass => {
                let vehicle = self.hot.choose(&mut self.random)?.clone();
                let plate = vehicle.read_well(&mut self.random);
                Some(self.pass(at, &vehicle, Some(plate)))
            }
            Source::Alarm => Some(self.alarm(at)),
            Source::Telemetry(number) => self.telemetry(at, number),
            Source::Status(number) => Some(self.status(at, *self.cameras.get(number)?)),
        }
    }

    fn pass(&mut self, at: Timestamp, vehicle: &Vehicle, plate: Option<Plate>) -> Message {
        let camera = self.camera();
        let leaves = self.random.random_bool(0.5);
        let pass = Pass {
            id: self.id(at),
            time: at,
            camera,
            lane: Some(self.random.random_range(1..=3)),
            plate,
            vehicle_class: Some(vehicle.class),
            vehicle_colour: Some(vehicle.colour.to_owned()),
            direction: Some(if leaves { Direction::Leaving } else { Direction::Approaching }),
            speed_kmh: Some(tenths(self.random.random_range(12.0..68.0))),
        };
        self.message(at, &format!("pass/{camera}"), &pass)
    }

    fn alarm(&mut self, at: Timestamp) -> Message {
        const KINDS: [(AlarmKind, Severity, &str); 6] = [
            (AlarmKind::HelpButton, Severity::Extreme, "Help button pressed"),
            (AlarmKind::HelpCall, Severity::Severe, "Call for help, place known"),
            (AlarmKind::DoorForced, Severity::Severe, "Door contact open without a key"),
            (AlarmKind::Tamper, Severity::Moderate, "Housing opened"),
            (AlarmKind::Fire, Severity::Extreme, "Smoke and heat detector"),
            (AlarmKind::DeviceFault, Severity::Minor, "Supply voltage low"),
        ];
        let [otherwise, ..] = KINDS;
        let (kind, severity, text) = pick(&mut self.random, &KINDS, otherwise);
        let camera = self.random.random_bool(0.7).then(|| self.camera());
        let drill = self.random.random_bool(self.rates.drill_share.clamp(0.0, 1.0));
        let alarm = Alarm {
            id: self.id(at),
            time: at,
            kind,
            severity,
            drill,
            camera,
            place: camera.is_none().then(|| around(self.centre, &mut self.random)),
            text: if drill { format!("Drill: {text}") } else { text.to_owned() },
        };
        self.message(at, "alarm/sim", &alarm)
    }

    fn telemetry(&mut self, at: Timestamp, number: usize) -> Option<Message> {
        let id = self.id(at);
        let interval_s = self.rates.telemetry_interval_s;
        let mover = self.movers.get_mut(number)?;
        mover.drive(interval_s, self.centre, &mut self.random);
        let telemetry = Telemetry {
            id,
            time: at,
            lat: mover.place.lat,
            lon: mover.place.lon,
            speed_kmh: tenths(mover.speed_kmh),
            heading_deg: tenths(mover.heading_deg).min(359.9),
            // JT/T 808: bit 1 is speeding.
            alarm_bits: if mover.speed_kmh > 80.0 { 1 << 1 } else { 0 },
        };
        let topic = format!("telemetry/{}", mover.name);
        Some(self.message(at, &topic, &telemetry))
    }

    fn status(&mut self, at: Timestamp, camera: CameraId) -> Message {
        let healthy = !self.random.random_bool(0.01);
        let status = DeviceStatus {
            id: self.id(at),
            time: at,
            healthy,
            firmware: Some("sim-1.0".to_owned()),
            temperature_c: Some(tenths(self.random.random_range(31.0..47.0))),
            text: if healthy { String::new() } else { "Storage card nearly worn out".to_owned() },
        };
        self.message(at, &format!("device/{camera}/status"), &status)
    }

    fn message(&self, at: Timestamp, topic: &str, payload: &impl Serialize) -> Message {
        // Plain data with text keys: it always serialises.
        let payload = serde_json::to_vec(payload).unwrap_or_default();
        Message { at, topic: format!("{}/{topic}", self.prefix), payload }
    }

    /// Unique over restarts with the same seed, because the time is in it.
    fn id(&mut self, at: Timestamp) -> String {
        let millis = u64::try_from(at.0.div_euclid(1000)).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.random.random()).into_uuid().to_string()
    }

    fn camera(&mut self) -> CameraId {
        pick(&mut self.random, &self.cameras, self.first_camera)
    }
}

impl Mover {
    fn new(number: u32, centre: Place, random: &mut SmallRng) -> Self {
        let kind = pick(random, &["coach", "tanker", "truck"], "truck");
        Self {
            name: format!("{kind}-{}", number + 1),
            place: around(centre, random),
            heading_deg: random.random_range(0.0..360.0),
            speed_kmh: random.random_range(20.0..60.0),
        }
    }

    /// Drives on, turning a little, and back towards the centre when too far away.
    fn drive(&mut self, seconds: f64, centre: Place, random: &mut SmallRng) {
        let (north, east) = (self.place.lat - centre.lat, self.place.lon - centre.lon);
        if north.hypot(east) > REACH_DEG {
            self.heading_deg = (-east).atan2(-north).to_degrees();
        }
        self.heading_deg = (self.heading_deg + random.random_range(-12.0..12.0)).rem_euclid(360.0);
        self.speed_kmh = (self.speed_kmh + random.random_range(-6.0..6.0)).clamp(0.0, 88.0);
        let degrees = self.speed_kmh / 3.6 * seconds / 111_320.0;
        let heading = self.heading_deg.to_radians();
        let shrink = self.place.lat.to_radians().cos().max(0.01);
        self.place.lat = (self.place.lat + degrees * heading.cos()).clamp(-89.0, 89.0);
        self.place.lon = (self.place.lon + degrees * heading.sin() / shrink).clamp(-180.0, 180.0);
    }
}

fn around(centre: Place, random: &mut SmallRng) -> Place {
    let mut off = || random.random_range(-REACH_DEG..REACH_DEG) / 2.0;
    Place { lat: centre.lat + off(), lon: centre.lon + off() }
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// A length of time; `None` for zero, negative and senseless ones: what never happens.
fn seconds(value: f64) -> Option<Duration> {
    (value.is_finite() && value > 0.0 && value < 1e9).then(|| Duration::from_secs_f64(value))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use super::*;

    const START: Timestamp = Timestamp::from_secs(1_795_000_000);

    fn config() -> Config {
        let cameras = ["gate-1", "gate-2", "gate-3"].map(|id| id.parse().unwrap()).to_vec();
        Config { hotlisted: vec!["川A12345".to_owned()], ..Config::new("localhost", 1883, cameras) }
    }

    fn first_hour(config: &Config) -> Vec<Message> {
        let mut script = Script::new(config, START).unwrap();
        let end = START + Duration::from_secs(3600);
        std::iter::from_fn(|| script.next_message()).take_while(|message| message.at < end).collect()
    }

    fn kind(message: &Message) -> String {
        message.topic.strip_prefix("sightline/v1/").unwrap().split('/').next().unwrap().to_owned()
    }

    #[test]
    fn an_hour_has_about_what_the_rates_say_in_time_order() {
        let messages = first_hour(&config());
        assert!(messages.is_sorted_by_key(|message| message.at));
        let mut counts = BTreeMap::<String, usize>::new();
        for message in &messages {
            *counts.entry(kind(message)).or_default() += 1;
        }
        assert!((2250..2650).contains(&counts["pass"]), "{counts:?}");
        assert_eq!(counts["telemetry"], 6 * 360, "{counts:?}");
        assert_eq!(counts["device"], 3 * 60, "{counts:?}");
        assert!((3..30).contains(&counts["alarm"]), "{counts:?}");
        let hot =
            messages.iter().filter(|m| String::from_utf8_lossy(&m.payload).contains("川A12345")).count();
        assert!((12..55).contains(&hot), "{hot}");
    }

    #[test]
    fn every_payload_is_of_its_published_type_with_an_id_of_its_own() {
        let mut ids = HashSet::new();
        for message in first_hour(&config()) {
            let bytes = &message.payload;
            let (id, time) = match kind(&message).as_str() {
                "pass" => serde_json::from_slice(bytes).map(|pass: Pass| (pass.id, pass.time)),
                "telemetry" => serde_json::from_slice(bytes).map(|report: Telemetry| {
                    assert!((0.0..360.0).contains(&report.heading_deg) && report.speed_kmh <= 90.0);
                    (report.id, report.time)
                }),
                "alarm" => serde_json::from_slice(bytes).map(|alarm: Alarm| {
                    assert!(alarm.camera.is_some() != alarm.place.is_some());
                    assert_eq!(alarm.drill, alarm.text.starts_with("Drill"));
                    (alarm.id, alarm.time)
                }),
                _ => serde_json::from_slice(bytes).map(|status: DeviceStatus| (status.id, status.time)),
            }
            .unwrap();
            assert_eq!(time, message.at);
            assert!(ids.insert(id), "{message:?}");
        }
    }

    #[test]
    fn a_seed_repeats_itself_but_its_ids_do_not_come_again_after_a_restart() {
        assert_eq!(first_hour(&config()), first_hour(&config()));
        assert_ne!(first_hour(&config()), first_hour(&Config { seed: 2, ..config() }));
        let ids = |start| {
            let mut script = Script::new(&config(), start).unwrap();
            let passes = std::iter::from_fn(|| script.next_message()).filter(|m| kind(m) == "pass").take(50);
            passes.map(|m| serde_json::from_slice::<Pass>(&m.payload).unwrap().id).collect::<HashSet<_>>()
        };
        assert!(ids(START).is_disjoint(&ids(START + Duration::from_millis(1))));
    }

    #[test]
    fn rates_of_zero_switch_off_and_a_senseless_configuration_is_refused() {
        let none = Rates {
            passes_per_min: 0.0,
            hot_passes_per_hour: 0.0,
            vehicles: 0,
            telemetry_interval_s: 0.0,
            alarms_per_hour: 0.0,
            drill_share: 0.0,
            status_interval_s: 0.0,
        };
        assert_eq!(Script::new(&Config { rates: none, ..config() }, START).unwrap().next_message(), None);
        assert!(Script::new(&Config { cameras: Vec::new(), ..config() }, START).is_err());
        assert!(Script::new(&Config { prefix: "a/#".to_owned(), ..config() }, START).is_err());
    }
}
