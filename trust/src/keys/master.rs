//! The master key: the one secret that opens all others, as a file of text that a person can copy to paper.

use std::{
    fmt, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use sightline_footage::{DataKey, KeyError};
use zeroize::Zeroizing;

use super::{error::KeyFileError, folder::Folder, format::Header};
use crate::chain::hex;

/// Length of a master key's name.
pub(super) const MASTER_ID_BYTES: usize = 16;
const TITLE: &str = "sightline master key v1";
/// Set apart from every other use of SHA-256.
const DOMAIN: &[u8] = b"sightline master key id v1";
/// Nobody but the owner.
const EXPOSED: u32 = 0o077;

/// Names a master key without telling it: the first 128 bits of a hash of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MasterId(pub(super) [u8; MASTER_ID_BYTES]);

impl fmt::Display for MasterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for MasterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A master key. Wiped when dropped; `Debug` hides it.
#[derive(Debug)]
pub struct MasterKey {
    key: DataKey,
    id: MasterId,
}

impl MasterKey {
    /// A new one.
    ///
    /// # Errors
    /// [`KeyError::Unavailable`] when the system gives no random numbers.
    pub fn random() -> Result<Self, KeyError> {
        DataKey::random().map(Self::new)
    }

    fn new(key: DataKey) -> Self {
        let hash = Sha256::new().chain_update(DOMAIN).chain_update(key.expose()).finalize();
        let mut id = [0; MASTER_ID_BYTES];
        for (to, from) in id.iter_mut().zip(hash) {
            *to = from;
        }
        Self { key, id: MasterId(id) }
    }

    /// Its name.
    #[must_use]
    pub const fn id(&self) -> MasterId {
        self.id
    }

    /// Reads the text of a master key file. Lines that begin with `#` are left out.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        if lines.next() != Some(TITLE) {
            return Err("its first line is another one");
        }
        let secret = lines.next().and_then(unhex).ok_or("the key is not 64 hexadecimal digits")?;
        let id = lines
            .next()
            .and_then(|line| line.strip_prefix("id "))
            .ok_or("the line with its id is missing")?;
        let key = DataKey::from_bytes(*secret).map_err(|_| "the cipher refuses it")?;
        let key = Self::new(key);
        if key.id.to_string() == id {
            Ok(key)
        } else {
            Err("the key does not match its id: a digit is wrong")
        }
    }

    /// The text of its file.
    pub(super) fn to_text(&self) -> Zeroizing<String> {
        let secret = Zeroizing::new(hex(self.key.expose()));
        Zeroizing::new(format!(
            "{TITLE}\n# Opens all encrypted footage of this node. Keep a copy where neither the footage nor its backups \
             lie.\n{}\nid {}\n",
            *secret, self.id
        ))
    }

    /// Reads a master key file.
    ///
    /// # Errors
    /// When it cannot be read, others may read it, or it holds no master key.
    pub fn load(path: &Path) -> Result<Self, KeyFileError> {
        let mode = fs::metadata(path).map_err(KeyFileError::io("read", path))?.permissions().mode() & 0o777;
        if mode & EXPOSED != 0 {
            return Err(KeyFileError::MasterExposed { path: path.to_owned(), mode });
        }
        let bytes = Zeroizing::new(fs::read(path).map_err(KeyFileError::io("read", path))?);
        let invalid = |what| KeyFileError::MasterInvalid { path: path.to_owned(), what };
        let text = std::str::from_utf8(&bytes).map_err(|_| invalid("it is not text"))?;
        Self::parse(text).map_err(invalid)
    }

    pub(super) fn wrap_day(&self, key: &DataKey, day: u32) -> Result<[u8; 60], KeyError> {
        self.key.wrap(key, &Header::binding(day))
    }
}

/// Reads 64 hexadecimal digits.
fn unhex(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let mut bytes = Zeroizing::new([0; 32]);
    if pairs.len() != bytes.len() || !rest.is_empty() {
        return None;
    }
    let digit = |digit: u8| char::from(digit).to_digit(16);
    for (to, [high, low]) in bytes.iter_mut().zip(pairs) {
        *to = u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()?;
    }
    Some(bytes)
}

/// The master key in use and, while it is being replaced, the one before it.
#[derive(Debug)]
pub(super) struct Masters {
    /// Wraps what is new.
    pub(super) current: MasterKey,
    /// Still opens what was not wrapped anew yet.
    pub(super) before: Option<MasterKey>,
    path: PathBuf,
}

impl Masters {
    /// Reads the master key, or makes it when there are no keys yet (`days` is 0) and `may_make`.
    pub(super) fn open(
        path: &Path,
        folder: &Folder,
        days: usize,
        may_make: bool,
    ) -> Result<Self, KeyFileError> {
        let (parent, name) = place(path)?;
        let next = path.with_file_name(next_name(&name));
        if may_make {
            let home = Folder::at(parent.clone())?;
            home.recover(&name)?;
            home.recover(&next_name(&name))?;
        }
        let (current, before) = match (exists(path)?, exists(&next)?) {
            (true, false) => (MasterKey::load(path)?, None),
            (true, true) => (MasterKey::load(&next)?, Some(MasterKey::load(path)?)),
            (false, _) if days > 0 || !may_make => {
                let (path, folder) = (path.to_owned(), folder.path().to_owned());
                return Err(KeyFileError::MasterMissing { path, folder, days });
            }
            (false, _) => {
                let made = MasterKey::random()?;
                Folder::at(parent)?.put(&name, made.to_text().as_bytes())?;
                tracing::warn!(
                    path = %path.display(), id = %made.id,
                    "A master key was made in {}: copy it to a safe place, without it no footage can be read.",
                    path.display()
                );
                (made, None)
            }
        };
        Ok(Self { current, before, path: path.to_owned() })
    }

    /// Opens the day key of `header`, which stands in the file `path`.
    pub(super) fn day_key(&self, header: &Header, path: &Path) -> Result<DataKey, KeyFileError> {
        let Some(master) = [Some(&self.current), self.before.as_ref()]
            .into_iter()
            .flatten()
            .find(|master| master.id == header.master)
        else {
            return Err(self.wrong(header, path));
        };
        let opened = master.key.unwrap(&header.wrapped, &Header::binding(header.day));
        opened.ok_or_else(|| KeyFileError::Damaged {
            path: path.to_owned(),
            what: "its day key does not open with the master key it names",
        })
    }

    /// Whether a master key for `header` is at hand.
    pub(super) fn check(&self, header: &Header, path: &Path) -> Result<(), KeyFileError> {
        let known = self.current.id == header.master
            || self.before.as_ref().is_some_and(|before| before.id == header.master);
        if known { Ok(()) } else { Err(self.wrong(header, path)) }
    }

    fn wrong(&self, header: &Header, path: &Path) -> KeyFileError {
        KeyFileError::WrongMaster {
            path: path.to_owned(),
            master_file: self.path.clone(),
            needed: header.master,
            found: self.current.id,
        }
    }

    /// Puts `new` beside the master key, durably: from here on a restart goes on with it.
    pub(super) fn begin(&mut self, new: MasterKey) -> Result<(), KeyFileError> {
        let (home, name) = place(&self.path)?;
        Folder::at(home)?.put(&next_name(&name), new.to_text().as_bytes())?;
        self.before = Some(std::mem::replace(&mut self.current, new));
        Ok(())
    }

    /// Every day is wrapped by the current master key: the one before is overwritten and removed.
    pub(super) fn finish(&mut self) -> Result<(), KeyFileError> {
        let (home, name) = place(&self.path)?;
        Folder::at(home)?.swap(&next_name(&name), &name)?;
        self.before = None;
        Ok(())
    }
}

fn next_name(name: &str) -> String {
    format!("{name}.next")
}

/// Folder and name of the master key file.
fn place(path: &Path) -> Result<(PathBuf, String), KeyFileError> {
    let name = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    let name = name.ok_or_else(|| KeyFileError::MasterInvalid {
        path: path.to_owned(),
        what: "its name must be plain text",
    })?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    Ok((parent.unwrap_or(Path::new(".")).to_owned(), name))
}

fn exists(path: &Path) -> Result<bool, KeyFileError> {
    path.try_exists().map_err(KeyFileError::io("look for", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_reads_back_and_a_wrong_digit_is_noticed() {
        let key = MasterKey::random().unwrap();
        let text = key.to_text();
        assert_eq!(MasterKey::parse(&text).unwrap().id(), key.id());
        assert_eq!(MasterKey::parse(&text.replace('\n', "\r\n\n")).unwrap().id(), key.id());
        let at = text.rfind('\n').map(|_| text.find("lie.\n").unwrap() + 5).unwrap();
        let digit = if &text[at..=at] == "0" { "1" } else { "0" };
        let wrong = format!("{}{digit}{}", &text[..at], &text[at + 1..]);
        assert!(MasterKey::parse(&wrong).unwrap_err().contains("a digit is wrong"));
        for length in 0..text.trim_end().len() {
            assert!(MasterKey::parse(&text[..length]).is_err(), "cut at {length}");
        }
    }

    #[test]
    fn a_master_key_is_not_printed() {
        let key = MasterKey::random().unwrap();
        let printed = format!("{key:?}");
        assert!(!printed.contains(&hex(key.key.expose())) && printed.contains("hidden"), "{printed}");
    }
}
