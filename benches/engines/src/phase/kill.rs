//! Kill -9 at random moments of the load, again and again on the same store; then: is what was acknowledged there?
//!
//! A killed process loses no page that the kernel holds, so this tells whether an engine finds its way back and how long
//! that takes. Whether acknowledged data would survive the loss of power, the count of syncs tells.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crate::{
    args::Shape,
    child::{Figures, Task, say},
    engine::Kind,
    entry::{Entry, Random},
    measure::percentile,
};

/// What the kills did.
#[derive(Debug, Default)]
pub(crate) struct Killed {
    /// How many there were.
    pub(crate) kills: u32,
    /// Batches acknowledged in all.
    pub(crate) acknowledged: u64,
    /// Entries of acknowledged batches that were not found afterwards, or not as they were.
    pub(crate) lost: u64,
    /// How long each start after a kill took, in seconds.
    pub(crate) open_s: Vec<f64>,
}

impl Killed {
    /// The middle of the times it took to open again, in seconds.
    pub(crate) fn open_p50_s(&mut self) -> f64 {
        percentile(&mut self.open_s, 0.5)
    }

    /// The longest of them.
    pub(crate) fn open_max_s(&mut self) -> f64 {
        percentile(&mut self.open_s, 1.0)
    }
}

/// Kills the load `kills` times, spread over it, each at a random moment.
pub(crate) fn run(engine: Kind, dir: &Path, shape: Shape, kills: u32) -> Result<Killed, String> {
    let mut random = Random::new(shape.seed, 2);
    let mut killed = Killed::default();
    // At most one batch at each kill had begun and was not acknowledged: it may be there or not.
    let mut begun = BTreeSet::new();
    let mut from = 0;
    for round in 0..kills {
        let share = shape.batches() / kills;
        let target = (round * share + u32::try_from(random.below(u64::from(share))).unwrap()).max(from);
        let late = Duration::from_micros(random.below(20_000));
        let last = kill_after(&load(engine, dir, shape, from), target, late)?;
        begun.insert(last + 1);
        from = (last + 2).min(shape.batches());
        killed.kills += 1;
        let skip: Vec<_> = begun.iter().map(u32::to_string).collect();
        let verify = Task::new("verify", engine, dir, shape).with(last).with(skip.join(","));
        let found: Figures = verify.run()?;
        killed.open_s.push(found.get("open_s"));
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        {
            killed.lost += found.get("lost") as u64;
        }
        killed.acknowledged = u64::from(last + 1) - begun.range(..=last).count() as u64;
        if from == shape.batches() {
            break;
        }
    }
    Ok(killed)
}

fn load(engine: Kind, dir: &Path, shape: Shape, from: u32) -> Task {
    Task::new("load", engine, dir, shape).with(from).with(shape.batches()).with("acks")
}

/// Starts a load, kills it some time after a batch was acknowledged, and answers the last batch that was.
fn kill_after(task: &Task, target: u32, late: Duration) -> Result<u32, String> {
    let mut child = task.command().spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut last = None;
    let mut read = || {
        let line = lines.next()?.ok()?;
        Some(line.strip_prefix("ack ").map(|number| number.parse::<u32>().unwrap()))
    };
    while last < Some(target)
        && let Some(line) = read()
    {
        last = line.or(last);
    }
    thread::sleep(late);
    child.kill().unwrap();
    while let Some(line) = read() {
        last = line.or(last);
    }
    child.wait().unwrap();
    last.filter(|last| *last >= target).ok_or_else(|| "the load ended by itself".to_owned())
}

/// Opens what a kill left behind and looks for every acknowledged entry.
pub(crate) fn child(task: &Task) {
    let [last, begun] = task.more.as_slice() else { panic!("verify wants LAST and BEGUN") };
    let last: u32 = last.parse().unwrap();
    let begun: BTreeSet<u32> = begun.split(',').map(|number| number.parse().unwrap()).collect();
    let started = Instant::now();
    let mut engine = task.engine.open(&task.dir, &task.shape);
    // Not only opened: it answers.
    engine.seek(0, i64::MAX);
    say("open_s", started.elapsed().as_secs_f64());
    let mut lost = 0u64;
    for camera in 0..task.shape.cameras {
        let mut missing: BTreeSet<u32> = (0..=last).filter(|number| !begun.contains(number)).collect();
        engine.scan(camera, &mut |entry| {
            if entry.fits(&Entry::of(&task.shape, camera, entry.number)) {
                missing.remove(&entry.number);
            }
        });
        lost += missing.len() as u64;
    }
    say("lost", lost);
    engine.close();
}
