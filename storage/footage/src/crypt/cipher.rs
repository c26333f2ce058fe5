//! AES-256-GCM over one payload. The only file that names the library.

use aws_lc_rs::aead::{self, AES_256_GCM, LessSafeKey, MAX_TAG_LEN, NONCE_LEN, Nonce, UnboundKey};

use super::{DataKey, KeyError};

/// Length of a nonce.
pub(crate) const NONCE_BYTES: usize = NONCE_LEN;
/// Length of the tag behind a sealed payload.
pub(crate) const TAG_BYTES: usize = MAX_TAG_LEN;

/// The payload is not what was sealed with this key at this place, or the key is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the encrypted payload was changed, or belongs to another place or key")]
pub(crate) struct Unauthentic;

/// A cipher whose key schedule is made.
pub(super) fn cipher(key: &[u8; 32]) -> Result<LessSafeKey, KeyError> {
    let key = UnboundKey::new(&AES_256_GCM, key)
        .map_err(|_| unavailable("the cipher library refuses AES-256-GCM: report it with the CPU's model"))?;
    Ok(LessSafeKey::new(key))
}

/// Fills `out` from the cipher library's generator, which the system seeds.
pub(super) fn fill_random(out: &mut [u8]) -> Result<(), KeyError> {
    aws_lc_rs::rand::fill(out).map_err(|_| {
        unavailable("the system gives no random numbers: look at /dev/urandom, then start again")
    })
}

fn unavailable(detail: &str) -> KeyError {
    KeyError::Unavailable { detail: detail.to_owned() }
}

/// A nonce for one payload: 96 random bits.
///
/// # Errors
/// [`KeyError::Unavailable`] when the system gives no random numbers; nothing may be sealed then.
pub(crate) fn new_nonce() -> Result<[u8; NONCE_BYTES], KeyError> {
    let mut nonce = [0; NONCE_BYTES];
    fill_random(&mut nonce)?;
    Ok(nonce)
}

/// Encrypts `payload` in place and gives its tag.
///
/// # Errors
/// [`KeyError::Unavailable`] when the payload is longer than the cipher allows (64 GiB).
pub(crate) fn seal_in_place(
    key: &DataKey,
    nonce: [u8; NONCE_BYTES],
    aad: &[u8],
    payload: &mut [u8],
) -> Result<[u8; TAG_BYTES], KeyError> {
    let nonce = Nonce::assume_unique_for_key(nonce);
    let tag = key.cipher().seal_in_place_separate_tag(nonce, aead::Aad::from(aad), payload);
    tag.ok()
        .and_then(|tag| tag.as_ref().try_into().ok())
        .ok_or_else(|| unavailable("the payload is longer than the cipher allows"))
}

/// Encrypts `payload` in place and appends its tag. Room for the tag should be reserved.
///
/// # Errors
/// As [`seal_in_place`].
pub(crate) fn seal(
    key: &DataKey,
    nonce: [u8; NONCE_BYTES],
    aad: &[u8],
    payload: &mut Vec<u8>,
) -> Result<(), KeyError> {
    let tag = seal_in_place(key, nonce, aad, payload)?;
    payload.extend_from_slice(&tag);
    Ok(())
}

/// Decrypts `stored` (payload and tag) in place and gives the payload.
///
/// # Errors
/// [`Unauthentic`]; `stored` must not be used then.
pub(crate) fn open<'a>(
    key: &DataKey,
    nonce: [u8; NONCE_BYTES],
    aad: &[u8],
    stored: &'a mut [u8],
) -> Result<&'a mut [u8], Unauthentic> {
    let nonce = Nonce::assume_unique_for_key(nonce);
    key.cipher().open_in_place(nonce, aead::Aad::from(aad), stored).map_err(|_| Unauthentic)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unhex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn it_is_the_aes_gcm_of_the_specification() {
        // Test case 16 of "The Galois/Counter Mode of Operation" (McGrew, Viega): AES-256, 60 bytes, 20 bytes of data.
        let key = unhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
        let key = DataKey::from_bytes(key.try_into().unwrap()).unwrap();
        let nonce = unhex("cafebabefacedbaddecaf888").try_into().unwrap();
        let aad = unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let plain = unhex(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
             1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        );
        let sealed = unhex(
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
             8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
        );
        let mut payload = plain.clone();
        seal(&key, nonce, &aad, &mut payload).unwrap();
        assert_eq!(payload, sealed);
        assert_eq!(open(&key, nonce, &aad, &mut payload).unwrap(), plain);
    }

    #[test]
    fn nonces_differ() {
        let nonces: std::collections::BTreeSet<_> = (0..1000).map(|_| new_nonce().unwrap()).collect();
        assert_eq!(nonces.len(), 1000);
    }

    proptest! {
        #[test]
        fn any_change_is_noticed(plain: Vec<u8>, aad: Vec<u8>, what in 0..4, at: usize, bit in 0..8) {
            let (mut key, mut nonce, mut aad) = ([7; 32], [9; NONCE_BYTES], aad);
            let sealing = DataKey::from_bytes(key).unwrap();
            let mut stored = plain.clone();
            seal(&sealing, nonce, &aad, &mut stored).unwrap();
            prop_assert_eq!(stored.len(), plain.len() + TAG_BYTES);
            let mut whole = stored.clone();
            prop_assert_eq!(open(&sealing, nonce, &aad, &mut whole).unwrap(), plain.as_slice());
            let changed: &mut [u8] = match what {
                0 => &mut stored,
                1 => &mut key,
                2 => &mut nonce,
                _ if aad.is_empty() => { aad.push(0); &mut [0] }
                _ => &mut aad,
            };
            let at = at % changed.len();
            changed[at] ^= 1u8 << bit;
            let opening = DataKey::from_bytes(key).unwrap();
            prop_assert_eq!(open(&opening, nonce, &aad, &mut stored), Err(Unauthentic));
        }

        #[test]
        fn any_bytes_are_refused_without_a_panic(mut stored: Vec<u8>) {
            let key = DataKey::from_bytes([1; 32]).unwrap();
            prop_assert_eq!(open(&key, [0; NONCE_BYTES], b"", &mut stored), Err(Unauthentic));
        }
    }
}
