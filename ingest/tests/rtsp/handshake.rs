//! Getting in, and getting out again.

use std::time::Duration;

use sightline_ingest::{Target, Transport};
use sightline_model::{gap::GapReason, media::Codec, tail::TailItem};
use sightline_sim::{CameraSpec, Fault, Refusal};

use crate::bench::*;

fn guarded(name: &str) -> CameraSpec {
    CameraSpec { credentials: Some(("admin".into(), "right".into())), ..fast(name, Codec::H264) }
}

#[tokio::test]
async fn the_right_password_opens_and_a_wrong_one_is_not_tried_again() {
    let bench = Bench::new(quick(), vec![guarded("right"), guarded("wrong"), guarded("none")]).await;
    let with = |name, password: &str| Target {
        credentials: Some(login("admin", password)),
        ..bench.target(main_of(name))
    };
    let none = bench.target(main_of("none"));
    bench.supervisor.set_targets(vec![with("right", "right"), with("wrong", "secret-guess"), none]);
    let wrong = bench.waiting(main_of("wrong"), GapReason::Unauthorized).await;
    assert_eq!(wrong, "the camera refused the user name or password (401)");
    let none = bench.waiting(main_of("none"), GapReason::Unauthorized).await;
    assert!(none.contains("none are registered"), "{none}");
    // Time enough for dozens of tries, if they were made.
    bench.gops(main_of("right"), 15).await;
    assert_eq!(bench.sim.counters(camera("wrong")).unwrap().denied_total, 1);
    assert_eq!(bench.tape.gaps(main_of("wrong")), [GapReason::Unauthorized]);

    let known = bench.target(main_of("right"));
    let known = Target { credentials: Some(login("admin", "right")), ..known };
    bench.supervisor.set_targets(vec![known, with("wrong", "right")]);
    bench.streaming(main_of("wrong")).await;
}

#[tokio::test]
async fn each_refusal_is_named() {
    let refuses = |name, fault| CameraSpec { fault: Some(fault), ..fast(name, Codec::H264) };
    let cameras = vec![
        refuses("busy", Fault::Refuse(Refusal::ServiceUnavailable)),
        refuses("closes", Fault::Refuse(Refusal::Close)),
        fast("good", Codec::H264),
    ];
    let bench = Bench::new(quick(), cameras).await;
    let nowhere = Target { url: "rtsp://127.0.0.1:1/main".into(), ..bench.target(main_of("nowhere")) };
    let missing = Target {
        url: bench.sim.url(camera("missing"), Default::default()),
        ..bench.target(main_of("missing"))
    };
    let leaking = Target { url: "rtsp://admin:secret@127.0.0.1/".into(), ..bench.target(main_of("leaking")) };
    let known = ["busy", "closes", "good"].map(|name| bench.target(main_of(name)));
    bench.supervisor.set_targets([known.to_vec(), vec![nowhere, missing, leaking]].concat());

    let busy = bench.waiting(main_of("busy"), GapReason::Unreachable).await;
    assert_eq!(busy, "the camera is busy or out of order (503 to DESCRIBE)");
    let closes = bench.waiting(main_of("closes"), GapReason::Disconnected).await;
    assert!(closes.contains("the connection broke in DESCRIBE"), "{closes}");
    let nowhere = bench.waiting(main_of("nowhere"), GapReason::Unreachable).await;
    assert!(nowhere.contains("no connection to the camera: Connection refused"), "{nowhere}");
    let missing = bench.waiting(main_of("missing"), GapReason::BadStream).await;
    assert!(missing.contains("404"), "{missing}");
    let leaking = bench.waiting(main_of("leaking"), GapReason::Unreachable).await;
    assert!(leaking.contains("holds a user name") && !leaking.contains("secret"), "{leaking}");
    bench.streaming(main_of("good")).await;

    bench.sim.set_fault(camera("busy"), None).unwrap();
    bench.streaming(main_of("busy")).await;
}

#[tokio::test]
async fn draining_ends_the_sessions_at_the_camera() {
    for transport in [Transport::Tcp, Transport::Udp] {
        let names: Vec<_> = (0..5).map(|n| format!("c{n}")).collect();
        let cameras = names.iter().map(|name| fast(name, Codec::H264)).collect();
        let bench = Bench::new(quick_over(transport), cameras).await;
        let keys: Vec<_> = names.iter().map(|name| main_of(name)).collect();
        bench.pull(&keys);
        for key in &keys {
            bench.streaming(*key).await;
        }
        assert_eq!(bench.sim.metrics().viewers, 5);
        let begun = std::time::Instant::now();
        bench.supervisor.drain(Duration::from_secs(5)).await;
        assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
        assert_eq!(bench.sim.metrics().viewers, 0, "TEARDOWN was answered before the drain was over");
        for key in keys {
            let tape = bench.tape.of(key);
            let [.., TailItem::End { .. }, TailItem::Absent { reason: GapReason::GatewayStopped, .. }] =
                tape[..]
            else {
                panic!("{:?}", tape.last())
            };
        }
    }
}

#[tokio::test]
async fn the_sub_stream_is_pulled_only_while_it_is_read() {
    let bench = Bench::new(quick(), vec![fast("gate", Codec::H264)]).await;
    let (gate, small) = (main_of("gate"), sub_of("gate"));
    bench.pull(&[gate, small]);
    bench.streaming(gate).await;
    assert_eq!(bench.sim.counters(gate.camera).unwrap().plays_total, 1);
    bench.demand(&[small]);
    bench.streaming(small).await;
    bench.demand(&[]);
    bench.states("sub over", |states| !states.contains_key(&small)).await;
    assert_eq!(bench.sim.counters(gate.camera).unwrap().plays_total, 2);
    bench.demand(&[small]);
    bench.streaming(small).await;
    assert!(bench.tape.gaps(gate).is_empty());
}
