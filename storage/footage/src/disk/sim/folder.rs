//! The names of a simulated folder: what is seen, what is durable, and what was done between.
//!
//! A crash keeps any part of what was done since the last sync of the folder; a rename happens as a whole or not at all.

use std::collections::BTreeMap;

use rand::{RngExt, rngs::SmallRng};

#[derive(Debug, Clone)]
enum Change {
    Add { name: String, file: u64 },
    Remove { name: String },
    Rename { from: String, to: String, file: u64 },
}

/// See the module's words. Files go by number.
#[derive(Debug, Clone, Default)]
pub(super) struct Folder {
    live: BTreeMap<String, u64>,
    durable: BTreeMap<String, u64>,
    pending: Vec<Change>,
}

impl Folder {
    pub(super) fn names(&self) -> &BTreeMap<String, u64> {
        &self.live
    }

    pub(super) fn file(&self, name: &str) -> Option<u64> {
        self.live.get(name).copied()
    }

    pub(super) fn add(&mut self, name: &str, file: u64) {
        self.change(Change::Add { name: name.to_owned(), file });
    }

    /// Adds a name that has been durable for long.
    pub(super) fn settle(&mut self, name: &str, file: u64) {
        self.live.insert(name.to_owned(), file);
        self.durable.insert(name.to_owned(), file);
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.change(Change::Remove { name: name.to_owned() });
    }

    pub(super) fn rename(&mut self, from: &str, to: &str, file: u64) {
        self.change(Change::Rename { from: from.to_owned(), to: to.to_owned(), file });
    }

    fn change(&mut self, change: Change) {
        apply(&mut self.live, &change);
        self.pending.push(change);
    }

    pub(super) fn sync(&mut self) {
        for change in self.pending.drain(..) {
            apply(&mut self.durable, &change);
        }
    }

    /// The names as a crash now leaves them.
    pub(super) fn crash(&self, rng: &mut SmallRng) -> BTreeMap<String, u64> {
        let mut names = self.durable.clone();
        let in_order = rng.random::<bool>();
        let until = rng.random_range(0..=self.pending.len());
        for (number, change) in self.pending.iter().enumerate() {
            let arrives = if in_order { number < until } else { rng.random::<bool>() };
            if arrives {
                apply(&mut names, change);
            }
        }
        names
    }
}

fn apply(names: &mut BTreeMap<String, u64>, change: &Change) {
    match change {
        Change::Add { name, file } => {
            names.insert(name.clone(), *file);
        }
        Change::Remove { name } => {
            names.remove(name);
        }
        Change::Rename { from, to, file } => {
            names.remove(from);
            names.insert(to.clone(), *file);
        }
    }
}
