//! Every figure is taken in a process of its own, so that memory and bytes written belong to one engine and one task.
//!
//! The bench starts itself again as `child TASK ENGINE DIR ENTRIES CAMERAS SEED [MORE]`. A child answers in lines of a
//! name and a number.

use std::{
    collections::BTreeMap,
    env,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{args::Shape, engine::Kind};

/// The first word of a child's command line.
pub(crate) const WORD: &str = "child";

/// What a child is told.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    /// Which task.
    pub(crate) name: String,
    /// With which engine.
    pub(crate) engine: Kind,
    /// Where that lies.
    pub(crate) dir: PathBuf,
    /// What is indexed.
    pub(crate) shape: Shape,
    /// Further words, as each task wants them.
    pub(crate) more: Vec<String>,
}

impl Task {
    /// A task for a child.
    pub(crate) fn new(name: &str, engine: Kind, dir: &Path, shape: Shape) -> Self {
        Self { name: name.to_owned(), engine, dir: dir.to_owned(), shape, more: Vec::new() }
    }

    /// The same, with a further word.
    pub(crate) fn with(mut self, word: impl ToString) -> Self {
        self.more.push(word.to_string());
        self
    }

    /// Reads what follows [`WORD`] on a command line.
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Self {
        let mut next = || words.next().expect("children are started by the bench alone");
        let (name, engine, dir) = (next(), Kind::named(&next()).unwrap(), PathBuf::from(next()));
        let shape = Shape {
            entries: next().parse().unwrap(),
            cameras: next().parse().unwrap(),
            seed: next().parse().unwrap(),
        };
        Self { name, engine, dir, shape, more: words.collect() }
    }

    /// What must be typed for it.
    pub(crate) fn words(&self) -> Vec<String> {
        let Shape { entries, cameras, seed } = self.shape;
        let dir = self.dir.to_str().expect("the folder's name is UTF-8").to_owned();
        let mut words = vec![WORD.to_owned(), self.name.clone(), self.engine.name().to_owned(), dir];
        words.extend([entries.to_string(), cameras.to_string(), seed.to_string()]);
        words.extend(self.more.iter().cloned());
        words
    }

    /// A process that does it, its answers in a pipe.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(self.words()).stdin(Stdio::null()).stdout(Stdio::piped());
        command
    }

    /// Has it done, and waits for it. An engine that panics is a result, not the end of the bench.
    pub(crate) fn run(&self) -> Result<Figures, String> {
        let output = self.command().stderr(Stdio::piped()).output().unwrap();
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            eprintln!("{} {}: {}\n{text}", self.engine.name(), self.name, output.status);
            return Err(format!("{} failed: {}", self.name, output.status));
        }
        Ok(Figures::parse(&String::from_utf8_lossy(&output.stdout)))
    }
}

/// What a child answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Figures(BTreeMap<String, f64>);

impl Figures {
    /// Reads lines of a name and a number.
    pub(crate) fn parse(text: &str) -> Self {
        let line = |line: &str| {
            let (name, value) = line.split_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        Self(text.lines().filter_map(line).collect())
    }

    /// One figure.
    pub(crate) fn get(&self, name: &str) -> f64 {
        *self.0.get(name).unwrap_or_else(|| panic!("the child did not say {name:?}"))
    }
}

/// Says a figure: from child to bench. One write, so that a trace has it in one line.
pub(crate) fn say(name: &str, value: impl ToString) {
    let line = format!("{name} {}\n", value.to_string());
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes()).unwrap();
    out.flush().unwrap();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_reads_back_from_its_command_line() {
        let shape = Shape { entries: 9, cameras: 3, seed: 5 };
        let task = Task::new("load", Kind::Redb, Path::new("/tmp/x"), shape).with(4).with("acks");
        let mut words = task.words().into_iter();
        assert_eq!(words.next().as_deref(), Some(WORD));
        assert_eq!(Task::parse(words).words(), task.words());
    }
}
