//! The policies' part of the handle to a store.

use std::{collections::BTreeMap, sync::Arc};

use sightline_model::{CameraId, Timestamp};

use super::{Done, Hold, KeyDestroyer, OwnerId, Plan, Policies};
use crate::{Error, Footage};

impl Footage {
    /// Says which footage is held. Until it is called for the first time, nothing is deleted at all. Once it has returned,
    /// nothing that is held goes any more.
    pub fn set_holds(&self, holds: Vec<Hold>) {
        self.shared().keeping.set_holds(holds);
    }

    /// Says against whose quota each camera counts.
    pub fn set_owners(&self, owners: BTreeMap<CameraId, OwnerId>) {
        self.shared().keeping.set_owners(owners);
    }

    /// Says who destroys the keys of days that are over. Until it is called they stay. Let go when the store shuts down.
    pub fn set_key_destroyer(&self, keys: Arc<dyn KeyDestroyer>) {
        self.shared().keeping.set_keys(keys);
    }

    /// The policies in force.
    #[must_use]
    pub fn policies(&self) -> &Policies {
        self.shared().keeping.policies()
    }

    /// What the policies would do at `now`; nothing is done.
    ///
    /// # Errors
    /// When the index or the keys cannot be read.
    pub async fn plan(&self, now: Timestamp) -> Result<Plan, Error> {
        let shared = Arc::clone(self.shared());
        let plan = tokio::task::spawn_blocking(move || shared.keeping.plan(&shared, now)).await;
        plan.unwrap_or(Err(Error::Stopped))
    }

    /// Does what the policies say at `now`, without waiting for their turn. Until the holds are known, nothing is done.
    ///
    /// # Errors
    /// When the index or the keys cannot be read. What fails later is in the log, and in [`Done`] as a number.
    pub async fn keep_policies(&self, now: Timestamp) -> Result<(Plan, Done), Error> {
        let shared = Arc::clone(self.shared());
        let done = tokio::task::spawn_blocking(move || shared.keeping.keep(&shared, now)).await;
        done.unwrap_or(Err(Error::Stopped))
    }
}
