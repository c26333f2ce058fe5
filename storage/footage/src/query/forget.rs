//! Letting go of media in memory, once the keys that it was read with are destroyed.

use std::sync::atomic::Ordering;

use crate::{shared::Shared, store::Footage};

impl Footage {
    /// Forgets all media that was read from disk. What is still in a tail ring stays: it is newer than any key that may be
    /// destroyed.
    pub fn forget_read(&self) {
        self.shared().forget_read();
    }
}

impl Shared {
    /// See [`Footage::forget_read`].
    pub(crate) fn forget_read(&self) {
        let mut gops = self.gops.lock();
        // A read on its way was given its key before: it must not be remembered after.
        self.forgotten.fetch_add(1, Ordering::Relaxed);
        gops.clear();
    }
}
