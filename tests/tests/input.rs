//! Wrong input gets a clear error that names the thing and the way out; the rest goes on.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a panic here is a test's failure report"
)]

use std::{path::Path, process::Command, time::Duration};

use serde_json::{Value, json};
use sightline_tests::{Demo, binary, eventually_some};

const SOON: Duration = Duration::from_secs(40);

fn sightline(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(binary()).args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

fn config(dir: &Path, more: &str) -> String {
    let path = dir.join("sightline.toml");
    let data = dir.join("data");
    let text = format!(
        "[node]\ndata = {data:?}\n[listen]\napi = \"127.0.0.1:0\"\nmetrics = \"127.0.0.1:0\"\n\
         [gateway.broker]\nkind = \"embedded\"\nlisten = \"127.0.0.1:0\"\n{more}"
    );
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = config(dir.path(), "[footage]\nsegment_bites = 5\n");
    let (code, _, told) = sightline(&["serve", "--config", &path]);
    assert_eq!(code, 2, "{told}");
    assert!(told.contains(":10:1: unknown field `segment_bites`"), "{told}");
    assert!(told.contains("segment_bytes"), "it says which keys there are: {told}");
}

#[test]
fn a_full_disk_is_told_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let path = config(dir.path(), "[footage]\nmin_free_bytes = 4000000000000000000\n");
    let (code, _, told) = sightline(&["serve", "--config", &path, "--for", "30"]);
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("free") && told.contains("min_free_bytes"), "{told}");
}

#[test]
fn the_command_line_tells_its_own_mistakes() {
    let (code, _, told) = sightline(&["serve", "--config", "/nowhere/sightline.toml"]);
    assert_eq!(code, 2, "{told}");
    assert!(told.contains("/nowhere/sightline.toml"), "{told}");
    let (code, _, told) = sightline(&["serve", "--konfig", "x"]);
    assert_eq!(code, 2, "{told}");
    assert!(told.contains("--config"), "{told}");
}

#[test]
fn accounts_and_cameras_are_made_on_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = config(dir.path(), "");
    let (code, _, told) =
        sightline(&["user", "add", "li", "--role", "operator", "--unit", "desk-1", "--config", &path]);
    assert_eq!(code, 0, "{told}");
    let (code, _, told) =
        sightline(&["user", "add", "li", "--role", "operator", "--unit", "desk-1", "--config", &path]);
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("li"), "it names who is there already: {told}");
    let (code, listed, _) = sightline(&["--output", "json", "user", "list", "--config", &path]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!((code, listed[0]["name"].as_str()), (0, Some("li")), "{listed}");

    let csv = dir.path().join("cameras.csv");
    std::fs::write(
        &csv,
        "id,name,region,kind,main_url\ngate-1,Gate 1,demo-town,street,rtsp://127.0.0.1:1/a\nGate 2,x,demo-town,street,rtsp://127.0.0.1:1/b\n",
    )
    .unwrap();
    let (code, _, told) = sightline(&["camera", "import", csv.to_str().unwrap(), "--config", &path]);
    assert_ne!(code, 0, "a row is wrong: {told}");
    assert!(told.contains('3') && told.contains("Gate 2"), "the line and the value are named: {told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_fails_says_why_and_the_others_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path(), &["--cameras", "2", "--quiet"]).await;
    let admin = demo.client("admin").await;
    let cameras = admin.get_json("/cameras").await;
    let good = cameras["items"][0].clone();
    let region = good["region"].clone();

    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = closed.local_addr().unwrap();
    drop(closed);
    let body = json!({ "id": "nobody-there", "name": "Nobody there", "region": region, "kind": "street",
        "main_url": format!("rtsp://{nowhere}/main") });
    let (status, answer) = admin.post("/cameras", &body).await;
    assert_eq!(status, 201, "{answer}");
    let url = good["main_url"].as_str().unwrap();
    let body = json!({ "id": "wrong-password", "name": "Wrong password", "region": region, "kind": "street",
        "main_url": url, "credentials": { "user": "viewer", "password": "not the one" } });
    let (status, answer) = admin.post("/cameras", &body).await;
    assert_eq!(status, 201, "{answer}");
    assert!(!answer.to_string().contains("not the one"), "a password never comes back: {answer}");

    for (camera, reason) in [("nobody-there", "unreachable"), ("wrong-password", "unauthorized")] {
        let state = eventually_some(camera, SOON, || async {
            let read = admin.get_json(&format!("/cameras/{camera}")).await;
            (read["state"]["reason"] == reason).then(|| read["state"].clone())
        })
        .await;
        assert_eq!(state["recording"], false, "{state}");
        assert!(state["detail"].as_str().unwrap().len() > 10, "words that say what happened: {state}");
        assert!(state["retry_at"].is_string(), "and when it is tried again: {state}");
    }
    let read = admin.get_json(&format!("/cameras/{}", good["id"].as_str().unwrap())).await;
    assert_eq!(read["state"]["recording"], true, "others are not affected: {read}");

    let body =
        json!({ "id": "Bad Id", "name": "x", "region": region, "kind": "street", "main_url": "rtsp://h/" });
    let (status, problem) = admin.post("/cameras", &body).await;
    assert!(status.is_client_error() && problem.to_string().contains("Bad Id"), "{problem}");
    assert!(!demo.log().contains("not the one"), "no password in the log");
}
