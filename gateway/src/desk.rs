//! The duty desk's side: alerts published, moved by people, told to whoever follows.

use sightline_model::{
    CameraId, Timestamp,
    alert::{Alert, AlertMove},
    id::{AccountId, AlertId},
};
use sightline_records::{Records, alerts::AlertChange};
use std::sync::Arc;
use tokio::sync::broadcast;

use crate::{
    Error,
    link::Out,
    message::{AlertMessage, to_bytes},
    topics::Topics,
};

/// Longest note in characters.
pub const MAX_NOTE_CHARS: usize = 2000;

/// Changes that a slow follower may be behind.
const FOLLOW: usize = 1024;

/// Alerts read at once when the gateway starts.
const PAGE: usize = 500;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// An alert was raised, joined or moved.
    Alert(Arc<Alert>),
    /// A vehicle was seen. Its plate is not told here: passes are read under a grant.
    Pass {
        /// The camera that saw it.
        camera: CameraId,
        /// When.
        at: Timestamp,
    },
    /// A device told of itself.
    Device {
        /// Its camera.
        camera: CameraId,
        /// When.
        at: Timestamp,
        /// Whether it says it is well.
        healthy: bool,
    },
}

/// The desk.
#[derive(Debug)]
pub(crate) struct Desk {
    records: Records,
    topics: Topics,
    out: Arc<Out>,
    changes: broadcast::Sender<Change>,
}

impl Desk {
    pub(crate) fn new(records: Records, topics: Topics, out: Arc<Out>) -> Self {
        Self { records, topics, out, changes: broadcast::Sender::new(FOLLOW) }
    }

    pub(crate) fn follow(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    pub(crate) fn tell(&self, change: Change) {
        // Nobody may be following.
        self.changes.send(change).ok();
    }

    /// Publishes an alert as it is now: retained while it is open, cleared when it is closed.
    pub(crate) fn publish(&self, AlertChange { alert, change }: &AlertChange) {
        let payload =
            if alert.state.is_closed() { bytes::Bytes::new() } else { to_bytes(&AlertMessage::from(alert)) };
        let (topic, mark) = (self.topics.alert(alert.id), Some((alert.id, *change)));
        self.out.with(|outbox| outbox.retain(topic, payload, mark));
    }

    /// Publishes a change and tells the followers.
    pub(crate) fn changed(&self, change: &AlertChange) {
        self.publish(change);
        self.tell(Change::Alert(Arc::new(change.alert.clone())));
    }

    /// Puts into the outbox what a restart may have left unsaid: open alerts, and closed ones whose topic the broker
    /// has not confirmed as cleared.
    pub(crate) async fn resume(&self) -> Result<usize, Error> {
        let mut resumed = 0;
        let mut after = None;
        loop {
            let open = self.records.open_alerts(after, PAGE).await?;
            let Some(last) = open.last() else { break };
            after = Some(last.alert.id);
            resumed += open.len();
            open.iter().for_each(|change| self.publish(change));
        }
        after = None;
        loop {
            let unsaid = self.records.unpublished_alerts(after, PAGE).await?;
            let Some(last) = unsaid.last() else { return Ok(resumed) };
            after = Some(last.alert.id);
            resumed += unsaid.iter().filter(|change| change.alert.state.is_closed()).count();
            unsaid.iter().for_each(|change| self.publish(change));
        }
    }

    /// A person's move.
    pub(crate) async fn move_alert(
        &self,
        id: AlertId,
        step: AlertMove,
        note: &str,
        who: AccountId,
        expected_revision: i64,
        now: Timestamp,
    ) -> Result<Alert, Error> {
        let chars = note.chars().count();
        if chars > MAX_NOTE_CHARS {
            return Err(Error::Note { chars, most: MAX_NOTE_CHARS });
        }
        let alert = self.records.alert(id).await?;
        // Only a move from the revision that the person saw is judged here; any other is a conflict, which the store says.
        if alert.revision == expected_revision && alert.state.after(step).is_none() {
            return Err(Error::Move { id, state: alert.state, step });
        }
        let change = self.records.move_alert(id, expected_revision, step, note, who, now).await?;
        self.changed(&change);
        Ok(change.alert)
    }
}
