//! Writes the seeds of all targets, made by the real encoders, to the corpus: `seeds [FOLDER]`.

use std::{env, fs, path::PathBuf};

fn main() -> std::io::Result<()> {
    let folder = env::args_os().nth(1).map_or_else(|| PathBuf::from("corpus"), PathBuf::from);
    for (target, name, bytes) in sightline_footage::fuzzing::seeds() {
        let folder = folder.join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("seed-{name}")), bytes)?;
    }
    Ok(())
}
