//! Where keys lie.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where the keys of footage lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Whether new footage is encrypted. What is already encrypted stays readable.
    pub encryption: bool,
    /// The folder of the wrapped keys. Made when missing.
    pub dir: PathBuf,
    /// The master key. Made at the first start.
    pub master_file: PathBuf,
    /// Keys held in memory, about 1 kB each; at least twice the cameras of the node.
    pub cached_keys: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            encryption: true,
            dir: PathBuf::from("keys"),
            master_file: PathBuf::from("master.key"),
            cached_keys: 8192,
        }
    }
}
