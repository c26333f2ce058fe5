//! What Sightline never does (docs/limits.md): no package for faces, gait or biometrics in any lock file.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a panic here is a test's failure report"
)]

use std::{fs, path::Path};

/// Parts of package names that give such a purpose away.
const EXCLUDED: &[&str] =
    &["face", "facial", "gait", "biometric", "reid", "re-id", "pose-estim", "iris-recog", "emotion"];
/// Innocent words that contain them.
const INNOCENT: &[&str] = &["interface", "surface", "typeface", "preface", "facet", "bordereid", "@emotion"];

fn is_excluded(package: &str) -> bool {
    let mut name = package.to_ascii_lowercase();
    for innocent in INNOCENT {
        name = name.replace(innocent, "");
    }
    EXCLUDED.iter().any(|part| name.contains(part))
}

fn cargo_packages(lock: &str) -> Vec<String> {
    let quoted = |line: &str| {
        line.strip_prefix("name = \"").and_then(|rest| rest.strip_suffix('"')).map(str::to_owned)
    };
    lock.lines().filter_map(quoted).collect()
}

fn npm_packages(lock: &str) -> Vec<String> {
    let lock: serde_json::Value = serde_json::from_str(lock).unwrap();
    let names = lock["packages"].as_object().unwrap().keys();
    names.filter_map(|path| path.rsplit("node_modules/").next().map(str::to_owned)).collect()
}

#[test]
fn no_lock_file_holds_an_excluded_package() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut git = std::process::Command::new("git");
    let tracked =
        git.args(["ls-files", "*Cargo.lock", "*package-lock.json"]).current_dir(root).output().unwrap();
    let locks: Vec<_> =
        String::from_utf8(tracked.stdout).unwrap().lines().map(|line| root.join(line)).collect();
    assert!(
        locks.iter().any(|lock| lock.ends_with("Cargo.lock")),
        "the workspace's own lock file is among {locks:?}"
    );
    for lock in locks {
        let text = fs::read_to_string(&lock).unwrap();
        let is_cargo = lock.ends_with("Cargo.lock");
        let packages = if is_cargo { cargo_packages(&text) } else { npm_packages(&text) };
        assert!(packages.len() > 1, "{} was read", lock.display());
        let found: Vec<_> = packages.iter().filter(|package| is_excluded(package)).collect();
        assert!(found.is_empty(), "{}: {found:?} is what Sightline never does", lock.display());
    }
}

#[test]
fn the_judge_knows_one_from_the_other() {
    for bad in ["face-recognition", "rustface", "opencv-facial", "gait-rs", "biometrics", "person-reid"] {
        assert!(is_excluded(bad), "{bad}");
    }
    for good in ["network-interface", "ab_glyph_surface", "facet", "serde"] {
        assert!(!is_excluded(good), "{good}");
    }
}
