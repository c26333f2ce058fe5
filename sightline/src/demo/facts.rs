//! `demo.json`: what a program needs to use the demo. Written last, so that its presence means "ready".

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};
use sightline_model::account::Role;

/// Name of the file in the demo's directory.
pub(crate) const FILE: &str = "demo.json";

/// The contents of `demo.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// Address of the console.
    pub console: String,
    /// Base address of the API, ending in `/api/v1`.
    pub api: String,
    /// Address of the metrics.
    pub metrics: String,
    /// Broker as host:port.
    pub mqtt: String,
    /// Number of an open case.
    pub case: String,
    /// A plate on the hotlist.
    pub hotlisted: String,
    /// One account of each role.
    pub users: Vec<User>,
}

/// A demo account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct User {
    /// Sign-in name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Its random password.
    pub password: String,
}

impl Facts {
    /// What an earlier run left; `None` when there was none.
    pub(crate) fn read(dir: &Path) -> io::Result<Option<Self>> {
        match fs::read(dir.join(FILE)) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Puts the file in place in one step, readable by its owner only: it holds passwords.
    pub(crate) fn write(&self, dir: &Path) -> anyhow::Result<()> {
        let mut file = tempfile::Builder::new().prefix(".demo").tempfile_in(dir)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.as_file().sync_all()?;
        file.persist(dir.join(FILE))?;
        Ok(())
    }
}
