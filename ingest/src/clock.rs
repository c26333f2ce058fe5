//! The receiver's clocks: the monotonic one is tokio's, so that a paused test rules it; the wall clock may follow it.

use std::time::Instant;

use sightline_model::Timestamp;

/// Where the time of day comes from.
#[derive(Debug, Clone, Copy)]
pub struct Clock(Kind);

#[derive(Debug, Clone, Copy)]
enum Kind {
    System,
    Following { start: Instant, wall: Timestamp },
}

impl Clock {
    /// The system's.
    #[must_use]
    pub fn system() -> Self {
        Self(Kind::System)
    }

    /// `wall` now, and from then on in step with tokio's clock: for simulation under paused time.
    #[must_use]
    pub fn following(wall: Timestamp) -> Self {
        Self(Kind::Following { start: now(), wall })
    }

    /// The time of day.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        match self.0 {
            Kind::System => Timestamp::now(),
            Kind::Following { start, wall } => wall + now().duration_since(start),
        }
    }
}

/// The monotonic clock, which stands still while a test has paused tokio's.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
