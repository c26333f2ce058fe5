//! What can go wrong, with the way out.

use std::{net::SocketAddr, path::PathBuf};

use sightline_model::{alert::AlertMove, alert::AlertState, id::AlertId};

/// An error of the gateway. A message that cannot be used is no error here: it goes to `rejected/…` and is counted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting that cannot be used.
    #[error("gateway setting {key} = {value:?}: {rule}")]
    Config {
        /// Its key.
        key: &'static str,
        /// Its value.
        value: String,
        /// What it must be.
        rule: String,
    },
    /// The password file cannot be read.
    #[error("cannot read the broker's password from {}: {source}; check gateway.broker.password_file", path.display())]
    PasswordFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The embedded broker cannot listen.
    #[error(
        "the embedded MQTT broker cannot listen on {listen}: {detail}; choose another gateway.broker.listen (port 0 takes a free port)"
    )]
    Listen {
        /// Where.
        listen: SocketAddr,
        /// Why.
        detail: String,
    },
    /// A move that the alert's state does not allow.
    #[error("alert {id} is {}: it cannot {} from there; reload it and choose another step", state.as_str(), step.as_str())]
    Move {
        /// The alert.
        id: AlertId,
        /// Where it stands.
        state: AlertState,
        /// What was asked.
        step: AlertMove,
    },
    /// A note that is too long.
    #[error("the note has {chars} characters: write at most {most}")]
    Note {
        /// How many it has.
        chars: usize,
        /// How many it may have.
        most: usize,
    },
    /// The records store failed.
    #[error(transparent)]
    Records(#[from] sightline_records::Error),
}
