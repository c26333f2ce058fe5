//! `/passes`, `/hotlist`.

use std::time::Duration;

use serde_json::json;
use sightline_model::{
    Timestamp,
    event::{Pass, Plate},
};
use sightline_records::events::{EventBatch, NewPass, StoredPass};

use crate::support::{Site, id};

async fn pass(site: &Site, event: &str, plate: &str, camera: &str, at: Timestamp) {
    let plate_read = Plate { raw: plate.into(), region: None, colour: None, confidence: None };
    let pass = Pass {
        id: event.into(),
        time: at,
        camera: id(camera),
        lane: None,
        plate: Some(plate_read),
        vehicle_class: None,
        vehicle_colour: None,
        direction: None,
        speed_kmh: None,
    };
    let stored =
        StoredPass { source: "test".into(), pass, plate: Some(plate.into()), hit: false, received_at: at };
    let batch = EventBatch { passes: vec![NewPass { stored, raises: vec![] }], ..Default::default() };
    site.records.store_events(&batch, at).await.unwrap();
}

#[tokio::test]
async fn passes_are_searched_under_a_grant_only() {
    let site = Site::start().await;
    let (ivan, olga) = (site.sign_in("ivan").await, site.sign_in("olga").await);
    let now = Timestamp::now();
    let from = now - Duration::from_secs(600);
    for (event, plate, camera) in
        [("1", "A12345", "gate-1"), ("2", "B12345", "gate-1"), ("3", "A12345", "bus-1")]
    {
        pass(&site, event, plate, camera, now - Duration::from_secs(60)).await;
    }
    let range = format!("from={from}&to={now}");
    ivan.get(&format!("/passes?{range}")).await.problem(403, "grant_missing");
    let grant = ivan.case_grant(&["gate-1"], from, now).await;
    olga.get(&format!("/passes?{range}&grant={grant}")).await.problem(403, "role_forbids");
    let found = ivan.get(&format!("/passes?{range}&grant={grant}")).await.ok();
    assert_eq!(found["items"].as_array().unwrap().len(), 2, "those of the grant's camera: {found}");
    let found = ivan.get(&format!("/passes?{range}&grant={grant}&plate=a-123%2045")).await.ok();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&found["items"][0]["id"], &found["items"][0]["plate"]["raw"]),
        (&json!("1"), &json!("A12345"))
    );
    ivan.get(&format!("/passes?{range}&grant={grant}&camera=bus-1")).await.problem(403, "grant_scope");
    let page = ivan.get(&format!("/passes?{range}&grant={grant}&limit=1")).await.ok();
    let cursor = page["next"].as_str().unwrap();
    let rest = ivan.get(&format!("/passes?{range}&grant={grant}&limit=1&cursor={cursor}")).await.ok();
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next"]), (1, &json!(null)));
    let auma = site.sign_in("auma").await;
    let searches = auma.get("/audit/entries?action=pass_search").await.ok();
    assert_eq!(searches["items"].as_array().unwrap().len(), 4, "every search stands in the log");
}

#[tokio::test]
async fn a_hotlist_entry_needs_a_second_person_of_another_unit() {
    let site = Site::start().await;
    let (ivan, near, sun) =
        (site.sign_in("ivan").await, site.sign_in("near").await, site.sign_in("sun").await);
    let entry = |case: &str| json!({ "plate": "京A·12345", "reason": "stolen", "case": case, "valid_to": Timestamp::now() + Duration::from_secs(3600) });
    ivan.post("/hotlist", &entry("CASE-404")).await.problem(400, "invalid");
    sun.post("/hotlist", &entry("CASE-1")).await.problem(403, "role_forbids");
    let proposed = ivan.post("/hotlist", &entry("CASE-1")).await;
    assert_eq!(proposed.status, 201, "{}", proposed.text());
    let proposed = proposed.ok();
    assert_eq!((&proposed["plate"], &proposed["approver"]), (&json!("京A12345"), &json!(null)));
    let path = format!("/hotlist/{}", proposed["id"].as_str().unwrap());
    ivan.post(&format!("{path}/approve"), &json!({})).await.problem(403, "role_forbids");
    near.post(&format!("{path}/approve"), &json!({})).await.problem(403, "second_person");
    let approved = sun.post(&format!("{path}/approve"), &json!({})).await.ok();
    assert!(approved["approver"].is_string());
    assert_eq!(site.records.active_hotlist(Timestamp::now()).await.unwrap().len(), 1);
    ivan.delete(&path).await.ok();
    assert!(site.records.active_hotlist(Timestamp::now()).await.unwrap().is_empty());
    assert_eq!(sun.get("/hotlist").await.ok()["items"].as_array().unwrap().len(), 1);
}
