//! What can go wrong with the records, with the way out in every message.

use std::path::PathBuf;

/// An error of the records store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing stands under this id.
    #[error("there is no {what} {id:?}: list what there is and use an id from there")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
        /// What was asked for.
        id: String,
    },
    /// The id or name is taken.
    #[error("{what} {id:?} exists already: choose another id or name, or change the existing one")]
    Exists {
        /// The kind of thing.
        what: &'static str,
        /// What was to be made.
        id: String,
    },
    /// Somebody else changed it in the meantime.
    #[error("{what} {id:?} is at revision {found}, not {expected}: read it again and repeat the change")]
    Conflict {
        /// The kind of thing.
        what: &'static str,
        /// Which one.
        id: String,
        /// The revision the caller had read.
        expected: i64,
        /// The revision it has.
        found: i64,
    },
    /// It cannot be removed or changed because something else needs it as it is.
    #[error("{what} {id:?} is still used by {by}: move or remove that first")]
    InUse {
        /// The kind of thing.
        what: &'static str,
        /// Which one.
        id: String,
        /// What uses it.
        by: String,
    },
    /// What was given breaks a rule; `why` says which, and what would be right.
    #[error("{what} {id:?} cannot be stored: {why}")]
    Invalid {
        /// The kind of thing.
        what: &'static str,
        /// Which one.
        id: String,
        /// The rule, and what would be right.
        why: String,
    },
    /// A page cursor that this store did not hand out.
    #[error("{cursor:?} is not a cursor of this list: give back `next` of the page before, unchanged")]
    Cursor {
        /// What was given, cut to 64 characters.
        cursor: String,
    },
    /// A stored value cannot be read back.
    #[error(
        "the record of {what} is damaged: column {column:?} holds {value:?} ({why}); restore the database from a backup"
    )]
    Damaged {
        /// The kind of thing.
        what: &'static str,
        /// The column.
        column: &'static str,
        /// The value, cut to 64 characters.
        value: String,
        /// Why it cannot be read.
        why: String,
    },
    /// The database file cannot be opened.
    #[error("the records database {} cannot be opened: {source}; check that its folder exists and may be written", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database was written by a later version.
    #[error(
        "the records database {} has schema version {found}, this program knows up to {known}: start the newer version, \
         or restore a backup from before the upgrade",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// A version in the file that is not known here.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// A schema step in the database is not the one this program has under the same number.
    #[error(
        "the records database {} was made by a different build: schema step {version} differs; use the build that made it",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The step that differs.
        version: i64,
    },
    /// Bringing the schema up to date failed; the step was rolled back.
    #[error("the records database {} cannot be brought up to date: {source}; nothing of the failed step was kept", path.display())]
    Migrate {
        /// The file.
        path: PathBuf,
        /// Why.
        source: sqlx::migrate::MigrateError,
    },
    /// The database failed: disk full, file gone, busy for too long.
    #[error("the records database failed: {0}; nothing of this step was kept, check the disk and try again")]
    Database(#[from] sqlx::Error),
}

impl Error {
    pub(crate) fn not_found(what: &'static str, id: impl ToString) -> Self {
        Self::NotFound { what, id: id.to_string() }
    }

    pub(crate) fn invalid(what: &'static str, id: impl ToString, why: impl Into<String>) -> Self {
        Self::Invalid { what, id: id.to_string(), why: why.into() }
    }

    /// For `map_err` after an INSERT: a broken unique constraint means that the thing exists.
    pub(crate) fn on_insert(what: &'static str, id: impl ToString) -> impl FnOnce(sqlx::Error) -> Self {
        move |error| match error.as_database_error() {
            Some(cause) if cause.is_unique_violation() => Self::Exists { what, id: id.to_string() },
            _ => Self::Database(error),
        }
    }
}
