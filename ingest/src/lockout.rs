//! Which cameras refused our password, so that nobody asks again too soon: neither the other stream of the camera nor a
//! viewer who opens the live picture over and over. A camera that counts refused logins must never lock the account.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use sightline_model::{CameraId, camera::Credentials};

use crate::backoff::{Backoff, Bounds};

/// A refusal that still stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hold {
    /// No try before this.
    pub(crate) until: Instant,
    /// Refusals in a row.
    pub(crate) refusals: u32,
}

#[derive(Debug)]
struct Refused {
    credentials: Option<Credentials>,
    backoff: Backoff,
    until: Instant,
}

/// Refusals by camera.
#[derive(Debug, Default)]
pub(crate) struct Lockout {
    refused: BTreeMap<CameraId, Refused>,
}

impl Lockout {
    /// What keeps us from trying `credentials` now. A changed password is free to be tried.
    pub(crate) fn hold(
        &self,
        camera: CameraId,
        credentials: Option<&Credentials>,
        now: Instant,
    ) -> Option<Hold> {
        let refused = self.refused.get(&camera)?;
        let same = refused.credentials.as_ref() == credentials;
        (same && now < refused.until)
            .then(|| Hold { until: refused.until, refusals: refused.backoff.failures() })
    }

    /// The camera refused `credentials`.
    pub(crate) fn refused(
        &mut self,
        camera: CameraId,
        credentials: Option<&Credentials>,
        bounds: Bounds,
        random: f64,
        now: Instant,
    ) -> Hold {
        let refused = self.refused.entry(camera).or_insert_with(|| Refused {
            credentials: credentials.cloned(),
            backoff: Backoff::default(),
            until: now,
        });
        if refused.credentials.as_ref() != credentials {
            refused.credentials = credentials.cloned();
            refused.backoff.reset();
        }
        let wait = refused.backoff.failed(Duration::ZERO, bounds, random);
        refused.until = refused.until.max(now + wait);
        Hold { until: refused.until, refusals: refused.backoff.failures() }
    }

    /// The camera let us in.
    pub(crate) fn accepted(&mut self, camera: CameraId) {
        self.refused.remove(&camera);
    }

    /// Keeps only cameras that are still registered.
    pub(crate) fn retain(&mut self, registered: impl Fn(CameraId) -> bool) {
        self.refused.retain(|camera, _| registered(*camera));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { min: Duration::from_secs(300), max: Duration::from_secs(1800) };

    fn login(password: &str) -> Credentials {
        Credentials { user: "admin".into(), password: password.into() }
    }

    #[test]
    fn a_refused_password_is_held_and_a_new_one_is_tried_at_once() {
        let camera: CameraId = "gate".parse().unwrap();
        let (old, new) = (login("old"), login("new"));
        let start = Instant::now();
        let mut lockout = Lockout::default();
        assert_eq!(lockout.hold(camera, Some(&old), start), None);

        let hold = lockout.refused(camera, Some(&old), BOUNDS, 1.0, start);
        assert_eq!((hold.until, hold.refusals), (start + BOUNDS.min, 1));
        assert_eq!(lockout.hold(camera, Some(&old), start + BOUNDS.min / 2), Some(hold));
        assert_eq!(lockout.hold(camera, Some(&new), start), None);
        assert_eq!(lockout.hold(camera, Some(&old), start + BOUNDS.min), None, "over");

        let again = lockout.refused(camera, Some(&old), BOUNDS, 1.0, start + BOUNDS.min);
        assert_eq!((again.until, again.refusals), (start + BOUNDS.min * 3, 2));
        let other = lockout.refused(camera, Some(&new), BOUNDS, 1.0, start + BOUNDS.min);
        assert_eq!(other.refusals, 1, "the new password starts its own count");

        lockout.accepted(camera);
        assert_eq!(lockout.hold(camera, Some(&new), start + BOUNDS.min), None);
    }

    #[test]
    fn cameras_that_are_gone_are_forgotten() {
        let mut lockout = Lockout::default();
        let camera: CameraId = "gate".parse().unwrap();
        let start = Instant::now();
        lockout.refused(camera, None, BOUNDS, 0.0, start);
        lockout.retain(|_| false);
        assert_eq!(lockout.hold(camera, None, start), None);
    }
}
