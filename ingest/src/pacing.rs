//! How many connections are opened at once, and whose turn it is.
//!
//! The decisions are in [`Pacer`], which is pure; [`Gate`] lets tasks wait for their turn. Hosts take turns, and within
//! a host it is first come, first served: a recorder with 256 dead channels does not hold up the camera next door.
//! Invariants: `open <= limit`, and for each host `open_of(host) <= per_host`.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::sync::oneshot;

/// Decides who may connect.
#[derive(Debug)]
struct Pacer<T> {
    limit: usize,
    per_host: usize,
    open: usize,
    hosts: BTreeMap<Arc<str>, Host<T>>,
    /// Hosts with somebody waiting, in the order of their turns.
    turns: VecDeque<Arc<str>>,
}

#[derive(Debug)]
struct Host<T> {
    open: usize,
    waiting: VecDeque<T>,
}

impl<T> Pacer<T> {
    fn new(limit: usize, per_host: usize) -> Self {
        Self {
            limit: limit.max(1),
            per_host: per_host.max(1),
            open: 0,
            hosts: BTreeMap::new(),
            turns: VecDeque::new(),
        }
    }

    /// Somebody wants to connect to `host`.
    fn enter(&mut self, host: &Arc<str>, who: T) {
        let entry =
            self.hosts.entry(Arc::clone(host)).or_insert_with(|| Host { open: 0, waiting: VecDeque::new() });
        if entry.waiting.is_empty() {
            self.turns.push_back(Arc::clone(host));
        }
        entry.waiting.push_back(who);
    }

    /// Whose turn it is now, if there is room; counted as open from here on.
    fn next(&mut self) -> Option<(Arc<str>, T)> {
        if self.open >= self.limit {
            return None;
        }
        for _ in 0..self.turns.len() {
            let host = self.turns.pop_front()?;
            let Some(entry) = self.hosts.get_mut(&host) else { continue };
            if entry.open >= self.per_host {
                self.turns.push_back(host);
                continue;
            }
            let Some(who) = entry.waiting.pop_front() else { continue };
            entry.open += 1;
            self.open += 1;
            if !entry.waiting.is_empty() {
                self.turns.push_back(Arc::clone(&host));
            }
            return Some((host, who));
        }
        None
    }

    /// A connection to `host` stands, or failed.
    fn leave(&mut self, host: &Arc<str>) {
        if let Some(entry) = self.hosts.get_mut(host) {
            entry.open = entry.open.saturating_sub(1);
            self.open = self.open.saturating_sub(1);
            if entry.open == 0 && entry.waiting.is_empty() {
                self.hosts.remove(host);
            }
        }
    }
}

/// Lets tasks wait for their turn to connect.
#[derive(Debug, Clone)]
pub(crate) struct Gate(Arc<Mutex<Pacer<oneshot::Sender<Permit>>>>);

/// The right to open one connection; given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    gate: Option<Gate>,
    host: Arc<str>,
}

impl Gate {
    pub(crate) fn new(limit: usize, per_host: usize) -> Self {
        Self(Arc::new(Mutex::new(Pacer::new(limit, per_host))))
    }

    /// Waits for a turn. Whoever stops waiting loses its place and nothing else.
    pub(crate) async fn enter(&self, host: &str) -> Permit {
        let host: Arc<str> = host.into();
        let (sender, turn) = oneshot::channel();
        self.0.lock().enter(&host, sender);
        self.admit();
        // The sender is dropped only with the gate, which `self` keeps.
        turn.await.unwrap_or(Permit { gate: None, host })
    }

    fn leave(&self, host: &Arc<str>) {
        self.0.lock().leave(host);
        self.admit();
    }

    /// Admits as many as there is room for. Tickets of those who stopped waiting are passed over.
    fn admit(&self) {
        loop {
            let Some((host, who)) = self.0.lock().next() else { return };
            let permit = Permit { gate: Some(self.clone()), host: Arc::clone(&host) };
            if let Err(mut permit) = who.send(permit) {
                permit.gate = None;
                self.0.lock().leave(&host);
            }
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(gate) = self.gate.take() {
            gate.leave(&self.host);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, future::BoxFuture};
    use proptest::prelude::*;

    use super::*;

    fn host(number: usize) -> Arc<str> {
        format!("10.0.0.{number}:554").into()
    }

    #[test]
    fn hosts_take_turns_and_a_big_one_does_not_starve_a_small_one() {
        let mut pacer = Pacer::new(4, 2);
        for channel in 0..100 {
            pacer.enter(&host(1), channel);
        }
        pacer.enter(&host(2), 1000);
        let admitted: Vec<_> = std::iter::from_fn(|| pacer.next()).map(|(_, who)| who).collect();
        assert_eq!(
            admitted,
            [0, 1000, 1],
            "the first host is at its own limit before the common one is reached"
        );
        pacer.leave(&host(1));
        assert_eq!(pacer.next().map(|(_, who)| who), Some(2));
        assert_eq!(pacer.next(), None);
    }

    proptest! {
        #[test]
        fn limits_hold_everybody_gets_a_turn_and_nothing_is_left_behind(
            limit in 1_usize..6, per_host in 1_usize..4, steps in proptest::collection::vec((0_usize..5, any::<bool>()), 1..200),
        ) {
            let mut pacer = Pacer::new(limit, per_host);
            let mut waiting = 0;
            let mut open: Vec<Arc<str>> = Vec::new();
            for (number, enters) in steps {
                if enters {
                    pacer.enter(&host(number), ());
                    waiting += 1;
                } else if !open.is_empty() {
                    let left = open.remove(number % open.len());
                    pacer.leave(&left);
                }
                while let Some((admitted, ())) = pacer.next() {
                    open.push(admitted);
                    waiting -= 1;
                }
                prop_assert!(open.len() <= limit);
                for number in 0..5 {
                    prop_assert!(open.iter().filter(|o| **o == host(number)).count() <= per_host);
                }
            }
            while let Some(left) = open.pop() {
                pacer.leave(&left);
                while let Some((admitted, ())) = pacer.next() {
                    open.push(admitted);
                    waiting -= 1;
                }
            }
            prop_assert_eq!(waiting, 0);
            prop_assert!(pacer.hosts.is_empty() && pacer.turns.is_empty() && pacer.open == 0);
        }
    }

    #[test]
    fn who_stops_waiting_gives_the_turn_to_the_next() {
        let gate = Gate::new(1, 1);
        let first = gate.enter("a").now_or_never().unwrap();
        let mut waiters: Vec<BoxFuture<'_, Permit>> = (0..1000).map(|_| gate.enter("a").boxed()).collect();
        for waiter in &mut waiters {
            assert!(waiter.now_or_never().is_none());
        }
        let last = waiters.pop().unwrap();
        drop(waiters);
        drop(first);
        let permit = last.now_or_never().expect("999 dropped waiters do not stand in the way");
        assert!(gate.enter("b").now_or_never().is_none());
        drop(permit);
        assert!(gate.enter("b").now_or_never().is_some());
    }
}
