//! What can be set, with the defaults that suit a city.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How RTP packets travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Interleaved in the RTSP connection: nothing is lost or reordered, firewalls let it through.
    #[default]
    Tcp,
    /// Datagrams of their own: for cameras whose TCP sending is broken. Late packets are dropped, not reordered.
    Udp,
}

/// Settings of ingest. Durations are text: `"10s"`, `"250ms"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How RTP packets travel.
    pub transport: Transport,
    /// From opening the connection until the camera has accepted PLAY.
    #[serde(with = "humantime_serde")]
    pub connect_timeout: Duration,
    /// A playing stream without any frame for this long is stalled.
    #[serde(with = "humantime_serde")]
    pub frame_timeout: Duration,
    /// A playing stream without a key frame for this long is stalled. Longer than the longest GOP of any camera.
    #[serde(with = "humantime_serde")]
    pub key_frame_timeout: Duration,
    /// First wait after a failure; doubles with each further one.
    #[serde(with = "humantime_serde")]
    pub retry_min: Duration,
    /// Longest wait after a failure, which is also how long a camera may be back before it is recorded again.
    #[serde(with = "humantime_serde")]
    pub retry_max: Duration,
    /// First wait after a refused user name or password. Long, because cameras lock accounts.
    #[serde(with = "humantime_serde")]
    pub unauthorized_retry_min: Duration,
    /// Longest wait after a refused user name or password.
    #[serde(with = "humantime_serde")]
    pub unauthorized_retry_max: Duration,
    /// Connections being opened at one time.
    pub connects: usize,
    /// Of these, to one host (a recorder with many channels, a site behind one address).
    pub connects_per_host: usize,
    /// How long an on-demand stream runs on after its last reader.
    #[serde(with = "humantime_serde")]
    pub linger: Duration,
    /// GOPs longer than this are committed in parts.
    #[serde(with = "humantime_serde")]
    pub part: Duration,
    /// GOPs larger than this are committed in parts.
    pub part_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            transport: Transport::Tcp,
            connect_timeout: Duration::from_secs(10),
            frame_timeout: Duration::from_secs(10),
            key_frame_timeout: Duration::from_secs(60),
            retry_min: Duration::from_millis(500),
            retry_max: Duration::from_secs(12),
            unauthorized_retry_min: Duration::from_secs(5 * 60),
            unauthorized_retry_max: Duration::from_secs(30 * 60),
            connects: 64,
            connects_per_host: 16,
            linger: Duration::from_secs(10),
            part: Duration::from_secs(8),
            part_bytes: 8 * 1024 * 1024,
        }
    }
}

/// A setting that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("ingest.{field} cannot be {value}: {way_out}")]
pub struct InvalidConfig {
    /// Which one, as it is written in the file.
    pub field: &'static str,
    /// What it was.
    pub value: String,
    /// What it may be.
    pub way_out: &'static str,
}

impl Config {
    /// Refuses settings that cannot work.
    ///
    /// # Errors
    /// Names the first such setting and what it may be.
    pub fn check(&self) -> Result<(), InvalidConfig> {
        let lengths = [
            ("connect_timeout", self.connect_timeout),
            ("frame_timeout", self.frame_timeout),
            ("key_frame_timeout", self.key_frame_timeout),
            ("retry_min", self.retry_min),
            ("unauthorized_retry_min", self.unauthorized_retry_min),
            ("part", self.part),
        ];
        for (field, length) in lengths {
            if length < Duration::from_millis(10) {
                let value = length.as_secs_f64().to_string();
                return Err(InvalidConfig { field, value, way_out: "use at least 0.01 seconds" });
            }
        }
        let pairs = [
            ("retry_max", self.retry_min, self.retry_max),
            ("unauthorized_retry_max", self.unauthorized_retry_min, self.unauthorized_retry_max),
        ];
        for (field, min, max) in pairs {
            if max < min {
                let value = max.as_secs_f64().to_string();
                return Err(InvalidConfig { field, value, way_out: "use at least the value of its min" });
            }
        }
        for (field, count) in [("connects", self.connects), ("connects_per_host", self.connects_per_host)] {
            if count == 0 {
                return Err(InvalidConfig { field, value: "0".to_owned(), way_out: "use at least 1" });
            }
        }
        if self.part_bytes < 64 * 1024 {
            let value = self.part_bytes.to_string();
            return Err(InvalidConfig { field: "part_bytes", value, way_out: "use at least 65536" });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_work_and_read_back() {
        let config = Config::default();
        config.check().unwrap();
        let text = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<Config>(&text).unwrap(), config);
        assert_eq!(serde_json::from_str::<Config>("{}").unwrap(), config);
    }

    #[test]
    fn durations_are_text_and_nonsense_is_named() {
        let config: Config = serde_json::from_str(r#"{"linger": "3s", "retry_min": "250ms"}"#).unwrap();
        assert_eq!((config.linger.as_secs(), config.retry_min.as_millis()), (3, 250));
        for (text, word) in [
            (r#"{"lingers": "3s"}"#, "unknown field"),
            (r#"{"linger": 3}"#, "duration"),
            (r#"{"transport": "http"}"#, "unknown variant"),
        ] {
            let error = serde_json::from_str::<Config>(text).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn settings_that_cannot_work_are_refused_by_name() {
        let refused = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            config.check().unwrap_err().field
        };
        assert_eq!(refused(|c| c.connects = 0), "connects");
        assert_eq!(refused(|c| c.retry_max = Duration::ZERO), "retry_max");
        assert_eq!(refused(|c| c.part = Duration::ZERO), "part");
        assert_eq!(refused(|c| c.part_bytes = 1), "part_bytes");
    }
}
