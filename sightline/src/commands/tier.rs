//! `sightline footage tier`: what this node has in its tier. Works beside a running node.

use serde::Serialize;
use sightline_footage::{Orphan, Tier, TierReport, TierSegment};
use sightline_model::Timestamp;

use crate::{
    cli::{ConfigArgs, TierCommand},
    config::Config,
    exit::{Exit, Failure},
    output::{self, Format},
};

pub(super) fn run(command: TierCommand, output: Format) -> anyhow::Result<Exit> {
    match command {
        TierCommand::Ls { config, all_nodes } => {
            let segments: Vec<_> = open(&config)?.segments(all_nodes)?.iter().map(Row::of).collect();
            output.print(&segments, |segments| {
                output::table(["segment", "node", "sent", "objects", "MB"], segments.iter().map(Row::cells))
            })?;
            Ok(Exit::Ok)
        }
        TierCommand::Check(config) => {
            let progress = output::progress(0, "bytes");
            let bar = progress.clone();
            let report = open(&config)?.check(move |done, all| {
                bar.set_length(all);
                bar.set_position(done);
            })?;
            progress.finish_and_clear();
            output.print(&Checked::of(&report), Checked::sentence)?;
            if report.problems.is_empty() {
                return Ok(Exit::Ok);
            }
            anyhow::bail!(
                "the tier is damaged: a segment that this node still has is mended by sending it again"
            )
        }
        TierCommand::Tidy { config, remove } => {
            let tier = open(&config)?;
            let mut left = Vec::new();
            for orphan in tier.orphans(Timestamp::now())? {
                let removed = remove && tier.remove_orphan(&orphan)?;
                left.push(Left::of(&orphan, removed));
            }
            output.print(&left, |left| {
                output::table(["segment", "newest", "objects", "MB", "removed"], left.iter().map(Left::cells))
            })?;
            Ok(Exit::Ok)
        }
    }
}

fn open(args: &ConfigArgs) -> anyhow::Result<Tier> {
    let config = Config::load(&args.config).map_err(|error| Failure::Usage(error.to_string()))?;
    let Some(tier) = &config.footage.tier else {
        let text = format!("{} has no [footage.tier]: there is nothing to look at", args.config.display());
        return Err(Failure::Usage(text).into());
    };
    Ok(Tier::open(tier, &config.footage.node)?)
}

/// A segment, as it is listed.
#[derive(Serialize)]
struct Row {
    segment: u64,
    node: String,
    uploaded: String,
    chunks: u64,
    bytes: u64,
}

impl Row {
    fn of(segment: &TierSegment) -> Self {
        Self {
            segment: segment.segment,
            node: segment.node.clone(),
            uploaded: segment.uploaded.to_string(),
            chunks: segment.chunks,
            bytes: segment.bytes,
        }
    }

    fn cells(&self) -> [String; 5] {
        [
            self.segment.to_string(),
            self.node.clone(),
            self.uploaded.clone(),
            self.chunks.to_string(),
            (self.bytes / 1_000_000).to_string(),
        ]
    }
}

/// What a check found, for programs.
#[derive(Serialize)]
struct Checked {
    segments: u64,
    bytes: u64,
    problems: Vec<String>,
}

impl Checked {
    fn of(report: &TierReport) -> Self {
        Self { segments: report.segments, bytes: report.bytes, problems: report.problems.clone() }
    }

    fn sentence(&self) -> String {
        let Self { segments, bytes, problems } = self;
        let found = match problems.len() {
            0 => "all checksums fit".to_owned(),
            count => format!("{count} problems\n{}", problems.join("\n")),
        };
        format!("{segments} segments, {} MB checked: {found}", bytes / 1_000_000)
    }
}

/// What an upload left.
#[derive(Serialize)]
struct Left {
    segment: u64,
    newest: String,
    chunks: u64,
    bytes: u64,
    removed: bool,
}

impl Left {
    fn of(orphan: &Orphan, removed: bool) -> Self {
        let Orphan { segment, chunks, bytes, newest } = *orphan;
        Self { segment, newest: newest.to_string(), chunks, bytes, removed }
    }

    fn cells(&self) -> [String; 5] {
        [
            self.segment.to_string(),
            self.newest.clone(),
            self.chunks.to_string(),
            (self.bytes / 1_000_000).to_string(),
            if self.removed { "yes" } else { "no" }.to_owned(),
        ]
    }
}
