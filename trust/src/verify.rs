//! Walking the whole log and checking that every entry follows from the one before it.

use serde::Serialize;

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
pub async fn verify(
    records: &sightline_records::Records,
    mut progress: impl FnMut(u64),
) -> Result<Verified, Error> {
    // What is there when the walk begins; entries that come meanwhile are for the next one.
    let last = records.audit_head().await?.seq;
    let mut head = Head::default();
    while head.seq < last {
        let entries = records.audit_after(head.seq, STEP).await?;
        if entries.is_empty() {
            return Err(Broken::Truncated { found: head.seq, expected: last }.into());
        }
        for entry in &entries {
            head = chain::follow(&head, entry)?;
        }
        progress(head.seq);
    }
    Ok(Verified { entries: head.seq, head: head.hash })
}
