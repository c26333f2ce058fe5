//! Loading: batch after batch, each durable before the next begins.

use std::time::Instant;

use crate::{
    child::{Task, say},
    entry::Entry,
    measure,
};

/// Loads the batches `FROM..TO`; with a third word it says `ack N` after each that the engine calls durable.
pub(crate) fn child(task: &Task) {
    let [from, to, acks @ ..] = task.more.as_slice() else { panic!("load wants FROM and TO") };
    let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
    let mut engine = task.engine.open(&task.dir, &task.shape);
    let mut batch = Vec::new();
    let started = Instant::now();
    for number in from..to {
        Entry::batch(&task.shape, number, &mut batch);
        engine.put(&batch);
        if !acks.is_empty() {
            say("ack", number);
        }
    }
    say("load_s", started.elapsed().as_secs_f64());
    let started = Instant::now();
    engine.close();
    say("close_s", started.elapsed().as_secs_f64());
    say("written_bytes", measure::written_bytes());
    say("peak_bytes", measure::peak_bytes());
}
