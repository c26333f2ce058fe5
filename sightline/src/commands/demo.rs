//! `sightline demo`: everything in one process, with simulated cameras and events.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context;
use sightline_gateway::Broker;
use sightline_model::Timestamp;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};

use super::run::until_told;
use crate::{
    cli::DemoArgs,
    config::{Config, Listen},
    demo::{CASE, Facts, HOTLISTED, city, facts, seed, start_cameras, start_events},
    exit::Exit,
    node::Node,
    output::{self, Format},
};

/// How long the cameras may take to be recorded before the demo calls itself ready without them.
const RECORDING_WITHIN: Duration = Duration::from_secs(30);
/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long the simulated devices may take to end.
const SIM_ENDS_WITHIN: Duration = Duration::from_millis(500);

pub(super) async fn run(args: DemoArgs, output: Format) -> anyhow::Result<Exit> {
    let started_at = Timestamp::now();
    std::fs::create_dir_all(&args.data)
        .with_context(|| format!("cannot make the demo's directory {}", args.data.display()))?;
    let data = args.data.canonicalize()?;
    let before =
        Facts::read(&data).with_context(|| format!("cannot read {}", data.join(facts::FILE).display()))?;

    let places = city::places(usize::from(args.cameras))?;
    let camera_password = sightline_trust::random_password();
    let cameras = start_cameras(&places, &camera_password, CancellationToken::new()).await?;
    let (events_cancel, events_tasks) = (CancellationToken::new(), TaskTracker::new());

    let config = config(&args, &data);
    let prefix = config.gateway.prefix.clone();
    let node = Node::start(config).await?;
    let users =
        seed(&node.trust, &node.records, &cameras, &places, &camera_password, before.as_ref()).await?;
    node.gateway.hotlist_changed();
    if !args.quiet {
        let ids = places.iter().map(|place| place.id).collect();
        start_events(node.gateway.mqtt_addr(), &prefix, ids, HOTLISTED, &events_tasks, events_cancel.clone());
    }
    wait_for_recording(&node, &places, started_at).await;

    let facts = describe(&node, users);
    facts.write(&data).with_context(|| format!("cannot write {}", data.join(facts::FILE).display()))?;
    tell(&facts, &data, output)?;
    until_told(args.run_for).await?;

    // Vehicles first, cameras last: cameras outlive the node that records them.
    events_cancel.cancel();
    events_tasks.close();
    let _ = tokio::time::timeout(SIM_ENDS_WITHIN, events_tasks.wait()).await;
    let stopped = node.stop().await;
    let _ = tokio::time::timeout(SIM_ENDS_WITHIN, cameras.stop()).await;
    stopped.map(|()| Exit::Ok)
}

/// The demo's node: everything embedded, everything under one directory.
fn config(args: &DemoArgs, data: &Path) -> Config {
    let free = |addr: &std::net::SocketAddr| std::net::SocketAddr::new(addr.ip(), 0);
    let mut config = Config::default();
    data.clone_into(&mut config.node.data);
    config.node.name = "demo".to_owned();
    config.listen =
        Listen { api: args.listen, metrics: args.metrics_listen.unwrap_or_else(|| free(&args.listen)) };
    config.gateway.broker = Broker::Embedded {
        listen: args.mqtt_listen.unwrap_or_else(|| std::net::SocketAddr::from(([127, 0, 0, 1], 0))),
        username: None,
        password_file: None,
    };
    // Small, so that a demo of some minutes shows sealed segments too.
    config.footage.segment_bytes = 64 << 20;
    config.resolved()
}

/// Waits until every camera has new footage on disk, so that "ready" means that there is something to see.
async fn wait_for_recording(node: &Node, places: &[city::Place], since: Timestamp) {
    let started = Instant::now();
    loop {
        let missing = places.iter().filter(|place| !node.is_recording(place.id, since)).count();
        if missing == 0 {
            return;
        }
        if started.elapsed() > RECORDING_WITHIN {
            warn!(missing, "Some cameras are not recorded yet; the console says why.");
            return;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn describe(node: &Node, users: Vec<facts::User>) -> Facts {
    let (host, port) = node.gateway.mqtt_addr();
    Facts {
        console: format!("http://{}/", node.api_addr),
        api: format!("http://{}/api/v1", node.api_addr),
        metrics: format!("http://{}/metrics", node.metrics_addr),
        mqtt: format!("{host}:{port}"),
        case: CASE.to_owned(),
        hotlisted: HOTLISTED.to_owned(),
        users,
    }
}

fn tell(facts: &Facts, data: &Path, output: Format) -> anyhow::Result<()> {
    info!(console = %facts.console, "The demo is ready.");
    output.print(facts, |facts| {
        let people = facts.users.iter().map(|user| [user.name.clone(), user.password.clone()]);
        format!(
            "\nSightline demo is ready.\n\n  console  {}\n  metrics  {}\n  MQTT     {}   hot-listed plate {}\n  all this {}\n\n{}\n",
            facts.console,
            facts.metrics,
            facts.mqtt,
            facts.hotlisted,
            data.join(facts::FILE).display(),
            output::table(["sign in as", "password"], people),
        )
    })
}
