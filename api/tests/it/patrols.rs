//! `/views/select`, `/patrol-plans`, `/patrols`.

use std::time::Duration;

use serde_json::{Value, json};
use sightline_model::Timestamp;

use crate::support::{Site, clip::Clip, until};

fn cameras(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|tile| tile["camera"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_view_takes_cameras_by_place_tag_and_route() {
    let site = Site::start().await;
    let olga = site.sign_in("olga").await;
    let olga = &olga;
    let select = |body: Value| async move { olga.post("/views/select", &body).await.ok() };
    let north = select(json!({ "selection": { "regions": ["north"] }, "layout": 4 })).await;
    assert_eq!(cameras(&north["tiles"]), ["gate-1", "gate-2"]);
    assert_eq!((&north["tiles"][0]["stream"], &north["tiles"][1]["stream"]), (&json!("sub"), &json!("main")));
    let route = select(json!({ "selection": { "cameras": ["gate-2", "bus-1"] }, "layout": 1 })).await;
    assert_eq!(cameras(&route["tiles"]), ["gate-2", "bus-1"]);
    assert_eq!(select(json!({ "selection": { "unseen_for_s": 60 } })).await["total"], 3);
    olga.post("/views/select", &json!({ "layout": 3 })).await.problem(400, "bad_json");
    let missing = json!({ "selection": { "cameras": ["gate-404"] } });
    olga.post("/views/select", &missing).await.problem(400, "invalid");
}

#[tokio::test]
async fn a_round_is_walked_seen_and_reported() {
    let site = Site::start().await;
    let (olga, sun) = (site.sign_in("olga").await, site.sign_in("sun").await);
    let plan =
        json!({ "name": "Night round", "selection": { "regions": ["city"] }, "layout": 1, "dwell_s": 1 });
    olga.post("/patrol-plans", &plan).await.problem(403, "role_forbids");
    let plan = sun.post("/patrol-plans", &plan).await.ok()["id"].clone();
    assert_eq!(olga.get("/patrol-plans").await.ok()["items"][0]["id"], plan);

    let started = olga.post("/patrols", &json!({ "plan": plan })).await;
    assert_eq!(started.status, 201, "{}", started.text());
    let started = started.ok();
    let patrol = started["patrol"]["id"].as_str().unwrap();
    let grant = started["grant"]["id"].as_str().unwrap();
    assert_eq!(started["grant"]["cameras"].as_array().unwrap().len(), 3);

    // The grant that came with it shows the cameras as they are now.
    site.record("bus-1", Clip::small().gops(1, Timestamp::now() - Duration::from_secs(4), 0, 2)).await;
    let still = olga.get(&format!("/footage/bus-1/frame.jpg?at=latest&width=320&grant={grant}")).await;
    assert_eq!(still.status, 200, "{}", still.text());

    let next = olga.get(&format!("/patrols/{patrol}/next")).await.ok();
    assert_eq!(
        (cameras(&next["view"]), &next["index"], &next["views"]),
        (vec!["bus-1"], &json!(0), &json!(3))
    );
    let long_ago =
        json!({ "cameras": [{ "camera": "bus-1", "shown_at": "2020-01-01T00:00:00Z", "frame_at": null }] });
    olga.post(&format!("/patrols/{patrol}/seen"), &long_ago).await.problem(400, "invalid");
    let shown_at = Timestamp::now();
    for camera in ["bus-1", "gate-1"] {
        let frame_at = (camera == "bus-1").then_some(shown_at);
        let body = json!({ "cameras": [{ "camera": camera, "shown_at": shown_at, "frame_at": frame_at }] });
        until("the dwell to be over", || async {
            let answer = olga.post(&format!("/patrols/{patrol}/seen"), &body).await;
            answer.status.is_success().then_some(())
        })
        .await;
    }
    let next = olga.get(&format!("/patrols/{patrol}/next")).await.ok();
    assert_eq!((cameras(&next["view"]), &next["done"]), (vec!["gate-2"], &json!(false)));
    let finding = json!({ "camera": "gate-1", "text": "the lamp is out" });
    assert_eq!(olga.post(&format!("/patrols/{patrol}/findings"), &finding).await.status, 201);
    sun.get(&format!("/patrols/{patrol}/next")).await.problem(403, "role_forbids");
    olga.post(&format!("/patrols/{patrol}/end"), &json!({})).await.ok();
    olga.get(&format!("/patrols/{patrol}/next")).await.problem(409, "ended");
    let still = olga.get(&format!("/footage/bus-1/frame.jpg?at=latest&grant={grant}")).await;
    assert_eq!(still.status, 403, "the grant ends with the patrol");

    for who in [&olga, &sun] {
        let report = who.get(&format!("/patrols/{patrol}/report")).await.ok();
        assert_eq!((&report["total"], &report["seen"]), (&json!(3), &json!(1)), "{report}");
        assert_eq!(report["missed"], json!(["gate-1", "gate-2"]), "a camera without a picture was not seen");
        assert_eq!(report["findings"][0]["text"], "the lamp is out");
    }
    assert_eq!(sun.get("/patrols").await.ok()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_patrol_needs_a_plan_or_a_view_with_cameras() {
    let site = Site::start().await;
    let olga = site.sign_in("olga").await;
    olga.post("/patrols", &json!({})).await.problem(400, "invalid");
    olga.post("/patrols", &json!({ "selection": { "tags": ["none"] }, "layout": 4 }))
        .await
        .problem(400, "invalid");
    let picked = json!({ "selection": { "regions": ["north"] }, "layout": 4, "dwell_s": 5 });
    assert_eq!(olga.post("/patrols", &picked).await.status, 201);
    site.sign_in("ivan").await.post("/patrols", &picked).await.problem(403, "role_forbids");
}
