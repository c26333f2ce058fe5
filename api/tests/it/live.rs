//! `/footage/{camera}/live`.

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::Value;
use sightline_model::{Timestamp, tail::TailItem};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

use crate::support::{
    Client, PATIENCE, Site,
    clip::{Clip, GOP_FRAMES},
    probe::ffprobe,
};

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn connect(site: &Site, who: &Client, query: &str, origin: Option<&str>) -> Result<Socket, u16> {
    let url = format!("ws://{}/api/v1/footage/gate-1/live?{query}", site.addr);
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("cookie", HeaderValue::from_str(&who.cookie).unwrap());
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", HeaderValue::from_str(origin).unwrap());
    }
    match connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

async fn next(socket: &mut Socket) -> Message {
    tokio::time::timeout(PATIENCE, socket.next()).await.expect("a message").unwrap().unwrap()
}

async fn next_text(socket: &mut Socket) -> Value {
    loop {
        if let Message::Text(text) = next(socket).await {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

#[tokio::test]
async fn frames_come_as_they_are_written_and_end_with_the_grant() {
    let site = Site::start().await;
    let ivan = site.sign_in("ivan").await;
    let now = Timestamp::now();
    let grant =
        ivan.case_grant(&["gate-1"], now - Duration::from_secs(60), now + Duration::from_secs(600)).await;
    let mut writer = site.writer("gate-1");
    for item in Clip::small().gops(1, now - Duration::from_secs(4), 0, 2) {
        writer.push(item);
    }
    assert_eq!(connect(&site, &ivan, "stream=main", None).await.unwrap_err(), 403);
    let query = format!("stream=main&grant={grant}");
    assert_eq!(connect(&site, &ivan, &query, Some("https://evil.test")).await.unwrap_err(), 403);
    let own = format!("http://{}", site.addr);
    let mut socket = connect(&site, &ivan, &query, Some(&own)).await.unwrap();

    let init = next_text(&mut socket).await;
    assert_eq!((init["type"].as_str(), init["width"].as_u64()), (Some("init"), Some(384)), "{init}");
    assert!(init["codec"].as_str().unwrap().starts_with("avc1."));
    let Message::Binary(head) = next(&mut socket).await else { panic!("the init segment follows") };
    let mut file = head.to_vec();
    let time = next_text(&mut socket).await;
    assert_eq!((time["type"].as_str(), time["decode_time_90k"].as_u64()), (Some("time"), Some(0)), "{time}");
    for item in
        Clip::small().gops(1, now - Duration::from_secs(4), 0, 4).into_iter().skip(2 * (GOP_FRAMES + 2))
    {
        writer.push(item);
    }
    let mut fragments = 0;
    while fragments < 3 * GOP_FRAMES {
        if let Message::Binary(fragment) = next(&mut socket).await {
            file.extend_from_slice(&fragment);
            fragments += 1;
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("live.mp4");
    std::fs::write(&path, file).unwrap();
    let probed = ffprobe(path.to_str().unwrap(), "").await;
    assert_eq!(probed.frames, 3 * GOP_FRAMES as u64, "{probed:?}");
    assert!((probed.duration_s - 6.0).abs() < 0.2, "{probed:?}");

    ivan.delete(&format!("/grants/{grant}")).await.ok();
    let ended = loop {
        let text = next_text(&mut socket).await;
        if text["type"] == "ended" {
            break text;
        }
    };
    assert_eq!(ended["code"], "grant_ended");
    assert!(matches!(next(&mut socket).await, Message::Close(Some(_))));
}

#[tokio::test]
async fn a_viewer_that_is_too_slow_is_told_and_goes_on_at_a_key_frame() {
    let site = Site::start_with(512 << 10).await;
    let ivan = site.sign_in("ivan").await;
    let now = Timestamp::now();
    let grant =
        ivan.case_grant(&["gate-1"], now - Duration::from_secs(60), now + Duration::from_secs(600)).await;
    let mut writer = site.writer("gate-1");
    let clip = Clip::large();
    let push = |writer: &mut sightline_footage::TailWriter, first: u32, count: usize| {
        let at = now + Duration::from_secs(2 * u64::from(first));
        for mut item in clip.gops(1, at, first as usize % 20, count) {
            if let TailItem::Begin(start) = &mut item {
                start.number += first;
                start.media_90k += i64::from(first) * 180_000;
            }
            writer.push(item);
        }
    };
    push(&mut writer, 0, 1);
    let mut socket = connect(&site, &ivan, &format!("stream=main&grant={grant}"), None).await.unwrap();
    assert_eq!(next_text(&mut socket).await["type"], "init");
    // Far more than the connection's buffers and the ring hold, while nothing is read.
    for round in 0..20 {
        push(&mut writer, 1 + round * 19, 19);
        tokio::task::yield_now().await;
    }
    let lagged = loop {
        let text = next_text(&mut socket).await;
        if text["type"] == "lagged" {
            break text;
        }
    };
    assert!(lagged["missed"].as_u64().unwrap() > 0, "{lagged}");
    assert_eq!(next_text(&mut socket).await["type"], "time", "a key frame begins");
    assert!(site.api.metrics().live_lagged_total > 0);
}

#[tokio::test]
async fn no_footage_is_said_so_and_a_plain_request_is_refused() {
    let site = Site::start().await;
    let ivan = site.sign_in("ivan").await;
    let now = Timestamp::now();
    let grant =
        ivan.case_grant(&["gate-1"], now - Duration::from_secs(60), now + Duration::from_secs(600)).await;
    ivan.get(&format!("/footage/gate-1/live?grant={grant}")).await.problem(400, "upgrade_needed");
    let mut socket = connect(&site, &ivan, &format!("grant={grant}"), None).await.unwrap();
    site.stop();
    let mut last = Value::Null;
    while let Message::Text(text) = next(&mut socket).await {
        last = serde_json::from_str(&text).unwrap();
    }
    assert_eq!((last["type"].as_str(), last["code"].as_str()), (Some("ended"), Some("stopping")));
}
