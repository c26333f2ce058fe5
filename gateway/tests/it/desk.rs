//! The life of an alert: joined, moved, closed, and published again after a restart.

use sightline_gateway::{Error, Gateway};
use sightline_model::{
    Timestamp,
    alert::{Alert, AlertMove, AlertSource, AlertState},
    event::Alarm,
    id::AlertId,
};
use sightline_records::{
    alerts::{AlertFilter, NewAlert},
    events::{EventBatch, NewAlarm},
};
use tokio_util::sync::CancellationToken;

use crate::world::{
    Client, PATIENCE, Store, approver, author, connected, counts, embedded, external, free_port, pass, start,
    until,
};

async fn the_alert(store: &Store) -> Alert {
    until("the alert", async || {
        store.records.alerts(&AlertFilter::default(), None, 10).await.unwrap().items.pop()
    })
    .await
}

async fn go(gateway: &Gateway, alert: &Alert, step: AlertMove) -> Result<Alert, Error> {
    gateway.move_alert(alert.id, step, "seen", author(), alert.revision, Timestamp::now()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn hits_join_and_a_closed_alert_is_cleared_from_the_broker() {
    let store = Store::new().await;
    store.list("A1", None).await;
    let gateway = start(embedded(), &store.records).await;
    let desk = Client::connect(gateway.mqtt_addr(), "desk", Some("sightline/v1/alert/+")).await;
    let toll = Client::connect(gateway.mqtt_addr(), "toll", None).await;
    for id in ["p1", "p2", "p3"] {
        toll.publish("pass/toll", &pass(id, "A1")).await;
    }
    desk.wait("the joined alert", |seen| seen.json()["repeats"] == 2).await;
    let candidate = the_alert(&store).await;
    assert_eq!((candidate.state, candidate.revision), (AlertState::Candidate, 1), "a repeat is no move");
    assert!(desk.seen().iter().all(|seen| seen.json()["state"] == "candidate"));

    let refused = go(&gateway, &candidate, AlertMove::Resolve).await.unwrap_err();
    assert!(matches!(refused, Error::Move { .. }), "{refused}");
    let confirmed = go(&gateway, &candidate, AlertMove::Confirm).await.unwrap();
    desk.wait("the confirmed alert", |seen| seen.json()["state"] == "confirmed").await;
    let stale = go(&gateway, &candidate, AlertMove::Dismiss).await.unwrap_err();
    assert!(matches!(stale, Error::Records(sightline_records::Error::Conflict { .. })), "{stale}");
    let long = gateway
        .move_alert(confirmed.id, AlertMove::Dispatch, &"x".repeat(2001), author(), 2, Timestamp::now())
        .await;
    assert!(matches!(long, Err(Error::Note { .. })));
    let dispatched = go(&gateway, &confirmed, AlertMove::Dispatch).await.unwrap();
    let resolved = go(&gateway, &dispatched, AlertMove::Resolve).await.unwrap();
    assert_eq!(
        resolved.history.iter().map(|note| note.step.as_str()).collect::<Vec<_>>(),
        ["confirm", "dispatch", "resolve"]
    );
    desk.wait("the cleared topic", |seen| seen.payload.is_empty()).await;
    let late = Client::connect(gateway.mqtt_addr(), "late", Some("sightline/v1/#")).await;
    late.wait("what is retained", |seen| seen.topic.ends_with("/state")).await;
    assert!(late.seen().iter().all(|seen| !seen.topic.contains("/alert/")), "closed alerts are not retained");

    // The next hit is a new case for the desk.
    toll.publish("pass/toll", &pass("p4", "A1")).await;
    until("a second alert", async || (gateway.metrics().alerts_raised == 2).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_stores_nothing_twice_and_publishes_what_was_left_unsaid() {
    let store = Store::new().await;
    store.list("A1", None).await;
    store.list("A2", None).await;
    let first = start(embedded(), &store.records).await;
    let toll = Client::connect(first.mqtt_addr(), "toll", None).await;
    toll.publish("pass/toll", &pass("p1", "A1")).await;
    toll.publish("pass/toll", &pass("p2", "A2")).await;
    until("both alerts", async || (first.metrics().alerts_raised == 2).then_some(())).await;
    assert!(first.drain(PATIENCE).await);

    // Closed while no broker was reached: the topic is still to be cleared.
    let closed = the_alert(&store).await;
    store
        .records
        .move_alert(closed.id, 1, AlertMove::Dismiss, "", approver(), Timestamp::now())
        .await
        .unwrap();
    let second = start(embedded(), &store.records).await;
    let desk = Client::connect(second.mqtt_addr(), "desk", Some("sightline/v1/alert/+")).await;
    let open = desk.wait("the open alert", |seen| !seen.payload.is_empty()).await;
    assert_eq!(open.json()["source"]["event"], "p2", "{open:?}");
    let toll = Client::connect(second.mqtt_addr(), "toll", None).await;
    for id in ["p1", "p2", "p3"] {
        toll.publish("pass/toll", &pass(id, "A1")).await;
    }
    until("all are settled", async || (counts(&second.metrics(), "pass") == (3, 1, 2, 0)).then_some(()))
        .await;
    assert_eq!(second.metrics().alerts_raised, 1, "only the new pass counts");
    until("nothing is left unsaid", async || {
        store.records.unpublished_alerts(None, 10).await.unwrap().is_empty().then_some(())
    })
    .await;
}

/// The process died right after the commit: before the acknowledgement, before anything was published.
#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_was_stored_and_never_said_is_said_after_the_start() {
    let store = Store::new().await;
    let id = AlertId(uuid::Uuid::now_v7());
    let alarm: Alarm = serde_json::from_value(serde_json::json!({
        "id": "a1", "time": Timestamp::now(), "kind": "fire"
    }))
    .unwrap();
    let raises = NewAlert {
        id,
        join_key: None,
        source: AlertSource::Alarm { event: "a1".into(), alarm: "fire".into(), drill: false },
        severity: alarm.severity,
        title: "fire".into(),
        occurred_at: alarm.time,
        camera: None,
        region: None,
        position: None,
    };
    let batch = EventBatch {
        alarms: vec![NewAlarm { source: "desk".into(), alarm: alarm.clone(), raises }],
        ..EventBatch::default()
    };
    store.records.store_events(&batch, Timestamp::now()).await.unwrap();

    let gateway = start(embedded(), &store.records).await;
    let desk = Client::connect(gateway.mqtt_addr(), "desk", Some("sightline/v1/alert/+")).await;
    let said = desk.wait("the alert", |seen| !seen.payload.is_empty()).await.json();
    assert_eq!((&said["id"], &said["state"]), (&serde_json::json!(id), &serde_json::json!("candidate")));
    // The broker sends again what was not acknowledged: it raises nothing more.
    desk.publish("alarm/desk", &serde_json::to_value(&alarm).unwrap()).await;
    until("it is known", async || (counts(&gateway.metrics(), "alarm") == (1, 0, 1, 0)).then_some(())).await;
    assert_eq!(gateway.metrics().alerts_raised, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_broker_the_desk_works_and_says_it_later() {
    let store = Store::new().await;
    store.list("A1", None).await;
    let alarms = start(embedded(), &store.records).await;
    let toll = Client::connect(alarms.mqtt_addr(), "toll", None).await;
    toll.publish("pass/toll", &pass("p1", "A1")).await;
    let alert = the_alert(&store).await;
    assert!(alarms.drain(PATIENCE).await);

    let port = free_port();
    let gateway =
        Gateway::start(external(port), store.records.clone(), CancellationToken::new()).await.unwrap();
    let confirmed = go(&gateway, &alert, AlertMove::Confirm).await.unwrap();
    assert_eq!(confirmed.state, AlertState::Confirmed);
    assert!(!gateway.metrics().connected);
    // The broker comes up at last.
    let broker = sightline_gateway::Broker::Embedded {
        listen: ([127, 0, 0, 1], port).into(),
        username: None,
        password_file: None,
    };
    let other = Store::new().await;
    let config = sightline_gateway::Config { broker, node: "other".into(), ..embedded() };
    let host = Gateway::start(config, other.records.clone(), CancellationToken::new()).await.unwrap();
    connected(&gateway).await;
    let desk = Client::connect(host.mqtt_addr(), "desk", Some("sightline/v1/alert/+")).await;
    desk.wait("the confirmed alert", |seen| seen.json()["state"] == "confirmed").await;
}
