//! What can be set, with defaults for one node.

use std::{ffi::OsString, num::NonZeroUsize, path::PathBuf, thread, time::Duration};

use serde::{Deserialize, Serialize};

use crate::Error;

/// How pictures are made, and how much memory and time that may take. Durations are text: `"5s"`, `"250ms"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The program that runs [`crate::worker_main`]. Empty: the program that is running now. Not read from a file.
    #[serde(skip)]
    pub program: PathBuf,
    /// Its arguments. Not read from a file.
    #[serde(skip, default = "default_args")]
    pub args: Vec<OsString>,
    /// Decoder processes, each with one picture in work.
    pub workers: usize,
    /// Longest time for one picture in a worker. After that the worker is killed and replaced.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// Longest time from asking to the picture: waiting for a worker, decoding, and decoding again after a crash.
    #[serde(with = "humantime_serde")]
    pub max_wait: Duration,
    /// Pictures that may wait for a worker. One more is refused as busy.
    pub queue: usize,
    /// Memory for pictures made lately.
    pub cache_bytes: usize,
}

fn default_args() -> Vec<OsString> {
    vec!["picture-worker".into()]
}

impl Default for Config {
    fn default() -> Self {
        Self {
            program: PathBuf::new(),
            args: default_args(),
            workers: thread::available_parallelism().map_or(1, NonZeroUsize::get).div_ceil(2).min(8),
            timeout: Duration::from_secs(5),
            max_wait: Duration::from_secs(15),
            queue: 256,
            cache_bytes: 64 << 20,
        }
    }
}

impl Config {
    /// Refuses settings that cannot work.
    ///
    /// # Errors
    /// [`Error::Config`] names the first such setting and what it may be.
    pub fn check(&self) -> Result<(), Error> {
        let refuse = |field, value: String, way_out| Err(Error::Config { field, value, way_out });
        if !(1..=64).contains(&self.workers) {
            return refuse("workers", self.workers.to_string(), "use 1 to 64");
        }
        if self.queue == 0 {
            return refuse("queue", "0".to_owned(), "use at least 1");
        }
        if self.timeout < Duration::from_millis(10) {
            return refuse("timeout", format!("{:?}", self.timeout), "use at least 10ms");
        }
        if self.max_wait < self.timeout {
            return refuse("max_wait", format!("{:?}", self.max_wait), "use at least the value of timeout");
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
        assert_eq!(config.args, ["picture-worker"]);
    }

    #[test]
    fn a_file_can_set_neither_the_program_nor_an_unknown_key() {
        for text in [r#"{"program": "/bin/sh"}"#, r#"{"args": []}"#, r#"{"worker": 3}"#] {
            let error = serde_json::from_str::<Config>(text).unwrap_err().to_string();
            assert!(error.contains("unknown field"), "{error}");
        }
    }

    #[test]
    fn settings_that_cannot_work_are_refused_by_name() {
        let refused = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            match config.check().unwrap_err() {
                Error::Config { field, .. } => field,
                other => panic!("{other}"),
            }
        };
        assert_eq!(refused(|c| c.workers = 0), "workers");
        assert_eq!(refused(|c| c.queue = 0), "queue");
        assert_eq!(refused(|c| c.timeout = Duration::ZERO), "timeout");
        assert_eq!(refused(|c| c.max_wait = Duration::from_secs(1)), "max_wait");
    }
}
