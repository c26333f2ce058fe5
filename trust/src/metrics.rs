//! Counters of this crate.

use std::sync::atomic::{AtomicU64, Ordering};

/// A counter.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counters that only grow.
        #[derive(Debug, Default)]
        pub(crate) struct Metrics {
            $(pub(crate) $name: Counter,)*
        }

        /// The counters at one moment, since the start of the program.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct MetricsSnapshot {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Metrics {
            pub(crate) fn snapshot(&self) -> MetricsSnapshot {
                MetricsSnapshot { $($name: self.$name.get(),)* }
            }
        }
    };
}

counters! {
    /// People who signed in.
    sign_ins,
    /// Sign-ins with a wrong name or password.
    sign_ins_failed,
    /// Sign-ins turned away for too many failures before them.
    sign_ins_throttled,
    /// Grants opened.
    grants_opened,
    /// Looks that were allowed.
    looks,
    /// Of them, those that an entry of the last minute already covered.
    looks_covered,
    /// Looks and searches that were refused.
    looks_refused,
    /// Live looks that ended because their ground, grant or session did.
    live_ended,
    /// Entries made durable in the audit log.
    audit_entries,
    /// Acts that could not be entered; nothing was released for them.
    audit_failures,
}
