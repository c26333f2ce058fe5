//! A live look: the ring's reader, under a grant that may end while somebody watches.

use std::{fmt, time::Duration};

use sightline_footage::{LiveItem, LiveReader};
use sightline_model::{Timestamp, grant::Grant};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

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
    recheck: tokio::time::Interval,
}

impl fmt::Debug for LiveLook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveLook").field("grant", &self.grant.id).finish_non_exhaustive()
    }
}

impl LiveLook {
    pub(crate) fn new(reader: LiveReader, trust: Trust, caller: Caller, grant: Grant) -> Self {
        let mut recheck = interval_at(Instant::now() + RECHECK, RECHECK);
        recheck.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { reader, trust, caller, grant, recheck }
    }

    /// The next step. Cancel-safe.
    pub async fn next(&mut self) -> LiveStep {
        loop {
            tokio::select! {
                biased;
                _ = self.recheck.tick() => {
                    if let Err(error) = self.trust.still_stands(&self.caller, &self.grant, Timestamp::now()).await {
                        return LiveStep::Ended(error);
                    }
                }
                item = self.reader.next() => return LiveStep::Item(item),
            }
        }
    }
}

impl Trust {
    /// Whether the caller is still signed in and the grant, as it is now, still stands and covers this moment.
    async fn still_stands(&self, caller: &Caller, grant: &Grant, now: Timestamp) -> Result<(), Error> {
        self.accounts().still_signed_in(caller, now).await?;
        let grant = self.records().grant(grant.id).await?;
        let facts = self.facts(&grant.ground).await?;
        policy::standing(&grant, &caller.account, facts.is_open(&caller.account, now), now)?;
        if grant.range.contains(now) {
            Ok(())
        } else {
            Err(Refusal::TimeOutside { granted: grant.range }.into())
        }
    }
}
