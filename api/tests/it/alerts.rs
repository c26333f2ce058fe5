//! `/alerts`.

use serde_json::json;
use sightline_model::{
    Timestamp,
    alert::{AlertSource, Severity},
    event::{Alarm, AlarmKind},
    id::AlertId,
};
use sightline_records::{
    alerts::NewAlert,
    events::{EventBatch, NewAlarm},
};

use crate::support::{Site, id};

/// An alarm at `gate-1` and the alert it raises.
pub(crate) async fn raise(site: &Site, event: &str) -> AlertId {
    let now = Timestamp::now();
    let alarm = Alarm {
        id: event.into(),
        time: now,
        kind: AlarmKind::HelpButton,
        severity: Severity::Severe,
        drill: false,
        camera: Some(id("gate-1")),
        place: None,
        text: String::new(),
    };
    let alert = AlertId(uuid::Uuid::now_v7());
    let raises = NewAlert {
        id: alert,
        join_key: None,
        source: AlertSource::Alarm { event: event.into(), alarm: "help_button".into(), drill: false },
        severity: Severity::Severe,
        title: "Help button".into(),
        occurred_at: now,
        camera: Some(id("gate-1")),
        region: None,
        position: None,
    };
    let batch =
        EventBatch { alarms: vec![NewAlarm { source: "test".into(), alarm, raises }], ..Default::default() };
    site.records.store_events(&batch, now).await.unwrap();
    alert
}

#[tokio::test]
async fn an_alert_is_worked_once_and_only_as_it_stands() {
    let site = Site::start().await;
    let olga = site.sign_in("olga").await;
    let path = format!("/alerts/{}", raise(&site, "one").await);
    let alert = olga.get(&path).await.ok();
    assert_eq!((&alert["state"], &alert["camera"]), (&json!("candidate"), &json!("gate-1")));
    let revision = alert["revision"].as_i64().unwrap();
    let step = |revision: i64| json!({ "note": "the plate is the one", "revision": revision });
    olga.post(&format!("{path}/confirm"), &step(revision + 7)).await.problem(409, "conflict");
    olga.post(&format!("{path}/resolve"), &step(revision)).await.problem(409, "not_possible");
    let confirmed = olga.post(&format!("{path}/confirm"), &step(revision)).await.ok();
    assert_eq!(
        (&confirmed["state"], &confirmed["history"][0]["step"]),
        (&json!("confirmed"), &json!("confirm"))
    );
    olga.post(&format!("{path}/confirm"), &step(revision)).await.problem(409, "conflict");
    site.sign_in("ines").await.get("/alerts").await.problem(403, "role_forbids");
    let log = site.sign_in("auma").await.get("/audit/entries?action=alert_worked").await.ok();
    assert_eq!(log["items"].as_array().unwrap().len(), 1);

    let revision = confirmed["revision"].as_i64().unwrap();
    olga.post(&format!("{path}/resolve"), &step(revision)).await.ok();
    assert!(olga.get("/alerts").await.ok()["items"].as_array().unwrap().is_empty());
    assert_eq!(olga.get("/alerts?state=all").await.ok()["items"].as_array().unwrap().len(), 1);
    olga.get("/alerts?state=some").await.problem(400, "bad_query");
}

#[tokio::test]
async fn the_picture_beside_the_text_is_looked_at_under_the_alert() {
    let site = Site::start().await;
    let olga = site.sign_in("olga").await;
    let alert = raise(&site, "one").await;
    let view = olga.post("/views/select", &json!({ "alert": alert, "layout": 4 })).await.ok();
    assert_eq!(view["tiles"][0]["camera"], "gate-1");
    let ask = json!({ "ground": { "kind": "alert", "ref": alert }, "cameras": ["gate-1"], "reason": "compare picture and text" });
    let opened = olga.post("/grants", &ask).await;
    assert_eq!(opened.status, 201, "{}", opened.text());
}
