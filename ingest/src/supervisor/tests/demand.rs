use std::{collections::BTreeSet, sync::Arc, time::Duration};

use super::bench::*;

#[tokio::test(start_paused = true)]
async fn an_on_demand_stream_runs_while_it_is_read_and_a_little_longer() {
    let bench = Bench::new(|_, _| plays(3600));
    let (main, small) = (key("gate"), sub("gate"));
    let read = |keys: &[_]| Arc::new(keys.iter().copied().collect::<BTreeSet<_>>());
    bench.supervisor.set_targets(vec![target(main), target(small)]);
    bench.until("main", |b| b.streaming(main)).await;
    assert_eq!(bench.state(small), None, "nobody reads it");

    bench.supervisor.set_demand(read(&[small]));
    bench.until("sub", |b| b.streaming(small)).await;
    let left = tokio::time::Instant::now();
    bench.supervisor.set_demand(read(&[]));
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(bench.streaming(small), "lingers");
    bench.supervisor.set_demand(read(&[small, main]));
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(bench.streaming(small), "read again in time");
    assert_eq!(bench.supervisor.metrics().connects, 2);

    bench.supervisor.set_demand(read(&[]));
    bench.until("sub over", |b| b.state(small).is_none()).await;
    let lingered = left.elapsed().as_secs();
    assert!((45..=46).contains(&lingered), "{lingered}");
    assert!(bench.streaming(main));
}

#[tokio::test(start_paused = true)]
async fn demand_for_what_is_not_registered_is_nothing() {
    let bench = Bench::new(|_, _| plays(3600));
    bench.supervisor.set_demand(Arc::new([sub("ghost")].into()));
    bench.supervisor.set_targets(vec![target(sub("gate"))]);
    bench.at(Duration::from_secs(5)).await;
    assert!(bench.supervisor.states().borrow().is_empty());
}
