//! What was done to footage and why: `DIR/policy.log`, one JSON object a line, synced. It says nothing that the store needs:
//! it is for people.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::PathBuf,
};

use serde::Serialize;
use sightline_model::Timestamp;

use super::Step;
use crate::Error;

/// Size at which the log is put aside as `policy.log.old`, in place of the one before.
const MAX_BYTES: u64 = 32 << 20;

/// One line.
#[derive(Debug, Serialize)]
struct Line<'a> {
    at: Timestamp,
    /// The time that the plan was made for.
    plan: Timestamp,
    #[serde(flatten)]
    step: &'a Step,
    /// Why it was not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<String>,
}

/// See the module's words.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: Option<File>,
    waiting: Vec<u8>,
}

impl Journal {
    /// The log at `path`, made when there is something to write.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, file: None, waiting: Vec::new() }
    }

    /// Adds a step that was carried out, or could not be.
    pub(crate) fn add(&mut self, plan: Timestamp, step: &Step, problem: Option<&Error>) {
        let failed = problem.map(ToString::to_string);
        let line = Line { at: Timestamp::now(), plan, step, failed };
        if serde_json::to_writer(&mut self.waiting, &line).is_ok() {
            self.waiting.push(b'\n');
        }
    }

    /// Writes and syncs what was added.
    ///
    /// # Errors
    /// When the log cannot be written; it is tried again with the next lines.
    pub(crate) fn sync(&mut self) -> Result<(), Error> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let written = self.write();
        written.map_err(Error::io("write", &self.path))?;
        self.waiting.clear();
        Ok(())
    }

    fn write(&mut self) -> io::Result<()> {
        if self.file.as_ref().is_some_and(|file| file.metadata().is_ok_and(|meta| meta.len() > MAX_BYTES)) {
            self.file = None;
            fs::rename(&self.path, self.path.with_extension("log.old"))?;
        }
        let file = match self.file.take() {
            Some(file) => file,
            None => OpenOptions::new().create(true).append(true).open(&self.path)?,
        };
        let file = self.file.insert(file);
        file.write_all(&self.waiting)?;
        file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Action, Reason};

    #[test]
    fn every_step_is_a_line_that_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::new(dir.path().join("policy.log"));
        let step = Step {
            action: Action::Delete { segment: 7 },
            reason: Reason::PastMaximum { class: 2 },
            on_disk: Some(0),
            frees_bytes: 5,
            loses_bytes: 4,
        };
        journal.add(Timestamp(1), &step, None);
        journal.sync().unwrap();
        journal.add(Timestamp(2), &step, Some(&Error::Stopped));
        journal.sync().unwrap();
        let text = fs::read_to_string(dir.path().join("policy.log")).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["action"]["segment"], 7);
        assert_eq!(lines[0]["reason"]["why"], "past_maximum");
        assert_eq!(lines[0].get("failed"), None);
        assert!(lines[1]["failed"].as_str().unwrap().contains("shut down"));
    }
}
