//! Lets the footage policies destroy keys: through trust, so that every destruction is in the audit log first.

use std::{fmt, sync::Arc};

use sightline_footage::{
    CameraHour, KeyError,
    policy::{KeyDay, KeyDestroyer},
};
use sightline_model::Timestamp;
use sightline_trust::{
    Trust,
    keys::{Destruction, FileKeys, What},
};
use tokio::runtime::Handle;

/// See the module's words. Called from the store's own threads, which may block.
pub(super) struct Destroyer {
    pub(super) keys: Arc<FileKeys>,
    pub(super) trust: Trust,
    pub(super) runtime: Handle,
}

impl fmt::Debug for Destroyer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Destroyer")
    }
}

fn unavailable(error: impl fmt::Display) -> KeyError {
    KeyError::Unavailable { detail: error.to_string() }
}

impl KeyDestroyer for Destroyer {
    fn days(&self, last: u32) -> Result<Vec<KeyDay>, KeyError> {
        let days = self.keys.days().map_err(unavailable)?;
        let old = days.into_iter().map(|of| of.day).filter(|day| *day <= last);
        old.map(|day| Ok(KeyDay { day, hours: self.keys.hours(day).map_err(unavailable)? })).collect()
    }

    fn destroy_day(&self, day: u32, keep: &[CameraHour]) -> Result<(), KeyError> {
        let what = What::Day { day, keep: keep.to_vec() };
        let order = Destruction { what, by: None, reason: "every class is past its maximum".to_owned() };
        let done = self.trust.destroy_keys(&self.keys, order, Timestamp::now());
        self.runtime.block_on(done).map(|_| ()).map_err(unavailable)
    }
}
