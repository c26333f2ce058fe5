//! Letting go of media in memory, once the keys that it was read with are destroyed.

use std::sync::atomic::Ordering;

use crate::store::Footage;

impl Footage {
    /// Forgets all media that was read from disk. What is still in a tail ring stays: it is newer than any key that may be
    /// destroyed.
    pub fn forget_read(&self) {
        let shared = self.shared();
        let mut gops = shared.gops.lock();
        // A read on its way was given its key before: it must not be remembered after.
        shared.forgotten.fetch_add(1, Ordering::Relaxed);
        gops.clear();
    }
}
