use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use sightline_model::{Timestamp, gap::GapReason, media::ticks_to_micros, tail::TailItem};

use super::bench::*;
use crate::{Target, replay::Step};

const HOURS: u64 = 3;

/// A camera that fails in one way after another.
fn moody(seed: u64, target: &Target, attempt: u32) -> Vec<Step> {
    let name =
        target.key.camera.as_str().bytes().fold(seed, |hash, byte| hash.wrapping_mul(31) + u64::from(byte));
    let mut rng = StdRng::seed_from_u64(name.wrapping_mul(1_000_003) + u64::from(attempt));
    let reasons = [GapReason::Disconnected, GapReason::BadStream, GapReason::Unreachable];
    let end = failure(reasons[rng.random_range(0..reasons.len())]);
    if rng.random_bool(0.3) {
        return vec![Step::Wait(Duration::from_millis(rng.random_range(0..9_000))), end];
    }
    let mut steps = hello();
    let mut media = rng.random_range(0..4_000_000);
    for _ in 0..rng.random_range(1..40) {
        let seconds = rng.random_range(1..120);
        steps.extend(video(media, seconds));
        media += seconds;
        match rng.random_range(0..12) {
            0 => steps.push(Step::Wait(Duration::from_millis(rng.random_range(0..15_000)))),
            1 => media = media.wrapping_add(rng.random_range(0..100_000)) % 4_000_000,
            2 => {
                let lost = rng.random_range(1..8);
                steps.push(Step::Wait(Duration::from_secs(lost.into())));
                media += lost;
                if let Some(Step::Unit { lost: packets, .. }) =
                    steps.iter_mut().rev().find(|s| matches!(s, Step::Unit { .. }))
                {
                    *packets = lost;
                }
            }
            _ => {}
        }
    }
    if rng.random_bool(0.7) {
        steps.push(end);
    }
    steps
}

/// Footage and gaps must cover all the time from the first word on, with less than a second between.
fn check_cover(items: &[TailItem], until: Timestamp) {
    let slack = 1_000_000;
    let mut covered = WALL;
    let mut start = None;
    let mut gap = false;
    for item in items {
        match item {
            TailItem::Begin(begin) => {
                let hole = begin.at.micros_since(covered);
                assert!(gap || hole < slack, "nothing says what was between {covered} and {}", begin.at);
                start = Some(begin.at);
            }
            TailItem::Unit(_) => {}
            TailItem::End { duration_90k } => {
                let end = start.unwrap().plus_micros(ticks_to_micros(i64::from(*duration_90k)));
                covered = covered.max(end);
                gap = false;
            }
            TailItem::Absent { since, .. } => {
                assert!(
                    since.micros_since(covered) < slack,
                    "a gap from {since} after footage until {covered}"
                );
                gap = true;
            }
        }
    }
    assert!(gap || until.micros_since(covered) < slack, "nothing says what was after {covered}");
}

#[tokio::test(start_paused = true)]
async fn hours_of_moody_cameras_are_covered_by_footage_and_gaps() {
    let seed = rand::random::<u32>().into();
    println!("seed {seed}");
    let bench = Bench::new(move |target, attempt| moody(seed, target, attempt));
    let cameras: Vec<_> = (0..8).map(|n| key(&format!("c{n}"))).collect();
    bench.supervisor.set_targets(cameras.iter().map(|key| target(*key)).collect());
    bench.at(Duration::from_secs(HOURS * 3600)).await;
    let metrics = bench.supervisor.metrics();
    bench.supervisor.drain(Duration::from_secs(5)).await;
    let until = WALL + Duration::from_secs(HOURS * 3600);
    for key in cameras {
        check_cover(&bench.tape.of(key), until);
    }
    assert!(metrics.gops > HOURS * 3600 * 3, "{metrics:?}");
}
