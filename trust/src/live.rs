//! A live look: the ring's reader, under a grant that may end while somebody watches.

use std::{fmt, time::Duration};

use sightline_footage::{LiveItem, LiveReader};
use sightline_model::{Timestamp, grant::Grant};
use tokio::time::{Instant, sleep_until};

use crate::{Caller, Error, Refusal, Trust, policy};

/// How often it is asked whether the grant still stands. A ground that closes ends every live look within this time.
const RECHECK: Duration = if cfg!(test) { Duration::from_millis(50) } else { Duration::from_secs(2) };

/// One step of a live look.
#[derive(Debug)]
pub enum LiveStep {
    /// What the stream brought.
    Item(LiveItem),
    /// The look is over.
    Ended(Error),
}

/// Live video of one stream under a grant.
pub struct LiveLook {
    reader: LiveReader,
    trust: Trust,
    caller: Caller,
    grant: Grant,
    /// The clock of the look: wall time at its beginning, and what has gone by since. A wall clock that is set back does
    /// not prolong it.
    began: (Timestamp, Instant),
    /// When the grant ends by itself.
    end: Instant,
    /// When it is next asked whether the grant still stands. Once it lies in the past nothing more is shown until the
    /// answer is there, also when the caller drops the question and asks again.
    recheck_at: Instant,
}

impl fmt::Debug for LiveLook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveLook").field("grant", &self.grant.id).finish_non_exhaustive()
    }
}

impl LiveLook {
    pub(crate) fn new(
        reader: LiveReader,
        trust: Trust,
        caller: Caller,
        grant: Grant,
        began: (Timestamp, Instant),
    ) -> Self {
        let left = grant.expires_at.min(grant.range.to).duration_since(began.0);
        // Counted from the permit: one that was kept for a while is looked at again before anything is shown.
        Self { reader, trust, caller, grant, began, end: began.1 + left, recheck_at: began.1 + RECHECK }
    }

    /// The next step. Cancel-safe.
    pub async fn next(&mut self) -> LiveStep {
        loop {
            // The clock is read at each step: a stream that always has something ready would keep timers from firing.
            if Instant::now() >= self.due_at() {
                if let Err(error) = self.check().await {
                    self.trust.counters().live_ended.add(1);
                    return LiveStep::Ended(error);
                }
                self.recheck_at = Instant::now() + RECHECK;
            }
            tokio::select! {
                () = sleep_until(self.due_at()) => {}
                item = self.reader.next() => return LiveStep::Item(item),
            }
        }
    }

    fn due_at(&self) -> Instant {
        self.recheck_at.min(self.end)
    }

    async fn check(&self) -> Result<(), Error> {
        let now = self.began.0 + self.began.1.elapsed();
        self.trust.still_stands(&self.caller, &self.grant, now).await
    }
}

impl Trust {
    /// Whether the caller is still signed in and the grant, as it is now, still stands and covers this moment.
    async fn still_stands(&self, caller: &Caller, grant: &Grant, now: Timestamp) -> Result<(), Error> {
        let account = self.accounts().still_signed_in(caller, now).await?;
        let grant = self.records().grant(grant.id).await?;
        let facts = self.facts(&grant.ground).await?;
        policy::standing(&grant, &account, &facts, now)?;
        if grant.range.contains(now) {
            Ok(())
        } else {
            Err(Refusal::TimeOutside { granted: grant.range }.into())
        }
    }
}

#[cfg(test)]
mod tests;
