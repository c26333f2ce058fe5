//! The version of the registry: cameras and regions. Whoever follows it (ingest, maps) waits on the watch.

use tokio::sync::watch;

use crate::{Error, Records, db::Write};

impl Records {
    /// Changes whenever a camera or region was committed; the value only grows.
    #[must_use]
    pub fn registry_version(&self) -> watch::Receiver<u64> {
        self.inner.registry.subscribe()
    }

    /// Looks whether another process (the command line beside the server) changed the registry, and tells the
    /// followers. Call it every few seconds.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn poll_registry(&self) -> Result<u64, Error> {
        let stored: i64 = sqlx::query_scalar("SELECT value FROM counters WHERE name = 'registry'")
            .fetch_one(self.readers())
            .await?;
        Ok(self.tell_registry(stored))
    }

    /// Bumps the version, commits, and tells the followers.
    pub(crate) async fn commit_registry(&self, mut write: Write) -> Result<(), Error> {
        let version: i64 = sqlx::query_scalar(
            "UPDATE counters SET value = value + 1 WHERE name = 'registry' RETURNING value",
        )
        .fetch_one(&mut *write)
        .await?;
        write.commit().await?;
        self.tell_registry(version);
        Ok(())
    }

    fn tell_registry(&self, stored: i64) -> u64 {
        let stored = u64::try_from(stored).unwrap_or(0);
        // Two commits may arrive here in either order: the value never goes back.
        self.inner.registry.send_if_modified(|told| {
            let newer = stored > *told;
            *told = stored.max(*told);
            newer
        });
        stored
    }
}
