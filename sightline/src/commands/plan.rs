//! `sightline footage plan` and `sightline footage hold`: what policies would do, and what they must not touch.

use std::collections::BTreeMap;

use sightline_footage::policy::{Hold, plan_beside};
use sightline_model::{TimeRange, Timestamp};
use sightline_records::{
    Records,
    holds::{FootageHold, NewHold},
};

use super::user::open_records;
use crate::{
    cli::{FootagePlace, HoldCommand},
    config::Config,
    exit::{Exit, Failure},
    output::{self, Format},
};

/// Prints the plan for a store; beside a running node as well.
pub(super) async fn plan(place: FootagePlace, at: Option<Timestamp>, output: Format) -> anyhow::Result<Exit> {
    let now = at.unwrap_or_else(Timestamp::now);
    let (config, holds, owners) = match place {
        FootagePlace { config: Some(path), .. } => {
            let config = Config::load(&path).map_err(|error| Failure::Usage(error.to_string()))?;
            let records = Records::open(&config.records).await?;
            let holds = records.holds(now).await?.into_iter().map(hold_of).collect();
            let cameras = records.all_cameras().await?;
            let owners = cameras.iter().map(|camera| (camera.id, camera.region)).collect();
            (config.footage, holds, owners)
        }
        FootagePlace { dir: Some(dir), .. } => {
            output::note(
                "Without a configuration the default class is planned for, and holds are not known.",
            );
            (sightline_footage::Config { dir, ..Default::default() }, Vec::new(), BTreeMap::new())
        }
        FootagePlace { .. } => {
            return Err(Failure::Usage("name the store with --dir or --config".to_owned()).into());
        }
    };
    let plan = tokio::task::spawn_blocking(move || plan_beside(config, holds, owners, now)).await??;
    output.print(&plan, ToString::to_string)?;
    Ok(Exit::Ok)
}

/// A hold as the store wants it.
pub(crate) fn hold_of(hold: FootageHold) -> Hold {
    let FootageHold { id, owner, reason, cameras, range, until, .. } = hold;
    Hold { id, owner, reason, cameras, range, until }
}

pub(super) async fn hold(command: HoldCommand, output: Format) -> anyhow::Result<Exit> {
    let now = Timestamp::now();
    match command {
        HoldCommand::Add { config, cameras, from, to, owner, reason, until } => {
            let range = TimeRange::new(from, to)
                .ok_or_else(|| Failure::Usage(format!("--to {to} must lie after --from {from}")))?;
            let new = NewHold { owner, reason, cameras, range, until };
            let made = open_records(&config).await?.add_hold(&new, now).await?;
            output.print(&made, |made| format!("Held as {}.", made.id))?;
        }
        HoldCommand::List(config) => {
            let holds = open_records(&config).await?.holds(now).await?;
            output.print(&holds, |holds| {
                let head = ["hold", "owner", "reason", "cameras", "from", "to", "until"];
                output::table(head, holds.iter().map(cells))
            })?;
        }
        HoldCommand::Remove { config, id } => {
            open_records(&config).await?.lift_hold(&id, now).await?;
            output::note(format!("The hold {id} is lifted."));
        }
    }
    Ok(Exit::Ok)
}

fn cells(hold: &FootageHold) -> [String; 7] {
    let cameras: Vec<&str> = hold.cameras.iter().map(|camera| camera.as_str()).collect();
    [
        hold.id.clone(),
        hold.owner.clone(),
        hold.reason.clone(),
        cameras.join(", "),
        hold.range.from.to_string(),
        hold.range.to.to_string(),
        hold.until.map(|until| until.to_string()).unwrap_or_default(),
    ]
}
