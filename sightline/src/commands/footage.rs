//! `sightline footage`: what is stored, and whether it is sound. Read-only, also beside a running node, unless asked to rebuild.

mod bench;
mod export;

use std::path::PathBuf;

use serde::Serialize;
use sightline_footage::{
    CheckReport, Recovery, SegmentInfo,
    catalogue::{Catalogue, MemoryCatalogue, SqlCatalogue},
};
use sightline_model::Timestamp;
use sightline_records::Records;

use crate::{
    cli::{FootageCommand, FootagePlace},
    config::Config,
    exit::{Exit, Failure},
    output::{self, Format},
};

pub(super) async fn run(command: FootageCommand, output: Format) -> anyhow::Result<Exit> {
    match command {
        FootageCommand::Bench(args) => bench::run(args, output),
        FootageCommand::Export(args) => super::block_on(export::run(args, output)),
        FootageCommand::Ls { place } => {
            let segments: Vec<Row> =
                sightline_footage::list_segments(&dir(place)?)?.iter().map(Row::of).collect();
            output.print(&segments, |segments| {
                let head = ["segment", "state", "from", "to", "streams", "GOPs", "MB"];
                output::table(head, segments.iter().map(Row::cells))
            })?;
            Ok(Exit::Ok)
        }
        FootageCommand::Check { place, rebuild: true } => rebuild(place, output),
        FootageCommand::Check { place, rebuild: false } => {
            let progress = output::progress(0, "bytes");
            let report = sightline_footage::check(&dir(place)?, |done, all| {
                progress.set_length(all);
                progress.set_position(done);
            })?;
            progress.finish_and_clear();
            output.print(&Checked::of(&report), |_| report.to_string())?;
            if report.is_clean() {
                return Ok(Exit::Ok);
            }
            anyhow::bail!("the store is damaged: keep it as it is, copy it, and read what stands above")
        }
        FootageCommand::Plan { place, at } => super::plan::plan(place, at, output).await,
        FootageCommand::Hold(command) => super::plan::hold(command, output).await,
        FootageCommand::Tier(command) => super::tier::run(command, output),
    }
}

fn dir(place: FootagePlace) -> anyhow::Result<PathBuf> {
    Ok(stores(place)?.0.dir)
}

/// The store, and the records database where its catalogue is kept; a store that is named by its directory alone has none.
fn stores(
    place: FootagePlace,
) -> anyhow::Result<(sightline_footage::Config, Option<sightline_records::Config>)> {
    match (place.dir, place.config) {
        (Some(dir), _) => Ok((sightline_footage::Config { dir, ..Default::default() }, None)),
        (None, Some(config)) => {
            let config = Config::load(&config).map_err(|error| Failure::Usage(error.to_string()))?;
            Ok((config.footage, Some(config.records)))
        }
        (None, None) => Err(Failure::Usage("name the store with --dir or --config".to_owned()).into()),
    }
}

fn rebuild(place: FootagePlace, output: Format) -> anyhow::Result<Exit> {
    let (config, records) = stores(place)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let catalogue: Box<dyn Catalogue> = match records {
        Some(records) => Box::new(runtime.block_on(async {
            anyhow::Ok(SqlCatalogue::open(Records::open(&records).await?, &config.node).await?)
        })?),
        None => {
            output::note("Footers are repaired; without --config there is no catalogue to rebuild.");
            Box::new(MemoryCatalogue::default())
        }
    };
    let progress = output::progress(0, "segments");
    let report = sightline_footage::rebuild(&config, &*catalogue, Timestamp::now(), |done, all| {
        progress.set_length(all);
        progress.set_position(done);
    })?;
    progress.finish_and_clear();
    output.print(&Rebuilt::of(&report), |_| report.to_string())?;
    if report.unreadable.is_empty() {
        return Ok(Exit::Ok);
    }
    anyhow::bail!("some segments cannot be read: they were left alone, copy them and read what stands above")
}

/// What a rebuild found, for programs.
#[derive(Serialize)]
struct Rebuilt {
    segments: u64,
    gops: u64,
    streams: u64,
    filed: u64,
    away: u64,
    rescanned: u64,
    footers_rebuilt: u64,
    damaged: u64,
    unreadable: Vec<Wrong>,
}

impl Rebuilt {
    fn of(report: &Recovery) -> Self {
        let unreadable = report.unreadable.iter();
        Self {
            segments: report.segments,
            gops: report.gops,
            streams: report.streams,
            filed: report.filed,
            away: report.away,
            rescanned: report.rescanned,
            footers_rebuilt: report.footers_rebuilt,
            damaged: report.damaged,
            unreadable: unreadable
                .map(|(path, what)| Wrong { path: path.clone(), offset: 0, what: what.clone() })
                .collect(),
        }
    }
}

/// A segment, as it is listed.
#[derive(Serialize)]
struct Row {
    segment: u64,
    sealed: bool,
    node: String,
    from: Option<String>,
    to: Option<String>,
    streams: u64,
    gops: u64,
    bytes: u64,
}

impl Row {
    fn of(info: &SegmentInfo) -> Self {
        Self {
            segment: info.id,
            sealed: info.sealed,
            node: info.node.clone(),
            from: info.range.map(|range| range.from.to_string()),
            to: info.range.map(|range| range.to.to_string()),
            streams: info.streams,
            gops: info.gops,
            bytes: info.bytes,
        }
    }

    fn cells(&self) -> [String; 7] {
        [
            self.segment.to_string(),
            if self.sealed { "sealed" } else { "open" }.to_owned(),
            self.from.clone().unwrap_or_default(),
            self.to.clone().unwrap_or_default(),
            self.streams.to_string(),
            self.gops.to_string(),
            (self.bytes / 1_000_000).to_string(),
        ]
    }
}

/// What a check found, for programs.
#[derive(Serialize)]
struct Checked {
    segments: u64,
    records: u64,
    gops: u64,
    bytes: u64,
    incomplete_bytes: u64,
    problems: Vec<Wrong>,
}

/// Something wrong.
#[derive(Serialize)]
struct Wrong {
    path: PathBuf,
    offset: u64,
    what: String,
}

impl Checked {
    fn of(report: &CheckReport) -> Self {
        let problems = report.problems.iter();
        Self {
            segments: report.segments,
            records: report.records,
            gops: report.gops,
            bytes: report.bytes,
            incomplete_bytes: report.incomplete_bytes,
            problems: problems
                .map(|problem| Wrong {
                    path: problem.path.clone(),
                    offset: problem.offset,
                    what: problem.what.clone(),
                })
                .collect(),
        }
    }
}
