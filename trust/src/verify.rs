//! Walking the whole log and checking that every entry follows from the one before it.

use serde::Serialize;
use sightline_model::audit::Entry;
use sightline_records::{Error as RecordsError, Records};

use crate::{
    Error, Trust,
    chain::{self, Broken, Head},
};

/// Entries read at once.
const STEP: usize = 1000;

/// What a walk over the whole log found: it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Entries in the log.
    pub entries: u64,
    /// Hash of the last one. Keep it elsewhere: with it, an auditor also finds entries cut off at the end.
    pub head: String,
}

impl Trust {
    /// Checks the whole chain.
    ///
    /// # Errors
    /// [`Error::Broken`] with the first entry that does not hold.
    pub async fn verify_chain(&self) -> Result<Verified, Error> {
        verify(self.records(), |_| ()).await
    }
}

/// Checks the chain in `records`; `progress` is told how many entries are done.
///
/// # Errors
/// [`Error::Broken`] with the first entry that does not hold.
pub async fn verify(records: &Records, progress: impl FnMut(u64)) -> Result<Verified, Error> {
    verify_against(records, &Head::default(), progress).await
}

/// Checks the chain in `records`, and that it goes through `known`: the number and hash of an entry that was noted down
/// elsewhere. With it, entries cut off at the end and a log that was written anew from the start are found as well.
///
/// # Errors
/// [`Error::Broken`] with the first entry that does not hold.
pub async fn verify_against(
    records: &Records,
    known: &Head,
    mut progress: impl FnMut(u64),
) -> Result<Verified, Error> {
    // What is there when the walk begins; entries that come meanwhile are for the next one.
    let last = records.audit_head().await?.seq;
    if last < known.seq {
        return Err(Broken::Truncated { found: last, expected: known.seq }.into());
    }
    let mut head = Head::default();
    while head.seq < last {
        let entries = step(records, &head).await?;
        if entries.is_empty() {
            return Err(Broken::Truncated { found: head.seq, expected: last }.into());
        }
        for entry in &entries {
            head = chain::follow(&head, entry)?;
            if head.seq == known.seq && head.hash != known.hash {
                return Err(Broken::Replaced { seq: known.seq }.into());
            }
        }
        progress(head.seq);
    }
    Ok(Verified { entries: head.seq, head: head.hash })
}

/// The next entries. One that cannot even be read has been changed: which one it is, is found by reading one by one.
async fn step(records: &Records, head: &Head) -> Result<Vec<Entry>, Error> {
    for length in [STEP, 1] {
        match records.audit_after(head.seq, length).await {
            Err(RecordsError::Damaged { .. }) if length > 1 => {}
            Err(RecordsError::Damaged { .. }) => return Err(Broken::Content { seq: head.seq + 1 }.into()),
            other => return Ok(other?),
        }
    }
    Ok(Vec::new())
}

#[cfg(test)]
mod tests;
