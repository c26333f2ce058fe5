//! What answers at a camera's address without being a camera.

use std::{net::Ipv4Addr, time::Duration};

use sightline_ingest::{Config, Target};
use sightline_model::{gap::GapReason, media::Codec};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::bench::*;

/// Says `words` to everybody who has asked something, and then waits or goes.
async fn stranger(words: &'static [u8], stays: bool) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut question = [0; 4096];
                let _ = stream.read(&mut question).await;
                let _ = stream.write_all(words).await;
                while stays && stream.read(&mut question).await.is_ok_and(|read| read > 0) {}
            });
        }
    });
    format!("rtsp://{address}/")
}

#[tokio::test]
async fn each_stranger_is_told_apart() {
    let mjpeg: &[u8] =
        b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Type: application/sdp\r\nContent-Length: 128\r\n\r\n\
        v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=s\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\na=control:v\r\n\
        m=audio 0 RTP/AVP 0\r\na=control:a\r\n                    ";
    let moved: &[u8] =
        b"RTSP/1.0 302 Moved\r\nCSeq: 1\r\nLocation: rtsp://10.0.0.9/\r\nContent-Length: 0\r\n\r\n";
    let cases: [(&str, &'static [u8], bool, GapReason, &str); 5] = [
        ("silent", b"", true, GapReason::Unreachable, "did not answer within 1 s"),
        ("gone", b"", false, GapReason::Disconnected, "broke in DESCRIBE"),
        (
            "web",
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
            false,
            GapReason::BadStream,
            "not understood",
        ),
        ("moved", moved, true, GapReason::BadStream, "points elsewhere (302)"),
        ("mjpeg", mjpeg, true, GapReason::BadStream, "H.264 or H.265 is needed"),
    ];
    let config = Config { connect_timeout: Duration::from_secs(1), ..quick() };
    let bench = Bench::new(config, vec![fast("good", Codec::H264)]).await;
    let mut targets = vec![bench.target(main_of("good"))];
    for (name, words, stays, ..) in cases {
        targets.push(Target { url: stranger(words, stays).await, ..bench.target(main_of(name)) });
    }
    bench.supervisor.set_targets(targets);
    for (name, _, _, reason, sentence) in cases {
        let detail = bench.waiting(main_of(name), reason).await;
        assert!(detail.contains(sentence), "{name}: {detail}");
        assert!(!detail.contains("127.0.0.1"), "{name}: {detail}");
    }
    bench.streaming(main_of("good")).await;
}
