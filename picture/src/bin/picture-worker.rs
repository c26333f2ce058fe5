//! The worker alone: what the Sightline binary becomes under its hidden subcommand `picture-worker`. For tests and
//! benches of this crate; not installed.

use std::process::ExitCode;

fn main() -> ExitCode {
    sightline_picture::worker_main()
}
