//! Tests of the key folder over real files.

mod audited;
mod beside;
mod crash;
mod destroy;
mod files;
mod footage;
pub(super) mod fuse;
mod master;

use std::{fs, path::PathBuf};

use sightline_footage::{CameraHour, DataKey, KeyError, KeyId, KeyProvider};

use super::{Config, FileKeys};

/// 2026-11-22.
const DAY: u32 = 20_779;

/// A key folder in a temporary place.
struct Place {
    dir: tempfile::TempDir,
    config: Config,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = Config {
            dir: dir.path().join("keys"),
            master_file: dir.path().join("secret/master.key"),
            ..Config::default()
        };
        Self { dir, config }
    }

    fn open(&self) -> FileKeys {
        FileKeys::open(&self.config).unwrap()
    }

    fn file(&self, day: u32) -> PathBuf {
        self.config.dir.join(super::naming::file_name(day))
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.config.dir).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Every byte of every file below the folder and beside the master key.
    fn all_bytes(&self) -> Vec<Vec<u8>> {
        let folders = [&self.config.dir, self.config.master_file.parent().unwrap()];
        let files = folders.into_iter().flat_map(|folder| fs::read_dir(folder).unwrap());
        files.map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect()
    }

    /// A copy of both folders, as a crash of the machine leaves them.
    fn copy(&self) -> Self {
        let copy = Self::new();
        for (from, to) in [
            (self.config.dir.as_path(), copy.config.dir.as_path()),
            (self.config.master_file.parent().unwrap(), copy.config.master_file.parent().unwrap()),
        ] {
            fs::create_dir_all(to).unwrap();
            for entry in fs::read_dir(from).unwrap() {
                let entry = entry.unwrap();
                fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
            }
        }
        copy
    }
}

fn hour(camera: u32, hour: u32) -> CameraHour {
    CameraHour { camera: format!("gate-{camera}").parse().unwrap(), hour: DAY * 24 + hour }
}

/// A key as the tests remember it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    id: KeyId,
    of: CameraHour,
    secret: [u8; 32],
}

fn make(keys: &FileKeys, of: CameraHour) -> Known {
    let (id, key) = keys.current(of).unwrap();
    Known { id, of, secret: *key.expose() }
}

impl Known {
    fn get(&self, keys: &FileKeys) -> Result<(), KeyError> {
        let key: std::sync::Arc<DataKey> = keys.get(self.id, self.of)?;
        assert_eq!(*key.expose(), self.secret, "{:?} is another key now", self.of);
        Ok(())
    }

    #[track_caller]
    fn stays(&self, keys: &FileKeys) {
        assert_eq!(self.get(keys), Ok(()));
    }

    #[track_caller]
    fn is_destroyed(&self, keys: &FileKeys) {
        assert_eq!(self.get(keys), Err(KeyError::Destroyed { id: self.id, of: self.of }));
    }

    #[track_caller]
    fn is_unknown(&self, keys: &FileKeys) {
        assert_eq!(self.get(keys), Err(KeyError::Unknown { id: self.id, of: self.of }));
    }
}
