//! The Sightline binary: composition root. Each command is one file under `commands/`; what runs together is put
//! together in `node/`.

mod cli;
mod commands;
mod config;
mod demo;
mod exit;
mod metrics;
mod node;
mod output;
mod telemetry;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    // The decoder worker is this same binary in a process of its own; it speaks a binary protocol on stdout.
    if matches!(cli.command, Command::PictureWorker) {
        return sightline_picture::worker_main();
    }
    telemetry::init(cli.log_format);
    exit::report(commands::run(cli))
}
