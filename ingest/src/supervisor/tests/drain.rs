use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use sightline_model::{gap::GapReason, media::StreamKey, tail::TailItem};
use tokio_util::sync::CancellationToken;

use super::bench::*;
use crate::{Append, Clock, Config, Failure, Intake, Sink, Source, Supervisor, Target};

fn ends_well(tape: &Tape, key: StreamKey) -> bool {
    matches!(
        tape.of(key)[..],
        [
            ..,
            TailItem::Unit(_),
            TailItem::End { .. },
            TailItem::Absent { reason: GapReason::GatewayStopped, .. }
        ]
    )
}

#[tokio::test(start_paused = true)]
async fn draining_ends_every_gop_and_says_why_nothing_follows() {
    let bench = Bench::new(|_, _| plays(3600));
    let (one, two) = (key("one"), key("two"));
    bench.supervisor.set_targets(vec![target(one), target(two)]);
    bench.until("both", |b| b.streaming(one) && b.streaming(two)).await;
    let states = bench.supervisor.states();
    bench.supervisor.drain(Duration::from_secs(5)).await;
    assert!(ends_well(&bench.tape, one) && ends_well(&bench.tape, two));
    assert!(states.borrow().is_empty());
}

#[tokio::test(start_paused = true)]
async fn cancelling_drains_too() {
    let bench = Bench::new(|_, _| plays(3600));
    let gate = key("gate");
    bench.supervisor.set_targets(vec![target(gate)]);
    bench.until("streams", |b| b.streaming(gate)).await;
    bench.cancel.cancel();
    bench.until("over", |b| ends_well(&b.tape, gate)).await;
    bench.supervisor.drain(Duration::from_secs(5)).await;
}

/// A camera that does not let go.
struct Clingy;

impl Source for Clingy {
    fn run<'a>(&'a mut self, _: &'a Target, _: &'a mut Intake) -> BoxFuture<'a, Failure> {
        Box::pin(std::future::pending())
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_a_drain_holds() {
    let (cancel, clock) = (CancellationToken::new(), Clock::following(WALL));
    let sources = Arc::new(|_| Box::new(Clingy) as Box<dyn Source>);
    let supervisor =
        Supervisor::start_with(Config::default(), Arc::new(Tape::default()), cancel, sources, clock);
    supervisor.set_targets(vec![target(key("gate"))]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let begun = tokio::time::Instant::now();
    supervisor.drain(Duration::from_secs(5)).await;
    assert_eq!(begun.elapsed(), Duration::from_secs(5));
}

/// A sink that breaks at the first item of one stream.
struct Brittle(Tape);

impl Sink for Brittle {
    fn open(&self, stream: StreamKey) -> Append {
        if stream == key("bad") { Box::new(|_| panic!("scripted")) } else { self.0.open(stream) }
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_breaks_is_started_again_after_a_rest() {
    let (cancel, clock, tape) = (CancellationToken::new(), Clock::following(WALL), Tape::default());
    let sources = crate::replay::sources(Arc::new(|_, _| plays(3600)), clock);
    let sink = Arc::new(Brittle(tape.clone()));
    let supervisor = Supervisor::start_with(Config::default(), sink, cancel, sources, clock);
    supervisor.set_targets(vec![target(key("bad")), target(key("good"))]);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(tape.starts(key("good")).len(), 60);
    let connects = supervisor.metrics().connects;
    assert!((3..10).contains(&connects), "{connects} sessions in a minute");
    supervisor.drain(Duration::from_secs(5)).await;
}
