//! A key in memory.

use std::fmt;

use aws_lc_rs::aead::LessSafeKey;
use zeroize::Zeroizing;

use super::{
    KeyError,
    cipher::{self, NONCE_BYTES, TAG_BYTES},
};

/// Length of a key wrapped by another: nonce, encrypted key, tag.
pub const WRAPPED_KEY_BYTES: usize = NONCE_BYTES + KEY_BYTES + TAG_BYTES;
const KEY_BYTES: usize = 32;

/// A key of 256 bits with its cipher ready, so that no key schedule is made for each record. The keys that wrap data keys
/// have the same form. Wiped when dropped; `Debug` hides it.
pub struct DataKey {
    // Boxed, so that moving the key leaves no copies behind.
    secret: Box<Zeroizing<[u8; KEY_BYTES]>>,
    /// The library wipes its own copy.
    cipher: LessSafeKey,
}

impl DataKey {
    /// A new key.
    ///
    /// # Errors
    /// [`KeyError::Unavailable`] when the system gives no random numbers.
    pub fn random() -> Result<Self, KeyError> {
        let mut secret = Box::new(Zeroizing::new([0; KEY_BYTES]));
        cipher::fill_random(secret.as_mut_slice())?;
        Self::ready(secret)
    }

    /// The key of these bytes.
    ///
    /// # Errors
    /// [`KeyError::Unavailable`] when the cipher library refuses to work on this machine.
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Result<Self, KeyError> {
        Self::ready(Box::new(Zeroizing::new(bytes)))
    }

    fn ready(secret: Box<Zeroizing<[u8; KEY_BYTES]>>) -> Result<Self, KeyError> {
        Ok(Self { cipher: cipher::cipher(&secret)?, secret })
    }

    /// The key itself, for those who store it.
    #[must_use]
    pub fn expose(&self) -> &[u8; KEY_BYTES] {
        &self.secret
    }

    /// Encrypts `inner` with this key. It opens with the same `aad` only.
    ///
    /// # Errors
    /// [`KeyError::Unavailable`] when the system gives no random numbers.
    pub fn wrap(&self, inner: &Self, aad: &[u8]) -> Result<[u8; WRAPPED_KEY_BYTES], KeyError> {
        let nonce = cipher::new_nonce()?;
        let mut secret = Zeroizing::new(*inner.expose());
        let tag = cipher::seal_in_place(self, nonce, aad, secret.as_mut_slice())?;
        let mut wrapped = [0; WRAPPED_KEY_BYTES];
        let parts = nonce.iter().chain(secret.iter()).chain(&tag);
        for (to, from) in wrapped.iter_mut().zip(parts) {
            *to = *from;
        }
        Ok(wrapped)
    }

    /// Undoes [`DataKey::wrap`]; `None` when it was wrapped by another key, with another `aad`, or was changed.
    #[must_use]
    pub fn unwrap(&self, wrapped: &[u8; WRAPPED_KEY_BYTES], aad: &[u8]) -> Option<Self> {
        let (nonce, sealed) = wrapped.split_first_chunk::<NONCE_BYTES>()?;
        let mut sealed = Zeroizing::new(<[u8; KEY_BYTES + TAG_BYTES]>::try_from(sealed).ok()?);
        let opened = cipher::open(self, *nonce, aad, sealed.as_mut_slice()).ok()?;
        let mut secret = Box::new(Zeroizing::new([0; KEY_BYTES]));
        for (to, from) in secret.iter_mut().zip(opened.iter()) {
            *to = *from;
        }
        Self::ready(secret).ok()
    }

    pub(super) const fn cipher(&self) -> &LessSafeKey {
        &self.cipher
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapped_key_opens_with_its_wrapper_and_place_only() {
        let (day, other, data) =
            (DataKey::random().unwrap(), DataKey::random().unwrap(), DataKey::random().unwrap());
        let wrapped = day.wrap(&data, b"gate-3, 14 h").unwrap();
        assert_eq!(day.unwrap(&wrapped, b"gate-3, 14 h").unwrap().expose(), data.expose());
        assert!(day.unwrap(&wrapped, b"gate-3, 15 h").is_none());
        assert!(other.unwrap(&wrapped, b"gate-3, 14 h").is_none());
        for bit in 0..wrapped.len() * 8 {
            let mut bad = wrapped;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(day.unwrap(&bad, b"gate-3, 14 h").is_none(), "bit {bit}");
        }
        assert_ne!(wrapped, day.wrap(&data, b"gate-3, 14 h").unwrap(), "a nonce of its own each time");
    }

    #[test]
    fn a_key_is_not_printed() {
        let key = DataKey::from_bytes([0xab; 32]).unwrap();
        assert_eq!(format!("{key:?}"), "DataKey(hidden)");
    }
}
