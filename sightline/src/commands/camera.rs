//! `sightline camera`: the registry, by whoever owns the records database. A running node picks changes up by itself.

use std::io::Read;

use anyhow::Context;
use serde::Serialize;
use sightline_api::import_cameras;
use sightline_model::{
    Timestamp,
    camera::{Camera, CameraKind, Credentials},
    media::Policy,
};
use sightline_records::{Records, cameras::CameraFilter};

use super::user::open_records;
use crate::{
    cli::{CameraAdd, CameraCommand},
    exit::Exit,
    output::{self, Format, note},
};

/// Cameras read at once.
const PAGE: usize = 1000;

pub(super) async fn run(command: CameraCommand, output: Format) -> anyhow::Result<Exit> {
    match command {
        CameraCommand::Add(args) => add(args, output).await,
        CameraCommand::List { config, region } => {
            let filter = CameraFilter { regions: region.into_iter().collect(), ..CameraFilter::default() };
            let cameras = all(&open_records(&config).await?, &filter).await?;
            let head = ["id", "name", "region", "keeps", "state", "main stream"];
            output.print(&cameras, |cameras| output::table(head, cameras.iter().map(Listed::cells)))?;
            Ok(Exit::Ok)
        }
        CameraCommand::Import { config, file, dry_run } => {
            let mut table = Vec::new();
            if file.as_os_str() == "-" {
                std::io::stdin().read_to_end(&mut table)?;
            } else {
                table = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            }
            let records = open_records(&config).await?;
            let report = import_cameras(&records, &table, dry_run, Timestamp::now()).await?;
            for error in &report.errors {
                note(format!("{}:{}: {}", file.display(), error.line, error.message));
            }
            output.print(&report, |report| {
                let would = if dry_run { "would be " } else { "" };
                format!(
                    "{} {would}registered, {} {would}changed, {} unchanged, {} left out",
                    report.created, report.updated, report.unchanged, report.refused
                )
            })?;
            Ok(if report.refused == 0 { Exit::Ok } else { Exit::Partial })
        }
    }
}

async fn add(args: CameraAdd, output: Format) -> anyhow::Result<Exit> {
    let credentials = match (args.user, args.password_file) {
        (Some(user), Some(file)) => {
            let text =
                std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            Some(Credentials { user, password: text.trim_end_matches(['\r', '\n']).to_owned() })
        }
        _ => None,
    };
    let now = Timestamp::now();
    let camera = Camera {
        id: args.id,
        name: args.name.unwrap_or_else(|| args.id.to_string()),
        region: args.region,
        kind: CameraKind::default(),
        position: None,
        tags: Vec::new(),
        main_url: args.url,
        sub_url: args.sub_url,
        credentials,
        policy: if args.keyframes { Policy::Keyframes } else { Policy::Full },
        enabled: true,
        revision: 0,
        created_at: now,
        updated_at: now,
    };
    let stored = open_records(&args.config).await?.insert_camera(&camera, now).await?;
    output.print(&Listed::of(&stored), |camera| format!("{} is registered.", camera.id))?;
    Ok(Exit::Ok)
}

async fn all(records: &Records, filter: &CameraFilter) -> anyhow::Result<Vec<Listed>> {
    let mut cameras = Vec::new();
    let mut cursor = None;
    loop {
        let page = records.cameras(filter, cursor.as_deref(), PAGE).await?;
        cameras.extend(page.items.iter().map(Listed::of));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(cameras);
        }
    }
}

/// A camera, as it is listed: without its credentials.
#[derive(Serialize)]
struct Listed {
    id: String,
    name: String,
    region: String,
    policy: &'static str,
    enabled: bool,
    main_url: String,
}

impl Listed {
    fn of(camera: &Camera) -> Self {
        Self {
            id: camera.id.to_string(),
            name: camera.name.clone(),
            region: camera.region.to_string(),
            policy: camera.policy.as_str(),
            enabled: camera.enabled,
            main_url: camera.main_url.clone(),
        }
    }

    fn cells(&self) -> [String; 6] {
        let state = if self.enabled { "on" } else { "off" };
        [&self.id, &self.name, &self.region, self.policy, state, &self.main_url]
            .map(|cell: &str| cell.to_owned())
    }
}
