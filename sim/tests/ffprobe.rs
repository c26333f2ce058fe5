//! FFmpeg as a client: every coding and transport, main and sub-stream, with and without credentials.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a panic is the failure report, in helpers too"
)]

use std::time::Duration;

use sightline_model::media::StreamKind;
use sightline_sim::{CameraSim, CameraSpec, Clip};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

/// Runs a tool of FFmpeg and gives back what it says, standard output first.
async fn tool(name: &str, arguments: &[&str]) -> (bool, String, String) {
    let run = Command::new(name).args(arguments).kill_on_drop(true).output();
    let output = tokio::time::timeout(Duration::from_secs(40), run).await.expect("the tool hangs");
    let output = output.expect("ffprobe and ffmpeg are installed");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

async fn probe(transport: &str, url: &str) -> (bool, String, String) {
    let entries = "stream=codec_name,width,height:packet=flags";
    let base = ["-v", "error", "-rtsp_transport", transport, "-read_intervals", "%+#24"];
    let rest = ["-show_entries", entries, "-of", "compact=p=0:nk=1", url];
    tool("ffprobe", &[&base[..], &rest[..]].concat()).await
}

async fn server() -> CameraSim {
    let camera = |id: &str, main, sub, credentials| CameraSpec {
        main,
        sub,
        credentials,
        offset: Duration::from_millis(730),
        ..CameraSpec::new(id.parse().unwrap())
    };
    let secret = Some(("admin".to_owned(), "p@ss:word".to_owned()));
    let cameras = vec![
        camera("avc", Clip::StreetH264, Some(Clip::StreetSubH264), None),
        camera("hevc", Clip::StreetH265, Some(Clip::StreetSubH265), None),
        camera("locked", Clip::StreetSubH264, None, secret),
    ];
    CameraSim::start("127.0.0.1:0".parse().unwrap(), cameras, CancellationToken::new()).await.unwrap()
}

#[tokio::test]
async fn both_codings_play_over_both_transports() {
    let sim = server().await;
    let mut probes = tokio::task::JoinSet::new();
    for (camera, stream, expected) in [
        ("avc", StreamKind::Main, "h264|768|576"),
        ("avc", StreamKind::Sub, "h264|384|288"),
        ("hevc", StreamKind::Main, "hevc|768|576"),
        ("hevc", StreamKind::Sub, "hevc|384|288"),
    ] {
        for transport in ["tcp", "udp"] {
            let url = sim.url(camera.parse().unwrap(), stream);
            probes.spawn(async move {
                let (good, output, errors) = probe(transport, &url).await;
                let packets: Vec<&str> = output.lines().filter(|line| line.contains('_')).collect();
                assert!(good && output.contains(expected), "{transport} {url}: {output} {errors}");
                assert_eq!(packets.len(), 24, "{transport} {url}: {output}");
                assert!(packets.iter().filter(|flags| flags.starts_with('K')).count() >= 2, "{output}");
            });
        }
    }
    while let Some(ended) = probes.join_next().await {
        ended.unwrap();
    }
}

#[tokio::test]
async fn every_frame_decodes_without_a_complaint() {
    let sim = server().await;
    for (camera, transport) in [("avc", "tcp"), ("hevc", "udp")] {
        let url = sim.url(camera.parse().unwrap(), StreamKind::Main);
        let input = ["-v", "warning", "-xerror", "-rtsp_transport", transport, "-i", &url];
        let (good, _, errors) =
            tool("ffmpeg", &[&input[..], &["-frames:v", "25", "-f", "null", "-"]].concat()).await;
        assert!(good && errors.is_empty(), "{camera}: {errors}");
    }
}

#[tokio::test]
async fn credentials_open_the_door_and_nothing_else_does() {
    let sim = server().await;
    let url = sim.url("locked".parse().unwrap(), StreamKind::Main);
    let with = |user: &str| url.replace("rtsp://", &format!("rtsp://{user}@"));
    let (good, output, errors) = probe("tcp", &with("admin:p%40ss%3Aword")).await;
    assert!(good && output.contains("h264|384|288"), "{output} {errors}");
    for refused in [url.clone(), with("admin:wrong"), with("guest:p%40ss%3Aword")] {
        let (good, _, errors) = probe("tcp", &refused).await;
        assert!(!good && errors.contains("401"), "{refused}: {errors}");
    }
    let (good, _, errors) = probe("tcp", &sim.url("locked".parse().unwrap(), StreamKind::Sub)).await;
    assert!(!good && errors.contains("404"), "a sub-stream that the camera does not have: {errors}");
}
