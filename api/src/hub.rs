//! What `GET /events` shows: one task follows the gateway and ingest, writes each change once, and every client reads the
//! same text from one numbered ring.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use sightline_gateway::Change;
use sightline_model::{CameraId, Timestamp, account::Right, media::StreamKind};
use tokio::sync::broadcast::{self, error::RecvError};

use crate::{Api, camera_state};

/// Events kept for clients that come back with `Last-Event-ID`, and most that a slow client may lag.
const RING: usize = 1024;

/// How often camera states are compared: recording also ends by footage not coming, which nobody announces.
const COMPARE: Duration = Duration::from_secs(2);

/// One event, as it goes to every client that may see it.
#[derive(Debug)]
pub(crate) struct Event {
    /// Number since the start, from 1.
    pub(crate) seq: u64,
    /// Its name on the wire.
    pub(crate) name: &'static str,
    /// Who may see it.
    pub(crate) right: Right,
    /// Its JSON.
    pub(crate) data: String,
}

/// The ring.
#[derive(Debug)]
pub(crate) struct Hub {
    ring: Mutex<Ring>,
    live: broadcast::Sender<Arc<Event>>,
}

#[derive(Debug, Default)]
struct Ring {
    events: VecDeque<Arc<Event>>,
    last_seq: u64,
}

impl Default for Hub {
    fn default() -> Self {
        Self { ring: Mutex::default(), live: broadcast::Sender::new(RING) }
    }
}

/// What a client that comes (back) gets first.
pub(crate) struct Joined {
    /// Whether nothing is missing since the event it named.
    pub(crate) resumed: bool,
    /// What it has missed.
    pub(crate) missed: Vec<Arc<Event>>,
    /// What comes.
    pub(crate) live: broadcast::Receiver<Arc<Event>>,
}

impl Hub {
    pub(crate) fn publish(&self, name: &'static str, right: Right, data: String) {
        let mut ring = self.ring.lock();
        ring.last_seq += 1;
        let event = Arc::new(Event { seq: ring.last_seq, name, right, data });
        ring.events.push_back(Arc::clone(&event));
        if ring.events.len() > RING {
            ring.events.pop_front();
        }
        // Nobody listening is fine. Sent under the lock, so that a joining client misses nothing and gets nothing twice.
        let _ = self.live.send(event);
    }

    pub(crate) fn join(&self, last_seq: Option<u64>) -> Joined {
        let ring = self.ring.lock();
        let live = self.live.subscribe();
        let oldest = ring.events.front().map_or(ring.last_seq + 1, |event| event.seq);
        let resumed = last_seq.is_some_and(|seq| seq + 1 >= oldest && seq <= ring.last_seq);
        let missed = match last_seq {
            Some(seq) if resumed => ring.events.iter().filter(|event| event.seq > seq).cloned().collect(),
            _ => Vec::new(),
        };
        Joined { resumed, missed, live }
    }
}

enum Action {
    Gateway(Change),
    Compare,
    Ignore,
    Stop,
}

/// Follows what changes until the program stops.
pub(crate) async fn follow(api: Api) {
    let mut changes = api.gateway().changes();
    let mut states = api.states().clone();
    let mut tick = tokio::time::interval(COMPARE);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut shown = BTreeMap::new();
    let mut gateway_open = true;
    let mut states_open = true;
    loop {
        let action = tokio::select! {
            () = api.cancel().cancelled() => Action::Stop,
            change = changes.recv(), if gateway_open => match change {
                Ok(change) => Action::Gateway(change),
                Err(RecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "changes came faster than they could be written for the consoles");
                    Action::Ignore
                }
                Err(RecvError::Closed) => { gateway_open = false; Action::Ignore }
            },
            changed = states.changed(), if states_open => {
                states_open = changed.is_ok();
                Action::Compare
            }
            _ = tick.tick() => Action::Compare,
        };
        match action {
            Action::Gateway(change) => show_change(&api, &change),
            Action::Compare => compare(&api, &mut shown),
            Action::Ignore => {}
            Action::Stop => return,
        }
    }
}

/// Passes are not told: they are looked at under a grant only.
fn show_change(api: &Api, change: &Change) {
    if let Change::Alert(alert) = change
        && let Ok(data) = serde_json::to_string(alert)
    {
        api.hub().publish("alert", Right::WorkAlerts, data);
    }
}

fn compare(api: &Api, shown: &mut BTreeMap<CameraId, (bool, Option<String>)>) {
    let now = Timestamp::now();
    let cameras: Vec<_> = api
        .states()
        .borrow()
        .keys()
        .filter(|key| key.stream == StreamKind::Main)
        .map(|key| key.camera)
        .collect();
    let gone: Vec<_> =
        shown.keys().copied().filter(|camera| cameras.binary_search(camera).is_err()).collect();
    let enabled = cameras.into_iter().map(|camera| (camera, true));
    for (camera, enabled) in enabled.chain(gone.into_iter().map(|camera| (camera, false))) {
        let state = camera_state::of(api, camera, enabled, now);
        let essence = (state.recording, state.reason.clone());
        let before = if enabled { shown.insert(camera, essence.clone()) } else { shown.remove(&camera) };
        if before.as_ref() != Some(&essence) {
            let data = serde_json::json!({ "id": camera, "state": state });
            api.hub().publish("camera", Right::SeeCameras, data.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_comes_back_gets_what_it_missed_or_is_told_to_start_over() {
        let hub = Hub::default();
        for n in 0..3 {
            hub.publish("alert", Right::WorkAlerts, n.to_string());
        }
        let joined = hub.join(Some(1));
        assert!(joined.resumed);
        assert_eq!(joined.missed.iter().map(|event| event.data.as_str()).collect::<Vec<_>>(), ["1", "2"]);
        assert!(hub.join(Some(3)).resumed);
        assert!(!hub.join(Some(9)).resumed, "a number from another life of the program");
        assert!(!hub.join(None).resumed);
        for n in 0..RING {
            hub.publish("alert", Right::WorkAlerts, n.to_string());
        }
        assert!(!hub.join(Some(1)).resumed, "too long away");
    }
}
