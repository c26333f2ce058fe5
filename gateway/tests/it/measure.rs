//! Figures for the documentation; run by hand:
//! `cargo test --release -p sightline-gateway --test it measure -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use sightline_gateway::Config;

use crate::world::{Client, Mosquitto, Store, counts, embedded, external, pass, start, until};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "figures, not a test"]
async fn embedded_broker() {
    measure("embedded", embedded()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "figures, not a test"]
async fn outside_broker() {
    let mosquitto = Mosquitto::start();
    measure("mosquitto", external(mosquitto.port)).await;
}

/// From a pass handed to the broker to its alert at a subscriber, one at a time; then a flood of passes.
async fn measure(broker: &str, config: Config) {
    const ALERTS: usize = 300;
    const FLOOD: u64 = 20_000;
    let store = Store::new().await;
    for n in 0..ALERTS {
        store.list(&format!("A{n:04}"), None).await;
    }
    let gateway = start(config, &store.records).await;
    let client = Client::connect(gateway.mqtt_addr(), "measure", Some("sightline/v1/alert/+")).await;
    let mut took: Vec<Duration> = Vec::new();
    for n in 0..ALERTS {
        let began = Instant::now();
        let before = client.seen().len();
        client.send("pass/toll", pass(&format!("p{n}"), &format!("A{n:04}")).to_string()).await;
        client.arrives(before).await;
        took.push(began.elapsed());
    }
    took.sort_unstable();
    let (p50, p99) = (took[ALERTS / 2], took[ALERTS * 99 / 100]);
    let idle = gateway.metrics();

    let began = Instant::now();
    for n in 0..FLOOD {
        client.send("pass/toll", pass(&format!("f{n}"), "B1").to_string()).await;
    }
    let total = FLOOD + ALERTS as u64;
    until("all are stored", async || (counts(&gateway.metrics(), "pass").1 == total).then_some(())).await;
    let rate = FLOOD as f64 / began.elapsed().as_secs_f64();
    let flood = gateway.metrics();
    let commit = |seconds: f64, batches: u64| seconds * 1000.0 / batches as f64;
    println!(
        "{broker}: pass to alert p50 {p50:?} p99 {p99:?}; commit {:.1} ms idle; flood {rate:.0} passes/s, {:.0} a batch, \
         commit {:.1} ms",
        commit(idle.persist_seconds, idle.batches),
        FLOOD as f64 / (flood.batches - idle.batches) as f64,
        commit(flood.persist_seconds - idle.persist_seconds, flood.batches - idle.batches),
    );
}
