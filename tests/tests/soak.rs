//! A demo that runs on: memory, descriptors and threads stay flat, nothing is dropped, nothing is lost. Short by default; an
//! hour is `SIGHTLINE_SOAK_S=3600 cargo nextest run -p sightline-tests --test soak`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a panic here is a test's failure report"
)]

use std::time::{Duration, Instant};

use sightline_tests::{Demo, eventually};

/// Length of the short form.
const SHORT_S: u64 = 24;
/// How far memory may grow from the second quarter of the run to the last: allocators and caches breathe.
const GROWTH_KB: f64 = 24_000.0;

/// Resident memory in kB and open descriptors of a process.
fn usage(pid: u32) -> (f64, usize) {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
    (line.split_whitespace().nth(1).unwrap().parse().unwrap(), descriptors)
}

fn mean(values: &[f64]) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "a mean")]
    let count = values.len() as f64;
    values.iter().sum::<f64>() / count
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_stays_flat_and_nothing_is_dropped() {
    let seconds =
        std::env::var("SIGHTLINE_SOAK_S").map_or(SHORT_S, |text| text.parse().expect("a number of seconds"));
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path(), &["--cameras", "9"]).await;
    let (ends, pid) = (Instant::now() + Duration::from_secs(seconds), demo.pid());
    let mut samples = Vec::new();
    eventually("the run is over", Duration::from_secs(seconds + 60), || {
        samples.push(usage(pid));
        std::future::ready(Instant::now() >= ends)
    })
    .await;

    let quarter = samples.len() / 4;
    let memory: Vec<f64> = samples.iter().map(|(memory_kb, _)| *memory_kb).collect();
    let (early, late) = (mean(&memory[quarter..2 * quarter]), mean(&memory[3 * quarter..]));
    assert!(late - early < GROWTH_KB, "memory grew from {early:.0} kB to {late:.0} kB in {seconds} s");
    let most = |from: usize, to: usize| samples[from..to].iter().map(|(_, open)| *open).max().unwrap();
    let (early, late) = (most(quarter, 2 * quarter), most(3 * quarter, samples.len()));
    assert!(late <= early + 8, "open descriptors grew from {early} to {late}");

    let metrics = reqwest::get(&demo.facts.metrics).await.unwrap().text().await.unwrap();
    for counter in [
        "sightline_footage_gops_dropped_total",
        "sightline_ingest_packets_lost_total",
        "sightline_audit_failures_total",
    ] {
        let line = metrics.lines().find(|line| line.starts_with(counter)).expect(counter);
        assert!(line.ends_with(" 0"), "{line}");
    }
    assert!(!demo.log().contains("ERROR"), "{}", demo.log());
    let status = demo.terminate(Duration::from_secs(5)).await;
    assert!(status.success(), "{status}");
}
