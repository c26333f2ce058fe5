//! Simulated events against a broker of a few lines, which is away at first and goes away once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a panic is the failure report, in helpers too"
)]

use std::time::Duration;

use sightline_model::event::Pass;
use sightline_sim::events::{self, Config, Rates};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

/// One MQTT 3.1.1 packet: its type, flags and body.
async fn packet(stream: &mut TcpStream) -> Option<(u8, u8, Vec<u8>)> {
    let first = stream.read_u8().await.ok()?;
    let (mut length, mut shift) = (0_usize, 0);
    loop {
        let byte = stream.read_u8().await.ok()?;
        length |= usize::from(byte & 0x7F) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some((first >> 4, first & 0x0F, body))
}

/// Takes one connection until `more` says no after a message, or the client ends it; acknowledges each message.
async fn serve(listener: &TcpListener, mut more: impl FnMut(usize) -> bool) -> Vec<(String, Vec<u8>)> {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut messages = Vec::new();
    while messages.is_empty() || more(messages.len()) {
        match packet(&mut stream).await {
            Some((1, ..)) => stream.write_all(&[0x20, 2, 0, 0]).await.unwrap(),
            Some((3, flags, body)) => {
                assert_eq!(flags & 0b110, 0b010, "quality of service 1");
                let topic = usize::from(u16::from_be_bytes([body[0], body[1]]));
                let text = String::from_utf8(body[2..2 + topic].to_vec()).unwrap();
                stream.write_all(&[0x40, 2, body[2 + topic], body[3 + topic]]).await.unwrap();
                messages.push((text, body[4 + topic..].to_vec()));
            }
            Some((14, ..)) | None => break,
            Some((kind, ..)) => panic!("packet of type {kind}"),
        }
    }
    messages
}

#[tokio::test]
async fn messages_come_in_whatever_the_broker_does_and_stop_when_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let cancel = CancellationToken::new();
    let config = Config {
        rates: Rates { passes_per_min: 6_000.0, ..Rates::default() },
        prefix: "test/v1".to_owned(),
        ..Config::new(address.ip().to_string(), address.port(), vec!["gate".parse().unwrap()])
    };
    let run = tokio::spawn(events::run(config, cancel.clone()));
    let story = async {
        let listener = TcpListener::bind(address).await.unwrap();
        let first = serve(&listener, |count| count < 50).await;
        let second = serve(&listener, |count| {
            if count == 100 {
                cancel.cancel();
            }
            true
        });
        let second = second.await;
        (first, second)
    };
    let (first, second) = tokio::time::timeout(Duration::from_secs(30), story).await.expect("the story ends");
    assert!(first.len() == 50 && second.len() >= 100, "{} {}", first.len(), second.len());
    for (topic, payload) in first.iter().chain(&second) {
        if topic.starts_with("test/v1/pass/") {
            assert_eq!(topic, "test/v1/pass/gate");
            serde_json::from_slice::<Pass>(payload).unwrap();
        }
    }
    let report = tokio::time::timeout(Duration::from_secs(5), run).await.unwrap().unwrap().unwrap();
    assert!(report.acknowledged > 100 && report.acknowledged <= report.queued, "{report:?}");
}
