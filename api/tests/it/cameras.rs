//! `/cameras`, `/regions`.

use reqwest::Method;
use serde_json::{Value, json};
use sightline_model::media::StreamKind;

use crate::support::{Client, Site, clip::Clip, id};

fn ids(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_list_pages_and_filters_and_never_tells_passwords() {
    let site = Site::start().await;
    let (olga, ines) = (site.sign_in("olga").await, site.sign_in("ines").await);
    let first = olga.get("/cameras?limit=2").await.ok();
    assert_eq!(ids(&first), ["bus-1", "gate-1"]);
    let next = first["next"].as_str().unwrap();
    let second = olga.get(&format!("/cameras?limit=2&cursor={next}")).await.ok();
    assert_eq!((ids(&second), &second["next"]), (vec!["gate-2"], &Value::Null));
    assert_eq!(ids(&olga.get("/cameras?region=north&tag=gate&q=2").await.ok()), ["gate-2"]);
    assert_eq!(ids(&olga.get("/cameras?region=city").await.ok()).len(), 3);

    let gate = olga.get("/cameras/gate-1").await;
    let gate = gate.ok();
    assert_eq!((&gate["has_sub"], &gate["main_url"]), (&json!(true), &Value::Null));
    assert_eq!(ines.get("/cameras/gate-1").await.ok()["main_url"], "rtsp://10.0.0.1/gate-1");
    for who in [&olga, &ines] {
        for path in ["/cameras", "/cameras/gate-1", "/cameras/gate-1/health"] {
            assert!(!who.get(path).await.text().contains("hunter2"), "{path}");
        }
    }
    site.sign_in("auma").await.get("/cameras").await.problem(403, "role_forbids");
    Client::nobody(&site).get("/cameras").await.problem(401, "not_signed_in");
    olga.get("/cameras?colour=red").await.problem(400, "bad_query");
    olga.get("/cameras?cursor=%00").await.problem(400, "bad_cursor");
    olga.get("/cameras/no-such").await.problem(404, "not_found");
    olga.get("/cameras/No%20Such").await.problem(400, "bad_path");
}

#[tokio::test]
async fn a_camera_is_registered_changed_and_removed() {
    let site = Site::start().await;
    let ines = site.sign_in("ines").await;
    let new = json!({
        "id": "gate-9", "name": "Gate 9", "region": "north", "main_url": "rtsp://10.0.0.9/main",
        "credentials": { "user": "admin", "password": "hunter2-new" }, "position": { "lat": 30.2, "lon": 120.1 },
    });
    let created = ines.post("/cameras", &new).await;
    assert_eq!((created.status.as_u16(), created.header("location")), (201, "/api/v1/cameras/gate-9"));
    assert_eq!(created.ok()["revision"], 1);
    ines.post("/cameras", &new).await.problem(409, "exists");
    let changed = ines.patch("/cameras/gate-9", &json!({ "revision": 1, "name": "Gate Nine" })).await.ok();
    assert_eq!((&changed["name"], &changed["revision"]), (&json!("Gate Nine"), &json!(2)));
    assert!(site.records.camera(id("gate-9")).await.unwrap().credentials.is_some(), "what is absent stays");
    ines.patch("/cameras/gate-9", &json!({ "revision": 1, "name": "Other" })).await.problem(409, "conflict");
    assert_eq!(ines.delete("/cameras/gate-9").await.status, 204);
    ines.get("/cameras/gate-9").await.problem(404, "not_found");
    site.sign_in("olga").await.post("/cameras", &new).await.problem(403, "role_forbids");
}

#[tokio::test]
async fn a_bad_body_is_refused_with_the_place_and_the_way_out() {
    let site = Site::start().await;
    let ines = site.sign_in("ines").await;
    let detail = |problem: Value| problem["detail"].as_str().unwrap().to_owned();
    let unknown =
        json!({ "id": "x", "name": "X", "region": "north", "main_url": "rtsp://h/", "colour": "red" });
    assert!(detail(ines.post("/cameras", &unknown).await.problem(400, "bad_json")).contains("colour"));
    let typed = json!({ "id": "x", "name": "X", "region": "north", "main_url": "rtsp://h/", "position": { "lat": "n" } });
    assert!(detail(ines.post("/cameras", &typed).await.problem(400, "bad_json")).contains("position.lat"));
    let secret = json!({ "id": "x", "name": "X", "region": "north", "main_url": "rtsp://a:hunter2@h/" });
    let refused = detail(ines.post("/cameras", &secret).await.problem(400, "invalid"));
    assert!(refused.contains("credentials") && !refused.contains("hunter2"), "{refused}");
    let raw = |body: &'static str, kind: &'static str| {
        ines.send(ines.request(Method::POST, "/cameras").header("content-type", kind).body(body))
    };
    raw("{", "application/json").await.problem(400, "bad_json");
    raw("{}", "text/plain").await.problem(415, "wrong_type");
    let long = "x".repeat(1 << 20);
    let sent = ines.request(Method::POST, "/cameras").header("content-type", "application/json").body(long);
    ines.send(sent).await.problem(413, "body_too_large");
}

#[tokio::test]
async fn a_table_is_imported_row_by_row() {
    let site = Site::start().await;
    let ines = site.sign_in("ines").await;
    let csv = "id,name,region,main_url,user,password\n\
               gate-1,Gate One,north,rtsp://10.0.0.1/gate-1,,\n\
               gate-7,Gate Seven,north,rtsp://10.0.0.7/main,admin,hunter2-csv\n\
               gate-8,Gate Eight,nowhere,rtsp://10.0.0.8/main,,\n\
               gate 9,Gate Nine,north,rtsp://10.0.0.9/main,,\n";
    let import = |path: &'static str| {
        ines.send(ines.request(Method::POST, path).header("content-type", "text/csv").body(csv))
    };
    for (path, dry) in [("/cameras/import?dry_run=true", true), ("/cameras/import", false)] {
        let report = import(path).await.ok();
        assert_eq!(
            (&report["created"], &report["updated"], &report["dry_run"]),
            (&json!(1), &json!(1), &json!(dry)),
            "{report}"
        );
        let lines: Vec<_> =
            report["errors"].as_array().unwrap().iter().map(|e| e["line"].as_u64().unwrap()).collect();
        assert_eq!(lines, [4, 5], "{report}");
        assert_eq!(ines.get("/cameras/gate-7").await.status.is_success(), !dry);
    }
    let gate = site.records.camera(id("gate-1")).await.unwrap();
    assert_eq!((gate.name.as_str(), gate.credentials.is_some()), ("Gate One", true), "stored passwords stay");
    let again = import("/cameras/import").await.ok();
    assert_eq!(
        (&again["created"], &again["updated"], &again["unchanged"]),
        (&json!(0), &json!(0), &json!(2))
    );
}

#[tokio::test]
async fn recording_is_claimed_on_footage_alone() {
    let site = Site::start().await;
    let olga = site.sign_in("olga").await;
    let state = || async { olga.get("/cameras/gate-1").await.ok()["state"].clone() };
    assert_eq!(state().await["reason"], "no_ingest");
    site.streaming("gate-1", StreamKind::Main);
    assert_eq!((&state().await["recording"], &state().await["reason"]), (&json!(false), &json!("starting")));
    let at = sightline_model::Timestamp::now() - std::time::Duration::from_secs(4);
    site.record("gate-1", Clip::small().gops(1, at, 0, 2)).await;
    assert_eq!(state().await["recording"], true);
    let status = olga.get("/status").await.ok();
    assert_eq!((&status["cameras"]["total"], &status["cameras"]["recording"]), (&json!(3), &json!(1)));
}

#[tokio::test]
async fn regions_are_a_tree() {
    let site = Site::start().await;
    let ines = site.sign_in("ines").await;
    let tree = ines.get("/regions").await.ok();
    assert_eq!(ids(&tree), ["city", "north", "south"]);
    let bad = json!({ "id": "east", "parent": "north", "level": "province", "name": "East" });
    ines.post("/regions", &bad).await.problem(400, "invalid");
}
