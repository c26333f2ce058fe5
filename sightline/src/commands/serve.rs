//! `sightline serve`: the real thing.

use super::run::until_told;
use crate::{
    cli::ServeArgs,
    config::Config,
    exit::{Exit, Failure},
    node::Node,
};

pub(super) async fn run(args: ServeArgs) -> anyhow::Result<Exit> {
    let config = Config::load(&args.config.config).map_err(|error| Failure::Usage(error.to_string()))?;
    let node = Node::start(config).await?;
    until_told(args.run_for).await?;
    node.stop().await?;
    Ok(Exit::Ok)
}
