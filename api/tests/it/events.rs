//! `/events`.

use futures_util::StreamExt;
use serde_json::{Value, json};
use sightline_model::media::StreamKind;

use crate::{
    alerts::raise,
    support::{Client, PATIENCE, Site},
};

/// A stream of events, read one by one.
struct Events {
    text: String,
    chunks: std::pin::Pin<Box<dyn futures_util::Stream<Item = reqwest::Result<bytes::Bytes>>>>,
}

#[derive(Debug)]
struct Event {
    name: String,
    id: Option<String>,
    data: Value,
}

impl Events {
    async fn open(who: &Client, last: Option<&str>) -> Self {
        let mut request = who.request(reqwest::Method::GET, "/events");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert!(
            response.headers().get("content-encoding").is_none(),
            "events are not held back to be compressed"
        );
        Self { text: String::new(), chunks: Box::pin(response.bytes_stream()) }
    }

    async fn next(&mut self) -> Event {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    event
                        .lines()
                        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                        .map(str::to_owned)
                };
                let event = field("event").map(|name| Event {
                    name,
                    id: field("id"),
                    data: serde_json::from_str(&field("data").unwrap()).unwrap(),
                });
                self.text = rest.to_owned();
                match event {
                    Some(event) => return event,
                    None => continue,
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.chunks.next()).await.expect("an event");
            self.text.push_str(std::str::from_utf8(&chunk.unwrap().unwrap()).unwrap());
        }
    }

    async fn named(&mut self, name: &str) -> Event {
        loop {
            let event = self.next().await;
            if event.name == name {
                return event;
            }
        }
    }
}

#[tokio::test]
async fn what_changes_comes_by_itself() {
    let site = Site::start().await;
    let (olga, ines) = (site.sign_in("olga").await, site.sign_in("ines").await);
    let (mut desk, mut works) = (Events::open(&olga, None).await, Events::open(&ines, None).await);
    let hello = desk.next().await;
    assert_eq!((hello.name.as_str(), &hello.data["resumed"]), ("hello", &json!(false)));

    site.streaming("gate-1", StreamKind::Main);
    let camera = desk.named("camera").await;
    assert_eq!((&camera.data["id"], &camera.data["state"]["reason"]), (&json!("gate-1"), &json!("starting")));

    let alert = raise(&site, "one").await;
    let revision = olga.get(&format!("/alerts/{alert}")).await.ok()["revision"].clone();
    olga.post(&format!("/alerts/{alert}/confirm"), &json!({ "note": "", "revision": revision })).await.ok();
    let shown = desk.named("alert").await;
    assert_eq!((&shown.data["id"], &shown.data["state"]), (&json!(alert), &json!("confirmed")));

    // Who does not work alerts does not see them pass by.
    site.streaming("gate-2", StreamKind::Main);
    let mut names = vec![];
    loop {
        let event = works.next().await;
        names.push(event.name.clone());
        if event.data["id"] == "gate-2" {
            break;
        }
    }
    assert!(!names.contains(&"alert".to_owned()), "{names:?}");

    // Back after a break: what came meanwhile is there.
    drop(desk);
    let mut back = Events::open(&olga, camera.id.as_deref()).await;
    assert_eq!(back.next().await.data["resumed"], true);
    assert_eq!(back.named("alert").await.data["id"], json!(alert));
    let mut stranger = Events::open(&olga, Some("nonsense")).await;
    assert_eq!(stranger.next().await.data["resumed"], false);
}

#[tokio::test]
async fn nobody_listens_without_a_session() {
    let site = Site::start().await;
    Client::nobody(&site).get("/events").await.problem(401, "not_signed_in");
}
