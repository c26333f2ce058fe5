//! Rebuilds the crate when a migration is added: `migrate!` embeds the folder at compile time.

#![allow(clippy::print_stdout)]

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
