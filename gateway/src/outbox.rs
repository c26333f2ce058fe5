//! What waits to go out, and what the broker has not acknowledged yet. Pure.
//!
//! Two sorts: retained states, of which only the newest of each topic matters, and events, which go out once, in order,
//! from a bounded queue. After a reconnect every retained state goes out again, because the broker may have forgotten
//! all; and so do the events that were under way.
//!
//! Invariants: `in flight <= WINDOW`; a topic is in flight at most once; `events.len() <= MAX_EVENTS`.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use bytes::Bytes;
use sightline_model::id::AlertId;

/// Most messages under way.
pub(crate) const WINDOW: usize = 64;

/// Most events that wait; the oldest gives way.
pub(crate) const MAX_EVENTS: usize = 1024;

/// A change of an alert that the store wants to know the acknowledgement of.
pub(crate) type Mark = (AlertId, i64);

/// Names a message under way.
pub(crate) type Token = u64;

/// A message to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Send {
    pub(crate) token: Token,
    pub(crate) topic: String,
    pub(crate) payload: Bytes,
    pub(crate) retain: bool,
}

#[derive(Debug)]
struct Slot {
    payload: Bytes,
    version: u64,
    mark: Option<Mark>,
}

#[derive(Debug)]
enum Flight {
    Retained { topic: String, version: u64, mark: Option<Mark> },
    Event { topic: String, payload: Bytes },
}

/// The outbox.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    retained: BTreeMap<String, Slot>,
    dirty: BTreeSet<String>,
    events: VecDeque<(String, Bytes)>,
    flights: HashMap<Token, Flight>,
    /// Topics of retained states under way: the next version waits for the one before.
    busy: BTreeSet<String>,
    next_token: Token,
    next_version: u64,
}

impl Outbox {
    /// Sets a retained state; an empty payload clears the topic and is forgotten once it was acknowledged.
    pub(crate) fn retain(&mut self, topic: String, payload: Bytes, mark: Option<Mark>) {
        self.next_version += 1;
        let slot = Slot { payload, version: self.next_version, mark };
        self.dirty.insert(topic.clone());
        self.retained.insert(topic, slot);
    }

    /// Adds an event. Returns whether an older one had to give way.
    pub(crate) fn event(&mut self, topic: String, payload: Bytes) -> bool {
        let full = self.events.len() >= MAX_EVENTS;
        if full {
            self.events.pop_front();
        }
        self.events.push_back((topic, payload));
        full
    }

    /// A new connection: nothing is under way any more, every state goes out again.
    pub(crate) fn connected(&mut self) {
        let mut under_way: Vec<_> = std::mem::take(&mut self.flights).into_iter().collect();
        under_way.sort_by_key(|(token, _)| std::cmp::Reverse(*token));
        for (_, flight) in under_way {
            if let Flight::Event { topic, payload } = flight
                && self.events.len() < MAX_EVENTS
            {
                self.events.push_front((topic, payload));
            }
        }
        self.busy.clear();
        self.dirty.extend(self.retained.keys().cloned());
    }

    /// The next message to publish, while the window is open.
    pub(crate) fn next(&mut self) -> Option<Send> {
        if self.flights.len() >= WINDOW {
            return None;
        }
        let state = self.dirty.iter().find(|topic| !self.busy.contains(*topic)).cloned();
        let (flight, topic, payload, retain) = match state {
            Some(topic) => {
                self.dirty.remove(&topic);
                let slot = self.retained.get(&topic)?;
                let (payload, version, mark) = (slot.payload.clone(), slot.version, slot.mark);
                self.busy.insert(topic.clone());
                (Flight::Retained { topic: topic.clone(), version, mark }, topic, payload, true)
            }
            None => {
                let (topic, payload) = self.events.pop_front()?;
                (Flight::Event { topic: topic.clone(), payload: payload.clone() }, topic, payload, false)
            }
        };
        self.next_token += 1;
        self.flights.insert(self.next_token, flight);
        Some(Send { token: self.next_token, topic, payload, retain })
    }

    /// The broker acknowledged a message.
    pub(crate) fn acked(&mut self, token: Token) -> Option<Mark> {
        let Flight::Retained { topic, version, mark } = self.flights.remove(&token)? else { return None };
        self.busy.remove(&topic);
        let forgotten =
            self.retained.get(&topic).is_some_and(|slot| slot.version == version && slot.payload.is_empty());
        if forgotten {
            self.retained.remove(&topic);
        }
        mark
    }

    /// Whether something waits for an acknowledgement.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.flights.is_empty()
    }

    /// Whether everything has gone out and was acknowledged.
    pub(crate) fn is_idle(&self) -> bool {
        self.flights.is_empty() && self.dirty.is_empty() && self.events.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_newest_state_of_a_topic_goes_out_and_one_at_a_time() {
        let mut outbox = Outbox::default();
        outbox.retain("a".into(), "1".into(), None);
        outbox.retain("a".into(), "2".into(), None);
        let first = outbox.next().unwrap();
        assert_eq!((first.payload.as_ref(), first.retain), (b"2".as_slice(), true));
        outbox.retain("a".into(), "3".into(), None);
        assert_eq!(outbox.next(), None, "the topic is under way");
        outbox.acked(first.token);
        assert_eq!(outbox.next().unwrap().payload, "3");
    }

    #[test]
    fn a_cleared_topic_is_cleared_again_until_it_was_acknowledged() {
        let mut outbox = Outbox::default();
        let mark = (AlertId(uuid::Uuid::from_u128(1)), 4);
        outbox.retain("a".into(), Bytes::new(), Some(mark));
        outbox.next().unwrap();
        outbox.connected();
        let again = outbox.next().unwrap();
        assert!(again.payload.is_empty());
        assert_eq!(outbox.acked(again.token), Some(mark));
        outbox.connected();
        assert_eq!(outbox.next(), None);
        assert!(outbox.is_idle());
    }

    #[test]
    fn a_flood_of_events_is_bounded_and_the_window_holds() {
        let mut outbox = Outbox::default();
        let dropped = (0..MAX_EVENTS + 5).filter(|n| outbox.event(n.to_string(), Bytes::new())).count();
        assert_eq!(dropped, 5);
        assert_eq!(std::iter::from_fn(|| outbox.next()).count(), WINDOW);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Retain(u8, u8),
        Event,
        Next,
        Ack(usize),
        Reconnect,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (0u8..4, 0u8..3).prop_map(|(topic, payload)| Step::Retain(topic, payload)),
            Just(Step::Event),
            Just(Step::Next),
            (0usize..8).prop_map(Step::Ack),
            Just(Step::Reconnect),
        ];
        prop::collection::vec(step, 0..80)
    }

    proptest! {
        /// Whatever happens on the way: once all is acknowledged the broker shows the newest state of each topic, and
        /// every event reached it at least once.
        #[test]
        fn the_broker_ends_with_the_newest_states(steps in steps()) {
            let mut outbox = Outbox::default();
            let (mut wanted, mut shown) = (BTreeMap::new(), BTreeMap::new());
            let (mut sent, mut seen) = (0u32, BTreeSet::new());
            let mut under_way: VecDeque<Send> = VecDeque::new();
            let deliver = |send: Send, shown: &mut BTreeMap<String, Bytes>, seen: &mut BTreeSet<String>| {
                if send.retain { shown.insert(send.topic, send.payload); } else { seen.insert(send.topic); }
            };
            for step in steps {
                match step {
                    Step::Retain(topic, payload) => {
                        let payload = Bytes::from(vec![payload; usize::from(payload)]);
                        wanted.insert(topic.to_string(), payload.clone());
                        outbox.retain(topic.to_string(), payload, None);
                    }
                    Step::Event => { outbox.event(format!("e{sent}"), Bytes::new()); sent += 1; }
                    Step::Next => if let Some(send) = outbox.next() {
                        prop_assert!(!send.retain || under_way.iter().all(|other| other.topic != send.topic));
                        under_way.push_back(send);
                    },
                    Step::Ack(count) => for _ in 0..count {
                        let Some(send) = under_way.pop_front() else { break };
                        outbox.acked(send.token);
                        deliver(send, &mut shown, &mut seen);
                    },
                    Step::Reconnect => { under_way.clear(); outbox.connected(); }
                }
            }
            under_way.drain(..).for_each(|send| { outbox.acked(send.token); deliver(send, &mut shown, &mut seen); });
            while let Some(send) = outbox.next() {
                outbox.acked(send.token);
                deliver(send, &mut shown, &mut seen);
            }
            prop_assert!(outbox.is_idle());
            prop_assert_eq!(shown, wanted);
            prop_assert_eq!(seen.len(), sent as usize);
        }
    }
}
