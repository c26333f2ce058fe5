//! Finding: everything once (and everything is checked), then seeks and scans with what has been read still in memory.

use std::time::Instant;

use crate::{
    args::Shape,
    child::{Task, say},
    engine::Engine,
    entry::{Entry, Random, STEP_US, slot_us},
    measure::{self, percentile},
};

const SEEKS: usize = 100_000;
const SCANS: usize = 300;

/// Opens, reads all, seeks and scans. Panics when an answer is wrong.
pub(crate) fn child(task: &Task) {
    let started = Instant::now();
    let mut engine = task.engine.open(&task.dir, &task.shape);
    say("open_s", started.elapsed().as_secs_f64());
    let started = Instant::now();
    for camera in 0..task.shape.cameras {
        check_scan(engine.as_mut(), &task.shape, camera, 0);
    }
    say("read_all_s", started.elapsed().as_secs_f64());
    let mut random = Random::new(task.shape.seed, 1);
    seek(engine.as_mut(), &task.shape, &mut random, SEEKS / 4);
    let mut micros = seek(engine.as_mut(), &task.shape, &mut random, SEEKS);
    say("seek_p50_us", percentile(&mut micros, 0.5));
    say("seek_p99_us", percentile(&mut micros, 0.99));
    let mut millis: Vec<_> = (0..SCANS)
        .map(|_| {
            let camera = u32::try_from(random.below(u64::from(task.shape.cameras))).unwrap();
            let started = Instant::now();
            let mut units = 0u64;
            engine.scan(camera, &mut |entry| units += u64::from(entry.units));
            let millis = started.elapsed().as_secs_f64() * 1e3;
            assert!(units > 0, "camera {camera} has entries");
            millis
        })
        .collect();
    say("scan_p50_ms", percentile(&mut millis, 0.5));
    say("scan_p99_ms", percentile(&mut millis, 0.99));
    engine.close();
    say("peak_bytes", measure::peak_bytes());
}

/// Reads all of a camera: exactly the entries from `first` on, as they were written.
pub(crate) fn check_scan(engine: &mut dyn Engine, shape: &Shape, camera: u32, first: u32) {
    let mut number = first;
    engine.scan(camera, &mut |entry| {
        let expected = Entry::of(shape, camera, number);
        assert!(entry.fits(&expected), "camera {camera}: {entry:?} instead of {expected:?}");
        number += 1;
    });
    assert_eq!(number, shape.batches(), "camera {camera} ends too early");
}

/// Seeks at random; how long each took, in microseconds.
fn seek(engine: &mut dyn Engine, shape: &Shape, random: &mut Random, count: usize) -> Vec<f64> {
    let span_us = (slot_us(shape.batches()) - slot_us(1)).cast_unsigned();
    (0..count)
        .map(|_| {
            let camera = u32::try_from(random.below(u64::from(shape.cameras))).unwrap();
            let at_us = slot_us(0) + STEP_US + random.below(span_us).cast_signed();
            let started = Instant::now();
            let found = engine.seek(camera, at_us);
            let micros = started.elapsed().as_secs_f64() * 1e6;
            let expected = Entry::of(shape, camera, Entry::number_at(shape, camera, at_us).unwrap());
            assert!(found.is_some_and(|found| found.fits(&expected)), "{found:?} instead of {expected:?}");
            micros
        })
        .collect()
}
