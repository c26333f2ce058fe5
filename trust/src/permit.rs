//! What a look that was allowed and entered may reach: one stream, one range, under one grant.

use std::{fmt, sync::Arc};

use sightline_footage::{GopEntry, Timeline};
use sightline_model::{
    TimeRange, Timestamp,
    grant::Grant,
    media::{Gop, StreamKey},
};

use tokio::time::Instant;

use crate::{Caller, Error, LiveLook, LookKind, Refusal, Trust};

/// The right to what one entry of the log covers. Made by [`Trust::look`] only.
#[derive(Clone)]
pub struct Permit {
    trust: Trust,
    caller: Caller,
    grant: Grant,
    key: StreamKey,
    kind: LookKind,
    range: Option<TimeRange>,
    still: Option<GopEntry>,
    /// When it was given: by the wall clock, and by the clock that nobody sets.
    given: (Timestamp, Instant),
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { grant, key, range, .. } = self;
        f.debug_struct("Permit").field("grant", &grant.id).field("key", key).field("range", range).finish()
    }
}

impl Permit {
    pub(crate) fn new(
        trust: Trust,
        caller: Caller,
        grant: Grant,
        (key, kind): (StreamKey, LookKind),
        (range, still, now): (Option<TimeRange>, Option<GopEntry>, Timestamp),
    ) -> Self {
        Self { trust, caller, grant, key, kind, range, still, given: (now, Instant::now()) }
    }

    /// The grant it stands on.
    #[must_use]
    pub fn grant(&self) -> &Grant {
        &self.grant
    }

    /// The stream it opens.
    #[must_use]
    pub fn key(&self) -> StreamKey {
        self.key
    }

    /// The time it opens; `None` for live, and for a still without a picture.
    #[must_use]
    pub fn range(&self) -> Option<TimeRange> {
        self.range
    }

    /// The GOP whose key frame a still shows; `None` when there is no footage.
    #[must_use]
    pub fn still(&self) -> Option<&GopEntry> {
        self.still.as_ref()
    }

    /// What footage there is inside the permit's range.
    ///
    /// # Errors
    /// When the store cannot answer, or the permit is for live.
    pub async fn timeline(&self, now: Timestamp) -> Result<Timeline, Error> {
        Ok(self.trust.footage().timeline(self.key, self.recorded()?, now).await?)
    }

    /// The GOPs of `range` as far as the permit covers it, in time order, at most `limit`.
    ///
    /// # Errors
    /// When the store cannot answer, or the permit is for live.
    pub async fn entries(&self, range: TimeRange, limit: usize) -> Result<Vec<GopEntry>, Error> {
        match self.recorded()?.intersection(&range) {
            Some(range) => Ok(self.trust.footage().entries(self.key, range, limit).await?),
            None => Ok(Vec::new()),
        }
    }

    /// The media of a GOP that the permit covers. Of a still it is the key frame alone.
    ///
    /// # Errors
    /// When the permit does not cover it or the grant has ended by time, or the store cannot read it.
    pub async fn read(&self, entry: &GopEntry) -> Result<Arc<Gop>, Error> {
        let overlaps = |range: &TimeRange| entry.start < range.to && range.from < entry.end;
        if entry.key != self.key {
            return Err(Refusal::CameraOutside { camera: entry.key.camera }.into());
        }
        if !self.range.as_ref().is_some_and(overlaps) {
            return Err(Refusal::TimeOutside { granted: self.grant.range }.into());
        }
        self.check_running()?;
        match self.kind {
            LookKind::Playback => Ok(self.trust.footage().read(entry).await?),
            LookKind::Still => {
                let gop = self.trust.footage().read(entry).await?;
                Ok(Arc::new(key_frame(&gop)))
            }
            LookKind::Timeline | LookKind::Live => Err(Error::Internal {
                doing: "show recorded video",
                why: format!("the permit is for {:?}", self.kind),
            }),
        }
    }

    /// A long answer must not outlast the grant.
    fn check_running(&self) -> Result<(), Error> {
        let now = self.given.0 + self.given.1.elapsed();
        let at = self.grant.expires_at;
        if now < at { Ok(()) } else { Err(Refusal::GrantExpired { at }.into()) }
    }

    /// Live video, until the grant or its ground ends.
    ///
    /// # Errors
    /// When the permit is for recorded footage.
    pub fn live(&self) -> Result<LiveLook, Error> {
        if self.kind != LookKind::Live {
            return Err(Error::Internal {
                doing: "show live video",
                why: "the permit is for recorded footage".into(),
            });
        }
        let reader = self.trust.footage().live(self.key);
        Ok(LiveLook::new(reader, self.trust.clone(), self.caller.clone(), self.grant.clone(), self.given))
    }

    fn recorded(&self) -> Result<TimeRange, Error> {
        self.range.ok_or_else(|| Error::Internal {
            doing: "show recorded footage",
            why: "the permit is for live video".into(),
        })
    }
}

/// A GOP with nothing of it but its first access unit, which is the key frame.
fn key_frame(gop: &Gop) -> Gop {
    let units = gop.units.first().cloned().into_iter().collect();
    Gop { start: gop.start.clone(), duration_90k: gop.duration_90k, units }
}
