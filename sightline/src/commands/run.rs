//! Until when a serving command runs: a signal, or the time that was given.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

/// Waits for SIGTERM or SIGINT, or until `limit` has passed.
pub(super) async fn until_told(limit: Option<Duration>) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let time_is_up = async {
        match limit {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    let why = tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "Ctrl-C",
        () = time_is_up => "its time is up",
    };
    info!("Stopping ({why}).");
    Ok(())
}
