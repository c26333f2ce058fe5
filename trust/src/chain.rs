//! The audit log's hash chain: a pure core. Each entry's hash covers its own fields and the hash of the entry before, so a
//! changed, removed, inserted or reordered entry breaks every hash behind it. `trust/AUDIT.md` is the table from which an
//! outsider can write a verifier.

use sha2::{Digest, Sha256};
use sightline_model::{
    Timestamp,
    audit::{Act, Entry},
};

/// The hash before the first entry.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Set apart from every other use of SHA-256.
const DOMAIN: &[u8] = b"sightline audit entry v1";

/// Where a chain stands: number and hash of its last entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Number of the last entry; 0 when there is none.
    pub seq: u64,
    /// Its hash.
    pub hash: String,
}

impl Default for Head {
    fn default() -> Self {
        Self { seq: 0, hash: GENESIS.to_owned() }
    }
}

/// What is wrong with a chain, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A number is missing or out of order.
    #[error(
        "entry {found} stands where entry {expected} belongs: entries were removed, inserted or reordered"
    )]
    Number {
        /// The number that should come.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// An entry names another predecessor than the one before it.
    #[error("entry {seq} does not follow from the entry before it")]
    Link {
        /// The entry.
        seq: u64,
    },
    /// An entry's content is not what was hashed.
    #[error("entry {seq} was changed after it was written")]
    Content {
        /// The entry.
        seq: u64,
    },
    /// An entry is not the one that was noted down elsewhere: the log was written anew.
    #[error("entry {seq} is not the one that was noted down: the log was written anew")]
    Replaced {
        /// The entry.
        seq: u64,
    },
    /// The log ends before an entry that is known to have existed.
    #[error("the log ends at entry {found}, but entry {expected} is known to have been written")]
    Truncated {
        /// The last entry there is.
        found: u64,
        /// The last entry that was known.
        expected: u64,
    },
}

/// Puts `act` behind `head`.
#[must_use]
pub fn link(head: &Head, act: Act) -> Entry {
    let seq = head.seq + 1;
    let hash = hash(seq, &head.hash, &act);
    Entry { seq, act, prev_hash: head.hash.clone(), hash }
}

/// Checks that `entry` follows `head`; gives the new head.
///
/// # Errors
/// Says what is wrong with the entry.
pub fn follow(head: &Head, entry: &Entry) -> Result<Head, Broken> {
    let seq = entry.seq;
    if seq != head.seq + 1 {
        return Err(Broken::Number { expected: head.seq + 1, found: seq });
    }
    if entry.prev_hash != head.hash {
        return Err(Broken::Link { seq });
    }
    if hash(seq, &entry.prev_hash, &entry.act) != entry.hash {
        return Err(Broken::Content { seq });
    }
    Ok(Head { seq, hash: entry.hash.clone() })
}

/// SHA-256 over the canonical form, hexadecimal.
fn hash(seq: u64, prev_hash: &str, act: &Act) -> String {
    let mut form = Form(Sha256::new());
    form.field(DOMAIN);
    form.field(&seq.to_be_bytes());
    form.field(prev_hash.as_bytes());
    form.time(act.at);
    form.text(act.account.map(|id| id.to_string()));
    form.text(Some(act.action.as_str().to_owned()));
    form.text(act.grant.map(|id| id.to_string()));
    form.text(act.ground.as_ref().map(|ground| ground.kind.as_str().to_owned()));
    form.text(act.ground.as_ref().map(|ground| ground.reference.clone()));
    form.text(act.camera.map(|id| id.to_string()));
    match act.range {
        Some(range) => {
            form.time(range.from);
            form.time(range.to);
        }
        None => {
            form.text(None);
            form.text(None);
        }
    }
    form.text(Some(act.detail.clone()));
    hex(&form.0.finalize())
}

/// Fields behind their length as a 4-byte big-endian number, so that no two lists of fields have one form. An absent field
/// has the length 0xFFFFFFFF and no bytes.
struct Form(Sha256);

impl Form {
    fn field(&mut self, bytes: &[u8]) {
        self.0.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX - 1).to_be_bytes());
        self.0.update(bytes);
    }

    fn text(&mut self, text: Option<String>) {
        match text {
            Some(text) => self.field(text.as_bytes()),
            None => self.0.update(u32::MAX.to_be_bytes()),
        }
    }

    fn time(&mut self, at: Timestamp) {
        self.field(&at.0.to_be_bytes());
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sightline_model::{TimeRange, audit::Action};

    use super::*;

    fn act(n: i64) -> Act {
        Act {
            at: Timestamp(n),
            account: None,
            action: Action::Playback,
            grant: None,
            ground: None,
            camera: Some("gate-1".parse().unwrap()),
            range: TimeRange::new(Timestamp(n), Timestamp(n + 10)),
            detail: format!("act {n}"),
        }
    }

    fn chain(length: i64) -> Vec<Entry> {
        let mut head = Head::default();
        let mut entries = Vec::new();
        for n in 0..length {
            let entry = link(&head, act(n));
            head = follow(&head, &entry).unwrap();
            entries.push(entry);
        }
        entries
    }

    fn verify(entries: &[Entry]) -> Result<Head, Broken> {
        entries.iter().try_fold(Head::default(), |head, entry| follow(&head, entry))
    }

    #[test]
    fn the_canonical_form_is_the_one_of_the_document() {
        // Whoever changes this number changes the format: then a new version goes into DOMAIN and AUDIT.md.
        let hash = "9e9fcdff613146e462da0686dcd5cc8fc2f56a7fc80553bea5fba49b85207f38";
        assert_eq!(link(&Head::default(), act(1)).hash, hash);
        let document = include_str!("../AUDIT.md");
        assert!(document.contains(hash) && document.contains(std::str::from_utf8(DOMAIN).unwrap()));
        for action in ["timeline", "still", "playback", "live", "pass_search", "look_refused"] {
            assert!(document.contains(&format!("`{action}`")), "{action}");
        }
    }

    #[test]
    fn absent_and_empty_are_not_the_same() {
        let mut with = act(1);
        with.range = None;
        let mut shifted = with.clone();
        shifted.camera = None;
        assert_ne!(link(&Head::default(), with).hash, link(&Head::default(), shifted).hash);
    }

    proptest! {
        #[test]
        fn any_tampering_is_found(length in 2_i64..12, at in 0_usize..12, kind in 0_u8..4) {
            let mut entries = chain(length);
            let at = at % (entries.len() - 1);
            match kind {
                0 => entries[at].act.detail.push('!'),
                1 => { entries.remove(at); }
                2 => entries.swap(at, at + 1),
                _ => { let again = entries[at].clone(); entries.insert(at, again); }
            }
            prop_assert!(verify(&entries).is_err());
        }

        #[test]
        fn a_rewritten_entry_breaks_the_next(length in 3_i64..12, at in 0_usize..12) {
            let mut entries = chain(length);
            let at = at % (entries.len() - 1);
            let head = if at == 0 { Head::default() } else { verify(&entries[..at]).unwrap() };
            entries[at] = link(&head, act(999));
            prop_assert_eq!(verify(&entries), Err(Broken::Link { seq: at as u64 + 2 }));
        }
    }
}
