//! No test: the decoder worker that the tests of stills start. (A test binary of its own, because the worker speaks on
//! standard output.)

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args().any(|arg| arg == "picture-worker") {
        return sightline_picture::worker_main();
    }
    // Asked for its tests, it has none.
    ExitCode::SUCCESS
}
