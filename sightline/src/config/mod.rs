//! The configuration of a node: each part owns its section, this file only puts them side by side.

mod load;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

pub(crate) use load::Error;

/// All of it, as it stands in the file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Which node this is.
    pub node: Node,
    /// Where it listens.
    pub listen: Listen,
    /// The log of GOPs.
    pub footage: sightline_footage::Config,
    /// The records database.
    pub records: sightline_records::Config,
    /// Cameras.
    pub ingest: sightline_ingest::Config,
    /// Stills.
    pub pictures: sightline_picture::Config,
    /// Events.
    pub gateway: sightline_gateway::Config,
    /// The keys of footage.
    pub keys: sightline_trust::keys::Config,
    /// Sessions.
    pub trust: sightline_trust::Config,
    /// HTTP.
    pub api: sightline_api::Config,
}

/// Which node this is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Node {
    /// Its name: in topics, segment headers and logs.
    pub name: String,
    /// Directory for everything that has no directory of its own.
    pub data: PathBuf,
}

impl Default for Node {
    fn default() -> Self {
        Self { name: "node-1".to_owned(), data: PathBuf::from("/var/lib/sightline") }
    }
}

/// Where it listens. The MQTT broker's address is in `[gateway]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Listen {
    /// Console and API.
    pub api: SocketAddr,
    /// Prometheus metrics.
    pub metrics: SocketAddr,
}

impl Default for Listen {
    fn default() -> Self {
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self { api: local(8080), metrics: local(9464) }
    }
}

impl Config {
    /// Reads the file and the environment, and fills in what follows from other settings.
    pub(crate) fn load(path: &Path) -> Result<Self, Error> {
        load::load::<Self>(path, std::env::vars()).map(Self::resolved)
    }

    /// Names and directories that were not given follow from the node's.
    pub(crate) fn resolved(mut self) -> Self {
        let data = &self.node.data;
        if self.footage.dir == sightline_footage::Config::default().dir {
            self.footage.dir = data.join("footage");
        }
        if self.records.path == sightline_records::Config::default().path {
            self.records.path = data.join("records.sqlite");
        }
        let keys = sightline_trust::keys::Config::default();
        if self.keys.dir == keys.dir {
            self.keys.dir = data.join("keys");
        }
        if self.keys.master_file == keys.master_file {
            self.keys.master_file = data.join("master.key");
        }
        self.footage.node.clone_from(&self.node.name);
        self.gateway.node.clone_from(&self.node.name);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_given_follows_from_the_node() {
        let node = Node { name: "depot".to_owned(), data: "/srv/sl".into() };
        let mut config = Config { node, ..Config::default() };
        config.records.path = "/fast/records.sqlite".into();
        config.keys.master_file = "/safe/master.key".into();
        let config = config.resolved();
        assert_eq!(config.footage.dir, Path::new("/srv/sl/footage"));
        assert_eq!(config.records.path, Path::new("/fast/records.sqlite"));
        assert_eq!(config.keys.dir, Path::new("/srv/sl/keys"));
        assert_eq!(config.keys.master_file, Path::new("/safe/master.key"));
        assert_eq!((config.footage.node.as_str(), config.gateway.node.as_str()), ("depot", "depot"));
    }

    #[test]
    fn the_commented_example_is_read() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/sightline.toml");
        load::load::<Config>(&path, []).unwrap();
    }
}
