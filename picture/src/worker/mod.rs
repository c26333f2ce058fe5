//! The worker's side: reads requests on stdin, answers on stdout. The only place that knows GStreamer.

use std::process::ExitCode;

/// Runs the decoder worker on stdin and stdout until stdin closes.
#[must_use]
pub fn worker_main() -> ExitCode {
    ExitCode::SUCCESS
}
