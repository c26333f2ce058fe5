use std::time::Duration;

use sightline_model::{camera::Credentials, gap::GapReason, tail::TailItem};

use super::bench::*;
use crate::{Target, replay::Step};

#[tokio::test(start_paused = true)]
async fn an_unreachable_camera_waits_with_reason_and_the_others_go_on() {
    let bench = Bench::new(|target, _| {
        if target.key == key("dead") { vec![failure(GapReason::Unreachable)] } else { plays(3600) }
    });
    let (dead, good) = (key("dead"), key("good"));
    bench.supervisor.set_targets(vec![target(dead), target(good)]);
    bench.at(Duration::from_secs(120)).await;
    let (reason, detail, attempts) = bench.waiting(dead).unwrap();
    assert_eq!((reason, detail.as_str()), (GapReason::Unreachable, "scripted: unreachable"));
    assert!((10..30).contains(&attempts), "{attempts} attempts in two minutes");
    assert_eq!(bench.tape.gaps(dead), [(0.0, GapReason::Unreachable)], "said once");
    assert!(bench.streaming(good) && bench.tape.starts(good).len() == 120);
}

#[tokio::test(start_paused = true)]
async fn a_camera_that_comes_back_leaves_a_gap_and_nothing_else() {
    let bench = Bench::new(|_, attempt| match attempt {
        0 => [plays(5), vec![failure(GapReason::Disconnected)]].concat(),
        1 | 2 => vec![failure(GapReason::Unreachable)],
        _ => [hello(), video(1000, 3600)].concat(),
    });
    let gate = key("gate");
    bench.supervisor.set_targets(vec![target(gate)]);
    bench.until("failed", |b| b.waiting(gate).is_some()).await;
    bench.until("back", |b| b.streaming(gate)).await;
    let gaps = bench.tape.gaps(gate);
    assert_eq!(gaps, [(5.05, GapReason::Disconnected), (5.05, GapReason::Unreachable)]);
    let starts = bench.tape.starts(gate);
    assert_eq!(starts.iter().filter(|start| start.run == starts[0].run).count(), 5);
    assert!(secs(starts[5].at) < 10.0, "{}", starts[5].at);
}

#[tokio::test(start_paused = true)]
async fn a_stall_is_found_whether_frames_or_only_key_frames_stop() {
    let delta = |frame: u32| {
        let data = bytes::Bytes::from_static(b"unit");
        let unit = Step::Unit { rtp: (30 + frame) * 9_000, key: false, lost: 0, data };
        [unit, Step::Wait(Duration::from_millis(100))]
    };
    let bench = Bench::new(move |target, attempt| {
        let keyless: Vec<Step> = (0..3600).flat_map(delta).collect();
        match (attempt, target.key == key("mute")) {
            (0, true) => plays(3),
            (0, false) => [plays(3), keyless].concat(),
            _ => plays(3600),
        }
    });
    let (mute, keyless) = (key("mute"), key("keyless"));
    bench.supervisor.set_targets(vec![target(mute), target(keyless)]);
    bench.until("mute", |b| b.waiting(mute).is_some()).await;
    let (reason, detail, _) = bench.waiting(mute).unwrap();
    assert_eq!((reason, detail.as_str()), (GapReason::Stalled, "connected, but no frame came for 10 s"));
    assert_eq!(bench.tape.gaps(mute), [(3.05, GapReason::Stalled)]);

    bench.until("keyless", |b| b.waiting(keyless).is_some()).await;
    let (reason, detail, _) = bench.waiting(keyless).unwrap();
    assert_eq!((reason, detail.as_str()), (GapReason::Stalled, "connected, but no key frame came for 60 s"));
    bench.until("both back", |b| b.streaming(mute) && b.streaming(keyless)).await;
}

#[tokio::test(start_paused = true)]
async fn a_camera_that_refuses_the_password_is_left_alone() {
    let bench = Bench::new(|target, _| match &target.credentials {
        Some(credentials) if credentials.password == "right" => plays(3600),
        _ => vec![failure(GapReason::Unauthorized)],
    });
    let with = |key, password: &str| {
        let credentials = Credentials { user: "admin".into(), password: password.into() };
        Target { credentials: Some(credentials), ..target(key) }
    };
    let (gate, gate_sub) = (key("gate"), sub("gate"));
    bench.supervisor.set_targets(vec![with(gate, "wrong"), with(gate_sub, "wrong")]);
    bench.until("refused", |b| b.waiting(gate).is_some()).await;

    // A viewer opens and closes the live picture again and again.
    for _ in 0..20 {
        bench.supervisor.set_demand([gate_sub].into_iter().collect::<std::collections::BTreeSet<_>>().into());
        bench.until("sub held", |b| b.waiting(gate_sub).is_some()).await;
        bench.supervisor.set_demand(std::sync::Arc::default());
        bench.until("sub gone", |b| b.state(gate_sub).is_none()).await;
    }
    let refusals = |b: &Bench| b.supervisor.metrics().failures[usize::from(GapReason::Unauthorized.code())].1;
    assert!(refusals(&bench) <= 2, "{} refusals in four minutes", refusals(&bench));

    bench.supervisor.set_targets(vec![with(gate, "right"), with(gate_sub, "right")]);
    let before = tokio::time::Instant::now();
    bench.until("let in", |b| b.streaming(gate)).await;
    assert!(before.elapsed() < Duration::from_secs(3), "a new password is tried at once");
}

#[tokio::test(start_paused = true)]
async fn a_parser_that_breaks_takes_down_its_own_session_only() {
    let bench = Bench::new(|target, attempt| {
        if target.key == key("bad") && attempt == 0 {
            [plays(2), vec![Step::Panic]].concat()
        } else {
            plays(3600)
        }
    });
    let (bad, good) = (key("bad"), key("good"));
    bench.supervisor.set_targets(vec![target(bad), target(good)]);
    bench.until("broke", |b| b.waiting(bad).is_some_and(|(reason, ..)| reason == GapReason::BadStream)).await;
    bench.until("again", |b| b.streaming(bad)).await;
    assert_eq!(bench.tape.gaps(bad), [(2.05, GapReason::BadStream)]);
    assert!(bench.tape.gaps(good).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_set_clock_and_a_lost_network_are_told_apart() {
    let lossy = |from: u32, lost: u32| {
        let mut steps = video(from, 1);
        if let Some(Step::Unit { lost: first, .. }) = steps.first_mut() {
            *first = lost;
        }
        steps
    };
    let bench = Bench::new(move |_, _| {
        let pause = vec![Step::Wait(Duration::from_secs(3))];
        [plays(2), pause, lossy(5, 40), video(6, 3), video(500_000, 3600)].concat()
    });
    let gate = key("gate");
    bench.supervisor.set_targets(vec![target(gate)]);
    bench.at(Duration::from_secs(20)).await;
    assert_eq!(bench.tape.gaps(gate), [(2.05, GapReason::PacketLoss)]);
    let metrics = bench.supervisor.metrics();
    assert_eq!((metrics.packets_lost, metrics.clock_jumps, metrics.connects), (40, 1, 1));
    let tape = bench.tape.of(gate);
    assert!(!tape.iter().any(|item| matches!(item, TailItem::Absent { reason: GapReason::ClockJump, .. })));
}
