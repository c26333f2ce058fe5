//! A process that dies: after a number of steps every operation on files fails, and a write that is on its way then has
//! reached the disk in part.

use std::{cell::RefCell, fs::File, io, os::unix::fs::FileExt, sync::Arc};

use parking_lot::Mutex;

#[derive(Debug, Default)]
struct State {
    /// Steps until it burns; `None`: never.
    left: Option<usize>,
    burnt: bool,
    /// How much of a write is done when it burns, in parts of 8.
    torn_eighths: usize,
}

thread_local! {
    static OF_THREAD: RefCell<Fuse> = RefCell::default();
}

/// Shared by all folders that a thread opens.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fuse(Arc<Mutex<State>>);

impl Fuse {
    /// The fuse of this thread.
    pub(crate) fn of_thread() -> Self {
        OF_THREAD.with_borrow(Clone::clone)
    }

    /// A new fuse for the folders that this thread opens from here on.
    pub(crate) fn lay(torn_eighths: usize) -> Self {
        let state = State { left: None, burnt: false, torn_eighths };
        let fuse = Self(Arc::new(Mutex::new(state)));
        OF_THREAD.set(fuse.clone());
        fuse
    }

    /// From here on nothing burns on this thread.
    pub(crate) fn put_out() {
        OF_THREAD.set(Self::default());
    }

    /// Burns after `steps` from now.
    pub(crate) fn burn_after(&self, steps: usize) {
        self.0.lock().left = Some(steps);
    }

    pub(crate) fn is_burnt(&self) -> bool {
        self.0.lock().burnt
    }

    /// From here on the same folders work again: the disk was full, and is not any more.
    pub(crate) fn mend(&self) {
        *self.0.lock() = State::default();
    }

    pub(crate) fn step(&self) -> io::Result<()> {
        let mut state = self.0.lock();
        match &mut state.left {
            None => Ok(()),
            Some(0) => {
                state.burnt = true;
                Err(io::Error::other("the test ends the process here"))
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }

    /// Before a write: writes its first part when the fuse burns in it.
    pub(crate) fn tear(&self, file: &File, offset: u64, bytes: &[u8]) {
        let state = self.0.lock();
        if state.left == Some(0) && !state.burnt {
            file.write_all_at(&bytes[..bytes.len() * state.torn_eighths / 8], offset).unwrap();
        }
    }
}
