//! The evidence of decision 0001: a footage index kept by embedded storage engines, beside segments that carry their own.
//!
//! ```sh
//! cd benches/engines
//! cargo run --release                                        # all of it
//! cargo run --release -- --entries 200000 --kills 3          # a look, in less than a minute
//! ```
//!
//! Linux only; the syncs are counted with strace. It writes to a folder of its own in the working folder (or in
//! `--dir` or `SIGHTLINE_BENCH_DIR`), which must lie on the disk that is meant, and removes it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a bench stops at the first surprise"
)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints its report")]

mod args;
mod child;
mod engine;
mod entry;
mod measure;
mod phase;
mod report;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use args::{Args, Shape};
use child::Task;
use engine::Kind;
use phase::{kill, syncs};
use report::Measured;

/// Most batches loaded under strace.
const TRACED_BATCHES: u32 = 50;

fn main() -> ExitCode {
    let mut words = env::args().skip(1).peekable();
    if words.next_if(|word| word == child::WORD).is_some() {
        phase::run_child(&Task::parse(words));
        return ExitCode::SUCCESS;
    }
    match Args::parse(words) {
        Ok(args) => {
            bench(&args);
            ExitCode::SUCCESS
        }
        Err(text) => {
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}

fn bench(args: &Args) {
    let scratch = Scratch::new(&args.dir);
    let mut all = Vec::new();
    for engine in &args.engines {
        let started = Instant::now();
        all.push(measure(*engine, &scratch.0, args));
        eprintln!("{}: {:.0} s", engine.title(), started.elapsed().as_secs_f64());
    }
    report::print(args, &mut all);
}

/// Measures one engine: each task in a process of its own, the first three on the same store.
fn measure(engine: Kind, scratch: &Path, args: &Args) -> Measured {
    let shape = args.shape;
    let dir = fresh(scratch, engine, "load");
    let task = |name| Task::new(name, engine, &dir, shape);
    let load = task("load").with(0).with(shape.batches()).run();
    let load = load.map(|figures| (figures, measure::disk_bytes(&dir)));
    let query = engine.finds().then(|| task("query").run());
    let remove = engine.removes().then(|| task("remove").run());
    fs::remove_dir_all(&dir).unwrap();
    let syncs = engine.loads().then(|| count_syncs(engine, scratch, shape));
    let kills = (engine.loads() && engine.finds() && args.kills > 0).then(|| {
        let dir = fresh(scratch, engine, "kill");
        let killed = kill::run(engine, &dir, shape, args.kills);
        fs::remove_dir_all(&dir).unwrap();
        killed
    });
    Measured { engine, load, syncs, query, remove, kills }
}

fn count_syncs(engine: Kind, scratch: &Path, shape: Shape) -> report::Outcome<syncs::Syncs> {
    let dir = fresh(scratch, engine, "syncs");
    let counted = syncs::run(engine, &dir, shape, TRACED_BATCHES.min(shape.batches() / 4));
    fs::remove_dir_all(&dir).unwrap();
    counted.unwrap_or_else(|| Err("not counted: strace is not installed".to_owned()))
}

fn fresh(scratch: &Path, engine: Kind, name: &str) -> PathBuf {
    let dir = scratch.join(format!("{}-{name}", engine.name()));
    fs::create_dir(&dir).unwrap();
    dir
}

/// A folder of this run's own, removed at its end.
#[derive(Debug)]
struct Scratch(PathBuf);

impl Scratch {
    fn new(parent: &Path) -> Self {
        let dir = parent.join(format!("engines-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        Self(dir.canonicalize().unwrap())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
