//! The report: tables in Markdown, as they go into the decision record.

use crate::{
    args::Args,
    child::Figures,
    engine::Kind,
    phase::{kill::Killed, syncs::Syncs},
};

/// Stands where nothing was measured.
const NOT: &str = "-";

/// What became of a task: its figures, or why there are none.
pub(crate) type Outcome<T> = Result<T, String>;

/// All that was measured of one engine. `None`: not tried, because the engine cannot.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Which engine.
    pub(crate) engine: Kind,
    /// Loading, and the bytes on disk after it.
    pub(crate) load: Outcome<(Figures, u64)>,
    /// Counting syncs.
    pub(crate) syncs: Option<Outcome<Syncs>>,
    /// Finding.
    pub(crate) query: Option<Outcome<Figures>>,
    /// Removing.
    pub(crate) remove: Option<Outcome<Figures>>,
    /// Killing.
    pub(crate) kills: Option<Outcome<Killed>>,
}

/// Prints everything.
pub(crate) fn print(args: &Args, all: &mut [Measured]) {
    let shape = args.shape;
    println!(
        "\n{} entries, {} cameras, batches of {}, seed {}\n",
        shape.entries, shape.cameras, shape.cameras, shape.seed
    );
    write_table(args, all);
    find_table(shape.batches(), all);
    remove_table(all);
    kill_table(all);
}

fn head(names: &[&str]) {
    println!("| {} |", names.join(" | "));
    println!("|{}", "---|".repeat(names.len()));
}

fn row(name: &str, cells: Outcome<Vec<String>>) {
    match cells {
        Ok(cells) => println!("| {name} | {} |", cells.join(" | ")),
        Err(why) => println!("| {name} | {why} |"),
    }
}

#[allow(clippy::cast_precision_loss)]
fn write_table(args: &Args, all: &[Measured]) {
    let entries = args.shape.entries as f64;
    let rate = |measured: &Measured| {
        let (figures, _) = measured.load.as_ref().ok()?;
        Some(entries / figures.get("load_s"))
    };
    let floor = all.iter().find(|measured| measured.engine == Kind::Bare).and_then(rate);
    head(&[
        "writing",
        "entries/s, synced",
        "of the bare file",
        "syncs a batch",
        "batches acknowledged without a sync",
        "disk bytes an entry",
        "written bytes an entry",
        "peak memory, MB",
    ]);
    for measured in all {
        let syncs = match &measured.syncs {
            Some(Ok(syncs)) => [
                ratio(syncs.syncs, syncs.acks),
                format!("{} of {}{}", syncs.bare_acks, syncs.acks, notes(syncs)),
            ],
            Some(Err(why)) => [why.clone(), NOT.to_owned()],
            None => [NOT.to_owned(), NOT.to_owned()],
        };
        let cells = measured.load.as_ref().map_err(Clone::clone).map(|(figures, disk)| {
            let rate = entries / figures.get("load_s");
            let [a_batch, without] = syncs;
            let loads = measured.engine.loads();
            let of_floor = floor.filter(|_| loads).map(|floor| format!("{:.0}%", 100.0 * rate / floor));
            vec![
                if loads { format!("{:.0}k", rate / 1e3) } else { NOT.to_owned() },
                of_floor.unwrap_or_else(|| NOT.to_owned()),
                a_batch,
                without,
                format!("{:.1}", *disk as f64 / entries),
                format!("{:.0}", figures.get("written_bytes") / entries),
                format!("{:.0}", figures.get("peak_bytes") / 1e6),
            ]
        });
        row(measured.engine.title(), cells);
    }
}

fn ratio(count: u32, of: u32) -> String {
    format!("{:.2}", f64::from(count) / f64::from(of.max(1)))
}

fn notes(syncs: &Syncs) -> String {
    let mut notes = String::new();
    if syncs.ranges > 0 {
        notes.push_str(&format!(" ({} calls of sync_file_range)", syncs.ranges));
    }
    if syncs.sync_files > 0 {
        notes.push_str(&format!(" ({} files opened to sync every write)", syncs.sync_files));
    }
    notes
}

fn find_table(batches: u32, all: &[Measured]) {
    let scan = format!("scan of a camera, {batches} entries, p50 / p99, ms");
    println!();
    head(&["finding, warm", "seek p50 / p99, us", &scan, "open, s", "peak memory, MB"]);
    for measured in all {
        let Some(query) = &measured.query else { continue };
        let cells = query.as_ref().map_err(Clone::clone).map(|figures| {
            vec![
                format!("{:.1} / {:.1}", figures.get("seek_p50_us"), figures.get("seek_p99_us")),
                format!("{:.2} / {:.2}", figures.get("scan_p50_ms"), figures.get("scan_p99_ms")),
                format!("{:.2}", figures.get("open_s")),
                format!("{:.0}", figures.get("peak_bytes") / 1e6),
            ]
        });
        row(measured.engine.title(), cells);
    }
}

fn remove_table(all: &[Measured]) {
    println!();
    head(&[
        "removing the oldest quarter",
        "s",
        "its space given back at once",
        "after compaction",
        "compaction, s",
    ]);
    for measured in all {
        let Some(remove) = &measured.remove else { continue };
        let cells = remove.as_ref().map_err(Clone::clone).map(|figures| {
            let before = figures.get("before_bytes");
            let back = |name| format!("{:.0}%", 100.0 * (before - figures.get(name)) / (before / 4.0));
            let compacts = figures.get("compacts") > 0.0;
            vec![
                format!("{:.2}", figures.get("remove_s")),
                back("after_bytes"),
                back("compacted_bytes"),
                if compacts { format!("{:.1}", figures.get("compact_s")) } else { "none to call".to_owned() },
            ]
        });
        row(measured.engine.title(), cells);
    }
}

fn kill_table(all: &mut [Measured]) {
    println!();
    head(&[
        "kill -9",
        "kills",
        "acknowledged batches",
        "of their entries lost",
        "opening again, middle / longest, s",
    ]);
    for measured in all {
        let Some(kills) = &mut measured.kills else { continue };
        let cells = kills.as_mut().map_err(|why| why.clone()).map(|killed| {
            vec![
                killed.kills.to_string(),
                killed.acknowledged.to_string(),
                killed.lost.to_string(),
                format!("{:.2} / {:.2}", killed.open_p50_s(), killed.open_max_s()),
            ]
        });
        row(measured.engine.title(), cells);
    }
}
