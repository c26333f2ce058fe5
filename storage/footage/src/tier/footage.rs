//! The tier as the store's handle shows it.

use std::sync::Arc;

use sightline_model::Timestamp;

use super::{Link, Tier, TierStatus, mover};
use crate::{Config, Error, Footage, shared::Shared};

impl Footage {
    /// How the tier does; none when there is none.
    #[must_use]
    pub fn tier(&self) -> Option<TierStatus> {
        self.shared().tier.as_ref().map(|link| link.status())
    }

    /// Removes the local copy of a segment, once the tier has shown that it holds every byte of it.
    ///
    /// # Errors
    /// When there is no tier, or it does not hold the segment or does not answer. The local copy then stays.
    pub async fn evict(&self, segment: u64) -> Result<(), Error> {
        self.with_tier(move |shared, link| mover::evict(shared, link, segment)).await
    }

    /// Takes a segment out of the tier, as the last step of deleting it: the index no longer has it.
    ///
    /// # Errors
    /// When there is no tier, or it refuses or does not answer.
    pub async fn remove_from_tier(&self, segment: u64) -> Result<(), Error> {
        self.with_tier(move |_, link| mover::remove(link, segment)).await
    }

    async fn with_tier(
        &self,
        work: impl FnOnce(&Shared, &Link) -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        let shared = Arc::clone(self.shared());
        let Some(link) = shared.tier.clone() else {
            return Err(Error::Config { field: "tier", problem: "is not set: there is no tier".to_owned() });
        };
        tokio::task::spawn_blocking(move || work(&shared, &link)).await.unwrap_or(Err(Error::Stopped))
    }
}

/// The tie to the tier, if there is one.
pub(crate) fn link(config: &Config, opened: Option<&Tier>) -> Option<Arc<Link>> {
    let given = config.tier.as_ref()?;
    let link = match opened {
        Some(tier) => Link::to(tier, given),
        None => Link::new(given, &config.node),
    };
    Some(Arc::new(link))
}

/// The id of the first segment to be written. On a new machine the tier may hold segments of this node from an earlier
/// one, and may not answer just now: seconds since 1970 are more than any id so far, which began at 1 or at the
/// seconds of their own day and grew by less than one a second.
pub(crate) fn first_segment(highest: u64, tier: bool, now: Timestamp) -> u64 {
    let seconds = u64::try_from(now.0 / 1_000_000).unwrap_or(0);
    if highest == 0 && tier { seconds.max(1) } else { highest + 1 }
}
