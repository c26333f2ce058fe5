//! What the bench is asked for.

use std::{env, path::PathBuf};

use crate::engine::Kind;

/// GOPs of a camera that a segment should hold.
const GOPS_A_SEGMENT: u32 = 60;

/// How much is indexed. Everything follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Entries in all.
    pub(crate) entries: u64,
    /// Cameras; a batch holds one entry of each.
    pub(crate) cameras: u32,
    /// Seed of every random choice.
    pub(crate) seed: u64,
}

impl Shape {
    /// Batches it takes: entries of each camera.
    pub(crate) fn batches(&self) -> u32 {
        u32::try_from(self.entries / u64::from(self.cameras)).expect("fewer entries, or more cameras")
    }

    /// GOPs of a camera in a segment: as many as are aimed at, or fewer so that there are segments to remove.
    pub(crate) fn gops_a_segment(&self) -> u32 {
        GOPS_A_SEGMENT.min(self.batches() / 8)
    }

    /// The oldest quarter of the batches, rounded down to whole segments.
    pub(crate) fn quarter(&self) -> u32 {
        self.batches() / 4 / self.gops_a_segment() * self.gops_a_segment()
    }
}

/// The whole task.
#[derive(Debug)]
pub(crate) struct Args {
    /// How much is indexed.
    pub(crate) shape: Shape,
    /// How often each engine's process is killed.
    pub(crate) kills: u32,
    /// Who takes part.
    pub(crate) engines: Vec<Kind>,
    /// Where the engines write: a folder on the disk that is meant.
    pub(crate) dir: PathBuf,
}

const USAGE: &str = "\
The footage index beside embedded storage engines.

  cargo run --release -- [--entries N] [--kills N] [--cameras N] [--engines A,B] [--dir DIR] [--seed N]

  --entries N   index entries in all             [5000000]
  --kills N     kills of each engine's process   [20]
  --cameras N   cameras, and entries a batch     [2000]
  --engines A,B some of: ";

impl Args {
    /// Reads the command line; says what is wrong with it, or how it goes.
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let dir = env::var_os("SIGHTLINE_BENCH_DIR").map_or_else(|| PathBuf::from("."), PathBuf::from);
        let shape = Shape { entries: 5_000_000, cameras: 2_000, seed: 1 };
        let mut args = Self { shape, kills: 20, engines: Kind::ALL.to_vec(), dir };
        while let Some(word) = words.next() {
            if word == "--help" {
                return Err(usage());
            }
            let value = words.next().ok_or_else(|| format!("{word} wants a value\n\n{}", usage()))?;
            match word.as_str() {
                "--entries" => args.shape.entries = number(&word, &value)?,
                "--cameras" => args.shape.cameras = number(&word, &value)?,
                "--seed" => args.shape.seed = number(&word, &value)?,
                "--kills" => args.kills = number(&word, &value)?,
                "--dir" => args.dir = PathBuf::from(value),
                "--engines" => args.engines = value.split(',').map(Kind::named).collect::<Result<_, _>>()?,
                _ => return Err(format!("{word} is not known\n\n{}", usage())),
            }
        }
        args.check()
    }

    fn check(self) -> Result<Self, String> {
        if self.shape.cameras == 0 || self.shape.entries / u64::from(self.shape.cameras) < 8 {
            return Err("--entries must be at least 8 times --cameras".to_owned());
        }
        if u64::from(self.kills) > u64::from(self.shape.batches()) / 2 {
            return Err("--kills: at most one for two batches".to_owned());
        }
        Ok(self)
    }
}

fn usage() -> String {
    let names: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    format!("{USAGE}{}", names.join(", "))
}

fn number<T: std::str::FromStr>(word: &str, value: &str) -> Result<T, String> {
    value.replace('_', "").parse().map_err(|_| format!("{word}: {value:?} is not a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, String> {
        Args::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn the_full_form_is_the_default_and_mistakes_are_named() {
        let args = parse("").unwrap();
        assert_eq!((args.shape.batches(), args.kills), (2_500, 20));
        assert_eq!(parse("--entries 200_000 --kills 3").unwrap().shape.batches(), 100);
        for (line, word) in
            [("--entires 5", "--entires"), ("--kills x", "x"), ("--engines leveldb", "leveldb")]
        {
            let error = parse(line).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
