//! Cameras, regions, accounts, cases, grants, audit entries, patrols, events and alerts in SQL.
//!
//! Belongs here: storing and finding records, and the rules that only the database can hold (uniqueness, references,
//! revisions, the order of the audit log). Does not belong here: who may do what (`trust`), what an event means
//! (`gateway`). `sqlx` is named in this crate alone.
//!
//! SQLite is the embedded engine. Statements keep to what PostgreSQL also speaks (`$1`, `BIGINT` microseconds, `TEXT`
//! ids and JSON, `ON CONFLICT`), so that it can become the second one.
//!
//! Invariants: a method that returned `Ok` has its change on disk (`synchronous=FULL`); the numbers of audit entries
//! have no holes; a child region's level is below its parent's, so the tree has no cycle.

pub mod accounts;
pub mod alerts;
pub mod audit;
pub mod cameras;
pub mod cases;
mod db;
mod error;
pub mod events;
pub mod footage;
pub mod grants;
pub mod holds;
pub mod hotlist;
pub mod page;
pub mod passes;
pub mod patrols;
pub mod regions;
pub mod registry;
mod row;
pub mod sessions;
#[cfg(test)]
mod testing;

use std::{path::PathBuf, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

pub use audit::{AuditFilter, AuditHead};
pub use cameras::{CameraFilter, Put};
pub use error::Error;
pub use patrols::PatrolFilter;
pub use sessions::{ServiceToken, Session};

/// Settings of the records store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The SQLite file. Its folder must exist. It holds camera passwords: keep it at mode 0600.
    pub path: PathBuf,
    /// Reading connections.
    pub readers: u32,
    /// How long a write waits for another process before it fails, as text: `"10s"`.
    #[serde(with = "humantime_serde")]
    pub busy_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { path: PathBuf::from("records.sqlite"), readers: 4, busy_timeout: Duration::from_secs(10) }
    }
}

/// The records. Cheap to clone; all clones share the connections.
#[derive(Debug, Clone)]
pub struct Records {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    db: db::Db,
    /// Version of the camera registry and the region tree; bumped after each committed change.
    registry: watch::Sender<u64>,
}

impl Records {
    /// Opens the database, makes it if it is missing, and brings its schema up to date.
    ///
    /// # Errors
    /// When the file cannot be opened, was written by a later version, or the disk fails.
    pub async fn open(config: &Config) -> Result<Self, Error> {
        let db = db::Db::open(config).await?;
        let records = Self { inner: Arc::new(Inner { db, registry: watch::Sender::new(0) }) };
        records.poll_registry().await?;
        Ok(records)
    }

    /// Waits for running statements and closes all connections. Later calls fail.
    pub async fn close(&self) {
        self.inner.db.close().await;
    }

    /// Asks the database one trivial question: whether it still answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), Error> {
        sqlx::query("SELECT 1").execute(self.readers()).await?;
        Ok(())
    }

    pub(crate) fn readers(&self) -> &sqlx::SqlitePool {
        &self.inner.db.readers
    }

    pub(crate) fn writer(&self) -> &sqlx::SqlitePool {
        &self.inner.db.writer
    }

    /// Begins a write of several statements: `BEGIN IMMEDIATE`, nothing kept unless committed.
    pub(crate) async fn write(&self) -> Result<db::Write, Error> {
        self.inner.db.write().await
    }
}
