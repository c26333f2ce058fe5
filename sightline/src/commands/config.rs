//! `sightline config`: what is in force, and what is wrong with it.

use crate::{
    cli::ConfigCommand,
    config::Config,
    exit::{Exit, Failure},
    output::{Format, note},
};

pub(super) fn run(command: ConfigCommand, output: Format) -> anyhow::Result<Exit> {
    let (ConfigCommand::Check(args) | ConfigCommand::Show(args)) = &command;
    let config = Config::load(&args.config).map_err(|error| Failure::Usage(error.to_string()))?;
    match command {
        ConfigCommand::Check(_) => note(format!("{} is in order.", args.config.display())),
        // Secrets are in files of their own, so there is nothing to hide here but their paths.
        ConfigCommand::Show(_) => {
            output.print(&config, |config| toml::to_string_pretty(config).unwrap_or_default())?
        }
    }
    Ok(Exit::Ok)
}
