//! The published schemas are those of the code.

use std::path::PathBuf;

/// Writes the files anew with `SIGHTLINE_UPDATE=1 cargo test -p sightline-gateway --test formats`.
#[test]
fn the_published_schemas_are_those_of_the_code() {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/formats");
    for (name, schema) in sightline_gateway::schemas() {
        let path = dir.join(format!("{name}.schema.json"));
        let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        if std::env::var_os("SIGHTLINE_UPDATE").is_some() {
            std::fs::create_dir_all(&dir).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        let published = std::fs::read_to_string(&path).unwrap_or_default();
        let hint = "run SIGHTLINE_UPDATE=1 cargo test -p sightline-gateway --test formats";
        assert!(published == text, "{} is not up to date: {hint}", path.display());
    }
}

#[test]
fn every_stripped_key_is_documented() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/formats/README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    for (kind, words) in sightline_gateway::stripped_keys() {
        let row = format!("| {kind} | {} |", words.join(", "));
        assert!(readme.contains(&row), "docs/formats/README.md lacks the row:\n{row}");
    }
}
