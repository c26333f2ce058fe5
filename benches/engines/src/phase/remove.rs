//! Removing the oldest quarter, and whether the disk gets its space back.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use super::query::check_scan;
use crate::{
    child::{Task, say},
    entry::slot_us,
    measure::disk_bytes,
};

/// How long an engine is given to tidy up in the background.
const PATIENCE: Duration = Duration::from_secs(15);
/// It has tidied up when its size has changed by less than a hundredth for so long.
const STILL: Duration = Duration::from_secs(1);

/// Removes the first quarter of the batches and compacts. Panics when anything else is missing then.
pub(crate) fn child(task: &Task) {
    let shape = task.shape;
    let first = shape.quarter();
    let mut engine = task.engine.open(&task.dir, &task.shape);
    say("before_bytes", disk_bytes(&task.dir));
    let started = Instant::now();
    engine.remove_before(shape.cameras, slot_us(first));
    say("remove_s", started.elapsed().as_secs_f64());
    say("after_bytes", disk_bytes(&task.dir));
    let started = Instant::now();
    let compacts = engine.compact();
    let compact_s = started.elapsed().as_secs_f64();
    settle(&task.dir);
    say("compacts", u8::from(compacts));
    say("compact_s", compact_s);
    say("compacted_bytes", disk_bytes(&task.dir));
    for camera in (0..shape.cameras).step_by(7) {
        check_scan(engine.as_mut(), &shape, camera, first);
    }
    engine.close();
}

/// Waits until the folder's size stands still, or patience is at its end.
fn settle(dir: &Path) {
    let started = Instant::now();
    let (mut bytes, mut since) = (disk_bytes(dir), Instant::now());
    while since.elapsed() < STILL && started.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(50));
        let now = disk_bytes(dir);
        if now.abs_diff(bytes) > bytes / 100 {
            (bytes, since) = (now, Instant::now());
        }
    }
}
