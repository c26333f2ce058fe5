//! Destroying keys as an act: it is entered into the audit log first, and done then.

use std::{collections::BTreeSet, sync::Arc};

use sightline_footage::CameraHour;
use sightline_model::{
    TimeRange, Timestamp,
    audit::{Act, Action},
    id::AccountId,
};

use super::{Destroyed, FileKeys, MasterKey, naming};
use crate::{Error, Trust, audit};

/// Keys to destroy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// All of a day.
    Day {
        /// Days since 1970 (UTC).
        day: u32,
        /// What is held.
        keep: Vec<CameraHour>,
    },
    /// Single camera-hours.
    Hours(Vec<CameraHour>),
}

/// An order to destroy keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destruction {
    /// Which.
    pub what: What,
    /// Who ordered it; `None` when its time was over.
    pub by: Option<AccountId>,
    /// Why, in a few words.
    pub reason: String,
}

impl Trust {
    /// Enters the destruction into the audit log, waits until the entry is durable, and destroys the keys then; media that
    /// was read with them is forgotten. If it fails after that, a second entry says so.
    ///
    /// # Errors
    /// [`Error::AuditUnavailable`] when it cannot be entered: nothing is destroyed then. [`Error::Invalid`] when footage of
    /// it may still be recorded. [`Error::Keys`] when the key folder refuses.
    pub async fn destroy_keys(
        &self,
        keys: &Arc<FileKeys>,
        order: Destruction,
        now: Timestamp,
    ) -> Result<Destroyed, Error> {
        let acts = order.acts(now)?;
        for act in &acts {
            self.record(act.clone()).await?;
        }
        let keys = Arc::clone(keys);
        let done = blocking("destroy keys", move || match order.what {
            What::Day { day, keep } => keys.destroy_day(day, &keep),
            What::Hours(hours) => keys.destroy(&hours),
        });
        let done = done.await;
        self.footage().forget_read();
        if let (Err(error), Some(act)) = (&done, acts.into_iter().next()) {
            let detail = format!("did not finish, to be done again: {error}");
            self.record(Act { detail, ..act }).await?;
        }
        done
    }

    /// Replaces the master key by a new one, entered into the audit log first. Gives the number of days whose keys it
    /// wraps now.
    ///
    /// # Errors
    /// As [`Trust::destroy_keys`]. After [`Error::Keys`] the next start goes on with it.
    pub async fn replace_master_key(
        &self,
        keys: &Arc<FileKeys>,
        by: Option<AccountId>,
        now: Timestamp,
    ) -> Result<u64, Error> {
        let new = MasterKey::random().map_err(super::KeyFileError::from)?;
        let detail = format!("{} by {}", keys.master(), new.id());
        self.record(Act { account: by, detail, ..act(Action::MasterKeyReplaced, now) }).await?;
        let keys = Arc::clone(keys);
        blocking("replace the master key", move || keys.rewrap(new)).await
    }
}

async fn blocking<T: Send + 'static>(
    doing: &'static str,
    work: impl FnOnce() -> Result<T, super::KeyFileError> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(error) => Err(Error::Internal { doing, why: error.to_string() }),
    }
}

fn act(action: Action, at: Timestamp) -> Act {
    Act {
        at,
        account: None,
        action,
        grant: None,
        ground: None,
        camera: None,
        range: None,
        detail: String::new(),
    }
}

impl Destruction {
    /// The entries that go before it: one for a day; one for each camera-hour, or for all of them when they are many.
    fn acts(&self, now: Timestamp) -> Result<Vec<Act>, Error> {
        let act = Act { account: self.by, ..act(Action::KeysDestroyed, now) };
        let reason = &self.reason;
        match &self.what {
            What::Day { day, keep } => {
                let midnight = |day: u32| Timestamp::from_secs(i64::from(day) * 86_400);
                let range = TimeRange { from: midnight(*day), to: midnight(day.saturating_add(1)) };
                over(range, now)?;
                let kept = if keep.is_empty() { String::new() } else { format!(", kept: {}", named(keep)) };
                let detail = format!("{}: {reason}{kept}", naming::date(*day));
                Ok(vec![Act { range: Some(range), detail, ..act }])
            }
            What::Hours(hours) => {
                hours.iter().try_for_each(|of| over(of.range(), now))?;
                let hours: BTreeSet<_> = hours.iter().copied().collect();
                let one = |of: &CameraHour| Act {
                    camera: Some(of.camera),
                    range: Some(of.range()),
                    detail: reason.clone(),
                    ..act.clone()
                };
                if hours.len() <= audit::MOST_WRITTEN {
                    return Ok(hours.iter().map(one).collect());
                }
                let from = hours.iter().map(|of| of.range().from).min();
                let to = hours.iter().map(|of| of.range().to).max();
                let range = from.zip(to).and_then(|(from, to)| TimeRange::new(from, to));
                let hours: Vec<_> = hours.into_iter().collect();
                Ok(vec![Act { range, detail: format!("{}: {reason}", named(&hours)), ..act }])
            }
        }
    }
}

/// Refuses to destroy keys that footage is still recorded with.
fn over(range: TimeRange, now: Timestamp) -> Result<(), Error> {
    if range.to <= now {
        return Ok(());
    }
    Err(Error::Invalid {
        field: "the time whose keys are to be destroyed",
        value: range.from.to_string(),
        way_out: "it may be an hour that is over",
    })
}

/// Camera-hours in a line: their names, or number and hash when they are many.
fn named(hours: &[CameraHour]) -> String {
    let hours: BTreeSet<_> =
        hours.iter().map(|of| format!("{}@{}", of.camera, hour(of.range().from))).collect();
    audit::named_or_counted("camera-hours", hours)
}

/// `2026-11-22T14`.
fn hour(at: Timestamp) -> String {
    at.to_string().split(':').next().unwrap_or_default().to_owned()
}
