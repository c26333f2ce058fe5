//! Configuration of a tier.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::Error;

/// Smallest chunk: below this, requests cost more than bytes.
const MIN_CHUNK_BYTES: u64 = 1 << 20;
/// Largest chunk: two of them stand in memory during an upload.
const MAX_CHUNK_BYTES: u64 = 1 << 30;

/// Where sealed segments go, when, and how fast. Durations are text: `"1h"`, `"7d"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierConfig {
    /// `s3://BUCKET/PREFIX` or `file:///FOLDER`. The bucket or folder must exist.
    pub url: String,
    /// Address of the store when it is not Amazon's: `https://s3.example:8333`.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// Region of the bucket; most stores other than Amazon's take any.
    #[serde(default = "default_region")]
    pub region: String,
    /// Name of the access key. Without one the machine's own role is used.
    #[serde(default)]
    pub access_key_id: Option<String>,
    /// File that holds the secret of the access key, and nothing else. The secret itself never stands in a configuration.
    #[serde(default)]
    pub secret_key_file: Option<PathBuf>,
    /// Allows an `endpoint` that begins with `http:`. What is sent there can be read and changed on its way.
    #[serde(default)]
    pub allow_http: bool,
    /// Bytes of one object.
    #[serde(default = "default_chunk_bytes")]
    pub chunk_bytes: u64,
    /// Most bytes a second for moving segments, both ways together. None: as fast as it goes.
    #[serde(default)]
    pub rate_bytes_per_s: Option<u64>,
    /// Age, counted from its sealing, at which a segment is sent.
    #[serde(default = "default_after", with = "humantime_serde")]
    pub after: Duration,
    /// Age, counted from its sealing, up to which a segment that was sent stays on the local disk too.
    #[serde(default = "default_keep_local", with = "humantime_serde")]
    pub keep_local: Duration,
    /// Memory for footage that was read from the tier lately.
    #[serde(default = "default_cache_bytes")]
    pub cache_bytes: usize,
}

fn default_region() -> String {
    "us-east-1".to_owned()
}

fn default_chunk_bytes() -> u64 {
    64 << 20
}

fn default_after() -> Duration {
    Duration::from_secs(3600)
}

fn default_keep_local() -> Duration {
    Duration::from_secs(24 * 3600)
}

fn default_cache_bytes() -> usize {
    64 << 20
}

impl TierConfig {
    /// A tier with every other setting at its default.
    #[must_use]
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            endpoint: None,
            region: default_region(),
            access_key_id: None,
            secret_key_file: None,
            allow_http: false,
            chunk_bytes: default_chunk_bytes(),
            rate_bytes_per_s: None,
            after: default_after(),
            keep_local: default_keep_local(),
            cache_bytes: default_cache_bytes(),
        }
    }

    /// Refuses what cannot work, naming the field.
    pub(crate) fn check(&self, node: &str) -> Result<Url, Error> {
        let bad = |field, problem: &str| Err(Error::Config { field, problem: problem.to_owned() });
        if node.is_empty() {
            return bad("node", "must be set: it is part of every name in the tier");
        }
        if !(MIN_CHUNK_BYTES..=MAX_CHUNK_BYTES).contains(&self.chunk_bytes) {
            return bad("tier.chunk_bytes", "must be from 1 MiB to 1 GiB");
        }
        if self.rate_bytes_per_s == Some(0) {
            return bad("tier.rate_bytes_per_s", "must be at least 1; leave it out for no limit");
        }
        if self.access_key_id.is_some() != self.secret_key_file.is_some() {
            return bad("tier.access_key_id", "and tier.secret_key_file belong together: set both or none");
        }
        let insecure = self.endpoint.as_deref().is_some_and(|endpoint| endpoint.starts_with("http:"));
        if insecure && !self.allow_http {
            return bad("tier.endpoint", "is not encrypted: use https, or set tier.allow_http = true");
        }
        match Url::parse(&self.url) {
            Ok(url) if url.scheme() == "s3" && url.host_str().is_some_and(|bucket| !bucket.is_empty()) => {
                Ok(url)
            }
            Ok(url) if url.scheme() == "file" && url.to_file_path().is_ok() => Ok(url),
            _ => bad("tier.url", "must be s3://BUCKET/PREFIX or file:///FOLDER"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_section_is_enough_and_unknown_fields_are_refused() {
        let config: TierConfig = toml::from_str("url = 's3://footage/city'\nkeep_local = '7d'").unwrap();
        assert_eq!(config.keep_local, Duration::from_secs(7 * 86_400));
        assert_eq!(config.chunk_bytes, 64 << 20);
        assert!(config.check("north").is_ok());
        let error = toml::from_str::<TierConfig>("url = 's3://a'\nsecret_key = 'x'").unwrap_err().to_string();
        assert!(error.contains("secret_key") && error.contains("line 2"), "{error}");
        assert!(toml::from_str::<TierConfig>("after = '1h'").unwrap_err().to_string().contains("url"));
    }

    #[test]
    fn what_cannot_work_is_named() {
        let refused = |change: fn(&mut TierConfig), field: &str| {
            let mut config = TierConfig::at("s3://footage/city");
            change(&mut config);
            let error = config.check("north").unwrap_err().to_string();
            assert!(error.contains(field), "{error}");
        };
        refused(|c| c.url = "http://footage".to_owned(), "tier.url");
        refused(|c| c.url = "s3:///prefix".to_owned(), "tier.url");
        refused(|c| c.url = "file://host/share".to_owned(), "tier.url");
        refused(|c| c.chunk_bytes = 1000, "tier.chunk_bytes");
        refused(|c| c.chunk_bytes = 2 << 30, "tier.chunk_bytes");
        refused(|c| c.rate_bytes_per_s = Some(0), "tier.rate_bytes_per_s");
        refused(|c| c.access_key_id = Some("key".to_owned()), "tier.secret_key_file");
        refused(|c| c.endpoint = Some("http://10.0.0.1:8333".to_owned()), "tier.allow_http");
        assert!(TierConfig::at("s3://footage").check("").is_err());
        assert!(TierConfig::at("file:///srv/footage").check("north").is_ok());
    }
}
