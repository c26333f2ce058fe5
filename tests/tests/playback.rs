//! Cameras in, playback out: a person with a ground plays what was recorded, and nobody else does.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a panic here is a test's failure report"
)]

use std::{process::Command, time::Duration};

use serde_json::{Value, json};
use sightline_model::Timestamp;
use sightline_tests::{Client, Demo, eventually, eventually_some};

const SOON: Duration = Duration::from_secs(30);

/// Footage of this length is waited for and looked at.
const FOOTAGE: Duration = Duration::from_secs(6);

struct Scene {
    demo: Demo,
    investigator: Client,
    camera: String,
    grant: String,
    from: Timestamp,
    to: Timestamp,
    _dir: tempfile::TempDir,
}

/// A demo with some recorded seconds of one H.264 camera under a case's grant.
async fn scene() -> Scene {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path(), &["--cameras", "3", "--quiet"]).await;
    let investigator = demo.client("investigator").await;
    let cameras = investigator.get_json("/cameras").await;
    let camera = cameras["items"][0]["id"].as_str().unwrap().to_owned();
    let now = Timestamp::now();
    let grant = investigator
        .grant(&json!({
            "ground": { "kind": "case", "ref": demo.facts.case }, "cameras": [camera],
            "from": now - Duration::from_secs(600), "to": now + Duration::from_secs(600),
            "reason": "whole-system test of playback",
        }))
        .await;
    let (from, to) = eventually_some("six seconds are recorded", SOON, || async {
        let path = format!("/footage/{camera}/timeline?from={}&to={}&grant={grant}", now - SOON, now + SOON);
        let spans = investigator.get_json(&path).await["spans"].as_array().unwrap().clone();
        spans.iter().find_map(|span| {
            let from: Timestamp = span["from"].as_str()?.parse().ok()?;
            let to: Timestamp = span["to"].as_str()?.parse().ok()?;
            (to.duration_since(from) >= FOOTAGE).then_some((from, to))
        })
    })
    .await;
    Scene { demo, investigator, camera, grant, from, to, _dir: dir }
}

/// What ffprobe says of a file or address.
fn ffprobe(input: &str, headers: Option<&str>) -> Value {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-count_frames", "-show_streams", "-show_format", "-of", "json"]);
    if let Some(headers) = headers {
        command.args(["-headers", headers]);
    }
    let output = command.arg(input).output().expect("ffprobe is installed");
    assert!(output.status.success(), "ffprobe {input}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_and_a_playlist_play_what_was_recorded() {
    let scene = scene().await;
    let Scene { investigator, camera, grant, from, to, .. } = &scene;

    let clip =
        investigator.get(&format!("/footage/{camera}/clip.mp4?from={from}&to={to}&grant={grant}")).await;
    assert_eq!(clip.status(), 200);
    assert_eq!(clip.headers()["content-type"], "video/mp4");
    let file = tempfile::NamedTempFile::with_suffix(".mp4").unwrap();
    std::fs::write(file.path(), clip.bytes().await.unwrap()).unwrap();
    let probe = ffprobe(file.path().to_str().unwrap(), None);
    let video = &probe["streams"][0];
    assert_eq!((video["codec_name"].as_str(), video["width"].as_u64()), (Some("h264"), Some(768)), "{probe}");
    let frames: u64 = video["nb_read_frames"].as_str().unwrap().parse().unwrap();
    let expected = u64::try_from(to.duration_since(*from).as_millis() / 100).unwrap();
    assert!(frames.abs_diff(expected) <= 21, "{frames} frames at 10 a second, expected about {expected}");

    let token = session_cookie(&scene).await;
    let playlist =
        format!("{}/footage/{camera}/playlist.m3u8?from={from}&to={to}&grant={grant}", scene.demo.facts.api);
    let probe = ffprobe(&playlist, Some(&format!("Cookie: {token}\r\n")));
    assert_eq!(probe["streams"][0]["codec_name"], "h264", "{probe}");
    let frames: u64 = probe["streams"][0]["nb_read_frames"].as_str().unwrap().parse().unwrap();
    assert!(frames.abs_diff(expected) <= 21, "{frames} frames in the playlist, expected about {expected}");

    let middle = *from + to.duration_since(*from) / 2;
    let still =
        investigator.get(&format!("/footage/{camera}/frame.jpg?at={middle}&grant={grant}&width=320")).await;
    assert_eq!(still.status(), 200);
    let shown: Timestamp = still.headers()["x-frame-time"].to_str().unwrap().parse().unwrap();
    assert!(middle.micros_since(shown).abs() <= 2_100_000, "the key frame at or before {middle} is {shown}");
    let file = tempfile::NamedTempFile::with_suffix(".jpg").unwrap();
    std::fs::write(file.path(), still.bytes().await.unwrap()).unwrap();
    let probe = ffprobe(file.path().to_str().unwrap(), None);
    assert_eq!(
        (probe["streams"][0]["width"].as_u64(), probe["streams"][0]["height"].as_u64()),
        (Some(320), Some(240))
    );

    let keyframes = investigator
        .get_json(&format!("/footage/{camera}/keyframes?from={from}&to={to}&limit=2&grant={grant}"))
        .await;
    assert_eq!(keyframes["items"].as_array().unwrap().len(), 2, "{keyframes}");
    assert!(keyframes["next"].is_string(), "there is a further page: {keyframes}");
}

/// The session cookie as a header line, for programs that are not this client.
async fn session_cookie(scene: &Scene) -> String {
    let user = scene.demo.facts.users.iter().find(|user| user.role == "investigator").unwrap();
    let answer = reqwest::Client::new()
        .post(format!("{}/session", scene.demo.facts.api))
        .json(&json!({ "name": user.name, "password": user.password }))
        .send()
        .await
        .unwrap();
    answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_look_without_a_ground_and_every_look_is_entered() {
    let scene = scene().await;
    let Scene { investigator, camera, grant, from, to, .. } = &scene;
    let clip = |grant: &str| format!("/footage/{camera}/clip.mp4?from={from}&to={to}{grant}");

    let refused = investigator.get(&clip("")).await;
    assert_eq!(refused.status(), 403);
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(problem["code"], "grant_missing", "{problem}");
    assert!(problem["remedy"].as_str().unwrap().len() > 10, "it says what would be needed: {problem}");

    let operator = scene.demo.client("operator").await;
    let foreign = operator.get(&clip(&format!("&grant={grant}"))).await;
    assert_eq!(foreign.status(), 403, "a grant is good for its holder only");
    let nobody =
        reqwest::get(format!("{}{}", scene.demo.facts.api, clip(&format!("&grant={grant}")))).await.unwrap();
    assert_eq!(nobody.status(), 401);

    let outside = *from - Duration::from_secs(7200);
    let path = format!("/footage/{camera}/clip.mp4?from={outside}&to={to}&grant={grant}");
    assert_eq!(investigator.get(&path).await.status(), 403, "time outside of the grant stays shut");

    assert_eq!(investigator.get(&clip(&format!("&grant={grant}"))).await.status(), 200);
    let auditor = scene.demo.client("auditor").await;
    eventually("the look is in the log", SOON, || async {
        let entries = auditor.get_json("/audit/entries?limit=100").await;
        entries["items"].as_array().unwrap().iter().any(|entry| {
            entry["action"] == "playback"
                && entry["camera"] == camera.as_str()
                && entry["grant"] == grant.as_str()
        })
    })
    .await;
    let verified = auditor.get_json("/audit/verify").await;
    assert_eq!(verified["ok"], true, "{verified}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_is_stated_and_never_hidden() {
    let scene = scene().await;
    let Scene { investigator, camera, grant, from, .. } = &scene;
    let integrator = scene.demo.client("admin").await;
    let read = integrator.get_json(&format!("/cameras/{camera}")).await;
    let patch = async |enabled: bool, revision: &Value| {
        let body = json!({ "enabled": enabled, "revision": revision });
        let answer = integrator
            .request(reqwest::Method::PATCH, &format!("/cameras/{camera}"))
            .json(&body)
            .send()
            .await;
        let answer = answer.unwrap();
        assert_eq!(answer.status(), 200, "the camera is switched");
        answer.json::<Value>().await.unwrap()
    };
    let off = patch(false, &read["revision"]).await;
    let timeline = || async {
        let to = Timestamp::now();
        investigator.get_json(&format!("/footage/{camera}/timeline?from={from}&to={to}&grant={grant}")).await
    };
    eventually("the open gap says why", SOON, || async {
        timeline().await["gaps"].as_array().unwrap().iter().any(|gap| gap["reason"] == "disabled")
    })
    .await;
    patch(true, &off["revision"]).await;
    let gap = eventually_some("footage follows the gap", SOON, || async {
        let timeline = timeline().await;
        let gap = timeline["gaps"].as_array()?.iter().find(|gap| gap["reason"] == "disabled")?.clone();
        let spans = timeline["spans"].as_array()?;
        spans.iter().any(|span| span["from"].as_str() >= gap["to"].as_str()).then_some(gap)
    })
    .await;
    let to = Timestamp::now();
    let clip =
        investigator.get(&format!("/footage/{camera}/clip.mp4?from={from}&to={to}&grant={grant}")).await;
    assert_eq!(clip.status(), 200);
    let stated = clip.headers()["x-gap-list"].to_str().unwrap().to_owned();
    assert!(
        stated.contains("disabled") && stated.contains(gap["from"].as_str().unwrap()),
        "{stated} names {gap}"
    );
}
