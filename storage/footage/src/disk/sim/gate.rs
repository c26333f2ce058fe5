//! A disk as slow as a test wants it: operations of one kind wait at a gate until the test lets them through.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

#[derive(Debug, Default)]
struct State {
    open: bool,
    /// How many may still pass while it is shut.
    admitted: u64,
    waiting: u64,
}

/// See the module's words. Opens when dropped, so that nothing hangs behind a failed test.
#[derive(Debug)]
pub(crate) struct Gate(Arc<Bar>);

/// The part of a gate that operations wait at.
#[derive(Debug, Default)]
pub(super) struct Bar {
    state: Mutex<State>,
    moved: Condvar,
}

impl Bar {
    pub(super) fn pass(&self) {
        let mut state = self.state.lock();
        state.waiting += 1;
        while !state.open && state.admitted == 0 {
            self.moved.wait(&mut state);
        }
        state.waiting -= 1;
        state.admitted = state.admitted.saturating_sub(1);
    }

    pub(super) fn is_open(&self) -> bool {
        self.state.lock().open
    }
}

impl Gate {
    pub(super) fn shut() -> (Self, Arc<Bar>) {
        let bar = Arc::new(Bar::default());
        (Self(Arc::clone(&bar)), bar)
    }

    /// How many operations wait.
    pub(crate) fn waiting(&self) -> u64 {
        self.0.state.lock().waiting
    }

    /// Lets `count` operations through.
    pub(crate) fn admit(&self, count: u64) {
        self.0.state.lock().admitted += count;
        self.0.moved.notify_all();
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.0.state.lock().open = true;
        self.0.moved.notify_all();
    }
}
