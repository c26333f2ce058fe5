//! Kill it and start it again: what was synced is there, what is missing is stated, the restart says what it found.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a panic here is a test's failure report"
)]

use std::{process::Command, time::Duration};

use serde_json::{Value, json};
use sightline_model::Timestamp;
use sightline_tests::{Client, Demo, binary, eventually_some};

const SOON: Duration = Duration::from_secs(30);

/// What a crash may cost: one second since the last sync, the GOP of two seconds that was being received, and the time
/// between this test's look and the kill.
const MOST_LOST: Duration = Duration::from_secs(4);

async fn case_grant(client: &Client, demo: &Demo, camera: &str, from: Timestamp) -> String {
    client
        .grant(&json!({
            "ground": { "kind": "case", "ref": demo.facts.case }, "cameras": [camera],
            "from": from, "to": from + Duration::from_secs(3600), "reason": "whole-system test of recovery",
        }))
        .await
}

async fn timeline(client: &Client, camera: &str, grant: &str, from: Timestamp) -> Value {
    let to = Timestamp::now();
    client.get_json(&format!("/footage/{camera}/timeline?from={from}&to={to}&grant={grant}")).await
}

fn last_end(timeline: &Value) -> Option<Timestamp> {
    timeline["spans"].as_array()?.iter().filter_map(|span| span["to"].as_str()?.parse().ok()).max()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_mid_recording_costs_a_second_and_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let began = Timestamp::now();
    let demo = Demo::start(dir.path(), &["--cameras", "2", "--quiet"]).await;
    let investigator = demo.client("investigator").await;
    let camera = investigator.get_json("/cameras").await["items"][0]["id"].as_str().unwrap().to_owned();
    let grant = case_grant(&investigator, &demo, &camera, began).await;
    eventually_some("eight seconds are recorded", SOON, || async {
        let timeline = timeline(&investigator, &camera, &grant, began).await;
        (last_end(&timeline)?.duration_since(began) > Duration::from_secs(8)).then_some(())
    })
    .await;
    let killed_at = Timestamp::now();
    demo.kill();

    let demo = Demo::start(dir.path(), &["--cameras", "2", "--quiet"]).await;
    let log = demo.log();
    assert!(log.to_lowercase().contains("recover"), "the restart says what it recovered:\n{log}");
    let investigator = demo.client("investigator").await;
    let grant = case_grant(&investigator, &demo, &camera, began).await;
    let gap = eventually_some("footage follows the kill", SOON, || async {
        let timeline = timeline(&investigator, &camera, &grant, began).await;
        timeline["gaps"].as_array()?.iter().find(|gap| gap["reason"] == "gateway_stopped").cloned()
    })
    .await;
    let gap_from: Timestamp = gap["from"].as_str().unwrap().parse().unwrap();
    let lost = killed_at.duration_since(gap_from);
    assert!(lost < MOST_LOST, "footage ends {lost:?} before the kill: {gap}");

    let old = investigator
        .get(&format!(
            "/footage/{camera}/clip.mp4?from={}&to={gap_from}&grant={grant}",
            gap_from - Duration::from_secs(4)
        ))
        .await;
    assert_eq!(old.status(), 200, "what was recorded before the kill plays");
    let auditor = demo.client("auditor").await;
    assert_eq!(auditor.get_json("/audit/verify").await["ok"], true, "the log of looks is whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_it_within_five_seconds_with_everything_synced() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path(), &["--cameras", "2", "--quiet"]).await;
    let stopped_at = Timestamp::now();
    let status = demo.terminate(Duration::from_secs(5)).await;
    assert!(status.success(), "{status}");

    let footage = dir.path().join("footage");
    let stored = sightline(&["footage", "ls", "--dir", footage.to_str().unwrap()]);
    let ends = stored
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|segment| segment["to"].as_str()?.parse::<Timestamp>().ok());
    let end = ends.max().expect("something is stored");
    assert!(
        end > stopped_at - Duration::from_secs(1),
        "the open GOP was kept up to the stop at {stopped_at}: {stored}"
    );
    let checked = sightline(&["footage", "check", "--dir", footage.to_str().unwrap()]);
    assert_eq!(checked["problems"], json!([]), "{checked}");
    assert_eq!(checked["incomplete_bytes"], 0, "nothing half written: {checked}");
}

/// Runs the command line and reads its JSON.
fn sightline(arguments: &[&str]) -> Value {
    let output = Command::new(binary()).args(["--output", "json"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
