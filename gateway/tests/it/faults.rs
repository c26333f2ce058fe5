//! Brokers that go away and connections that die without a word.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::net::{TcpListener, TcpStream};

use crate::world::{
    Client, Mosquitto, PATIENCE, Store, connected, counts, embedded, external, pass, start, until,
};

/// How often the broker is killed: `SIGHTLINE_TEST_RECONNECTS=100` for the long run.
fn rounds() -> u64 {
    std::env::var("SIGHTLINE_TEST_RECONNECTS").ok().and_then(|n| n.parse().ok()).unwrap_or(20)
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_resumes_after_every_restart_of_the_broker() {
    let store = Store::new().await;
    let mut mosquitto = Mosquitto::start();
    let gateway = start(external(mosquitto.port), &store.records).await;
    for round in 1..=rounds() {
        // Some of the restarts hit messages under way, in both directions.
        for n in 0..200 {
            gateway.publish_camera_state(
                format!("camera-{n}").parse().unwrap(),
                &serde_json::json!({ "n": round }),
            );
        }
        mosquitto.restart();
        until("it is connected again", async || {
            let metrics = gateway.metrics();
            (metrics.connected && metrics.connects > round).then_some(())
        })
        .await;
        let toll =
            Client::connect(mosquitto.addr(), "toll", Some("sightline/v1/camera/camera-199/state")).await;
        toll.publish("pass/toll", &pass(&format!("p{round}"), "A1")).await;
        until("the pass is stored", async || (counts(&gateway.metrics(), "pass").1 == round).then_some(()))
            .await;
        toll.wait("the state is published", |seen| seen.json()["n"] == round).await;
    }
    assert!(gateway.drain(PATIENCE).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_broker_held_while_the_gateway_was_away_comes_in() {
    let store = Store::new().await;
    let mosquitto = Mosquitto::start();
    let gateway = start(external(mosquitto.port), &store.records).await;
    assert!(gateway.drain(PATIENCE).await);
    let toll = Client::connect(mosquitto.addr(), "toll", None).await;
    for n in 0..300 {
        toll.send("pass/toll", pass(&format!("p{n}"), "A1").to_string()).await;
    }
    until("mosquitto took all", async || (toll.acked() == 300).then_some(())).await;
    let gateway = start(external(mosquitto.port), &store.records).await;
    until("all came in", async || (counts(&gateway.metrics(), "pass").1 == 300).then_some(())).await;
    assert_eq!(counts(&gateway.metrics(), "pass"), (300, 300, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_connection_is_noticed_and_replaced() {
    let store = Store::new().await;
    let mosquitto = Mosquitto::start();
    let frozen = Arc::new(AtomicBool::new(false));
    let port = proxy(mosquitto.port, frozen.clone()).await;
    let gateway = start(external(port), &store.records).await;
    // From now on nothing passes any more, and nobody is told.
    frozen.store(true, Relaxed);
    until("it is noticed", async || (!gateway.metrics().connected).then_some(())).await;
    frozen.store(false, Relaxed);
    connected(&gateway).await;
    let toll = Client::connect(mosquitto.addr(), "toll", None).await;
    toll.publish("pass/toll", &pass("p1", "A1")).await;
    until("events come in", async || (counts(&gateway.metrics(), "pass").1 == 1).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_held_back_and_taken_whole() {
    let store = Store::new().await;
    let mosquitto = Mosquitto::start();
    let config =
        sightline_gateway::Config { queue_messages: 8, batch_messages: 4, ..external(mosquitto.port) };
    let gateway = start(config, &store.records).await;
    let toll = Client::connect(mosquitto.addr(), "toll", None).await;
    for n in 0..1000 {
        toll.send("pass/toll", pass(&format!("p{n}"), "A1").to_string()).await;
    }
    until("all came in", async || (counts(&gateway.metrics(), "pass").1 == 1000).then_some(())).await;
    assert_eq!(gateway.metrics().connects, 1, "being slow is no reason to lose the connection");
    assert_eq!(gateway.metrics().watchdog_resets, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_broker_can_be_started_where_it_was() {
    let store = Store::new().await;
    let first = start(embedded(), &store.records).await;
    let listen = format!("127.0.0.1:{}", first.mqtt_addr().1).parse().unwrap();
    assert!(first.drain(PATIENCE).await);
    let broker = sightline_gateway::Broker::Embedded { listen, username: None, password_file: None };
    let second = start(sightline_gateway::Config { broker, ..embedded() }, &store.records).await;
    assert!(second.drain(PATIENCE).await);
}

/// Passes bytes on in both directions, unless frozen: then they get lost, and the sockets stay open.
async fn proxy(to: u16, frozen: Arc<AtomicBool>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            // The broker may still be starting: the client tries again.
            let Ok(server) = TcpStream::connect(("127.0.0.1", to)).await else { continue };
            let ((from_client, to_client), (from_server, to_server)) =
                (client.into_split(), server.into_split());
            // What was frozen once stays dead: its end of the stream is never passed on.
            tokio::spawn(pass_on(from_client, to_server, frozen.clone()));
            tokio::spawn(pass_on(from_server, to_client, frozen.clone()));
        }
    });
    port
}

async fn pass_on(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    frozen: Arc<AtomicBool>,
) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if frozen.load(Relaxed) {
            tokio::time::sleep(Duration::from_secs(3600)).await;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
