use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use sightline_model::{camera::StreamState, gap::GapReason, media::Policy, tail::TailItem};
use tokio_util::sync::CancellationToken;

use super::bench::*;
use crate::{Clock, Config, Failure, Intake, Source, Supervisor, Target};

#[tokio::test(start_paused = true)]
async fn a_stream_connects_and_then_streams() {
    let bench = Bench::new(|_, _| plays(60));
    let gate = key("gate");
    bench.supervisor.set_targets(vec![target(gate)]);
    bench.until("listed", |b| matches!(b.state(gate), Some(StreamState::Connecting { .. }))).await;
    bench.until("first GOP", |b| b.streaming(gate)).await;
    assert_eq!(bench.state(gate), Some(StreamState::Streaming { since: WALL.plus_micros(50_000) }));
    bench.at(Duration::from_secs(20)).await;
    let starts = bench.tape.starts(gate);
    assert_eq!(starts.len(), 20);
    assert!(starts.windows(2).all(|pair| pair[1].at.micros_since(pair[0].at) == 1_000_000));
    let metrics = bench.supervisor.metrics();
    assert_eq!((metrics.streaming, metrics.connects, metrics.gops, metrics.units), (1, 1, 19, 191));
    assert_eq!(metrics.bytes, 190 * 4 + 4);
}

#[tokio::test(start_paused = true)]
async fn only_what_changed_is_touched() {
    let bench = Bench::new(|_, _| plays(3600));
    let (one, two) = (key("one"), key("two"));
    bench.supervisor.set_targets(vec![target(one), target(two)]);
    bench.until("both", |b| b.streaming(one) && b.streaming(two)).await;

    let keyframes = Target { policy: Policy::Keyframes, ..target(one) };
    bench.supervisor.set_targets(vec![keyframes.clone(), target(two)]);
    bench.until("policy", |b| b.tape.starts(one).last().unwrap().policy == Policy::Keyframes).await;
    assert_eq!(bench.supervisor.metrics().connects, 2, "a new policy needs no new session");

    let moved = Target { url: "rtsp://10.0.0.2/".into(), ..keyframes };
    bench.supervisor.set_targets(vec![moved, target(two)]);
    bench.until("new session", |b| b.supervisor.metrics().connects == 3).await;
    bench.until("streams again", |b| b.streaming(one)).await;
    let runs = |k| bench.tape.starts(k).iter().map(|start| start.run).collect::<BTreeSet<_>>().len();
    assert_eq!((runs(one), runs(two)), (2, 1));
    assert_eq!(bench.tape.starts(one).last().unwrap().policy, Policy::Keyframes);
}

#[tokio::test(start_paused = true)]
async fn what_is_removed_ends_and_is_forgotten_and_can_come_back() {
    let bench = Bench::new(|_, _| plays(3600));
    let gate = key("gate");
    bench.supervisor.set_targets(vec![target(gate)]);
    bench.until("streams", |b| b.streaming(gate)).await;
    bench.supervisor.set_targets(vec![]);
    bench.supervisor.set_targets(vec![target(gate)]);
    bench.supervisor.set_targets(vec![]);
    bench.until("gone", |b| b.state(gate).is_none()).await;
    let tape = bench.tape.of(gate);
    let [.., TailItem::End { .. }, TailItem::Absent { reason: GapReason::Disabled, .. }] = tape[..] else {
        panic!("{tape:?}")
    };
    bench.supervisor.set_targets(vec![target(gate)]);
    bench.until("back", |b| b.streaming(gate)).await;
}

/// Never answers, and counts how many wait for an answer at one time.
struct Deaf(Arc<AtomicUsize>, Arc<AtomicUsize>);

impl Source for Deaf {
    fn run<'a>(&'a mut self, _: &'a Target, _: &'a mut Intake) -> BoxFuture<'a, Failure> {
        struct Leaves<'a>(&'a AtomicUsize);
        impl Drop for Leaves<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, SeqCst);
            }
        }
        self.1.fetch_max(self.0.fetch_add(1, SeqCst) + 1, SeqCst);
        let leaves = Leaves(&self.0);
        Box::pin(async move {
            let _leaves = leaves;
            std::future::pending().await
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_deaf_cameras_are_asked_a_few_at_a_time() {
    let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let sources = {
        let most = Arc::clone(&most);
        Arc::new(move |_| Box::new(Deaf(Arc::clone(&open), Arc::clone(&most))) as Box<dyn Source>)
    };
    let config = Config { connects: 20, connects_per_host: 3, ..Config::default() };
    let (cancel, clock) = (CancellationToken::new(), Clock::following(WALL));
    let supervisor = Supervisor::start_with(config, Arc::new(Tape::default()), cancel, sources, clock);
    let targets = (0..1000).map(|n| {
        let url = format!("rtsp://10.0.0.{}/", n % 10);
        Target { url, ..target(key(&format!("c{n}"))) }
    });
    supervisor.set_targets(targets.collect());
    let mut states = supervisor.states();
    let all_tried = states.wait_for(|states| {
        states.len() == 1000 && states.values().all(|state| matches!(state, StreamState::Waiting { .. }))
    });
    tokio::time::timeout(Duration::from_secs(3600), all_tried).await.unwrap().unwrap();
    assert_eq!(most.load(SeqCst), 20);
    let unreachable = supervisor.metrics().waiting[usize::from(GapReason::Unreachable.code())];
    assert_eq!(unreachable, (GapReason::Unreachable, 1000));
}
