//! Pages of remote segments: read lately, or on their way. Whoever claims a page first loads it; all others wait for the
//! same answer. No lock is held while anything is loaded.

use std::{
    collections::HashMap,
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use parking_lot::{Condvar, Mutex};

use super::problem::TierProblem;
use crate::lru::Lru;

/// A page: segment, number.
pub(crate) type PageKey = (u64, u64);
type Answer = Result<Bytes, TierProblem>;

/// A page on its way.
#[derive(Debug, Default)]
pub(crate) struct Loading {
    answer: Mutex<Option<Answer>>,
    bell: Condvar,
}

impl Loading {
    /// Waits for the page, at most so long.
    pub(crate) fn wait(&self, at_most: Duration) -> Answer {
        let deadline = Instant::now() + at_most;
        let mut answer = self.answer.lock();
        loop {
            if let Some(answer) = &*answer {
                return answer.clone();
            }
            if self.bell.wait_until(&mut answer, deadline).timed_out() && answer.is_none() {
                let detail = format!("nothing came for {} s", at_most.as_secs());
                return Err(TierProblem::Unreachable { detail });
            }
        }
    }
}

/// What became of a claim.
#[derive(Debug)]
pub(crate) enum Claim {
    /// It is here.
    Ready(Bytes),
    /// Somebody loads it.
    Theirs(Arc<Loading>),
    /// The claimer has to load it, and must settle it whatever happens.
    Mine(Arc<Loading>),
}

#[derive(Debug)]
struct State {
    ready: Lru<PageKey, Bytes>,
    loading: HashMap<PageKey, Arc<Loading>>,
}

/// See the module's words.
#[derive(Debug)]
pub(crate) struct Pages {
    state: Mutex<State>,
}

impl Pages {
    /// A cache of at most `bytes`, pages on their way not counted.
    pub(crate) fn new(bytes: usize) -> Self {
        Self { state: Mutex::new(State { ready: Lru::new(bytes), loading: HashMap::new() }) }
    }

    pub(crate) fn claim(&self, key: PageKey) -> Claim {
        let mut state = self.state.lock();
        if let Some(page) = state.ready.get(&key) {
            return Claim::Ready(page);
        }
        if let Some(loading) = state.loading.get(&key) {
            return Claim::Theirs(Arc::clone(loading));
        }
        let loading = Arc::new(Loading::default());
        state.loading.insert(key, Arc::clone(&loading));
        Claim::Mine(loading)
    }

    /// Whether all pages are here or on their way.
    pub(crate) fn has_all(&self, segment: u64, mut pages: Range<u64>) -> bool {
        let mut state = self.state.lock();
        let state = &mut *state;
        pages.all(|page| {
            state.loading.contains_key(&(segment, page)) || state.ready.get(&(segment, page)).is_some()
        })
    }

    /// Answers everybody who waits for a page, and keeps it.
    pub(crate) fn settle(&self, key: PageKey, loading: &Loading, answer: Answer) {
        {
            let mut state = self.state.lock();
            state.loading.remove(&key);
            if let Ok(page) = &answer {
                state.ready.insert(key, page.clone(), page.len());
            }
        }
        *loading.answer.lock() = Some(answer);
        loading.bell.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_loads_and_all_get_the_same_answer() {
        let pages = Pages::new(100);
        let Claim::Mine(mine) = pages.claim((1, 0)) else { panic!("nobody had it") };
        let Claim::Theirs(theirs) = pages.claim((1, 0)) else { panic!("it is on its way") };
        assert!(pages.has_all(1, 0..1) && !pages.has_all(1, 0..2));
        let waiter = std::thread::spawn(move || theirs.wait(Duration::from_secs(10)));
        pages.settle((1, 0), &mine, Ok(Bytes::from_static(b"page")));
        assert_eq!(waiter.join().unwrap().unwrap(), "page");
        assert!(matches!(pages.claim((1, 0)), Claim::Ready(page) if page == "page"));
    }

    #[test]
    fn a_failure_is_told_to_those_who_wait_and_not_remembered() {
        let pages = Pages::new(100);
        let Claim::Mine(mine) = pages.claim((1, 0)) else { panic!("nobody had it") };
        let Claim::Theirs(theirs) = pages.claim((1, 0)) else { panic!("it is on its way") };
        pages.settle((1, 0), &mine, Err(TierProblem::Missing));
        assert_eq!(theirs.wait(Duration::ZERO), Err(TierProblem::Missing));
        assert!(matches!(pages.claim((1, 0)), Claim::Mine(_)));
    }

    #[test]
    fn nobody_waits_for_ever() {
        let answer = Loading::default().wait(Duration::from_millis(1));
        assert!(matches!(answer, Err(TierProblem::Unreachable { .. })));
    }
}
