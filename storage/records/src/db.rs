//! The database under the records: one writing connection, a few reading ones, schema steps at opening.
//!
//! SQLite allows one writer at a time. A pool of one connection makes writers of this process queue up in order
//! instead of failing with "busy"; the busy timeout covers other processes (the command line beside the server).

use std::{
    fs::OpenOptions,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    Sqlite, SqlitePool, Transaction,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous},
};

use crate::{Config, Error};

/// The engine, for query builders.
pub(crate) type Engine = Sqlite;
/// A row of it.
pub(crate) type Row = SqliteRow;
/// A write that is kept as a whole or not at all.
pub(crate) type Write = Transaction<'static, Sqlite>;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

#[derive(Debug)]
pub(crate) struct Db {
    /// One connection. Use [`Db::write`] for more than one statement.
    pub(crate) writer: SqlitePool,
    /// Read-only connections; they see what was committed.
    pub(crate) readers: SqlitePool,
}

impl Db {
    pub(crate) async fn open(config: &Config) -> Result<Self, Error> {
        create_private(&config.path)?;
        let options = SqliteConnectOptions::new()
            .filename(&config.path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(config.busy_timeout);
        let pool = || SqlitePoolOptions::new().acquire_timeout(config.busy_timeout + Duration::from_secs(5));
        let writer = pool().max_connections(1).connect_with(options.clone()).await?;
        migrate(&writer, &config.path).await?;
        let readers =
            pool().max_connections(config.readers.clamp(1, 64)).connect_with(options.read_only(true)).await?;
        Ok(Self { writer, readers })
    }

    /// Begins a write. Dropped without `commit`, it leaves nothing behind.
    pub(crate) async fn write(&self) -> Result<Write, Error> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

async fn migrate(writer: &SqlitePool, path: &Path) -> Result<(), Error> {
    let known = MIGRATIONS.iter().map(|step| step.version).max().unwrap_or(0);
    let path = path.to_owned();
    let _one_at_a_time = lock(&path).await?;
    MIGRATIONS.run(writer).await.map_err(|error| match error {
        MigrateError::VersionMissing(found) => Error::Newer { path, found, known },
        MigrateError::VersionMismatch(version) => Error::Foreign { path, version },
        source => Error::Migrate { path, source },
    })
}

/// Waits until no other process is bringing this database up to date: sqlx takes no lock of its own for SQLite. The
/// lock ends with the file handle, also when the process is killed.
async fn lock(path: &Path) -> Result<std::fs::File, Error> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let (path, failed) = (PathBuf::from(name), path.to_owned());
    let locked = tokio::task::spawn_blocking(move || {
        let file = private().create(true).append(true).open(path)?;
        file.lock()?;
        Ok(file)
    });
    locked
        .await
        .unwrap_or_else(|stopped| Err(io::Error::other(stopped)))
        .map_err(|source| Error::Open { path: failed, source })
}

/// Makes the file if it is missing, readable by its owner alone: it holds camera passwords. A file that is there is
/// not opened: closing it again would drop the locks that SQLite holds on it in this process.
fn create_private(path: &Path) -> Result<(), Error> {
    match private().create_new(true).write(true).open(path) {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
            Err(Error::Open { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests;
