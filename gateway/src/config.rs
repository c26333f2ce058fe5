//! What the gateway needs to know, as it stands in the configuration file.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use crate::Error;

/// Longest topic prefix and node name in bytes.
const MAX_NAME_BYTES: usize = 64;

/// The gateway's settings. Unknown keys are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The broker to use.
    pub broker: Broker,
    /// First part of every topic.
    pub prefix: String,
    /// Name of this node: in its state topic and in its MQTT client id, so it must be unique at the broker.
    pub node: String,
    /// Seconds between signs of life to the broker; silence of twice that long ends the connection.
    pub keep_alive_s: u16,
    /// Longest pause between two attempts to reach the broker.
    pub reconnect_max_s: u16,
    /// Most messages that wait between the broker and the store. Beyond that the broker has to wait.
    pub queue_messages: usize,
    /// Most messages stored in one transaction.
    pub batch_messages: usize,
    /// Days that a pass without a hit is kept.
    pub keep_passes_days: u16,
    /// Days that a pass with a hit, an alarm and a closed alert are kept.
    pub keep_hits_days: u16,
    /// Hours that the last position of a supervised vehicle is kept.
    pub keep_telemetry_hours: u16,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            broker: Broker::default(),
            prefix: "sightline/v1".to_owned(),
            node: "node-1".to_owned(),
            keep_alive_s: 10,
            reconnect_max_s: 10,
            queue_messages: 2048,
            batch_messages: 512,
            keep_passes_days: 7,
            keep_hits_days: 90,
            keep_telemetry_hours: 24,
        }
    }
}

/// Which broker carries the events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Broker {
    /// One inside this process, all in memory: for one site.
    Embedded {
        /// Where it listens. Port 0 takes a free one.
        listen: SocketAddr,
        /// The one account that may connect; needed to listen beyond this machine.
        #[serde(default)]
        username: Option<String>,
        /// File that holds that account's password.
        #[serde(default)]
        password_file: Option<PathBuf>,
    },
    /// One outside.
    External {
        /// Its host name or address.
        host: String,
        /// Its port.
        #[serde(default = "default_port")]
        port: u16,
        /// The account to sign in with.
        #[serde(default)]
        username: Option<String>,
        /// File that holds that account's password.
        #[serde(default)]
        password_file: Option<PathBuf>,
        /// TLS to the broker: not built yet, so `true` is refused at start.
        #[serde(default)]
        tls: bool,
    },
}

impl Default for Broker {
    fn default() -> Self {
        Self::Embedded {
            listen: SocketAddr::from(([127, 0, 0, 1], 1883)),
            username: None,
            password_file: None,
        }
    }
}

fn default_port() -> u16 {
    1883
}

/// The account at the broker, read from its file.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) username: String,
    pub(crate) password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Login(hidden)")
    }
}

impl Config {
    /// Checks what serde cannot, and reads the password file.
    pub(crate) fn resolve(&self) -> Result<Option<Login>, Error> {
        let prefix_levels = self.prefix.split('/');
        check(
            "prefix",
            &self.prefix,
            "letters, digits, '-', '_' and '.', in levels parted by '/'",
            |text| prefix_levels.clone().all(is_level) && text.len() <= MAX_NAME_BYTES,
        )?;
        check("node", &self.node, "1 to 64 letters, digits, '-', '_' and '.'", is_level)?;
        for (key, value, least) in [
            ("keep_alive_s", usize::from(self.keep_alive_s), 1),
            ("reconnect_max_s", usize::from(self.reconnect_max_s), 1),
            ("queue_messages", self.queue_messages, 1),
            ("batch_messages", self.batch_messages, 1),
            ("keep_passes_days", usize::from(self.keep_passes_days), 1),
            ("keep_hits_days", usize::from(self.keep_hits_days), usize::from(self.keep_passes_days)),
            ("keep_telemetry_hours", usize::from(self.keep_telemetry_hours), 1),
        ] {
            if value < least {
                let rule = format!("must be at least {least}");
                return Err(Error::Config { key, value: value.to_string(), rule });
            }
        }
        self.broker.login()
    }

    /// The id this node has at the broker. Stable, so that the broker keeps messages for it while it is away.
    pub(crate) fn client_id(&self) -> String {
        format!("sightline-{}", self.node)
    }

    pub(crate) fn keep_passes(&self) -> Duration {
        Duration::from_secs(u64::from(self.keep_passes_days) * 86_400)
    }

    pub(crate) fn keep_hits(&self) -> Duration {
        Duration::from_secs(u64::from(self.keep_hits_days) * 86_400)
    }

    pub(crate) fn keep_telemetry(&self) -> Duration {
        Duration::from_secs(u64::from(self.keep_telemetry_hours) * 3600)
    }

    pub(crate) fn keep_alive(&self) -> Duration {
        Duration::from_secs(u64::from(self.keep_alive_s))
    }
}

impl Broker {
    fn login(&self) -> Result<Option<Login>, Error> {
        let (username, file) = match self {
            Self::Embedded { listen, username, password_file } => {
                if !listen.ip().is_loopback() && username.is_none() {
                    let rule =
                        "listens beyond this machine: set username and password_file, or listen on 127.0.0.1";
                    return Err(Error::Config {
                        key: "broker.listen",
                        value: listen.to_string(),
                        rule: rule.to_owned(),
                    });
                }
                (username, password_file)
            }
            Self::External { tls: true, .. } => {
                let rule = "TLS to the broker is not built yet: set it to false and keep the broker on a trusted \
                            network, or put a TLS tunnel in front of it";
                return Err(Error::Config {
                    key: "broker.tls",
                    value: "true".to_owned(),
                    rule: rule.to_owned(),
                });
            }
            Self::External { username, password_file, .. } => (username, password_file),
        };
        match (username, file) {
            (None, None) => Ok(None),
            (Some(username), Some(file)) => {
                let password = std::fs::read_to_string(file)
                    .map_err(|source| Error::PasswordFile { path: file.clone(), source })?;
                let password = password.trim_end_matches(['\r', '\n']).to_owned();
                Ok(Some(Login { username: username.clone(), password }))
            }
            (username, _) => Err(Error::Config {
                key: "broker.username",
                value: username.clone().unwrap_or_default(),
                rule: "username and password_file go together: set both or none".to_owned(),
            }),
        }
    }
}

fn check(key: &'static str, value: &str, rule: &str, holds: impl Fn(&str) -> bool) -> Result<(), Error> {
    if holds(value) {
        return Ok(());
    }
    Err(Error::Config { key, value: value.chars().take(80).collect(), rule: format!("must be {rule}") })
}

/// Whether the text may stand as one level of a topic.
pub(crate) fn is_level(text: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(config: &Config) -> String {
        config.resolve().unwrap_err().to_string()
    }

    #[test]
    fn the_default_stands() {
        assert_eq!(Config::default().resolve().unwrap(), None);
    }

    #[test]
    fn a_wrong_value_is_named_with_the_way_out() {
        let with = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            refusal(&config)
        };
        assert!(with(|c| c.prefix = "a//b".into()).contains("prefix"));
        assert!(with(|c| c.prefix = "a/#".into()).contains("prefix"));
        assert!(with(|c| c.node = "n/1".into()).contains("node"));
        assert!(with(|c| c.batch_messages = 0).contains("at least 1"));
        assert!(with(|c| c.keep_hits_days = 1).contains("keep_hits_days"));
        let open = "0.0.0.0:1883".parse().unwrap();
        let embedded = Broker::Embedded { listen: open, username: None, password_file: None };
        assert!(refusal(&Config { broker: embedded, ..Config::default() }).contains("password_file"));
    }

    #[test]
    fn the_outside_broker_reads_its_password_from_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("password");
        std::fs::write(&file, "secret\n").unwrap();
        let broker = |password_file, tls| Broker::External {
            host: "broker.test".into(),
            port: 1883,
            username: Some("sightline".into()),
            password_file,
            tls,
        };
        let config = |broker| Config { broker, ..Config::default() };
        let login = config(broker(Some(file.clone()), false)).resolve().unwrap().unwrap();
        assert_eq!(login.password, "secret");
        assert!(!format!("{login:?}").contains("secret"));
        assert!(refusal(&config(broker(None, false))).contains("go together"));
        assert!(refusal(&config(broker(Some(file), true))).contains("TLS"));
        assert!(refusal(&config(broker(Some(dir.path().join("none")), false))).contains("none"));
    }
}
