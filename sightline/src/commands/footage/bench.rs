//! `sightline footage bench`: what a disk can carry, beside a bare program on the same disk.

use serde::Serialize;
use sightline_footage::{BenchPlan, BenchReport, bench};

use crate::{
    cli::BenchArgs,
    exit::{Exit, Failure},
    output::{self, Format},
};

pub(super) fn run(args: BenchArgs, output: Format) -> anyhow::Result<Exit> {
    let plan = BenchPlan {
        dir: args.dir,
        cameras: args.cameras,
        gops: args.gops,
        gop_bytes: args.gop_bytes,
        rounds: args.rounds,
        ..BenchPlan::default()
    };
    if plan.cameras == 0 || plan.gops == 0 || plan.rounds == 0 || plan.gop_bytes < 1000 {
        let wrong = "--cameras, --gops and --rounds must be at least 1, --gop-bytes at least 1000";
        return Err(Failure::Usage(wrong.to_owned()).into());
    }
    let progress = output::progress(plan.rounds as u64, "rounds");
    let runtime = tokio::runtime::Runtime::new()?;
    let report = runtime.block_on(bench(&plan, |done, _| progress.set_position(done)))?;
    progress.finish_and_clear();
    output.print(&Told::of(&report), Told::table)?;
    Ok(Exit::Ok)
}

/// A report, for programs and people.
#[derive(Serialize)]
struct Told {
    write: Vec<Write>,
    read: Vec<Read>,
}

#[derive(Serialize)]
struct Write {
    program: &'static str,
    megabytes_per_s: f64,
    of_bare: f64,
    written_per_media_byte: f64,
    syncs: u64,
}

#[derive(Serialize)]
struct Read {
    way: &'static str,
    p50_us: f64,
    p99_us: f64,
    of_bare_p50: f64,
    of_bare_p99: f64,
}

impl Told {
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    fn of(report: &BenchReport) -> Self {
        let write = report.write.iter().map(|figure| Write {
            program: figure.name,
            megabytes_per_s: figure.media_bytes as f64 / 1e6 / figure.took.as_secs_f64().max(1e-9),
            of_bare: figure.of_bare,
            written_per_media_byte: figure.written_bytes as f64 / figure.media_bytes.max(1) as f64,
            syncs: figure.syncs,
        });
        let read = report.read.iter().map(|figure| Read {
            way: figure.name,
            p50_us: figure.p50.as_secs_f64() * 1e6,
            p99_us: figure.p99.as_secs_f64() * 1e6,
            of_bare_p50: figure.of_bare_p50,
            of_bare_p99: figure.of_bare_p99,
        });
        Self { write: write.collect(), read: read.collect() }
    }

    fn table(&self) -> String {
        let writes = output::table(
            ["write", "MB/s", "of bare", "written/media", "syncs"],
            self.write.iter().map(|row| {
                [
                    row.program.to_owned(),
                    format!("{:.0}", row.megabytes_per_s),
                    format!("{:.0}%", row.of_bare * 100.0),
                    format!("{:.4}", row.written_per_media_byte),
                    row.syncs.to_string(),
                ]
            }),
        );
        let reads = output::table(
            ["read one GOP", "p50 us", "p99 us", "of bare p50", "p99"],
            self.read.iter().map(|row| {
                [
                    row.way.to_owned(),
                    format!("{:.0}", row.p50_us),
                    format!("{:.0}", row.p99_us),
                    format!("{:.2}x", row.of_bare_p50),
                    format!("{:.2}x", row.of_bare_p99),
                ]
            }),
        );
        format!("{writes}\n\n{reads}")
    }
}
