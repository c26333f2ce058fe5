//! Counters of the gateway. Plain numbers: the binary gives them their names for the outside.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use crate::{refusal::Reason, strip::Stripped, topics::Kind};

/// The counters, shared by all tasks of the gateway.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) kinds: [KindCounters; Kind::ALL.len()],
    pub(crate) rejected_unknown_topic: AtomicU64,
    pub(crate) stripped: StrippedCounters,
    pub(crate) batches: AtomicU64,
    pub(crate) persist_failures: AtomicU64,
    pub(crate) persist_micros: AtomicU64,
    pub(crate) hotlist_entries: AtomicU64,
    pub(crate) matches_exact: AtomicU64,
    pub(crate) matches_look_alike: AtomicU64,
    pub(crate) alerts_raised: AtomicU64,
    pub(crate) alerts_joined: AtomicU64,
    pub(crate) published: AtomicU64,
    pub(crate) rejections_dropped: AtomicU64,
    pub(crate) connects: AtomicU64,
    pub(crate) watchdog_resets: AtomicU64,
    pub(crate) broker_restarts: AtomicU64,
    pub(crate) expired: AtomicU64,
    pub(crate) connected: AtomicBool,
}

/// Counters of one kind of message.
#[derive(Debug, Default)]
pub(crate) struct KindCounters {
    pub(crate) received: AtomicU64,
    pub(crate) accepted: AtomicU64,
    pub(crate) duplicates: AtomicU64,
    pub(crate) rejected: [AtomicU64; Reason::ALL.len()],
}

/// Person fields removed, by kind.
#[derive(Debug, Default)]
pub(crate) struct StrippedCounters {
    occupant: AtomicU64,
    face: AtomicU64,
    person: AtomicU64,
    attribute: AtomicU64,
    identity: AtomicU64,
}

/// The counters at one moment.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct MetricsSnapshot {
    /// By kind of message: `pass`, `alarm`, `device`, `telemetry`.
    pub kinds: Vec<KindSnapshot>,
    /// Messages on topics that are none of ours, or whose last level cannot be a source.
    pub rejected_unknown_topic: u64,
    /// Person fields removed at the door, by kind.
    pub stripped: Stripped,
    /// Batches committed.
    pub batches: u64,
    /// Attempts to store a batch that failed; the batch was tried again.
    pub persist_failures: u64,
    /// Seconds spent on committing batches.
    pub persist_seconds: f64,
    /// Entries in the matcher.
    pub hotlist_entries: u64,
    /// Hits where the plate read is the plate listed.
    pub matches_exact: u64,
    /// Hits where only look-alike characters made them equal.
    pub matches_look_alike: u64,
    /// Alerts raised.
    pub alerts_raised: u64,
    /// Hits that joined an open alert.
    pub alerts_joined: u64,
    /// Messages that a broker acknowledged.
    pub published: u64,
    /// Rejections not published because too many waited.
    pub rejections_dropped: u64,
    /// Connections made to the broker; all but the first are reconnects.
    pub connects: u64,
    /// Connections ended by the watchdog.
    pub watchdog_resets: u64,
    /// Times the embedded broker had to be started again.
    pub broker_restarts: u64,
    /// Rows removed because their time was over.
    pub expired: u64,
    /// Whether the broker is reached now.
    pub connected: bool,
}

/// Counters of one kind of message at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KindSnapshot {
    /// The kind.
    pub kind: &'static str,
    /// Messages that came in.
    pub received: u64,
    /// Events stored.
    pub accepted: u64,
    /// Events that were stored before.
    pub duplicates: u64,
    /// Messages refused, by reason.
    pub rejected: Vec<(&'static str, u64)>,
}

impl Metrics {
    pub(crate) fn kind(&self, kind: Kind) -> &KindCounters {
        let [pass, alarm, device, telemetry] = &self.kinds;
        match kind {
            Kind::Pass => pass,
            Kind::Alarm => alarm,
            Kind::Device => device,
            Kind::Telemetry => telemetry,
        }
    }

    pub(crate) fn rejected(&self, kind: Option<Kind>, reason: Reason) {
        match kind {
            Some(kind) => {
                let counters = self.kind(kind).rejected.iter().zip(Reason::ALL);
                counters.filter(|(_, of)| *of == reason).for_each(|(counter, _)| count(counter, 1));
            }
            None => count(&self.rejected_unknown_topic, 1),
        }
    }

    pub(crate) fn stripped(&self, stripped: &Stripped) {
        let counters = &self.stripped;
        count(&counters.occupant, stripped.occupant);
        count(&counters.face, stripped.face);
        count(&counters.person, stripped.person);
        count(&counters.attribute, stripped.attribute);
        count(&counters.identity, stripped.identity);
    }

    pub(crate) fn persisted(&self, took: Duration) {
        count(&self.batches, 1);
        count(&self.persist_micros, u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    pub(crate) fn snapshot(&self) -> MetricsSnapshot {
        let read = |counter: &AtomicU64| counter.load(Relaxed);
        let stripped = &self.stripped;
        MetricsSnapshot {
            kinds: Kind::ALL.into_iter().map(|kind| self.kind(kind).snapshot(kind)).collect(),
            rejected_unknown_topic: read(&self.rejected_unknown_topic),
            stripped: Stripped {
                occupant: read(&stripped.occupant),
                face: read(&stripped.face),
                person: read(&stripped.person),
                attribute: read(&stripped.attribute),
                identity: read(&stripped.identity),
            },
            batches: read(&self.batches),
            persist_failures: read(&self.persist_failures),
            persist_seconds: Duration::from_micros(read(&self.persist_micros)).as_secs_f64(),
            hotlist_entries: read(&self.hotlist_entries),
            matches_exact: read(&self.matches_exact),
            matches_look_alike: read(&self.matches_look_alike),
            alerts_raised: read(&self.alerts_raised),
            alerts_joined: read(&self.alerts_joined),
            published: read(&self.published),
            rejections_dropped: read(&self.rejections_dropped),
            connects: read(&self.connects),
            watchdog_resets: read(&self.watchdog_resets),
            broker_restarts: read(&self.broker_restarts),
            expired: read(&self.expired),
            connected: self.connected.load(Relaxed),
        }
    }
}

impl KindCounters {
    fn snapshot(&self, kind: Kind) -> KindSnapshot {
        KindSnapshot {
            kind: kind.as_str(),
            received: self.received.load(Relaxed),
            accepted: self.accepted.load(Relaxed),
            duplicates: self.duplicates.load(Relaxed),
            rejected: Reason::ALL
                .iter()
                .zip(&self.rejected)
                .map(|(reason, counter)| (reason.as_str(), counter.load(Relaxed)))
                .collect(),
        }
    }
}

/// Adds to a counter.
pub(crate) fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Relaxed);
}
