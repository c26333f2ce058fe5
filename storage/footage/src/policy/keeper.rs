//! The thread that keeps footage within its policies: looks, decides, carries out, and waits.
//!
//! Nothing is destroyed before the holds are known: [`crate::Footage::set_holds`] has to be called once, with none if there
//! are none.

use std::{
    collections::BTreeMap,
    io,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex, MutexGuard};
use sightline_model::{CameraId, Timestamp};
use tokio::sync::watch;

use super::{
    Hold, OwnerId, Plan, Policies, PolicyConfig, choose,
    execute::{Done, Executor, finish_replacements},
    hold::Holds,
    journal::Journal,
    seam::KeyDestroyer,
    survey::{Asked, Survey},
};
use crate::{Error, shared::Shared};

/// How often free space is looked at.
const LOOK: Duration = Duration::from_secs(5);
/// The least time between two plans that a full disk asks for.
const FULL_PAUSE: Duration = Duration::from_secs(60);
/// How long the clock must have run evenly before it counts as a sign of life.
const SETTLED: Duration = Duration::from_secs(3600);
/// By how much it may have gone another way than the machine's own clock meanwhile.
const UNEVEN_US: i64 = 60_000_000;
/// Name of the log in the store's folder.
const LOG: &str = "policy.log";

/// What the caller says, and what the thread waits for.
#[derive(Debug, Default)]
struct State {
    /// `None` until the caller has said which there are.
    holds: Option<Vec<Hold>>,
    owners: BTreeMap<CameraId, OwnerId>,
    keys: Option<Arc<dyn KeyDestroyer>>,
    /// What must stay free on each disk, by the last look.
    keep_free: BTreeMap<u16, u64>,
    revision: u64,
    stop: bool,
}

/// The part of policies that a store holds.
#[derive(Debug)]
pub(crate) struct Keeping {
    policies: Policies,
    config: PolicyConfig,
    state: Mutex<State>,
    signal: Condvar,
    /// Held while plans are made and carried out: one at a time.
    work: Mutex<Work>,
    /// Whether the thread is there.
    running: watch::Sender<bool>,
}

/// What lasts from one plan to the next.
#[derive(Debug)]
struct Work {
    survey: Survey,
    journal: Journal,
    clock: Clock,
}

/// Whether the clock has run evenly.
#[derive(Debug, Default)]
struct Clock {
    since: Option<(Timestamp, Instant)>,
}

impl Clock {
    /// A sign of life at `now`, if the clock has run evenly for long enough.
    fn seen(&mut self, now: Timestamp, instant: Instant) -> Option<Timestamp> {
        let (at, since) = *self.since.get_or_insert((now, instant));
        let elapsed = instant.saturating_duration_since(since);
        if now.micros_since(at + elapsed).abs() > UNEVEN_US {
            self.since = Some((now, instant));
            return None;
        }
        (elapsed >= SETTLED).then_some(now)
    }
}

impl Keeping {
    pub(crate) fn new(config: &PolicyConfig, dir: &Path) -> Result<Self, Error> {
        let work =
            Work { survey: Survey::default(), journal: Journal::new(dir.join(LOG)), clock: Clock::default() };
        Ok(Self {
            policies: Policies::resolve(config, None)?,
            config: config.clone(),
            state: Mutex::default(),
            signal: Condvar::new(),
            work: Mutex::new(work),
            running: watch::Sender::new(false),
        })
    }

    pub(crate) fn policies(&self) -> &Policies {
        &self.policies
    }

    pub(crate) fn set_holds(&self, holds: Vec<Hold>) {
        let mut state = self.state.lock();
        if state.holds.as_ref() != Some(&holds) {
            state.holds = Some(holds);
            state.revision += 1;
            drop(state);
            self.signal.notify_all();
        }
    }

    pub(crate) fn set_owners(&self, owners: BTreeMap<CameraId, OwnerId>) {
        self.state.lock().owners = owners;
    }

    pub(crate) fn set_keys(&self, keys: Arc<dyn KeyDestroyer>) {
        self.state.lock().keys = Some(keys);
    }

    pub(crate) fn stop(&self) {
        let mut state = self.state.lock();
        state.stop = true;
        // It may hold the store itself.
        state.keys = None;
        drop(state);
        self.signal.notify_all();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.state.lock().stop
    }

    pub(crate) fn revision(&self) -> u64 {
        self.state.lock().revision
    }

    /// Lets the holds stay as they are while footage goes; `None` when they have changed already.
    pub(super) fn gate(&self, revision: u64) -> Option<impl Drop + use<'_>> {
        let state = self.state.lock();
        (state.revision == revision && !state.stop).then_some(Gate(state))
    }

    /// Waits until the thread has ended.
    pub(crate) async fn ended(&self) {
        let mut running = self.running.subscribe();
        let _ = running.wait_for(|running| !running).await;
    }

    /// Makes a plan for `now`. Until holds are known it is made as if there were none.
    pub(crate) fn plan(&self, shared: &Shared, now: Timestamp) -> Result<Plan, Error> {
        let mut work = self.work.lock();
        self.decide(shared, now, &mut work).map(|(plan, _)| plan)
    }

    /// Makes a plan for `now` and carries it out.
    pub(crate) fn keep(&self, shared: &Shared, now: Timestamp) -> Result<(Plan, Done), Error> {
        let mut work = self.work.lock();
        let (plan, revision) = self.decide(shared, now, &mut work)?;
        if let Some(refusal) = &plan.refusal {
            tracing::error!("no footage is deleted: {refusal}");
        }
        for note in &plan.notes {
            tracing::warn!("footage policies: {note}");
        }
        if revision.is_none() {
            return Ok((plan, Done { given_up: true, ..Done::default() }));
        }
        let Work { survey, journal, .. } = &mut *work;
        let mut executor = Executor {
            shared,
            keeping: self,
            survey,
            journal,
            keys: self.state.lock().keys.clone(),
            revision: revision.unwrap_or_default(),
            bytes_per_s: self.config.rewrite_bytes_per_s,
        };
        let done = executor.run(&plan);
        Ok((plan, done))
    }

    /// The plan, and the revision of the holds it knows if they are known at all.
    fn decide(&self, shared: &Shared, now: Timestamp, work: &mut Work) -> Result<(Plan, Option<u64>), Error> {
        let (holds, owners, revision) = {
            let state = self.state.lock();
            (state.holds.clone(), state.owners.clone(), state.revision)
        };
        let revision = holds.is_some().then_some(revision);
        let holds = holds.unwrap_or_default();
        let asked = Asked {
            policies: &self.policies,
            holds: &Holds::new(&holds, now),
            streams: !self.config.owners.is_empty(),
            keep_free_percent: u64::from(self.config.keep_free_percent),
            now,
        };
        let mut stock = work.survey.stock(shared, &asked)?;
        stock.owners = owners;
        stock.seen = work.clock.seen(now, Instant::now());
        let keys = {
            let mut state = self.state.lock();
            state.keep_free = stock.disks.iter().map(|disk| (disk.id, disk.keep_free_bytes)).collect();
            state.keys.clone()
        };
        if let Some(keys) = keys {
            let day = (now - self.policies.longest_max()).0.div_euclid(86_400_000_000) - 1;
            stock.keys = match u32::try_from(day).map(|day| keys.days(day)) {
                Ok(days) => days.map_err(Error::Key)?,
                Err(_) => Vec::new(),
            };
        }
        Ok((choose(&stock, &self.policies, &holds, now), revision))
    }
}

/// Footage goes only while this is held.
struct Gate<'a>(#[expect(dead_code, reason = "held for its lock")] MutexGuard<'a, State>);

impl Drop for Gate<'_> {
    fn drop(&mut self) {}
}

/// Finishes what a crash interrupted, and starts the thread.
pub(crate) fn start(shared: &Arc<Shared>) -> io::Result<()> {
    finish_replacements(shared);
    shared.keeping.running.send_replace(true);
    let keeper = Keeper { shared: Arc::clone(shared), planned: None };
    let farewell = Farewell(Arc::clone(shared));
    let started = thread::Builder::new().name("footage-keeper".to_owned()).spawn(move || {
        let _farewell = farewell;
        keeper.run();
    });
    started.map(|_| ())
}

/// Tells that the thread has ended, however it did.
struct Farewell(Arc<Shared>);

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.keeping.running.send_replace(false);
    }
}

struct Keeper {
    shared: Arc<Shared>,
    /// When a plan was made last, and for which holds.
    planned: Option<(Instant, u64)>,
}

impl Keeper {
    fn run(mut self) {
        while self.wait() {
            match self.shared.keeping.keep(&self.shared, Timestamp::now()) {
                Ok((plan, done)) if !plan.is_empty() => {
                    tracing::info!(
                        steps = done.steps,
                        failed = done.failed,
                        deleted = done.deleted,
                        rewritten = done.rewritten,
                        lost_bytes = done.lost_bytes,
                        "footage is within its policies again"
                    );
                }
                Ok(_) => {}
                Err(error) => tracing::warn!("footage policies could not be looked after: {error}"),
            }
        }
    }

    /// Waits until it is time for a plan; `false` when it is time to end.
    fn wait(&mut self) -> bool {
        let keeping = &self.shared.keeping;
        let mut state = keeping.state.lock();
        loop {
            if state.stop {
                return false;
            }
            let now = Instant::now();
            let known = state.holds.is_some();
            let pause = |pause: Duration| self.planned.is_none_or(|(at, _)| now >= at + pause);
            let changed = self.planned.is_some_and(|(_, revision)| revision != state.revision);
            let due = pause(keeping.config.every) || changed && pause(LOOK);
            if known && (due || pause(FULL_PAUSE) && self.is_full(&state)) {
                self.planned = Some((now, state.revision));
                return true;
            }
            keeping.signal.wait_for(&mut state, LOOK.min(keeping.config.every));
        }
    }

    /// Whether a disk is short of space, by the last look of its writer.
    fn is_full(&self, state: &State) -> bool {
        let short = |room: &&Arc<crate::room::Room>| {
            let keep = state.keep_free.get(&u16::from(room.no));
            !room.has_left() && keep.is_some_and(|keep| room.free_bytes() < *keep)
        };
        self.shared.rooms().iter().any(|room| short(&room))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_counts_once_it_has_run_evenly_for_an_hour() {
        let (began, start) = (Instant::now(), Timestamp(1_795_000_000_000_000));
        let mut clock = Clock::default();
        let mut ask = |late: Duration, by_clock: Duration| clock.seen(start + by_clock, began + late);
        let minutes = |count: u64| Duration::from_secs(count * 60);
        assert_eq!(ask(minutes(0), minutes(0)), None);
        assert_eq!(ask(minutes(59), minutes(59)), None);
        assert_eq!(ask(minutes(60), minutes(60)), Some(start + minutes(60)));
        assert_eq!(ask(minutes(61), minutes(600_000)), None, "it jumped");
        assert_eq!(ask(minutes(120), minutes(600_059)), None);
        assert_eq!(ask(minutes(121), minutes(600_060)), Some(start + minutes(600_060)));
    }
}
