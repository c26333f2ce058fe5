//! What Prometheus thinks of `/metrics`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a panic here is a test's failure report"
)]

use std::{
    io::Write,
    process::{Command, Stdio},
};

use sightline_tests::Demo;

/// Series of one instance, whatever happens (`docs/architecture.md`): labels come from closed sets.
const MOST_SERIES: usize = 5000;

#[tokio::test(flavor = "multi_thread")]
async fn promtool_finds_nothing_wrong_and_series_are_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path(), &["--cameras", "2", "--quiet"]).await;
    let operator = demo.client("operator").await;
    operator.get_json("/cameras").await;
    // Paths that nobody serves must not become labels.
    for stranger in ["/nothing", "/cameras/../../etc", "/footage/x/y"] {
        operator.get(stranger).await;
    }
    let text = reqwest::get(&demo.facts.metrics).await.unwrap().text().await.unwrap();
    let series: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let strange: Vec<_> =
        series.iter().filter(|line| line.contains("nothing") || line.contains("/etc")).collect();
    assert!(strange.is_empty(), "only known routes are labels: {strange:?}");
    assert!((100..MOST_SERIES).contains(&series.len()), "{} series", series.len());

    let made = series.iter().find_map(|line| line.strip_prefix("sightline_keys_made_total "));
    let made: f64 = made.expect("footage is encrypted unless told not to").parse().unwrap();
    assert!(made >= 2.0, "a key for each camera: {made}");

    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is installed");
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let said = promtool.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&said.stdout).into_owned() + &String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success() && told.trim().is_empty(), "{told}");
}
