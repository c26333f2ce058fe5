//! Cameras that fail while they play.

use std::time::Duration;

use sightline_ingest::{Config, Transport};
use sightline_model::{gap::GapReason, media::Codec};
use sightline_sim::{CameraSpec, Fault};

use crate::bench::*;

#[tokio::test]
async fn a_stalled_camera_is_found_while_its_socket_stands_and_comes_back() {
    for (transport, fault) in
        [(Transport::Tcp, Fault::Stall), (Transport::Udp, Fault::Stall), (Transport::Tcp, Fault::Mute)]
    {
        let bench = Bench::new(quick_over(transport), vec![fast("gate", Codec::H264)]).await;
        let gate = main_of("gate");
        bench.pull(&[gate]);
        bench.gops(gate, 2).await;
        let begun = std::time::Instant::now();
        bench.sim.set_fault(gate.camera, Some(fault)).unwrap();
        let detail = bench.waiting(gate, GapReason::Stalled).await;
        assert_eq!(detail, "connected, but no frame came for 2 s");
        assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
        bench.sim.set_fault(gate.camera, None).unwrap();
        bench.streaming(gate).await;
        let gops = bench.tape.gops(gate);
        let runs: Vec<_> = gops.iter().map(|gop| gop.start.run).collect();
        assert!(runs.first() < runs.last(), "a new session is a new run");
        assert_eq!(bench.tape.gaps(gate).first(), Some(&GapReason::Stalled));
    }
}

#[tokio::test]
async fn frames_without_key_frames_are_a_stall() {
    let config = Config { key_frame_timeout: Duration::from_secs(2), ..quick() };
    let bench = Bench::new(config, vec![fast("gate", Codec::H264)]).await;
    let gate = main_of("gate");
    bench.pull(&[gate]);
    bench.gops(gate, 2).await;
    bench.sim.set_fault(gate.camera, Some(Fault::NoKeyframes)).unwrap();
    let detail = bench.waiting(gate, GapReason::Stalled).await;
    assert_eq!(detail, "connected, but no key frame came for 2 s");
}

#[tokio::test]
async fn a_camera_that_disconnects_leaves_a_short_gap() {
    let bench = Bench::new(quick(), vec![fast("gate", Codec::H264)]).await;
    let gate = main_of("gate");
    bench.pull(&[gate]);
    bench.gops(gate, 2).await;
    bench.sim.set_fault(gate.camera, Some(Fault::Disconnect)).unwrap();
    bench.appended("gap", |tape| tape.gaps(gate) == [GapReason::Disconnected]).await;
    let before = bench.tape.gops(gate).len();
    bench.gops(gate, before + 3).await;
    assert_eq!(bench.tape.gaps(gate), [GapReason::Disconnected]);
    let metrics = bench.supervisor.metrics();
    assert_eq!(metrics.connects, 2);
    assert_eq!(metrics.failures[usize::from(GapReason::Disconnected.code())], (GapReason::Disconnected, 1));
}

#[tokio::test]
async fn lost_packets_are_counted_and_the_stream_goes_on() {
    for transport in [Transport::Tcp, Transport::Udp] {
        let bench = Bench::new(quick_over(transport), vec![fast("gate", Codec::H264)]).await;
        let gate = main_of("gate");
        bench.pull(&[gate]);
        bench.gops(gate, 1).await;
        bench.sim.set_fault(gate.camera, Some(Fault::PacketLoss { percent: 1 })).unwrap();
        let before = bench.tape.gops(gate).len();
        bench.gops(gate, before + 8).await;
        bench.sim.set_fault(gate.camera, None).unwrap();
        let before = bench.tape.gops(gate).len();
        bench.gops(gate, before + 3).await;
        let metrics = bench.supervisor.metrics();
        assert!(metrics.packets_lost > 0 && metrics.connects == 1, "{transport:?} {metrics:?}");
    }
}

#[tokio::test]
async fn broken_cameras_do_not_touch_the_others() {
    let cycle = [
        Fault::Stall,
        Fault::Mute,
        Fault::NoKeyframes,
        Fault::Unauthorized,
        Fault::PacketLoss { percent: 60 },
    ];
    let name = |n: usize| format!("c{n}");
    let broken = |n: usize| n < 15;
    let cameras = (0..30).map(|n| {
        let fault = broken(n).then(|| cycle[n % cycle.len()]);
        CameraSpec { fault, ..fast(&name(n), Codec::H264) }
    });
    let config = Config { connect_timeout: Duration::from_secs(2), ..quick() };
    let bench = Bench::new(config, cameras.collect()).await;
    let keys: Vec<_> = (0..30).map(|n| main_of(&name(n))).collect();
    bench.pull(&keys);
    for key in keys.iter().skip(15) {
        bench.gops(*key, 15).await;
        assert!(bench.tape.gaps(*key).is_empty(), "{key}");
        let gops = bench.tape.gops(*key);
        assert!(gops.iter().all(|gop| gop.units.len() == 20 && gop.start.run == gops[0].start.run), "{key}");
    }
    let waiting: u64 = bench.supervisor.metrics().waiting.iter().map(|(_, count)| count).sum();
    assert!(waiting >= 3, "{waiting} wait");
}
