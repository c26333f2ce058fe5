//! Events in and alerts out, with the programs that a site would use.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a panic here is a test's failure report"
)]

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use sightline_model::Timestamp;
use sightline_tests::{Demo, eventually_some};

const SOON: Duration = Duration::from_secs(20);

/// `mosquitto_sub` on one topic filter, as lines of "topic payload".
struct Subscriber {
    child: Child,
    lines: Receiver<String>,
}

impl Subscriber {
    fn start(broker: &str, filter: &str) -> Self {
        let (host, port) = broker.rsplit_once(':').unwrap();
        // Line by line also into a pipe: with -d it tells when it is subscribed, but only once its buffer is full.
        let mut child = Command::new("stdbuf")
            .args(["-oL", "mosquitto_sub", "-h", host, "-p", port, "-q", "1", "-v", "-d", "-t", filter])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("mosquitto_sub is installed");
        let (send, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        let subscriber = Self { child, lines };
        subscriber.until(|line| line.contains("SUBACK") || line.starts_with("Subscribed"));
        subscriber
    }

    /// The first line that `wanted` accepts.
    fn until(&self, wanted: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + SOON;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).expect("mosquitto_sub hears it in time");
            if wanted(&line) {
                return line;
            }
        }
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn publish(broker: &str, topic: &str, payload: &str) {
    let (host, port) = broker.rsplit_once(':').unwrap();
    let status = Command::new("mosquitto_pub")
        .args(["-h", host, "-p", port, "-q", "1", "-t", topic, "-m", payload])
        .status()
        .expect("mosquitto_pub is installed");
    assert!(status.success(), "mosquitto_pub {topic}");
}

fn pass(id: &str, plate: &str, camera: &str) -> String {
    json!({ "id": id, "time": Timestamp::now(), "camera": camera, "lane": 1, "plate": { "raw": plate } })
        .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hot_listed_plate_brings_up_a_candidate_within_a_second() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path(), &["--cameras", "1", "--quiet"]).await;
    let operator = demo.client("operator").await;
    let camera = operator.get_json("/cameras").await["items"][0]["id"].as_str().unwrap().to_owned();
    let alerts = Subscriber::start(&demo.facts.mqtt, "sightline/v1/alert/#");

    let sent = Instant::now();
    publish(&demo.facts.mqtt, "sightline/v1/pass/test", &pass("p-1", &demo.facts.hotlisted, &camera));
    let line = alerts.until(|line| line.starts_with("sightline/v1/alert/"));
    let took = sent.elapsed();
    let alert: Value = serde_json::from_str(line.split_once(' ').unwrap().1).unwrap();
    assert_eq!(alert["state"], "candidate", "a match is a candidate until a person has judged: {alert}");
    assert!(took < Duration::from_secs(1), "from publish to alert took {took:?}");

    let id = alert["id"].as_str().unwrap();
    let shown = eventually_some("the desk shows it", SOON, || async {
        let list = operator.get_json("/alerts?state=open").await;
        list["items"].as_array().unwrap().iter().find(|alert| alert["id"] == id).cloned()
    })
    .await;
    let confirm = |revision: Value| json!({ "note": "plate and picture agree", "revision": revision });
    let (status, stale) = operator.post(&format!("/alerts/{id}/confirm"), &confirm(json!(999))).await;
    assert_eq!(status, 409, "somebody else was first: {stale}");
    let (status, confirmed) =
        operator.post(&format!("/alerts/{id}/confirm"), &confirm(shown["revision"].clone())).await;
    assert_eq!((status.as_u16(), confirmed["state"].as_str()), (200, Some("confirmed")), "{confirmed}");
    alerts.until(|line| line.contains(id) && line.contains("\"confirmed\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_returned_with_the_reason_and_duplicates_count_once() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path(), &["--cameras", "1", "--quiet"]).await;
    let broker = &demo.facts.mqtt;
    let investigator = demo.client("investigator").await;
    let camera = investigator.get_json("/cameras").await["items"][0]["id"].as_str().unwrap().to_owned();

    let rejected = Subscriber::start(broker, "sightline/v1/rejected/#");
    publish(broker, "sightline/v1/pass/test", "{\"id\": ");
    let line = rejected.until(|line| line.starts_with("sightline/v1/rejected/"));
    assert!(line.contains("pass/test") && line.contains("reason"), "{line}");

    for _ in 0..2 {
        publish(broker, "sightline/v1/pass/test", &pass("twice", "京N88888", &camera));
    }
    let with_person = json!({ "id": "stripped", "time": Timestamp::now(), "camera": camera, "plate": { "raw": "京N88888" },
        "driver_face": "data", "passenger_count": 3 });
    publish(broker, "sightline/v1/pass/test", &with_person.to_string());
    let now = Timestamp::now();
    let (from, to) = (now - Duration::from_secs(60), now + Duration::from_secs(60));
    let grant = investigator
        .grant(&json!({ "ground": { "kind": "case", "ref": demo.facts.case }, "cameras": [camera], "from": from, "to": to,
            "reason": "whole-system test of passes" }))
        .await;
    let path = format!("/passes?plate=京N88888&camera={camera}&from={from}&to={to}&grant={grant}");
    let items = eventually_some("both passes are stored", SOON, || async {
        let list = investigator.get_json(&path).await;
        let items = list["items"].as_array().unwrap().clone();
        (items.len() >= 2).then_some(items)
    })
    .await;
    assert_eq!(items.len(), 2, "sent twice, stored once: {items:?}");
    assert!(!json!(items).to_string().contains("face"), "stripped at the door");

    let metrics = reqwest::get(&demo.facts.metrics).await.unwrap().text().await.unwrap();
    let value = |name: &str| -> f64 {
        let lines = metrics.lines().filter(|line| line.starts_with(name));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    };
    assert!(value("sightline_events_rejected_total") >= 1.0, "{metrics}");
    assert!(value("sightline_events_duplicate_total") >= 1.0, "{metrics}");
    assert!(value("sightline_events_stripped_fields_total") >= 2.0, "{metrics}");
}
