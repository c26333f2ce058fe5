//! Encryption of footage: the keys' names, the seam to whoever keeps the keys, and the cipher (AES-256-GCM).
//!
//! Belongs here: how one payload is sealed and opened, and what its associated data binds. Does not belong here: where keys
//! are kept and when they are destroyed (`sightline-trust` fills [`KeyProvider`]), and what is encrypted (the writer).
//! `docs/decisions/0009-footage-encryption.md` says why it is done this way.
//!
//! Invariants: a data key serves one camera-hour and nothing else; a nonce is random and used for one payload; no key
//! material is printed, and every key is wiped when it is dropped.

mod aad;
mod cipher;
mod key;
#[cfg(test)]
pub(crate) mod memory;
mod name;

use std::{fmt, sync::Arc};

pub(crate) use aad::{AAD_BYTES, Aad};
pub(crate) use cipher::{NONCE_BYTES, TAG_BYTES, new_nonce, open, seal, seal_in_place};
pub use key::{DataKey, WRAPPED_KEY_BYTES};
pub use name::{CameraHour, KeyId};

/// Whoever keeps the keys of footage. Calls may read and write a disk, and come from threads that may block; all but
/// [`KeyProvider::at_hand`].
pub trait KeyProvider: Send + Sync + fmt::Debug {
    /// Whether new footage is encrypted. If not, the keys serve to read what is.
    fn encrypts(&self) -> bool {
        true
    }

    /// The key for new footage of this camera-hour; it is made when there is none. It is durable only after
    /// [`KeyProvider::sync`]. Where the key was destroyed a new one is made, with a name of its own: a camera whose clock
    /// is wrong is recorded all the same.
    ///
    /// # Errors
    /// [`KeyError::Unavailable`].
    fn current(&self, of: CameraHour) -> Result<(KeyId, Arc<DataKey>), KeyError>;

    /// The key that footage was encrypted with.
    ///
    /// # Errors
    /// Says whether the key was destroyed, was never here, or cannot be had now.
    fn get(&self, id: KeyId, of: CameraHour) -> Result<Arc<DataKey>, KeyError>;

    /// The same key when it can be had without waiting for a disk; `None` when it cannot, for all that is known.
    ///
    /// # Errors
    /// As [`KeyProvider::get`].
    fn at_hand(&self, id: KeyId, of: CameraHour) -> Result<Option<Arc<DataKey>>, KeyError> {
        self.get(id, of).map(Some)
    }

    /// Makes every key handed out so far durable: called before footage that uses them is synced.
    ///
    /// # Errors
    /// [`KeyError::Unavailable`]: then footage that uses those keys must not be called safe.
    fn sync(&self) -> Result<(), KeyError>;
}

/// Why a key cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The key is gone for good, and with it the footage.
    #[error(
        "the footage of {of} cannot be read any more: its key {id} was destroyed when its time was over. \
         The audit log says when and by whom"
    )]
    Destroyed {
        /// The key.
        id: KeyId,
        /// What it was for.
        of: CameraHour,
    },
    /// The key was never here.
    #[error(
        "key {id} for the footage of {of} is not in the key folder: bring the folder of the node that recorded it \
         (keys.dir), or restore it from its backup"
    )]
    Unknown {
        /// The key.
        id: KeyId,
        /// What it is for.
        of: CameraHour,
    },
    /// The keys cannot be reached or used now.
    #[error("the keys of footage cannot be used: {detail}")]
    Unavailable {
        /// What is wrong, and the way out.
        detail: String,
    },
}
