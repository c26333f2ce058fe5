//! Events in by the embedded broker: hits, refusals, person fields.

use serde_json::json;
use sightline_gateway::Change;
use sightline_model::Timestamp;
use sightline_records::passes::PassQuery;

use crate::world::{Client, Store, approver, author, counts, embedded, pass, start, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_of_a_listed_plate_brings_up_a_retained_candidate() {
    let store = Store::new().await;
    let entry = store.list("京A·12345", None).await;
    let gateway = start(embedded(), &store.records).await;
    let mut changes = gateway.changes();
    let desk = Client::connect(gateway.mqtt_addr(), "desk", Some("sightline/v1/alert/+")).await;
    let toll = Client::connect(gateway.mqtt_addr(), "toll", None).await;

    toll.publish("pass/toll", &pass("p1", "京A 12345")).await;
    let seen = desk.wait("the alert", |seen| seen.topic.starts_with("sightline/v1/alert/")).await;
    let alert = seen.json();
    assert_eq!(alert["state"], "candidate");
    assert_eq!(alert["source"]["hotlist"], entry.id.to_string());
    assert_eq!((&alert["camera"], &alert["region"]), (&json!("gate-3"), &json!("north")));
    assert!(alert.get("history").is_none(), "what people noted stays at the desk");

    let late = Client::connect(gateway.mqtt_addr(), "late", Some("sightline/v1/alert/#")).await;
    assert!(late.wait("the retained alert", |seen| seen.json()["id"] == alert["id"]).await.retained);
    let told = until("the followers are told", async || match changes.try_recv() {
        Ok(Change::Alert(alert)) => Some(alert),
        _ => None,
    })
    .await;
    assert_eq!(json!(told.id), alert["id"]);
    assert!(gateway.drain(crate::world::PATIENCE).await);
}

/// As the README shows it: mosquitto's command line tools against the embedded broker.
#[tokio::test(flavor = "multi_thread")]
async fn the_usual_command_line_tools_work() {
    let store = Store::new().await;
    store.list("京A12345", None).await;
    let gateway = start(embedded(), &store.records).await;
    let port = gateway.mqtt_addr().1.to_string();
    let run = |program: &str, args: &[&str]| {
        let mut command = tokio::process::Command::new(program);
        command.args(["-h", "127.0.0.1", "-p", &port]).args(args);
        async move { command.output().await.expect("this test needs mosquitto-clients").stdout }
    };
    let event = pass("p1", "京A12345").to_string();
    run("mosquitto_pub", &["-q", "1", "-t", "sightline/v1/pass/toll", "-m", &event]).await;
    let alert = run("mosquitto_sub", &["-q", "1", "-C", "1", "-W", "20", "-t", "sightline/v1/alert/#"]).await;
    let alert: serde_json::Value = serde_json::from_slice(&alert).unwrap();
    assert_eq!((&alert["state"], &alert["source"]["plate_read"]), (&json!("candidate"), &json!("京A12345")));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_entry_that_applies_here_and_now_brings_up_an_alert() {
    let store = Store::new().await;
    store.propose("A1", None).await;
    let withdrawn = store.list("A2", None).await;
    let elsewhere = sightline_model::region::Region {
        id: "south".parse().unwrap(),
        parent: Some("city".parse().unwrap()),
        level: sightline_model::region::RegionLevel::District,
        name: "South".into(),
    };
    store.records.upsert_region(&elsewhere).await.unwrap();
    store.list("A3", Some("south")).await;
    store.list("A4", Some("city")).await;
    store.list("A5B", None).await;
    let gateway = start(embedded(), &store.records).await;
    // Without telling the gateway: the store itself refuses.
    store.records.withdraw_hotlist(withdrawn.id, author(), Timestamp::now()).await.unwrap();
    let toll = Client::connect(gateway.mqtt_addr(), "toll", None).await;
    for plate in ["A1", "A2", "A3", "A4", "A58", "A6"] {
        toll.publish("pass/toll", &pass(plate, plate)).await;
    }
    until("all are stored", async || (counts(&gateway.metrics(), "pass").1 == 6).then_some(())).await;
    let alerts = store.records.alerts(&Default::default(), None, 10).await.unwrap().items;
    let mut titles: Vec<_> = alerts.iter().map(|alert| alert.title.split(' ').next().unwrap()).collect();
    titles.sort_unstable();
    assert_eq!(titles, ["A4", "A58"], "a look-alike is a candidate too");

    // A new entry counts from the next pass on.
    let entry = store.propose("A6", None).await;
    store.records.approve_hotlist(entry.id, approver(), Timestamp::now()).await.unwrap();
    gateway.hotlist_changed();
    toll.publish("pass/toll", &pass("again", "A6")).await;
    until("the new entry hits", async || (gateway.metrics().alerts_raised == 3).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_used_goes_to_rejected_with_the_reason() {
    let store = Store::new().await;
    let gateway = start(embedded(), &store.records).await;
    let watcher = Client::connect(gateway.mqtt_addr(), "watcher", Some("sightline/v1/rejected/#")).await;
    let toll = Client::connect(gateway.mqtt_addr(), "toll", None).await;

    toll.send("pass/toll", "{ not json").await;
    let seen = watcher.wait("no JSON", |seen| seen.json()["reason"] == "not_json").await;
    assert_eq!(seen.topic, "sightline/v1/rejected/pass/toll");
    assert_eq!(seen.json()["payload_base64"], "eyBub3QganNvbg==");

    let mut bad = pass("p1", "A1");
    bad["plate"]["raw"] = json!(7);
    bad["driver"] = json!({ "face": "data" });
    toll.publish("pass/toll", &bad).await;
    let told = watcher.wait("wrong shape", |seen| seen.json()["reason"] == "wrong_shape").await.json();
    assert_eq!(told["path"], "plate.raw");
    assert!(!told["payload"].as_str().unwrap().contains("driver"), "{told}");

    toll.send("pass/toll", vec![b' '; 70_000]).await;
    watcher.wait("too large", |seen| seen.json()["reason"] == "too_large").await;
    toll.publish("device/Bad Camera/status", &json!({})).await;
    watcher.wait("bad topic", |seen| seen.json()["reason"] == "bad_topic").await;

    // After all that, a good one is taken as ever.
    toll.publish("pass/toll", &pass("p2", "A1")).await;
    until("the good one is stored", async || (counts(&gateway.metrics(), "pass").1 == 1).then_some(())).await;
    let metrics = gateway.metrics();
    assert_eq!(counts(&metrics, "pass"), (4, 1, 0, 3));
    assert_eq!((metrics.rejected_unknown_topic, metrics.stripped.occupant), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn person_fields_are_counted_and_nowhere_to_be_found() {
    let store = Store::new().await;
    let gateway = start(embedded(), &store.records).await;
    let toll = Client::connect(gateway.mqtt_addr(), "toll", None).await;
    let mut event = pass("p1", "A1");
    event["passengers"] = json!([{ "age": 31 }]);
    event["plate"]["driver_face"] = json!("SECRETFACE");
    event["notes"] = json!({ "deep": [{ "sex": "SECRETSEX" }] });
    toll.publish("pass/toll", &event).await;
    until("it is stored", async || (counts(&gateway.metrics(), "pass").1 == 1).then_some(())).await;
    let stripped = gateway.metrics().stripped;
    assert_eq!((stripped.occupant, stripped.face, stripped.attribute), (1, 1, 1));
    assert!(gateway.drain(crate::world::PATIENCE).await);
    store.records.close().await;
    for file in std::fs::read_dir(store.dir.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"SECRET"), "a person field reached the disk");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn alarms_devices_and_vehicles_are_taken_too() {
    let store = Store::new().await;
    let gateway = start(embedded(), &store.records).await;
    let client = Client::connect(gateway.mqtt_addr(), "field", Some("sightline/v1/alert/+")).await;
    let now = Timestamp::now();
    let alarm = json!({ "id": "a1", "time": now, "kind": "help_button", "severity": "extreme", "camera": "gate-3",
        "text": "east entrance" });
    for _ in 0..2 {
        client.publish("alarm/desk", &alarm).await;
    }
    let alert =
        client.wait("the alarm's alert", |seen| seen.json()["source"]["kind"] == "alarm").await.json();
    assert_eq!((&alert["state"], &alert["severity"]), (&json!("candidate"), &json!("extreme")));
    assert_eq!(alert["position"]["lat"], 39.9);

    let camera = "gate-3".parse().unwrap();
    client.publish("device/gate-3/status", &json!({ "id": "d1", "time": now, "healthy": false })).await;
    until("the status is known", async || store.records.device_status(camera).await.unwrap()).await;
    let at = |time, id| json!({ "id": id, "time": time, "lat": 39.9, "lon": 116.4, "speed_kmh": 60 });
    client.publish("telemetry/coach-12", &at(now, "t2")).await;
    client.publish("telemetry/coach-12", &at(now - std::time::Duration::from_secs(5), "t1")).await;
    until("both positions came", async || (counts(&gateway.metrics(), "telemetry").0 == 2).then_some(()))
        .await;
    let metrics = gateway.metrics();
    assert_eq!(counts(&metrics, "alarm"), (2, 1, 1, 0));
    until("both are settled", async || {
        (counts(&gateway.metrics(), "telemetry") == (2, 1, 1, 0)).then_some(())
    })
    .await;
    assert_eq!(store.records.last_position("coach-12").await.unwrap().unwrap().id, "t2");
}

#[tokio::test(flavor = "multi_thread")]
async fn passes_are_found_by_plate_camera_and_time() {
    let store = Store::new().await;
    let gateway = start(embedded(), &store.records).await;
    let toll = Client::connect(gateway.mqtt_addr(), "toll", None).await;
    for (id, plate) in [("1", "京A12B45"), ("2", "京A12845"), ("3", "京A99999")] {
        toll.publish("pass/toll", &pass(id, plate)).await;
    }
    until("all are stored", async || (counts(&gateway.metrics(), "pass").1 == 3).then_some(())).await;
    let now = Timestamp::now();
    let hour = std::time::Duration::from_secs(3600);
    let range = sightline_model::TimeRange::new(now - hour, now + hour).unwrap();
    let all = PassQuery { range, cameras: None, plate: None, look_alike: false };
    let find = async |query: PassQuery| {
        let page = store.records.passes(&query, None, 10).await.unwrap();
        page.items.into_iter().map(|stored| stored.pass.id).collect::<Vec<_>>()
    };
    assert_eq!(find(all.clone()).await, ["3", "2", "1"]);
    let plate = PassQuery { plate: Some("京a·12b45".into()), ..all.clone() };
    assert_eq!(find(plate.clone()).await, ["1"]);
    assert_eq!(find(PassQuery { look_alike: true, ..plate }).await, ["2", "1"]);
    assert!(find(PassQuery { cameras: Some(Vec::new()), ..all.clone() }).await.is_empty());
    let first = store.records.passes(&all, None, 2).await.unwrap();
    let second = store.records.passes(&all, first.next.as_deref(), 2).await.unwrap();
    assert_eq!((first.items.len(), second.items.len(), second.next), (2, 1, None));
}
