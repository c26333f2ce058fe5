//! Passwords and tokens: made at random, kept as hashes only.

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::{Error, chain::hex};

/// Shortest password.
const MIN_PASSWORD_CHARS: usize = 12;
/// Shorter names stand in many good passwords by chance.
const MIN_NAME_CHARS: usize = 4;
/// Longest password: beyond it only the hash function would suffer.
const MAX_PASSWORD_CHARS: usize = 256;

/// 256 random bits as 43 characters of URL-safe Base64.
pub(crate) fn token() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// What is stored of a token.
pub(crate) fn token_hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// A password of 20 characters that can be read out: 100 bits, without characters that look alike.
#[must_use]
pub fn random_password() -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
    let chars = rand::random::<[u8; 20]>();
    let text: Vec<char> = chars
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(byte % 32)).map(|c| char::from(*c)))
        .collect();
    text.chunks(5).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

/// Refuses passwords that are too easy to guess or too long.
pub(crate) fn check_password(name: &str, password: &str) -> Result<(), Error> {
    let chars = password.chars().count();
    let why = if chars < MIN_PASSWORD_CHARS {
        format!("it has {chars} characters, use at least {MIN_PASSWORD_CHARS}")
    } else if chars > MAX_PASSWORD_CHARS {
        format!("it has {chars} characters, use at most {MAX_PASSWORD_CHARS}")
    } else if name.chars().count() >= MIN_NAME_CHARS && password.to_lowercase().contains(&name.to_lowercase())
    {
        "it contains the sign-in name".to_owned()
    } else if password.chars().all(|c| password.starts_with(c)) {
        "it is one character over and over".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::WeakPassword { why })
}

/// Hashes a password: Argon2id with the crate's defaults (19 MiB, 2 passes, 1 lane: OWASP's first choice). Slow by design,
/// so it runs on a blocking thread.
pub(crate) async fn hash_password(password: String) -> Result<String, Error> {
    blocking(move || Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string()))
        .await?
        .map_err(|error| Error::Internal { doing: "hash a password", why: error.to_string() })
}

/// Whether `password` is the one that was hashed. Without a hash (no such name) as much work is done, so that time does not
/// tell which names exist.
pub(crate) async fn password_matches(password: String, hash: Option<String>) -> Result<bool, Error> {
    blocking(move || match hash.as_deref().and_then(|hash| argon2::PasswordHash::new(hash).ok()) {
        Some(hash) => Argon2::default().verify_password(password.as_bytes(), &hash).is_ok(),
        None => {
            let _ = Argon2::default().hash_password(password.as_bytes());
            false
        }
    })
    .await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::Internal { doing: "work on a password", why: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_own_hash_only() {
        let password = random_password();
        assert_eq!(password.len(), 23, "{password}");
        let hash = hash_password(password.clone()).await.unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert!(password_matches(password, Some(hash.clone())).await.unwrap());
        assert!(!password_matches("another password".to_owned(), Some(hash)).await.unwrap());
        assert!(!password_matches("any".to_owned(), None).await.unwrap());
        assert!(!password_matches("any".to_owned(), Some("not a hash".to_owned())).await.unwrap());
    }

    #[test]
    fn weak_passwords_are_refused_with_the_reason() {
        for (password, word) in [
            ("short", "at least 12"),
            ("my-name-is-LI-WEI", "sign-in name"),
            ("aaaaaaaaaaaaaaaa", "over and over"),
            (&"x1".repeat(200), "at most"),
        ] {
            let error = check_password("li-wei", password).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
        assert!(check_password("li-wei", "correct horse battery").is_ok());
    }

    #[test]
    fn tokens_differ_and_only_their_hash_is_kept() {
        let (a, b) = (token(), token());
        assert_ne!(a, b);
        assert_eq!(a.len(), 43);
        assert_eq!(token_hash(&a).len(), 64);
    }
}
