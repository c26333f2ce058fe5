//! Who may see what, and the log of who did: accounts and sessions, grants, the one door to footage, the audit log, the keys of
//! encrypted footage.
//!
//! Belongs here: every decision on access, and everything that makes it provable. Does not belong here: HTTP, how
//! footage is stored, what an event means.
//!
//! ```text
//! sign in ──> Caller ──open_grant──> Grant ──look──> [policy::check] ── refused: entered, Error::Refused
//!                                                          │
//!                                                   entry durable ──> Permit ──> timeline, GOPs, live
//! ```
//!
//! Invariants: whatever a [`Permit`] opens is covered by a durable entry that is at most a minute older than the permit; no
//! permit reaches beyond its grant; a grant shows nothing once its ground is closed.

mod accounts;
mod audit;
pub mod chain;
mod door;
mod error;
mod grants;
pub mod keys;
mod live;
mod looks;
mod metrics;
mod permit;
pub mod policy;
mod refusal;
mod secret;
mod sign_in;
#[cfg(test)]
mod testing;
mod throttle;
mod verify;

use std::{fmt, sync::Arc, time::Duration};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use sightline_footage::Footage;
use sightline_model::{
    account::Right,
    audit::{Act, Entry},
};
use sightline_records::Records;

pub use accounts::{Accounts, Caller, NewAccount, SignedIn};
pub use door::{Look, LookKind};
pub use error::Error;
pub use grants::PassScope;
pub use live::{LiveLook, LiveStep};
pub use metrics::MetricsSnapshot;
pub use permit::Permit;
pub use policy::GrantRequest;
pub use refusal::Refusal;
pub use secret::random_password;
pub use verify::{Verified, verify, verify_against};

/// Settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// A session ends this long after signing in.
    #[serde(with = "humantime_serde")]
    pub session_longest: Duration,
    /// A session ends when it was not used for this long.
    #[serde(with = "humantime_serde")]
    pub session_idle: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { session_longest: Duration::from_secs(12 * 3600), session_idle: Duration::from_secs(3600) }
    }
}

/// Accounts, grants, the door and the log. Cheap to clone.
#[derive(Clone)]
pub struct Trust {
    inner: Arc<Inner>,
}

struct Inner {
    accounts: Accounts,
    footage: Footage,
    looks: Mutex<looks::Looks>,
    refusals: Mutex<looks::Refusals>,
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust").field("accounts", &self.inner.accounts).finish_non_exhaustive()
    }
}

impl Trust {
    /// Puts the parts together. Must be called on a tokio runtime: the audit writer is a task.
    #[must_use]
    pub fn new(config: Config, records: Records, footage: Footage) -> Self {
        Self::over(Accounts::new(config, records), footage)
    }

    fn over(accounts: Accounts, footage: Footage) -> Self {
        let inner = Inner { accounts, footage, looks: Mutex::default(), refusals: Mutex::default() };
        Self { inner: Arc::new(inner) }
    }

    /// Accounts, sessions and tokens.
    #[must_use]
    pub fn accounts(&self) -> &Accounts {
        &self.inner.accounts
    }

    /// Refuses what the caller's role may not do.
    ///
    /// # Errors
    /// [`Error::RoleForbids`].
    pub fn require(&self, caller: &Caller, right: Right) -> Result<(), Error> {
        accounts::require(caller, right)
    }

    /// Enters an act and waits until it is durable.
    ///
    /// # Errors
    /// [`Error::AuditUnavailable`] when it cannot be written.
    pub async fn record(&self, act: Act) -> Result<Entry, Error> {
        self.inner.accounts.audit().enter(act).await
    }

    /// The counters since the start of the program.
    #[must_use]
    pub fn metrics(&self) -> MetricsSnapshot {
        self.counters().snapshot()
    }

    pub(crate) fn counters(&self) -> &metrics::Metrics {
        self.inner.accounts.counters()
    }

    pub(crate) fn records(&self) -> &Records {
        self.inner.accounts.records()
    }

    pub(crate) fn footage(&self) -> &Footage {
        &self.inner.footage
    }

    pub(crate) fn looks(&self) -> &Mutex<looks::Looks> {
        &self.inner.looks
    }

    pub(crate) fn refusals(&self) -> &Mutex<looks::Refusals> {
        &self.inner.refusals
    }
}
