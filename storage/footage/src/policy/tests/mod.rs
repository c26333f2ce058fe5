//! Decisions one by one, and against a naive world of GOPs.

mod cases;
mod crash;
mod model;
mod real;
mod space;
mod store;

use std::time::Duration;

use sightline_model::{CameraId, TimeRange, Timestamp, media::StreamKey};

use super::*;
use crate::crypt::CameraHour;

/// Now, in the tests: some day in 2026.
const NOW: Timestamp = Timestamp(1_795_000_000_000_000);
const HOUR: Duration = Duration::from_secs(3600);

fn hours(count: u64) -> Duration {
    HOUR * u32::try_from(count).unwrap()
}

/// So many hours before now.
fn ago(count: u64) -> Timestamp {
    NOW - hours(count)
}

fn camera(n: u8) -> CameraId {
    format!("c{n}").parse().unwrap()
}

fn key(n: u8) -> StreamKey {
    StreamKey::main(camera(n))
}

fn range(from: Timestamp, to: Timestamp) -> TimeRange {
    TimeRange::new(from, to).unwrap()
}

/// A stretch of a camera that begins so many hours ago, lasts one, and halves when thinned.
fn stretch(n: u8, hours_ago: u64, bytes: u64) -> Stretch {
    Stretch {
        key: Some(key(n)),
        from: ago(hours_ago),
        to: ago(hours_ago) + HOUR,
        bytes,
        thin_bytes: bytes / 2,
        full: true,
    }
}

/// A sealed local segment of one hour with 100 bytes of each camera.
fn segment(id: u64, hours_ago: u64, cameras: &[u8]) -> SegmentStock {
    let stretches: Vec<Stretch> = cameras.iter().map(|n| stretch(*n, hours_ago, 100)).collect();
    SegmentStock {
        id,
        disk: 0,
        class: 0,
        sealed: true,
        bytes: stretches.iter().map(|stretch| stretch.bytes).sum(),
        place: Place::Local,
        range: range(ago(hours_ago), ago(hours_ago) + HOUR),
        stretches,
    }
}

/// Segments 0 to `count`, the last of which ends now.
fn hourly(count: u64, cameras: &[u8]) -> Vec<SegmentStock> {
    (0..count).map(|id| segment(id, count - id, cameras)).collect()
}

fn stock(segments: Vec<SegmentStock>) -> Stock {
    Stock { segments, ..Stock::default() }
}

fn disk(free: u64, keep_free: u64) -> DiskStock {
    DiskStock {
        id: 0,
        total_bytes: 100_000,
        free_bytes: free,
        keep_free_bytes: keep_free,
        stop_bytes: 0,
        recorded: [0].into(),
        shed: [].into(),
    }
}

fn class(code: u8, min_hours: u64, max_hours: u64) -> Class {
    let (min, max) = (hours(min_hours), hours(max_hours));
    Class { code, name: format!("class {code}"), min, max, ..Class::default() }
}

fn config(classes: Vec<Class>) -> PolicyConfig {
    PolicyConfig { classes, ..PolicyConfig::default() }
}

fn resolved(config: &PolicyConfig) -> Policies {
    Policies::resolve(config, None).unwrap()
}

fn hold(cameras: &[u8], range: TimeRange) -> Hold {
    Hold {
        id: "1".to_owned(),
        owner: "north".to_owned(),
        reason: "case 7".to_owned(),
        cameras: cameras.iter().map(|n| camera(*n)).collect(),
        range,
        until: None,
    }
}

fn actions(plan: &Plan) -> Vec<Action> {
    plan.steps.iter().map(|step| step.action.clone()).collect()
}

fn deleted(plan: &Plan) -> Vec<u64> {
    let id = |step: &Step| match step.action {
        Action::Delete { segment } => Some(segment),
        _ => None,
    };
    plan.steps.iter().filter_map(id).collect()
}
