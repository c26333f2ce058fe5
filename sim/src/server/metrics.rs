//! Counters of the server and of each camera.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($(#[$doc:meta])* $name:ident, $(#[$snapshot_doc:meta])* $snapshot:ident { $($(#[$field_doc:meta])* $field:ident,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub(crate) struct $name { $(pub(crate) $field: AtomicU64,)+ }

        impl $name {
            pub(crate) fn snapshot(&self) -> $snapshot {
                $snapshot { $($field: self.$field.load(Ordering::Relaxed),)+ }
            }
        }

        $(#[$snapshot_doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
        pub struct $snapshot { $($(#[$field_doc])* pub $field: u64,)+ }
    };
}

counters! {
    /// What the server has done.
    Metrics,
    /// What the server has done since it was started.
    MetricsSnapshot {
        /// Connections taken.
        connections_total,
        /// Connections turned away because there were too many.
        connections_refused_total,
        /// Connections open now.
        connections_open,
        /// Requests read.
        requests_total,
        /// Streams being played now.
        viewers,
        /// Pictures sent, counted once per viewer.
        units_sent_total,
        /// Pictures not sent because the client did not read.
        units_dropped_total,
        /// RTP bytes sent, with their framing.
        bytes_sent_total,
    }
}

counters! {
    /// What happened at one camera.
    Counters,
    /// What happened at one camera since the server was started.
    CountersSnapshot {
        /// Requests that named it.
        requests_total,
        /// Requests refused for want of credentials, first ones without any included.
        unauthorized_total,
        /// Requests refused because their credentials were wrong.
        denied_total,
        /// Times a stream of it was played.
        plays_total,
        /// Streams of it being played now.
        viewers,
        /// Pictures sent, counted once per viewer.
        units_sent_total,
        /// Pictures not sent because the client did not read.
        units_dropped_total,
    }
}

pub(crate) fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}

pub(crate) fn sub(counter: &AtomicU64, amount: u64) {
    counter.fetch_sub(amount, Ordering::Relaxed);
}
