//! The workers and what they share: a bounded queue, the cache, requests under way.
//!
//! A request is *under way* from its first asker until its outcome is told to all who wait for it. Whoever asks for the
//! same picture meanwhile joins. Askers may go away at any time: the request goes on for the others, and is skipped when
//! nobody is left by the time a worker would take it.

mod process;
mod slot;

use std::{
    collections::{HashMap, VecDeque, hash_map},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use crate::{
    Config, Error,
    cache::{Cache, Key, Outcome},
    metrics::Metrics,
    wire::Request,
};

pub(crate) use self::slot::run;

/// A picture to be made.
#[derive(Debug, Clone)]
struct Job {
    key: Key,
    request: Request,
}

/// What a slot is doing, for everybody else.
#[derive(Debug, Clone, PartialEq, Eq)]
enum SlotState {
    /// Its process is starting.
    Starting,
    /// Its process takes requests.
    Up,
    /// Its process did not start or ended; it waits before the next try.
    Down(String),
}

#[derive(Debug)]
struct State {
    cache: Cache,
    under_way: HashMap<Key, Vec<oneshot::Sender<Outcome>>>,
    queue: VecDeque<Job>,
    slots: Vec<SlotState>,
    stopping: bool,
}

/// How a request goes on.
pub(crate) enum Asked {
    /// It is in the cache.
    Known(Outcome),
    /// It is under way.
    Wait(oneshot::Receiver<Outcome>),
}

/// Everything the slots and the askers share.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) config: Config,
    pub(crate) metrics: Metrics,
    state: Mutex<State>,
    work: Notify,
}

/// What is now, for the metrics.
pub(crate) struct Now {
    pub(crate) workers_up: usize,
    pub(crate) queued: usize,
    pub(crate) cache_entries: usize,
    pub(crate) cache_bytes: usize,
}

impl Pool {
    pub(crate) fn new(config: Config) -> Self {
        let state = State {
            cache: Cache::new(config.cache_bytes),
            under_way: HashMap::new(),
            queue: VecDeque::new(),
            slots: vec![SlotState::Starting; config.workers],
            stopping: false,
        };
        Self { config, metrics: Metrics::default(), state: Mutex::new(state), work: Notify::new() }
    }

    /// Looks in the cache only.
    pub(crate) fn known(&self, key: &Key) -> Option<Outcome> {
        self.state.lock().cache.get(key, Instant::now())
    }

    /// Finds, joins or queues the picture.
    pub(crate) fn ask(&self, key: Key, request: Request) -> Result<Asked, Error> {
        use std::sync::atomic::Ordering::Relaxed;
        let mut state = self.state.lock();
        if state.stopping {
            return Err(Error::Stopping);
        }
        if let Some(outcome) = state.cache.get(&key, Instant::now()) {
            self.metrics.cache_hits.fetch_add(1, Relaxed);
            return Ok(Asked::Known(outcome));
        }
        let State { under_way, queue, slots, .. } = &mut *state;
        let (tell, wait) = oneshot::channel();
        match under_way.entry(key) {
            hash_map::Entry::Occupied(mut askers) => {
                self.metrics.joined.fetch_add(1, Relaxed);
                askers.get_mut().push(tell);
            }
            hash_map::Entry::Vacant(place) => {
                if let Some(reason) = all_down(slots) {
                    return Err(Error::Unavailable { reason });
                }
                if queue.len() >= self.config.queue {
                    return Err(Error::Busy { waiting: queue.len() });
                }
                place.insert(vec![tell]);
                queue.push_back(Job { key, request });
                self.work.notify_one();
            }
        }
        Ok(Asked::Wait(wait))
    }

    /// The next picture that somebody still wants. Cancel-safe.
    async fn next_job(&self) -> Job {
        loop {
            let notified = self.work.notified();
            if let Some(job) = self.take_job() {
                return job;
            }
            notified.await;
        }
    }

    fn take_job(&self) -> Option<Job> {
        let mut state = self.state.lock();
        while let Some(job) = state.queue.pop_front() {
            if state.wanted(&job.key) {
                // One notification may stand for several jobs.
                if !state.queue.is_empty() {
                    self.work.notify_one();
                }
                return Some(job);
            }
            state.under_way.remove(&job.key);
        }
        None
    }

    fn wanted(&self, key: &Key) -> bool {
        self.state.lock().wanted(key)
    }

    /// Tells all who wait, and remembers what is a property of the key frame.
    fn finish(&self, key: Key, outcome: Outcome) {
        let mut state = self.state.lock();
        if outcome.as_ref().map_or_else(is_lasting, |_| true) {
            state.cache.put(key, outcome.clone(), Instant::now());
        }
        for asker in state.under_way.remove(&key).unwrap_or_default() {
            // Who went away does not want to know.
            let _ = asker.send(outcome.clone());
        }
    }

    /// Notes what a slot does. When the last one goes down, nobody is left waiting for nothing.
    fn set_slot(&self, number: usize, now: SlotState) {
        let mut state = self.state.lock();
        if let Some(slot) = state.slots.get_mut(number) {
            *slot = now;
        }
        let Some(reason) = all_down(&state.slots) else { return };
        let State { under_way, queue, .. } = &mut *state;
        for job in queue.drain(..) {
            for asker in under_way.remove(&job.key).unwrap_or_default() {
                let _ = asker.send(Err(Error::Unavailable { reason: reason.clone() }));
            }
        }
    }

    /// Takes nothing more; whoever waits is told so.
    pub(crate) fn stop(&self) {
        let mut state = self.state.lock();
        state.stopping = true;
        state.queue.clear();
        // Dropping the senders tells the askers.
        state.under_way.clear();
    }

    pub(crate) fn now(&self) -> Now {
        let state = self.state.lock();
        Now {
            workers_up: state.slots.iter().filter(|slot| **slot == SlotState::Up).count(),
            queued: state.queue.len(),
            cache_entries: state.cache.entries(),
            cache_bytes: state.cache.bytes(),
        }
    }
}

impl State {
    fn wanted(&self, key: &Key) -> bool {
        self.under_way.get(key).is_some_and(|askers| askers.iter().any(|asker| !asker.is_closed()))
    }
}

/// Why nothing works, when nothing does.
fn all_down(slots: &[SlotState]) -> Option<String> {
    let mut reason = None;
    for slot in slots {
        match slot {
            SlotState::Down(why) => reason = Some(why.clone()),
            SlotState::Starting | SlotState::Up => return None,
        }
    }
    reason
}

/// Whether asking again at once would end the same way.
fn is_lasting(error: &Error) -> bool {
    matches!(
        error,
        Error::Undecodable { .. } | Error::TooLarge { .. } | Error::Timeout { .. } | Error::WorkerDied { .. }
    )
}

/// Sleeps at least as long as asked for, not at all for zero.
async fn pause(length: Duration) {
    if !length.is_zero() {
        tokio::time::sleep(length).await;
    }
}
