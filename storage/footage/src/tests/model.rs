//! Random histories beside the simplest possible store: a list of GOPs for each stream.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sightline_model::{
    Timestamp,
    gap::GapReason,
    media::{Gop, RunId, StreamKey},
    tail::TailItem,
};

use super::{all, always};
use crate::{
    Config, Footage, TailWriter,
    disk::sim::SimDisk,
    testkit::{config, gop_of, key, open, push, recorded},
};

#[derive(Debug, Clone)]
enum Step {
    Gop {
        stream: usize,
        pause_ms: i64,
        length_ms: u32,
        bytes: usize,
    },
    /// A new run, at another time: forward or back.
    Jump {
        stream: usize,
        by_ms: i64,
    },
    Absent {
        stream: usize,
        reason: u8,
    },
    Flush,
    Restart,
    Crash {
        seed: u64,
    },
    Ask {
        at_ms: i64,
    },
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0usize..3, prop_oneof![3 => Just(0i64), 1 => 300i64..9000], 200u32..3000, 0usize..4000)
            .prop_map(|(stream, pause_ms, length_ms, bytes)| Step::Gop { stream, pause_ms, length_ms, bytes }),
        1 => (0usize..3, -20_000i64..60_000).prop_map(|(stream, by_ms)| Step::Jump { stream, by_ms }),
        2 => (0usize..3, 0u8..12).prop_map(|(stream, reason)| Step::Absent { stream, reason }),
        3 => Just(Step::Flush),
        1 => Just(Step::Restart),
        1 => any::<u64>().prop_map(|seed| Step::Crash { seed }),
        3 => (-5_000i64..120_000).prop_map(|at_ms| Step::Ask { at_ms }),
    ]
}

/// What the store must know of one stream.
#[derive(Debug, Default)]
struct Naive {
    gops: Vec<Gop>,
    /// How many of them survive a crash.
    safe: usize,
    at_ms: i64,
    run: u64,
    number: u32,
}

impl Naive {
    fn sorted(&self) -> Vec<&Gop> {
        let mut gops: Vec<_> = self.gops.iter().collect();
        gops.sort_by_key(|gop| (gop.start.at, gop.start.run, gop.start.number));
        gops
    }

    fn nearest(&self, at: Timestamp) -> Option<&Gop> {
        let rank = |gop: &&Gop| (gop.end() > at, gop.start.at, gop.start.run, gop.start.number);
        let before = self.gops.iter().filter(|gop| gop.start.at <= at).max_by_key(rank);
        before.or_else(|| self.sorted().into_iter().next())
    }
}

struct World {
    disk: SimDisk,
    config: Config,
    footage: Footage,
    writers: Vec<TailWriter>,
    naive: BTreeMap<StreamKey, Naive>,
    keys: Vec<StreamKey>,
}

impl World {
    fn new() -> Self {
        let config = Config { segment_bytes: 64 << 10, lanes: 2, index_cache_bytes: 2000, ..config() };
        let disk = SimDisk::default();
        let footage = open(&disk, config.clone());
        let keys: Vec<_> = ["a", "b", "c"].into_iter().map(key).collect();
        let writers = keys.iter().map(|key| recorded(&footage, *key)).collect();
        let naive = keys.iter().map(|key| (*key, Naive::default())).collect();
        Self { disk, config, footage, writers, naive, keys }
    }

    fn reopen(&mut self) {
        self.writers.clear();
        self.footage = open(&self.disk, self.config.clone());
        self.writers = self.keys.iter().map(|key| recorded(&self.footage, *key)).collect();
        for naive in self.naive.values_mut() {
            naive.run += 1;
            naive.number = 0;
        }
    }

    async fn apply(&mut self, step: Step) {
        match step {
            Step::Gop { stream, pause_ms, length_ms, bytes } => {
                let naive = self.naive.get_mut(&self.keys[stream]).unwrap();
                naive.at_ms += pause_ms;
                let gop = gop_of(naive.at_ms, length_ms, RunId(naive.run), naive.number, 0, bytes);
                naive.at_ms += i64::from(length_ms);
                naive.number += 1;
                push(&mut self.writers[stream], &gop);
                naive.gops.push(gop);
            }
            Step::Jump { stream, by_ms } => {
                let naive = self.naive.get_mut(&self.keys[stream]).unwrap();
                naive.at_ms += by_ms;
                naive.run += 1;
                naive.number = 0;
            }
            Step::Absent { stream, reason } => {
                let since = Timestamp(self.naive[&self.keys[stream]].at_ms * 1000);
                let reason = GapReason::from_code(reason);
                self.writers[stream].push(TailItem::Absent { since, reason });
            }
            Step::Flush => {
                self.footage.flush().await.unwrap();
                self.naive.values_mut().for_each(|naive| naive.safe = naive.gops.len());
            }
            Step::Restart => {
                self.footage.shutdown().await.unwrap();
                self.naive.values_mut().for_each(|naive| naive.safe = naive.gops.len());
                self.reopen();
            }
            Step::Crash { seed } => {
                self.disk = self.disk.crash(seed);
                self.reopen();
                for (key, naive) in &mut self.naive {
                    // A crash keeps a flushed beginning and, of the rest, any part.
                    let kept: Vec<_> =
                        all(&self.footage, *key).await.iter().map(crate::GopEntry::identity).collect();
                    let safe = naive.safe;
                    let mut index = 0;
                    naive.gops.retain(|gop| {
                        index += 1;
                        let identity = (gop.start.at, gop.start.run, gop.start.number, gop.start.part);
                        let found = kept.contains(&identity);
                        assert!(found || index > safe, "a flushed GOP is gone: {identity:?}");
                        found
                    });
                    naive.safe = naive.gops.len();
                }
            }
            Step::Ask { at_ms } => self.ask(Timestamp(at_ms * 1000)).await,
        }
    }

    async fn ask(&self, at: Timestamp) {
        for (key, naive) in &self.naive {
            let nearest = self.footage.nearest(*key, at).await.unwrap();
            let naive_nearest = naive.nearest(at);
            assert_eq!(
                nearest.map(|entry| (entry.start, entry.run, entry.number)),
                naive_nearest.map(|gop| (gop.start.at, gop.start.run, gop.start.number)),
                "nearest {at} of {key}"
            );
        }
    }

    async fn compare(&self) {
        for (key, naive) in &self.naive {
            let entries = all(&self.footage, *key).await;
            let expected = naive.sorted();
            assert_eq!(entries.len(), expected.len(), "{key}");
            for (entry, gop) in entries.iter().zip(&expected) {
                assert_eq!(*self.footage.read(entry).await.unwrap(), **gop);
            }
            self.compare_timeline(*key, &expected).await;
        }
    }

    /// Spans and gaps tile from the first footage to now; every GOP is inside spans, every gap outside GOPs.
    async fn compare_timeline(&self, key: StreamKey, gops: &[&Gop]) {
        let Some(first) = gops.first() else { return };
        let now = gops.iter().map(|gop| gop.end()).max().unwrap().plus_micros(5_000_000);
        let timeline = self.footage.timeline(key, always(), now).await.unwrap();
        let mut tiles: Vec<_> = timeline.spans.iter().map(|span| (span.range.from, span.range.to)).collect();
        tiles.extend(timeline.gaps.iter().map(|gap| (gap.from, gap.to)));
        tiles.sort();
        let mut at = first.start.at;
        for (from, to) in tiles {
            assert_eq!(from, at, "{key}: {timeline:?}");
            at = to;
        }
        assert_eq!(at, now);
        for gap in &timeline.gaps {
            let overlap = gops.iter().find(|gop| gop.start.at < gap.to && gop.end() > gap.from);
            assert!(overlap.is_none(), "{key}: a gap over footage: {gap:?} {overlap:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]
    #[test]
    fn any_history_answers_as_the_naive_store_does(steps in proptest::collection::vec(any_step(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new();
            for step in steps {
                world.apply(step).await;
            }
            world.compare().await;
            world.footage.flush().await.unwrap();
            world.compare().await;
            world.footage.shutdown().await.unwrap();
            world.reopen();
            world.compare().await;
        });
    }
}
