//! What policies need of others.

use std::fmt;

use super::KeyDay;
use crate::crypt::{CameraHour, KeyError};

/// Whoever keeps the keys of footage, asked to destroy them. Called from a thread that may block.
pub trait KeyDestroyer: Send + Sync + fmt::Debug {
    /// The days up to and with `last` (days since 1970, UTC) that have keys, and the camera-hours those are for.
    ///
    /// # Errors
    /// When they cannot be read.
    fn days(&self, last: u32) -> Result<Vec<KeyDay>, KeyError>;

    /// Destroys the keys of a day for good, but for those of `keep`. Enters it into the audit log first.
    ///
    /// # Errors
    /// When it cannot be entered or done; then it is tried again later.
    fn destroy_day(&self, day: u32, keep: &[CameraHour]) -> Result<(), KeyError>;
}
