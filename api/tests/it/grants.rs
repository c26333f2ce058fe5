//! `/grants`, `/cases`.

use std::time::Duration;

use serde_json::json;
use sightline_model::Timestamp;

use crate::support::Site;

#[tokio::test]
async fn a_grant_needs_a_ground_and_is_one_s_own() {
    let site = Site::start().await;
    let (ivan, olga) = (site.sign_in("ivan").await, site.sign_in("olga").await);
    let now = Timestamp::now();
    let ask = |kind: &str, reference: &str| {
        json!({
            "ground": { "kind": kind, "ref": reference }, "cameras": ["gate-1"], "reason": "the vehicle in question",
            "from": now - Duration::from_secs(600), "to": now,
        })
    };
    ivan.post("/grants", &ask("case", "CASE-404")).await.problem(403, "ground_unknown");
    olga.post("/grants", &ask("case", "CASE-1")).await.problem(403, "role_forbids");
    let opened = ivan.post("/grants", &ask("case", "CASE-1")).await;
    assert_eq!(opened.status, 201);
    let grant = opened.ok();
    let id = grant["id"].as_str().unwrap();
    assert_eq!((&grant["cameras"], &grant["ended_at"]), (&json!(["gate-1"]), &json!(null)));
    assert_eq!(ivan.get("/grants").await.ok()["items"].as_array().unwrap().len(), 1);
    olga.get(&format!("/grants/{id}")).await.problem(403, "grant_foreign");
    let timeline =
        format!("/footage/gate-1/timeline?from={}&to={now}&grant={id}", now - Duration::from_secs(60));
    ivan.get(&timeline).await.ok();
    assert_eq!(ivan.delete(&format!("/grants/{id}")).await.status, 204);
    ivan.get(&timeline).await.problem(403, "grant_ended");
}

#[tokio::test]
async fn a_supervisor_registers_a_case_and_closing_it_ends_its_grants() {
    let site = Site::start().await;
    let (ivan, sun) = (site.sign_in("ivan").await, site.sign_in("sun").await);
    let member = ivan.get("/me").await.ok()["account"]["id"].clone();
    let now = Timestamp::now();
    let new = json!({ "number": "CASE-2", "title": "Another", "members": [member], "ends_at": now + Duration::from_secs(3600) });
    assert_eq!(sun.post("/cases", &new).await.status, 201);
    ivan.post("/cases", &new).await.problem(403, "role_forbids");
    assert_eq!(ivan.get("/cases").await.ok()["items"].as_array().unwrap().len(), 2);
    let ask = json!({
        "ground": { "kind": "case", "ref": "CASE-2" }, "cameras": ["gate-1"], "reason": "the vehicle in question",
        "from": now - Duration::from_secs(60), "to": now,
    });
    let id = ivan.post("/grants", &ask).await.ok()["id"].as_str().unwrap().to_owned();
    sun.post("/cases/CASE-2/close", &json!({})).await.ok();
    let path = format!("/footage/gate-1/timeline?from={}&to={now}&grant={id}", now - Duration::from_secs(30));
    let code = ivan.get(&path).await.json()["code"].clone();
    assert!(code == "grant_ended" || code == "ground_closed", "{code}");
}
