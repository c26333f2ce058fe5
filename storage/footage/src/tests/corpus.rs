//! What fuzzing has found, and what it begins with, again in every test run.

use std::{fs, path::Path};

use crate::fuzzing::{TARGETS, seeds};

fn corpus() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

#[test]
fn no_input_that_ever_mattered_panics() {
    for (target, run) in TARGETS {
        let mut inputs = 0;
        for file in fs::read_dir(corpus().join(target)).unwrap() {
            let path = file.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            if std::panic::catch_unwind(|| run(&bytes)).is_err() {
                panic!("{} panics", path.display());
            }
            inputs += 1;
        }
        assert!(inputs > 2, "the corpus of {target} is gone");
    }
}

#[test]
fn the_seeds_in_the_corpus_are_those_of_todays_encoders() {
    for (target, name, bytes) in seeds() {
        let path = corpus().join(target).join(format!("seed-{name}"));
        if std::env::var_os("SIGHTLINE_UPDATE").is_some() {
            fs::write(&path, &bytes).unwrap();
        }
        let stored = fs::read(&path).unwrap_or_default();
        assert!(
            stored == bytes,
            "{} is of an older format: run this test once with SIGHTLINE_UPDATE=1",
            path.display()
        );
    }
}
