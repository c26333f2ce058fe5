//! `sightline sim`: simulated devices, for trying things out against a real node.

use std::time::Duration;

use anyhow::Context;
use sightline_model::media::StreamKind;
use sightline_sim::{CameraSim, CameraSpec, events};
use tokio_util::sync::CancellationToken;

use super::run::until_told;
use crate::{
    cli::{SimCommand, SimEvents},
    demo::city,
    exit::{Exit, Failure},
    output::note,
};

/// How far apart the cameras' pictures are in the loop of the same street.
const APART: Duration = Duration::from_millis(7_900);

pub(super) async fn run(command: SimCommand) -> anyhow::Result<Exit> {
    let cancel = CancellationToken::new();
    match command {
        SimCommand::Cameras { listen, cameras } => {
            let places = city::places(usize::from(cameras))?;
            let specs = places
                .iter()
                .zip(0..)
                .map(|(place, index)| CameraSpec { offset: APART * index, ..CameraSpec::new(place.id) });
            let sim = CameraSim::start(listen, specs.collect(), cancel.clone())
                .await
                .with_context(|| format!("cannot simulate cameras on {listen}"))?;
            for place in &places {
                note(format!(
                    "{}  sub {}",
                    sim.url(place.id, StreamKind::Main),
                    sim.url(place.id, StreamKind::Sub)
                ));
            }
            until_told(None).await?;
            cancel.cancel();
            sim.stop().await;
        }
        SimCommand::Passes(args) => {
            let rates = events::Rates { passes_per_min: args.rate * 60.0, ..SILENT };
            publish(args, rates, cancel).await?;
        }
        SimCommand::Alarms(args) => {
            let rates = events::Rates { alarms_per_hour: args.rate * 3600.0, drill_share: 1.0, ..SILENT };
            publish(args, rates, cancel).await?;
        }
    }
    Ok(Exit::Ok)
}

/// Nothing happens.
const SILENT: events::Rates = events::Rates {
    passes_per_min: 0.0,
    hot_passes_per_hour: 0.0,
    vehicles: 0,
    telemetry_interval_s: 0.0,
    alarms_per_hour: 0.0,
    drill_share: 0.0,
    status_interval_s: 0.0,
};

async fn publish(args: SimEvents, rates: events::Rates, cancel: CancellationToken) -> anyhow::Result<()> {
    let broker = args.broker.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
    let (host, port) = broker.ok_or_else(|| Failure::Usage(format!("{:?} is not host:port", args.broker)))?;
    let config = events::Config {
        prefix: args.prefix,
        rates,
        seed: args.seed,
        ..events::Config::new(host, port, args.cameras)
    };
    let publishing = tokio::spawn(events::run(config, cancel.clone()));
    until_told(None).await?;
    cancel.cancel();
    let report = publishing.await??;
    note(format!("{} messages acknowledged by the broker, {} dropped.", report.acknowledged, report.dropped));
    Ok(())
}
