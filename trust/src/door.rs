//! The one door: takes a grant, writes the entry, then gives a permit. Footage leaves by no other way.

use sightline_footage::GopEntry;
use sightline_model::{
    CameraId, RegionId, TimeRange, Timestamp,
    audit::{Act, Action},
    grant::Grant,
    id::GrantId,
    media::{StreamKey, StreamKind},
};

use crate::{
    Caller, Error, Permit, Refusal, Trust,
    looks::Key,
    policy::{self, Admitted, Facts, Wanted},
};

/// In what way somebody looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LookKind {
    /// What footage there is.
    Timeline,
    /// Single pictures.
    Still,
    /// Recorded video.
    Playback,
    /// Live video.
    Live,
}

impl LookKind {
    const fn action(self) -> Action {
        match self {
            Self::Timeline => Action::Timeline,
            Self::Still => Action::Still,
            Self::Playback => Action::Playback,
            Self::Live => Action::Live,
        }
    }
}

/// What somebody wants to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The camera.
    pub camera: CameraId,
    /// Which of its streams.
    pub stream: StreamKind,
    /// In what way.
    pub kind: LookKind,
    /// Of what time. For a still its start is the time of the picture, and `None` the newest one; for live it is `None`.
    pub range: Option<TimeRange>,
}

impl Look {
    fn key(&self) -> StreamKey {
        StreamKey { camera: self.camera, stream: self.stream }
    }

    fn wanted(&self) -> Wanted {
        Wanted { camera: self.camera, kind: self.kind, range: self.range }
    }
}

/// What the policy allowed: the time that opens, and the picture that a still shows.
struct Allowed {
    range: Option<TimeRange>,
    still: Option<GopEntry>,
}

impl Trust {
    /// Decides on a look; when it is allowed, enters it in the log, and only then gives the permit.
    ///
    /// A still without a picture gives a permit that opens nothing, and is not entered.
    ///
    /// # Errors
    /// [`Error::Refused`] with what would be needed; [`Error::AuditUnavailable`] when the entry cannot be written.
    pub async fn look(
        &self,
        caller: &Caller,
        grant: Option<GrantId>,
        look: Look,
        now: Timestamp,
    ) -> Result<Permit, Error> {
        let grant = match self.given(caller, grant).await {
            Ok(grant) => grant,
            Err(Error::Refused(refusal)) => return Err(self.refuse(caller, None, &look, refusal, now).await),
            Err(error) => return Err(error),
        };
        let allowed = match self.allowed(caller, &grant, &look, now).await {
            Ok(allowed) => allowed,
            Err(Error::Refused(refusal)) => {
                return Err(self.refuse(caller, Some(&grant), &look, refusal, now).await);
            }
            Err(error) => return Err(error),
        };
        if look.kind != LookKind::Still || allowed.still.is_some() {
            self.enter_look(caller, &grant, &look, allowed.range, now).await?;
        }
        let Allowed { range, still } = allowed;
        Ok(Permit::new(self.clone(), caller.clone(), grant, (look.key(), look.kind), (range, still, now)))
    }

    /// The grant that a request names.
    pub(crate) async fn given(&self, caller: &Caller, grant: Option<GrantId>) -> Result<Grant, Error> {
        self.grant(caller, grant.ok_or(Refusal::GrantMissing)?).await
    }

    async fn allowed(
        &self,
        caller: &Caller,
        grant: &Grant,
        look: &Look,
        now: Timestamp,
    ) -> Result<Allowed, Error> {
        let facts: Facts = self.facts(&grant.ground).await?;
        let regions: Vec<RegionId> = match grant.regions.as_slice() {
            [] => Vec::new(),
            _ => self.regions_above(look.camera).await?,
        };
        let admitted = policy::admit(grant, &caller.account, &facts, &look.wanted(), &regions, now)?;
        let range = policy::opened(admitted, look.range, now)?;
        match look.kind {
            LookKind::Still => self.find_still(look, admitted, now).await,
            _ => Ok(Allowed { range, still: None }),
        }
    }

    /// The GOP whose key frame a still shows: found before the entry is made, so that the entry names the time of the
    /// picture itself. A picture that lies outside of what is open is as good as none.
    async fn find_still(
        &self,
        look: &Look,
        admitted: Admitted<'_>,
        now: Timestamp,
    ) -> Result<Allowed, Error> {
        let footage = self.footage();
        let found = match look.range {
            Some(range) => footage.nearest(look.key(), range.from).await?,
            None => footage.latest(look.key()).await?,
        };
        let none = Allowed { range: None, still: None };
        let Some(entry) = found else { return Ok(none) };
        let Some(picture) = TimeRange::new(entry.start, entry.end) else { return Ok(none) };
        match policy::opened(admitted, Some(picture), now) {
            Ok(range) => Ok(Allowed { range, still: Some(entry) }),
            Err(_) => Ok(none),
        }
    }

    async fn enter_look(
        &self,
        caller: &Caller,
        grant: &Grant,
        look: &Look,
        range: Option<TimeRange>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let key = Key { account: caller.account.id, grant: grant.id, stream: look.key(), kind: look.kind };
        // A live look may last until the grant ends: that is what is entered.
        let until = grant.expires_at.min(grant.range.to);
        let range = range.or(TimeRange::new(now, until)).unwrap_or(grant.range);
        let range = policy::entered_range(look.kind, range);
        self.counters().looks.add(1);
        if self.looks().lock().covers(&key, range, now) {
            self.counters().looks_covered.add(1);
            return Ok(());
        }
        let detail = format!("{} stream", look.stream.as_str());
        let act = look_act(caller, Some(grant), look, look.kind.action(), now);
        self.record(Act { range: Some(range), detail, ..act }).await?;
        self.looks().lock().entered(key, range, now);
        Ok(())
    }

    async fn refuse(
        &self,
        caller: &Caller,
        grant: Option<&Grant>,
        look: &Look,
        refusal: Refusal,
        now: Timestamp,
    ) -> Error {
        let act = look_act(caller, grant, look, Action::LookRefused, now);
        self.enter_refusal(caller, Act { range: look.range, ..act }, &refusal).await;
        refusal.into()
    }

    /// Enters a refusal: the same one at most once a minute and not too many of one account, so that nobody can flood
    /// the log. It is refused all the same when it cannot be entered.
    pub(crate) async fn enter_refusal(&self, caller: &Caller, act: Act, refusal: &Refusal) {
        self.counters().looks_refused.add(1);
        let spent = self.refusals().lock().spend(caller.account.id, refusal.code(), act.camera, act.at);
        let Some(left_out) = spent else { return };
        let mut detail = format!("{}: {refusal}", refusal.code());
        if left_out > 0 {
            detail.push_str(&format!(" ({left_out} more refusals before this one were not entered)"));
        }
        if let Err(error) = self.record(Act { detail, ..act }).await {
            tracing::error!(%error, "A refused look could not be entered in the audit log.");
        }
    }
}

fn look_act(caller: &Caller, grant: Option<&Grant>, look: &Look, action: Action, now: Timestamp) -> Act {
    Act {
        at: now,
        account: Some(caller.account.id),
        action,
        grant: grant.map(|grant| grant.id),
        ground: grant.map(|grant| grant.ground.clone()),
        camera: Some(look.camera),
        range: None,
        detail: String::new(),
    }
}

#[cfg(test)]
mod tests;
