//! A live look: the ring's reader, under a grant that may end while somebody watches.

use std::{fmt, time::Duration};

use sightline_footage::{LiveItem, LiveReader};
use sightline_model::{Timestamp, grant::Grant};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};

use crate::{Caller, Error, Refusal, Trust, policy};

/// How often it is asked whether the grant still stands. A ground that closes ends every live look within this time.
const RECHECK: Duration = Duration::from_secs(2);

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
    recheck: Interval,
    /// A recheck is due and not yet done: until then nothing more is shown, also when the caller drops and asks again.
    due: bool,
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
        let mut recheck = interval_at(Instant::now() + RECHECK, RECHECK);
        recheck.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let left = grant.expires_at.min(grant.range.to).duration_since(began.0);
        let end = began.1 + left;
        // A permit that was kept for a while is looked at again before anything is shown.
        let due = began.1.elapsed() >= RECHECK;
        Self { reader, trust, caller, grant, began, end, recheck, due }
    }

    /// The next step. Cancel-safe.
    pub async fn next(&mut self) -> LiveStep {
        loop {
            if self.due {
                let now = self.began.0 + self.began.1.elapsed();
                if let Err(error) = self.trust.still_stands(&self.caller, &self.grant, now).await {
                    self.trust.counters().live_ended.add(1);
                    return LiveStep::Ended(error);
                }
                self.due = false;
            }
            tokio::select! {
                biased;
                () = sleep_until(self.end) => self.due = true,
                _ = self.recheck.tick() => self.due = true,
                item = self.reader.next() => return LiveStep::Item(item),
            }
        }
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
