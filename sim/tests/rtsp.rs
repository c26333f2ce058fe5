//! The RTSP dialogue, byte by byte.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a panic is the failure report, in helpers too"
)]

mod client;

use std::{net::SocketAddr, time::Duration};

use client::{Client, Incoming, Rtp, digest, until};
use sightline_model::media::StreamKind;
use sightline_sim::{CameraSim, CameraSpec, Clip, Config, Error};
use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

fn any_port() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

/// Two cameras: `open` for everybody, `locked` with a password.
async fn sim(change: impl FnOnce(&mut Config)) -> CameraSim {
    let mut config = Config::new(any_port());
    change(&mut config);
    let open = CameraSpec::new("open".parse().unwrap());
    let credentials = Some(("admin".to_owned(), "secret".to_owned()));
    let locked = CameraSpec { credentials, sub: None, ..CameraSpec::new("locked".parse().unwrap()) };
    CameraSim::start_with(config, vec![open, locked], CancellationToken::new()).await.unwrap()
}

async fn client(sim: &CameraSim, camera: &str) -> Client {
    Client::connect(sim.addr(), &sim.url(camera.parse().unwrap(), StreamKind::Main)).await
}

#[tokio::test]
async fn a_whole_dialogue() {
    let sim = sim(|_| ()).await;
    let mut client = client(&sim, "open").await;
    let url = sim.url("open".parse().unwrap(), StreamKind::Main);

    let answer = client.ask("OPTIONS", "").await;
    assert!(answer.header("Public").unwrap().contains("GET_PARAMETER"));
    let answer = client.ask("DESCRIBE", "Accept: application/sdp\r\n").await;
    assert_eq!(answer.header("Content-Base"), Some(format!("{url}/").as_str()));
    assert!(answer.body.contains("sprop-parameter-sets=") && answer.body.contains("a=control:trackID=0"));

    let answer = client.play().await;
    let info = answer.header("RTP-Info").unwrap().to_owned();
    let field =
        |name: &str| info.split(';').find_map(|f| f.strip_prefix(name)).unwrap().parse::<u32>().unwrap();
    assert!(info.starts_with(&format!("url={url}/trackID=0;")), "{info}");

    let Incoming::Packet { channel: 1, data: report } = client.next().await else {
        panic!("a report comes first")
    };
    assert_eq!((report[0], report[1]), (0x80, 200));
    let first = client.rtp().await;
    assert_eq!(u32::from(first.sequence), field("seq="));
    assert_eq!(first.timestamp, field("rtptime="));
    assert!(first.begins_key_frame(), "{first:?}");
    assert_eq!(first.ssrc, u32::from_be_bytes(report[4..8].try_into().unwrap()));

    assert_eq!(client.ask("GET_PARAMETER", "").await.status, 200);
    client
        .send(
            "SET_PARAMETER",
            &url,
            "Content-Length: 4
",
        )
        .await;
    client.write(b"ping").await;
    assert_eq!(client.answer().await.status, 200, "a body is read over");
    let answer = client.ask("TEARDOWN", "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(sim.metrics().viewers, 0);
    client.runs_dry().await;
    assert_eq!(client.ask("PLAY", "").await.status, 454);
}

#[tokio::test]
async fn frames_come_in_real_time_and_run_on_over_the_end_of_the_clip() {
    // Half a second before the end of the 30 s clip.
    let camera = CameraSpec {
        main: Clip::StreetH265,
        offset: Duration::from_millis(29_500 - 2_000),
        ..CameraSpec::new("loop".parse().unwrap())
    };
    let sim = CameraSim::start(any_port(), vec![camera], CancellationToken::new()).await.unwrap();
    let mut client = client(&sim, "loop").await;
    client.play().await;
    let started = std::time::Instant::now();
    let mut last: Option<Rtp> = None;
    let mut frames = 0;
    while frames < 45 {
        let packet = client.rtp().await;
        if let Some(last) = last {
            assert_eq!(packet.sequence, last.sequence.wrapping_add(1));
            let step = packet.timestamp.wrapping_sub(last.timestamp);
            assert_eq!(step, if last.marker { 9000 } else { 0 }, "frame {frames}");
        }
        frames += u32::from(packet.marker);
        last = Some(packet);
    }
    let took = started.elapsed();
    assert!(took > Duration::from_millis(4_300), "45 frames at 10 frames/s came in {took:?}");
    assert!(took < Duration::from_secs(15), "45 frames at 10 frames/s came in {took:?}");
}

#[tokio::test]
async fn all_viewers_see_the_same_and_a_slow_one_holds_up_nobody() {
    let sim = sim(|config| {
        config.socket_buffer_bytes = 4096;
        config.outbox_bytes = 64 * 1024;
        config.slow_client_timeout = Duration::from_secs(1);
    })
    .await;
    let mut slow = client(&sim, "open").await;
    slow.play().await;
    let (mut a, mut b) = (client(&sim, "open").await, client(&sim, "open").await);
    a.play().await;
    b.play().await;
    // Playing begins at a key frame, for one perhaps a GOP before the other.
    let mut pair = (a.rtp().await, b.rtp().await);
    while pair.0.timestamp != pair.1.timestamp {
        let a_is_behind = pair.1.timestamp.wrapping_sub(pair.0.timestamp) < u32::MAX / 2;
        if a_is_behind { pair.0 = a.rtp().await } else { pair.1 = b.rtp().await }
    }
    // The slow one reads nothing until the server has given up on it; the others miss nothing all the while.
    let camera = "open".parse().unwrap();
    let mut last: Option<(Rtp, Rtp)> = None;
    for _ in 0..4_000 {
        let pair = (a.rtp().await, b.rtp().await);
        assert_eq!((pair.0.timestamp, pair.0.bytes), (pair.1.timestamp, pair.1.bytes));
        assert_ne!(pair.0.ssrc, pair.1.ssrc);
        if let Some(last) = last {
            assert_eq!(pair.0.sequence, last.0.sequence.wrapping_add(1));
        }
        last = Some(pair);
        if sim.counters(camera).unwrap().viewers == 2 {
            break;
        }
    }
    let counters = sim.counters(camera).unwrap();
    assert_eq!(counters.viewers, 2, "the slow one is disconnected");
    assert!(counters.units_dropped_total > 0, "{counters:?}");
    slow.closed().await;
}

#[tokio::test]
async fn a_slow_client_goes_on_at_a_key_frame() {
    let sim = sim(|config| {
        config.socket_buffer_bytes = 4096;
        config.outbox_bytes = 32 * 1024;
    })
    .await;
    let mut client = client(&sim, "open").await;
    client.play().await;
    let camera = "open".parse().unwrap();
    until("pictures are dropped", || sim.counters(camera).unwrap().units_dropped_total > 0).await;
    let mut last = client.rtp().await;
    loop {
        let packet = client.rtp().await;
        if packet.sequence != last.sequence.wrapping_add(1) {
            assert!(last.marker, "no picture is cut short");
            assert!(packet.begins_key_frame(), "{packet:?}");
            return;
        }
        last = packet;
    }
}

#[tokio::test]
async fn pause_and_play_keep_the_session_and_its_numbers() {
    let sim = sim(|_| ()).await;
    let mut client = client(&sim, "open").await;
    client.play().await;
    let first = client.rtp().await;
    assert_eq!(client.ask("PAUSE", "").await.status, 200);
    assert_eq!(sim.metrics().viewers, 0);
    client.runs_dry().await;
    let answer = client.ask("PLAY", "").await;
    let info = answer.header("RTP-Info").unwrap().to_owned();
    let again = client.rtp().await;
    assert_eq!(again.ssrc, first.ssrc);
    assert!(
        again.begins_key_frame() && info.contains(&format!("seq={};", again.sequence)),
        "{info} {again:?}"
    );
    assert!(again.sequence.wrapping_sub(first.sequence) < 2000, "{first:?} {again:?}");
    assert_eq!(client.ask("PLAY", "").await.status, 200, "a second PLAY changes nothing");
}

#[tokio::test]
async fn wrong_requests_get_the_right_answers() {
    let sim = sim(|_| ()).await;
    let mut client = client(&sim, "open").await;
    let base = format!("rtsp://{}", sim.addr());
    let main = format!("{base}/open/main");
    let tcp = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";
    for (method, uri, headers, status) in [
        ("DESCRIBE", format!("{base}/nobody/main"), "", 404),
        ("DESCRIBE", format!("{base}/locked/sub"), "", 404),
        ("DESCRIBE", format!("{base}/open/main/other"), "", 404),
        ("DESCRIBE", format!("{base}/../etc/passwd"), "", 404),
        ("DESCRIBE", "http://x/open/main".to_owned(), "", 404),
        ("DESCRIBE", main.clone(), "Accept: text/html\r\n", 406),
        ("DESCRIBE", main.clone(), "Require: onvif-replay\r\n", 551),
        ("DESCRIBE", format!("{main}?profile=1"), "Accept: application/sdp\r\n", 200),
        ("SETUP", main.clone(), "", 461),
        ("SETUP", main.clone(), "Transport: RTP/AVP;multicast\r\n", 461),
        ("SETUP", main.clone(), "Transport: RTP/SAVP;unicast;client_port=5000-5001\r\n", 461),
        ("SETUP", main.clone(), "Session: 1234\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n", 454),
        ("PLAY", main.clone(), "", 454),
        ("PLAY", main.clone(), "Session: 1234\r\n", 454),
        ("PAUSE", main.clone(), "", 454),
        ("TEARDOWN", main.clone(), "Session: 1234\r\n", 454),
        ("GET_PARAMETER", main.clone(), "Session: 1234\r\n", 454),
        ("GET_PARAMETER", main.clone(), "", 200),
        ("OPTIONS", "*".to_owned(), "", 200),
        ("RECORD", main.clone(), "", 405),
        ("BREW", main.clone(), "", 501),
    ] {
        let answer = client.ask_for(method, &uri, headers).await;
        assert_eq!(answer.status, status, "{method} {uri} {headers}: {answer:?}");
    }
    client.play().await;
    assert_eq!(client.ask("SETUP", tcp).await.status, 455, "not while it plays");
    let mut other = Client::connect(sim.addr(), &main).await;
    other.session = client.session.clone();
    assert_eq!(other.ask("TEARDOWN", "").await.status, 454, "another connection's session is safe");
}

#[tokio::test]
async fn malformed_input_closes_only_its_own_connection() {
    let sim = sim(|_| ()).await;
    let mut good = client(&sim, "open").await;
    for (bytes, status) in [
        (b"\x16\x03\x01\x02\x00".to_vec(), 400),
        (b"GET / HTTP/1.1 x\r\n\r\n".to_vec(), 400),
        (vec![b'A'; 20_000], 400),
        (b"PLAY * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 1000000\r\n\r\n".to_vec(), 413),
    ] {
        let mut bad = client(&sim, "open").await;
        bad.write(&bytes).await;
        if let Incoming::Answer(answer) = bad.next().await {
            assert_eq!(answer.status, status);
            bad.closed().await;
        }
    }
    let mut odd = client(&sim, "open").await;
    odd.write(b"OPTIONS * RTSP/2.0\r\nCSeq: 1\r\n\r\n").await;
    assert_eq!(odd.answer().await.status, 505);
    odd.write(b"OPTIONS * RTSP/1.0\r\n\r\n").await;
    assert_eq!(odd.answer().await.status, 400, "no CSeq");
    assert_eq!(good.ask("OPTIONS", "").await.status, 200);
}

#[tokio::test]
async fn digest_authentication_with_a_nonce_that_gets_stale() {
    let sim = sim(|config| config.nonce_lifetime = Duration::from_secs(2)).await;
    let url = sim.url("locked".parse().unwrap(), StreamKind::Main);
    let mut client = client(&sim, "locked").await;
    assert_eq!(client.ask("OPTIONS", "").await.status, 200, "OPTIONS is free");
    let answer = client.ask("DESCRIBE", "").await;
    let challenge = answer.header("WWW-Authenticate").unwrap().to_owned();
    assert!(answer.status == 401 && challenge.starts_with("Digest realm=") && !challenge.contains("stale"));
    assert!(!answer.head.contains("Basic"));

    client.authorization = Some(digest(&challenge, "admin", "secret", "DESCRIBE", &url));
    assert_eq!(client.ask("DESCRIBE", "").await.status, 200);
    assert_eq!(client.ask("SETUP", "").await.status, 401, "the method is part of the answer");
    client.authorization = Some(digest(&challenge, "admin", "wrong", "DESCRIBE", &url));
    assert_eq!(client.ask("DESCRIBE", "").await.status, 401);
    client.authorization = Some("Basic YWRtaW46c2VjcmV0".to_owned());
    assert_eq!(client.ask("DESCRIBE", "").await.status, 401);

    let made = std::time::Instant::now();
    client.authorization = Some(digest(&challenge, "admin", "secret", "DESCRIBE", &url));
    let stale = loop {
        let answer = client.ask("DESCRIBE", "").await;
        if answer.status == 401 {
            break answer.header("WWW-Authenticate").unwrap().to_owned();
        }
        assert!(made.elapsed() < client::DEADLINE);
    };
    assert!(stale.contains("stale=true"), "{stale}");
    client.authorization = Some(digest(&stale, "admin", "secret", "DESCRIBE", &url));
    assert_eq!(client.ask("DESCRIBE", "").await.status, 200, "the new nonce opens");
    let counters = sim.counters("locked".parse().unwrap()).unwrap();
    assert_eq!(counters.denied_total, 2, "{counters:?}");
}

#[tokio::test]
async fn a_session_without_a_sign_of_life_is_closed_and_rtcp_is_one() {
    let sim = sim(|config| config.session_timeout = Duration::from_millis(1_500)).await;
    let mut quiet = client(&sim, "open").await;
    quiet.play().await;
    quiet.closed().await;
    assert_eq!(sim.metrics().viewers, 0);
    // More than twice the time-out, with nothing but receiver reports.
    let mut alive = client(&sim, "open").await;
    alive.play().await;
    let start = std::time::Instant::now();
    while start.elapsed() < Duration::from_millis(3_500) {
        alive.write(&[b'$', 1, 0, 8, 0x80, 201, 0, 1, 1, 2, 3, 4]).await;
        tokio::time::timeout(Duration::from_millis(200), alive.rtp()).await.ok();
    }
    assert_eq!(alive.ask("GET_PARAMETER", "").await.status, 200);
}

#[tokio::test]
async fn udp_comes_from_the_ports_that_setup_names() {
    let sim = sim(|_| ()).await;
    let mut client = client(&sim, "open").await;
    let rtp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let rtcp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let ports = (rtp.local_addr().unwrap().port(), rtcp.local_addr().unwrap().port());
    let transport = format!("Transport: RTP/AVP;unicast;client_port={}-{}\r\n", ports.0, ports.1);
    let answer = client.ask("SETUP", &transport).await;
    let transport = answer.header("Transport").unwrap().to_owned();
    let range = transport.split_once("server_port=").unwrap().1.split(';').next().unwrap();
    let (server_rtp, server_rtcp) = range.split_once('-').unwrap();
    assert_eq!(server_rtp.parse::<u16>().unwrap() % 2, 0, "{transport}");
    client.session = Some(answer.header("Session").unwrap().split(';').next().unwrap().to_owned());
    assert_eq!(client.ask("PLAY", "").await.status, 200);

    let mut bytes = [0; 2048];
    let (_, from) =
        tokio::time::timeout(client::DEADLINE, rtcp.recv_from(&mut bytes)).await.unwrap().unwrap();
    assert_eq!((from.port().to_string().as_str(), bytes[1]), (server_rtcp, 200));
    let mut packets = Vec::new();
    for _ in 0..100 {
        let received = tokio::time::timeout(client::DEADLINE, rtp.recv_from(&mut bytes)).await.unwrap();
        let (length, from) = received.unwrap();
        assert_eq!(from.port().to_string(), server_rtp);
        packets.push(Rtp::parse(&bytes[..length]));
    }
    assert!(packets.windows(2).all(|pair| pair[1].sequence == pair[0].sequence.wrapping_add(1)));
    assert!(packets[0].begins_key_frame());
}

#[tokio::test]
async fn start_and_stop_say_what_is_wrong() {
    let twice = || CameraSpec::new("a".parse().unwrap());
    let cancel = CancellationToken::new();
    let error = CameraSim::start(any_port(), vec![twice(), twice()], cancel.clone()).await.unwrap_err();
    assert!(matches!(error, Error::DuplicateCamera { .. }), "{error}");
    let sim = CameraSim::start(any_port(), vec![twice()], cancel.clone()).await.unwrap();
    let error = CameraSim::start(sim.addr(), vec![twice()], cancel.clone()).await.unwrap_err();
    assert!(error.to_string().contains("port 0"), "{error}");
    let mut client = client(&sim, "a").await;
    client.play().await;
    sim.stop().await;
    client.closed().await;
    let debug = format!("{:?}", CameraSpec { credentials: Some(("u".into(), "pw".into())), ..twice() });
    assert!(debug.contains("hidden") && !debug.contains("pw"), "{debug}");
}
