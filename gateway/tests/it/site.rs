//! States that stand at the broker, accounts, and an embedded broker that heals.

use serde_json::json;
use sightline_gateway::{Broker, Config, Error, Gateway};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_util::sync::CancellationToken;

use crate::world::{Client, Mosquitto, PATIENCE, Store, counts, embedded, external, pass, start, until};

#[tokio::test(flavor = "multi_thread")]
async fn the_node_says_when_it_comes_and_goes() {
    let store = Store::new().await;
    let mosquitto = Mosquitto::start();
    let gateway = start(external(mosquitto.port), &store.records).await;
    let watcher = Client::connect(mosquitto.addr(), "watcher", Some("sightline/v1/node/+/state")).await;
    let state = |wanted: &'static str| move |seen: &crate::world::Seen| seen.json()["state"] == wanted;
    watcher.wait("online", state("online")).await;
    assert!(gateway.drain(PATIENCE).await);
    let left = watcher.wait("offline", state("offline")).await.json();
    assert!(left.get("since").is_some(), "it said so itself: {left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_of_a_camera_is_retained_and_can_be_cleared() {
    let store = Store::new().await;
    let gateway = start(embedded(), &store.records).await;
    let camera = "gate-3".parse().unwrap();
    for n in 0..50 {
        gateway.publish_camera_state(camera, &json!({ "recording": true, "n": n }));
    }
    let topic = "sightline/v1/camera/gate-3/state";
    let watcher = Client::connect(gateway.mqtt_addr(), "watcher", Some(topic)).await;
    watcher.wait("the newest state", |seen| seen.json()["n"] == 49).await;
    gateway.clear_camera_state(camera);
    watcher.wait("the cleared topic", |seen| seen.payload.is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_broker_asks_for_its_account() {
    let store = Store::new().await;
    let file = store.dir.path().join("password");
    std::fs::write(&file, "right\n").unwrap();
    let broker = Broker::Embedded {
        listen: "127.0.0.1:0".parse().unwrap(),
        username: Some("site".into()),
        password_file: Some(file),
    };
    let gateway = start(Config { broker, ..embedded() }, &store.records).await;
    for (password, welcome) in [("right", true), ("wrong", false)] {
        let answer = connack(gateway.mqtt_addr(), "guest", Some(("site", password))).await;
        assert_eq!(answer.is_some_and(|answer| answer == [0x20, 2, 0, 0]), welcome, "{password}");
    }
    assert_eq!(connack(gateway.mqtt_addr(), "guest", None).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_an_error_that_names_it() {
    let store = Store::new().await;
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let broker =
        Broker::Embedded { listen: taken.local_addr().unwrap(), username: None, password_file: None };
    let config = Config { broker, ..embedded() };
    let error = Gateway::start(config, store.records.clone(), CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error, Error::Listen { .. }) && error.to_string().contains("port 0"), "{error}");
}

/// A client id with a '/' that comes twice poisons a lock of rumqttd, which then accepts nobody.
#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_broker_is_replaced_when_it_takes_no_connections() {
    let store = Store::new().await;
    let gateway = start(embedded(), &store.records).await;
    for _ in 0..3 {
        connack(gateway.mqtt_addr(), "poison/1", None).await;
    }
    until("the broker was replaced", async || (gateway.metrics().broker_restarts > 0).then_some(())).await;
    let toll = Client::connect(gateway.mqtt_addr(), "toll", None).await;
    toll.publish("pass/toll", &pass("p1", "A1")).await;
    until("events come in again", async || (counts(&gateway.metrics(), "pass").1 == 1).then_some(())).await;
}

/// Connects by hand and returns the broker's answer; `None` when it hangs up.
async fn connack(addr: (&str, u16), id: &str, login: Option<(&str, &str)>) -> Option<[u8; 4]> {
    let text = |text: &str| [&u16::try_from(text.len()).unwrap().to_be_bytes(), text.as_bytes()].concat();
    let flags = if login.is_some() { 0xc2 } else { 0x02 };
    let mut body = [text("MQTT").as_slice(), &[4, flags, 0, 10], &text(id)].concat();
    if let Some((user, password)) = login {
        body.extend(text(user));
        body.extend(text(password));
    }
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(&[0x10, u8::try_from(body.len()).unwrap()]).await.unwrap();
    stream.write_all(&body).await.unwrap();
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await.ok()?;
    Some(answer)
}
