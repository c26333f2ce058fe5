//! Random histories beside the simplest possible store: a map of everything that was pushed.
//!
//! Each history comes from one number. `SIGHTLINE_SEEDS=n` runs n new ones, `SIGHTLINE_SEED=x` repeats one; a history that
//! fails prints its number and its steps. The disk writer is a thread of its own, so where it stands when something happens
//! is not in the number: a failure may need a few repetitions to come back.

mod camera;
mod check;
mod naive;
mod trouble;
mod world;

use crate::testkit::seeds;
use world::World;

#[test]
fn any_history_answers_as_the_naive_store_does() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for seed in seeds(24) {
        runtime.block_on(async {
            let mut world = World::new(seed);
            for _ in 0..60 {
                world.step().await;
            }
            world.finish().await;
        });
    }
}
