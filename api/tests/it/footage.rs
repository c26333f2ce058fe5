//! `/footage/{camera}/…`: playback.

use std::time::Duration;

use serde_json::{Value, json};
use sightline_model::{Timestamp, gap::GapReason, tail::TailItem};

use crate::support::{
    Client, Site,
    clip::{Clip, GOP_FRAMES},
    probe::ffprobe,
};

/// Ten GOPs (20 s), 40 s missing because the camera was out of reach, five GOPs (10 s) more; all within the last minutes.
async fn with_a_gap() -> (Site, Client, Timestamp) {
    let site = Site::start().await;
    let begin = Timestamp(Timestamp::now().0 / 1_000_000 * 1_000_000 - 120_000_000);
    let clip = Clip::small();
    let mut items = clip.gops(1, begin, 0, 10);
    items.push(TailItem::Absent { since: begin + Duration::from_secs(20), reason: GapReason::Unreachable });
    items.extend(clip.gops(2, begin + Duration::from_secs(60), 10, 5));
    site.record("gate-1", items).await;
    let ivan = site.sign_in("ivan").await;
    (site, ivan, begin)
}

fn query(begin: Timestamp, from_s: i64, to_s: i64, grant: &str) -> String {
    let at = |s: i64| begin.plus_micros(s * 1_000_000);
    format!("from={}&to={}&grant={grant}", at(from_s), at(to_s))
}

async fn grant(ivan: &Client, begin: Timestamp) -> String {
    ivan.case_grant(&["gate-1"], begin - Duration::from_secs(60), begin + Duration::from_secs(100)).await
}

#[tokio::test]
async fn without_a_grant_nothing_is_shown_and_the_refusal_says_what_is_needed() {
    let (site, ivan, begin) = with_a_gap().await;
    let range = format!("from={begin}&to={}", begin + Duration::from_secs(10));
    for route in ["timeline", "keyframes", "clip.mp4", "playlist.m3u8"] {
        let problem =
            ivan.get(&format!("/footage/gate-1/{route}?{range}")).await.problem(403, "grant_missing");
        assert!(problem["remedy"].as_str().unwrap().contains("/grants"), "{problem}");
    }
    ivan.get(&format!("/footage/gate-1/frame.jpg?at={begin}")).await.problem(403, "grant_missing");
    let grant = grant(&ivan, begin).await;
    ivan.get(&format!("/footage/gate-2/timeline?{range}&grant={grant}")).await.problem(403, "grant_scope");
    let early = query(begin, -3600, 10, &grant);
    ivan.get(&format!("/footage/gate-1/clip.mp4?{early}")).await.problem(403, "grant_scope");
    // Every refusal stands in the log.
    let auma = site.sign_in("auma").await;
    let refused = auma.get("/audit/entries?action=look_refused").await.ok();
    assert!(!refused["items"].as_array().unwrap().is_empty());
    assert_eq!(auma.get("/audit/verify").await.ok()["ok"], true);
    ivan.get("/audit/entries").await.problem(403, "role_forbids");
}

#[tokio::test]
async fn the_timeline_states_the_gap() {
    let (_site, ivan, begin) = with_a_gap().await;
    let grant = grant(&ivan, begin).await;
    let timeline = ivan.get(&format!("/footage/gate-1/timeline?{}", query(begin, 0, 70, &grant))).await.ok();
    let at = |s: u64| json!(begin + Duration::from_secs(s));
    let spans: Vec<_> =
        timeline["spans"].as_array().unwrap().iter().map(|s| (&s["from"], &s["to"], &s["policy"])).collect();
    assert_eq!(spans, [(&at(0), &at(20), &json!("full")), (&at(60), &at(70), &json!("full"))], "{timeline}");
    assert_eq!(timeline["gaps"], json!([{ "from": at(20), "to": at(60), "reason": "unreachable" }]));
    let bad = ivan.get(&format!("/footage/gate-1/timeline?{}", query(begin, 10, 10, &grant))).await;
    bad.problem(400, "invalid");
}

#[tokio::test]
async fn key_frames_come_in_pages() {
    let (_site, ivan, begin) = with_a_gap().await;
    let query = query(begin, 0, 70, &grant(&ivan, begin).await);
    let (mut times, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = ivan.get(&format!("/footage/gate-1/keyframes?{query}&limit=4{cursor}")).await.ok();
        let items = page["items"].as_array().unwrap().clone();
        assert!(items.len() <= 4 && items.iter().all(|item| item["bytes"].as_u64().unwrap() > 1000));
        times.extend(items.into_iter().map(|item| item["at"].clone()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let expected: Vec<Value> =
        (0..10).chain(30..35).map(|gop| json!(begin + Duration::from_secs(gop * 2))).collect();
    assert_eq!(times, expected);
}

#[tokio::test]
async fn a_clip_reads_in_ffprobe_and_its_gap_takes_its_time() {
    let (_site, ivan, begin) = with_a_gap().await;
    let grant = grant(&ivan, begin).await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("clip.mp4");

    // From the middle of the second GOP: it begins with that GOP's key frame.
    let answer = ivan.get(&format!("/footage/gate-1/clip.mp4?{}", query(begin, 3, 10, &grant))).await;
    assert_eq!((answer.header("content-type"), answer.header("x-gaps")), ("video/mp4", "0"));
    assert_eq!(answer.header("content-encoding"), "", "video is not compressed again");
    assert_eq!(answer.header("x-clip-start"), (begin + Duration::from_secs(2)).to_string());
    std::fs::write(&file, &answer.body).unwrap();
    let probed = ffprobe(file.to_str().unwrap(), "").await;
    assert_eq!((probed.codec.as_str(), probed.frames, probed.width), ("h264", 4 * GOP_FRAMES as u64, 384));
    assert!((probed.duration_s - 8.0).abs() < 0.01, "{probed:?}");
    assert_eq!(probed.complaints, "");

    let answer = ivan.get(&format!("/footage/gate-1/clip.mp4?{}", query(begin, 0, 70, &grant))).await;
    let gap = format!("{}/{}/unreachable", begin + Duration::from_secs(20), begin + Duration::from_secs(60));
    assert_eq!((answer.header("x-gaps"), answer.header("x-gap-list")), ("1", gap.as_str()));
    std::fs::write(&file, &answer.body).unwrap();
    let probed = ffprobe(file.to_str().unwrap(), "").await;
    assert_eq!(probed.frames, 15 * GOP_FRAMES as u64);
    assert!((probed.duration_s - 70.0).abs() < 0.01, "{probed:?}");

    let nothing = ivan.get(&format!("/footage/gate-1/clip.mp4?{}", query(begin, 30, 50, &grant))).await;
    nothing.problem(404, "no_footage");
}

#[tokio::test]
async fn a_clip_over_a_change_of_resolution_is_one_file() {
    let (site, ivan, begin) = with_a_gap().await;
    let grant = grant(&ivan, begin).await;
    site.record("gate-1", Clip::large().gops(3, begin + Duration::from_secs(70), 0, 3)).await;
    let answer = ivan.get(&format!("/footage/gate-1/clip.mp4?{}", query(begin, 62, 76, &grant))).await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("clip.mp4");
    std::fs::write(&file, &answer.body).unwrap();
    let probed = ffprobe(file.to_str().unwrap(), "").await;
    assert_eq!(probed.frames, 7 * GOP_FRAMES as u64, "{probed:?}");
    assert!((probed.duration_s - 14.0).abs() < 0.01, "{probed:?}");
}

#[tokio::test]
async fn a_playlist_reads_in_ffprobe_over_http() {
    let (site, ivan, begin) = with_a_gap().await;
    let path = format!("/footage/gate-1/playlist.m3u8?{}", query(begin, 1, 70, &grant(&ivan, begin).await));
    let answer = ivan.get(&path).await;
    assert_eq!(
        (answer.header("x-gaps"), answer.header("content-type")),
        ("1", "application/vnd.apple.mpegurl")
    );
    let text = answer.text();
    assert_eq!(text.matches("#EXTINF:2.00000,").count(), 15, "{text}");
    assert_eq!(text.matches("#EXT-X-DISCONTINUITY\n").count(), 1);
    assert_eq!(text.matches("#EXT-X-MAP").count(), 1, "the parameters are the same before and after");
    assert_eq!(text.matches("#EXT-X-PROGRAM-DATE-TIME").count(), 15);
    let headers = format!("Cookie: {}\r\n", ivan.cookie);
    let probed = ffprobe(&site.url(&format!("/api/v1{path}")), &headers).await;
    assert_eq!((probed.codec.as_str(), probed.frames), ("h264", 15 * GOP_FRAMES as u64), "{probed:?}");
    // The addresses carry the grant, and nothing else lets anybody in.
    let segment = text.lines().find(|line| line.starts_with("segment.m4s")).unwrap();
    let (bare, _) = segment.split_once("&grant=").unwrap();
    ivan.get(&format!("/footage/gate-1/{bare}")).await.problem(403, "grant_missing");
    Client::nobody(&site).get(&format!("/footage/gate-1/{segment}")).await.problem(401, "not_signed_in");
    let auma = site.sign_in("auma").await;
    let looks = auma.get("/audit/entries?action=playback").await.ok();
    assert_eq!(looks["items"].as_array().unwrap().len(), 1, "one look, one entry: {looks}");
}

#[tokio::test]
async fn a_still_is_the_nearest_key_frame() {
    let (_site, ivan, begin) = with_a_gap().await;
    let grant = grant(&ivan, begin).await;
    let at = begin + Duration::from_millis(3500);
    let path = format!("/footage/gate-1/frame.jpg?at={at}&width=100000&grant={grant}");
    let answer = ivan.get(&path).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-frame-time"), (begin + Duration::from_secs(2)).to_string());
    assert_eq!(answer.header("content-type"), "image/jpeg");
    assert!(answer.header("cache-control").starts_with("private"));
    assert_eq!(answer.body[..3], [0xff, 0xd8, 0xff]);
    let tag = answer.header("etag").to_owned();
    let again = ivan.send(ivan.request(reqwest::Method::GET, &path).header("if-none-match", tag)).await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    let small = ivan.get(&format!("/footage/gate-1/frame.jpg?at={at}&width=160&grant={grant}")).await;
    assert!(small.body.len() < answer.body.len() / 2);
    let bad = ivan.get(&format!("/footage/gate-1/frame.jpg?at=yesterday&grant={grant}")).await;
    assert!(bad.problem(400, "invalid")["detail"].as_str().unwrap().contains("latest"));
}
