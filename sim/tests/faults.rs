//! Each fault, switched while a client plays.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a panic is the failure report, in helpers too"
)]

mod client;

use std::time::Duration;

use client::{Client, digest};
use sightline_model::{CameraId, Timestamp, media::StreamKind};
use sightline_sim::{CameraSim, CameraSpec, Clip, Error, Fault, Refusal};
use tokio_util::sync::CancellationToken;

fn camera() -> CameraId {
    "gate".parse().unwrap()
}

async fn sim_with(change: impl FnOnce(&mut CameraSpec)) -> CameraSim {
    let mut spec = CameraSpec::new(camera());
    change(&mut spec);
    CameraSim::start("127.0.0.1:0".parse().unwrap(), vec![spec], CancellationToken::new()).await.unwrap()
}

async fn client(sim: &CameraSim) -> Client {
    Client::connect(sim.addr(), &sim.url(camera(), StreamKind::Main)).await
}

async fn playing() -> (CameraSim, Client) {
    let sim = sim_with(|_| ()).await;
    let mut client = client(&sim).await;
    client.play().await;
    client.rtp().await;
    (sim, client)
}

#[tokio::test]
async fn stall_sends_nothing_but_answers_and_goes_on_at_a_key_frame() {
    let (sim, mut client) = playing().await;
    sim.set_fault(camera(), Some(Fault::Stall)).unwrap();
    client.runs_dry().await;
    assert_eq!(client.ask("GET_PARAMETER", "").await.status, 200, "the socket looks well");
    let mut late = self::client(&sim).await;
    late.play().await;
    assert!(late.is_silent_for(Duration::from_millis(300)).await, "not even a report");
    sim.set_fault(camera(), None).unwrap();
    assert!(client.rtp().await.begins_key_frame());
    assert!(late.rtp().await.begins_key_frame());
}

#[tokio::test]
async fn mute_sends_nothing_at_all_and_leaves_the_socket_open() {
    let (sim, mut client) = playing().await;
    sim.set_fault(camera(), Some(Fault::Mute)).unwrap();
    client.runs_dry().await;
    let url = sim.url(camera(), StreamKind::Main);
    client.send("GET_PARAMETER", &url, "").await;
    assert!(client.is_silent_for(Duration::from_millis(400)).await);
    sim.set_fault(camera(), None).unwrap();
    assert!(client.rtp().await.begins_key_frame(), "the connection was never closed");
}

#[tokio::test]
async fn disconnect_closes_once() {
    let (sim, mut client) = playing().await;
    sim.set_fault(camera(), Some(Fault::Disconnect)).unwrap();
    client.closed().await;
    let mut again = self::client(&sim).await;
    again.play().await;
    assert!(again.rtp().await.begins_key_frame());
}

#[tokio::test]
async fn refuse_answers_or_closes_and_leaves_what_plays() {
    let (sim, mut playing) = playing().await;
    for (refusal, status) in [(Refusal::ServiceUnavailable, 503), (Refusal::SessionNotFound, 454)] {
        sim.set_fault(camera(), Some(Fault::Refuse(refusal))).unwrap();
        assert_eq!(client(&sim).await.ask("DESCRIBE", "").await.status, status);
    }
    sim.set_fault(camera(), Some(Fault::Refuse(Refusal::Close))).unwrap();
    let mut refused = client(&sim).await;
    refused.send("OPTIONS", &sim.url(camera(), StreamKind::Main), "").await;
    refused.closed().await;
    playing.rtp().await;
}

#[tokio::test]
async fn unauthorized_refuses_even_the_right_password() {
    let sim = sim_with(|spec| {
        spec.credentials = Some(("admin".to_owned(), "secret".to_owned()));
        spec.fault = Some(Fault::Unauthorized);
    })
    .await;
    let url = sim.url(camera(), StreamKind::Main);
    let mut client = client(&sim).await;
    let challenge = client.ask("DESCRIBE", "").await.header("WWW-Authenticate").unwrap().to_owned();
    client.authorization = Some(digest(&challenge, "admin", "secret", "DESCRIBE", &url));
    let answer = client.ask("DESCRIBE", "").await;
    assert!(answer.status == 401 && !answer.head.contains("stale"), "{answer:?}");
    assert_eq!(sim.counters(camera()).unwrap().denied_total, 1);
    sim.set_fault(camera(), None).unwrap();
    assert_eq!(client.ask("DESCRIBE", "").await.status, 200);
}

#[tokio::test]
async fn no_keyframes_leaves_out_key_frames_and_only_those() {
    let (sim, mut client) = playing().await;
    sim.set_fault(camera(), Some(Fault::NoKeyframes)).unwrap();
    client.drain();
    let mut late = self::client(&sim).await;
    late.play().await;
    let (mut frames, mut holes, mut last) = (0, 0, late.rtp().await);
    while frames < 45 {
        let packet = late.rtp().await;
        assert!(!packet.begins_key_frame());
        let step = packet.timestamp.wrapping_sub(last.timestamp);
        holes += u32::from(step == 18_000);
        assert!(matches!(step, 0 | 9_000 | 18_000), "{step}");
        frames += u32::from(packet.marker);
        last = packet;
    }
    assert!(holes >= 2, "{holes} key frames are missing in 4.5 s");
}

#[tokio::test]
async fn packet_loss_leaves_holes_in_the_numbers() {
    let sim = sim_with(|spec| spec.fault = Some(Fault::PacketLoss { percent: 30 })).await;
    let mut client = client(&sim).await;
    client.play().await;
    let first = client.rtp().await.sequence;
    let mut last = first;
    for _ in 0..150 {
        let sequence = client.rtp().await.sequence;
        assert!(sequence.wrapping_sub(last) < 60);
        last = sequence;
    }
    let lost = usize::from(last.wrapping_sub(first)) - 150;
    assert!((25..140).contains(&lost), "{lost} lost beside 150 that came: 64 would be the mean");
}

/// NTP seconds of the next sender report, as seconds since 1970.
async fn reported_clock(client: &mut Client) -> i64 {
    let report = client.packet(1).await.unwrap();
    assert_eq!(report[1], 200);
    i64::from(u32::from_be_bytes(report[8..12].try_into().unwrap())) - 2_208_988_800
}

#[tokio::test]
async fn clock_offset_lies_in_sender_reports() {
    let (sim, mut client) = playing().await;
    sim.set_fault(camera(), Some(Fault::ClockOffset { seconds: -7200 })).unwrap();
    let now = || Timestamp::now().0 / 1_000_000;
    let mut late = self::client(&sim).await;
    late.play().await;
    let off = reported_clock(&mut late).await - now();
    assert!((-7202..=-7198).contains(&off), "{off}");
    // The one that was playing hears it with its next report, within 5 s; its first one may come in between.
    let off = loop {
        let off = reported_clock(&mut client).await - now();
        if off < -100 {
            break off;
        }
    };
    assert!((-7202..=-7198).contains(&off), "{off}");
}

#[tokio::test]
async fn parameter_change_changes_the_parameter_sets_in_mid_stream() {
    let (sim, mut client) = playing().await;
    let sets = |clip: Clip| clip.reel().unwrap().parameter_sets().to_vec();
    let (large, small) = (sets(Clip::StreetH264), sets(Clip::StreetSubH264));
    for (fault, wanted) in [(Some(Fault::ParameterChange), &small), (None, &large)] {
        sim.set_fault(camera(), fault).unwrap();
        loop {
            let packet = client.packet(0).await.unwrap();
            let payload = &packet[12..];
            if payload[0] & 0x1F != 24 {
                continue;
            }
            // STAP-A: SPS and PPS, perhaps behind an SEI unit.
            let has = |set: &Vec<u8>| payload.windows(set.len()).any(|bytes| bytes == set.as_slice());
            if wanted.iter().all(has) {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_fault_for_nobody_is_an_error() {
    let sim = sim_with(|_| ()).await;
    let error = sim.set_fault("other".parse().unwrap(), Some(Fault::Stall)).unwrap_err();
    assert!(matches!(error, Error::UnknownCamera { .. }), "{error}");
    let text = serde_json::to_string(&Fault::PacketLoss { percent: 5 }).unwrap();
    assert_eq!(text, r#"{"packet_loss":{"percent":5}}"#);
}
