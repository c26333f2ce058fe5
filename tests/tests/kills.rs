//! Kills the real `sightline` with -9 at random moments, over and over in one folder: what a look showed before a kill is
//! there after it, every hole has a reason, the store is sound and the log of looks is whole.
//!
//! `SIGHTLINE_KILLS=200` for the long form; `SIGHTLINE_SEED=x` for the same moments again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a panic here is a test's failure report"
)]

use std::{
    collections::BTreeMap,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use sightline_model::Timestamp;
use sightline_tests::{Client, Demo, binary, start_and_kill};

/// Kills in an ordinary test run.
const KILLS: u64 = 8;
const OPTIONS: [&str; 3] = ["--cameras", "3", "--quiet"];
/// What a kill may cost of what a look has shown: the last second of it.
const LOST_US: i64 = 1_000_000;
/// The longest life after the start, milliseconds.
const LIFE_MS: u64 = 3_000;

/// Recorded stretches of each camera.
type Seen = BTreeMap<String, Vec<(Timestamp, Timestamp)>>;

/// Numbers from a seed: the finalizer of splitmix64 over a counter.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let value = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (value ^ (value >> 31)) % below
    }
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} must be a number and is {text:?}")))
}

/// What the looks after each kill said, for the report.
#[derive(Debug, Default)]
struct Tally {
    kills: u64,
    while_starting: u64,
    looks: u64,
    gaps: u64,
    worst_lost_us: i64,
    check_gops: u64,
}

struct World {
    dir: tempfile::TempDir,
    began: Timestamp,
    grant: Option<String>,
    cameras: Vec<String>,
    seen: Seen,
    seen_at: Timestamp,
    tally: Tally,
}

impl World {
    async fn first_look(&mut self, demo: &Demo) {
        let investigator = demo.client("investigator").await;
        let items = investigator.get_json("/cameras").await["items"].clone();
        self.cameras =
            items.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect();
        let grant = investigator
            .grant(&json!({
                "ground": { "kind": "case", "ref": demo.facts.case }, "cameras": self.cameras,
                "from": self.began, "to": self.began + Duration::from_secs(12 * 3600),
                "reason": "whole-system test of kills",
            }))
            .await;
        self.grant = Some(grant);
    }

    async fn timeline(&self, client: &Client, camera: &str, to: Timestamp) -> Value {
        let grant = self.grant.as_deref().unwrap();
        let from = self.began;
        client.get_json(&format!("/footage/{camera}/timeline?from={from}&to={to}&grant={grant}")).await
    }

    /// What there is of every camera now.
    async fn look(&mut self, client: &Client) {
        let now = Timestamp::now();
        let mut seen = Seen::new();
        for camera in &self.cameras {
            seen.insert(camera.clone(), spans(&self.timeline(client, camera, now).await));
        }
        (self.seen, self.seen_at) = (seen, now);
        self.tally.looks += 1;
    }

    /// Everything that was seen before the kill, but its last second, is there; every gap has a reason.
    async fn compare(&mut self, client: &Client, what: &str) {
        let now = Timestamp::now();
        for (camera, before) in &self.seen {
            let timeline = self.timeline(client, camera, now).await;
            let after = spans(&timeline);
            for (from, to) in before {
                let holds = |at: Timestamp| after.iter().find(|(a, b)| *a <= at && at < *b);
                let Some((_, until)) = holds(*from) else {
                    assert!(self.seen_at.micros_since(*from) <= LOST_US, "{what}: {camera} has lost {from}");
                    continue;
                };
                let lost_us = to.micros_since(*until.min(to));
                let recent = self.seen_at.micros_since(*until) <= LOST_US;
                assert!(
                    lost_us == 0 || recent,
                    "{what}: {camera} ends at {until}, {to} was seen at {}",
                    self.seen_at
                );
                self.tally.worst_lost_us = self.tally.worst_lost_us.max(lost_us);
            }
            for gap in timeline["gaps"].as_array().unwrap() {
                let reason = gap["reason"].as_str().unwrap();
                assert!(reason != "unknown" && reason != "damaged", "{what}: {camera} has a gap {gap}");
                self.tally.gaps += 1;
            }
        }
    }

    /// The store beside the running node, and the chain of the log of looks.
    async fn check(&mut self, demo: &Demo, what: &str) {
        let footage = self.dir.path().join("footage");
        let output = Command::new(binary())
            .args(["--output", "json", "footage", "check", "--dir"])
            .arg(&footage)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{what}: {said} {}", String::from_utf8_lossy(&output.stdout));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["problems"], json!([]), "{what}");
        self.tally.check_gops = report["gops"].as_u64().unwrap();
        let auditor = demo.client("auditor").await;
        assert_eq!(auditor.get_json("/audit/verify").await["ok"], true, "{what}: the log of looks is broken");
    }
}

fn spans(timeline: &Value) -> Vec<(Timestamp, Timestamp)> {
    let at = |span: &Value, name: &str| span[name].as_str().unwrap().parse().unwrap();
    timeline["spans"].as_array().unwrap().iter().map(|span| (at(span, "from"), at(span, "to"))).collect()
}

fn recoveries(log: &str) -> usize {
    log.matches(" opened in ").count()
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stderr, reason = "the figures of a long run")]
async fn whatever_moment_it_is_killed_at_nothing_that_was_seen_is_lost() {
    let seed = number("SIGHTLINE_SEED").unwrap_or_else(|| Timestamp::now().0.unsigned_abs());
    let kills = number("SIGHTLINE_KILLS").unwrap_or(KILLS);
    eprintln!("SIGHTLINE_SEED={seed} SIGHTLINE_KILLS={kills}");
    let mut dice = Dice(seed);
    let dir = tempfile::tempdir().unwrap();
    let mut world = World {
        dir,
        began: Timestamp::now(),
        grant: None,
        cameras: Vec::new(),
        seen: Seen::new(),
        seen_at: Timestamp::now(),
        tally: Tally::default(),
    };
    let path = world.dir.path().to_owned();
    while world.tally.kills < kills {
        let what = format!("seed {seed}, after kill {}", world.tally.kills);
        if world.tally.kills > 0 && dice.roll(4) == 0 {
            // In the middle of a recovery, or of anything else that a start does.
            start_and_kill(&path, &OPTIONS, Duration::from_millis(dice.roll(1500))).await;
            world.tally.kills += 1;
            world.tally.while_starting += 1;
            continue;
        }
        let told = recoveries(&std::fs::read_to_string(path.join("log")).unwrap_or_default());
        let demo = Demo::start(&path, &OPTIONS).await;
        assert!(recoveries(&demo.log()) > told, "{what}: the start does not say what it found");
        if world.grant.is_none() {
            world.first_look(&demo).await;
        }
        let investigator = demo.client("investigator").await;
        world.compare(&investigator, &what).await;
        world.check(&demo, &what).await;
        let end = Instant::now() + Duration::from_millis(dice.roll(LIFE_MS));
        world.look(&investigator).await;
        while Instant::now() < end {
            world.look(&investigator).await;
        }
        demo.kill();
        world.tally.kills += 1;
    }
    let demo = Demo::start(&path, &OPTIONS).await;
    let investigator = demo.client("investigator").await;
    world.compare(&investigator, "at the end").await;
    world.check(&demo, "at the end").await;
    eprintln!("{:?}, {} s", world.tally, Timestamp::now().duration_since(world.began).as_secs());
    assert!(world.tally.check_gops > 0 && world.tally.looks > 0);
}
