//! The one door: takes a grant, writes the entry, then gives a permit. Footage leaves by no other way.

use sightline_footage::GopEntry;
use sightline_model::{
    CameraId, TimeRange, Timestamp,
    audit::{Act, Action},
    grant::Grant,
    id::GrantId,
    media::{StreamKey, StreamKind},
};

use crate::{
    Caller, Error, Permit, Refusal, Trust,
    looks::Key,
    policy::{self, Wanted},
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
}

impl Trust {
    /// Decides on a look; when it is allowed, enters it in the log, and only then gives the permit.
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
        let grant = match grant {
            Some(id) => self.grant(caller, id).await?,
            None => return Err(self.refuse(caller, None, &look, Refusal::GrantMissing, now).await),
        };
        let still = self.find_still(&look).await?;
        let range = match (look.kind, &still) {
            (LookKind::Still, Some(entry)) => TimeRange::new(entry.start, entry.end),
            // What there is outside of the grant is nobody's business: a timeline is cut to it.
            (LookKind::Timeline, _) => {
                look.range.map(|range| range.intersection(&grant.range).unwrap_or(range))
            }
            _ => look.range,
        };
        let wanted = Wanted { camera: look.camera, kind: look.kind, range };
        if let Err(refusal) = self.allowed(caller, &grant, &wanted, now).await? {
            return Err(self.refuse(caller, Some(&grant), &look, refusal, now).await);
        }
        if look.kind != LookKind::Still || still.is_some() {
            self.enter_look(caller, &grant, &look, range, now).await?;
        }
        Ok(Permit::new(self.clone(), caller.clone(), grant, (look.key(), look.kind), range, still))
    }

    /// The GOP whose key frame a still will show: found first, so that the entry names the time of the picture itself.
    async fn find_still(&self, look: &Look) -> Result<Option<GopEntry>, Error> {
        let footage = &self.inner.footage;
        Ok(match (look.kind, look.range) {
            (LookKind::Still, Some(range)) => footage.nearest(look.key(), range.from).await?,
            (LookKind::Still, None) => footage.latest(look.key()).await?,
            _ => None,
        })
    }

    async fn allowed(
        &self,
        caller: &Caller,
        grant: &Grant,
        wanted: &Wanted,
        now: Timestamp,
    ) -> Result<Result<(), Refusal>, Error> {
        let facts = self.facts(&grant.ground).await?;
        let regions =
            if grant.regions.is_empty() { Vec::new() } else { self.regions_above(wanted.camera).await? };
        Ok(policy::check(grant, &caller.account, facts.is_open(&caller.account, now), wanted, &regions, now))
    }

    async fn enter_look(
        &self,
        caller: &Caller,
        grant: &Grant,
        look: &Look,
        range: Option<TimeRange>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let key = Key { account: caller.account.id, grant: grant.id, camera: look.camera, kind: look.kind };
        let range = range.map(|range| policy::entered_range(look.kind, range));
        if range.is_some_and(|range| self.inner.looks.lock().covers(key, range, now)) {
            return Ok(());
        }
        let detail = format!("{} stream", look.stream.as_str());
        self.record(Act { range, detail, ..look_act(caller, Some(grant), look, look.kind.action(), now) })
            .await?;
        if let Some(range) = range {
            self.inner.looks.lock().entered(key, range, now);
        }
        Ok(())
    }

    /// Enters a refusal (the same one at most once a minute, so that nobody can flood the log) and gives the error.
    async fn refuse(
        &self,
        caller: &Caller,
        grant: Option<&Grant>,
        look: &Look,
        refusal: Refusal,
        now: Timestamp,
    ) -> Error {
        let first = self.inner.refusals.lock().is_first(caller.account.id, refusal.code(), look.camera, now);
        if first {
            let act = look_act(caller, grant, look, Action::LookRefused, now);
            let act = Act { range: look.range, detail: format!("{}: {refusal}", refusal.code()), ..act };
            if let Err(error) = self.record(act).await {
                tracing::error!(%error, "A refused look could not be entered in the audit log.");
            }
        }
        refusal.into()
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
