//! What each command does. A command that serves lives on a tokio runtime of its own.

mod audit;
mod camera;
mod config;
mod demo;
mod footage;
mod plan;
mod run;
mod serve;
mod sim;
mod tier;
mod user;

use clap::CommandFactory;
pub(crate) use plan::hold_of;
use tokio::runtime::Runtime;

use crate::{
    cli::{Cli, Command},
    exit::Exit,
};

/// Runs the command.
pub(crate) fn run(cli: Cli) -> anyhow::Result<Exit> {
    let output = cli.output;
    match cli.command {
        Command::Serve(args) => block_on(serve::run(args)),
        Command::Demo(args) => block_on(demo::run(args, output)),
        Command::Camera(command) => block_on(camera::run(command, output)),
        Command::Footage(command) => block_on(footage::run(command, output)),
        Command::Audit(command) => block_on(audit::run(command, output)),
        Command::User(command) => block_on(user::run(command, output)),
        Command::Config(command) => config::run(command, output),
        Command::Sim(command) => block_on(sim::run(command)),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "sightline", &mut script);
            crate::output::raw(&String::from_utf8_lossy(&script));
            Ok(Exit::Ok)
        }
        Command::PictureWorker => Ok(Exit::Ok),
    }
}

fn block_on(work: impl Future<Output = anyhow::Result<Exit>>) -> anyhow::Result<Exit> {
    let runtime = Runtime::new()?;
    let outcome = runtime.block_on(work);
    // What still blocks (a decoder being waited for) must not hold up the end.
    runtime.shutdown_background();
    outcome
}
