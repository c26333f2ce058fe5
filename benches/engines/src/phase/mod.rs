//! What is measured, one module each: the part that runs in the child and the part that asks it.

pub(crate) mod kill;
pub(crate) mod load;
pub(crate) mod query;
pub(crate) mod remove;
pub(crate) mod syncs;

use crate::child::Task;

/// Does what a child was started for.
pub(crate) fn run_child(task: &Task) {
    match task.name.as_str() {
        "load" => load::child(task),
        "query" => query::child(task),
        "remove" => remove::child(task),
        "verify" => kill::child(task),
        name => panic!("there is no task {name:?}"),
    }
}
