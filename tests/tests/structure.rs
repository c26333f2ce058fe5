//! The shape of the workspace: who may depend on whom, and which one crate names each heavy library.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a panic here is a test's failure report"
)]

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Each package, and the packages of ours that it may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("sightline-model", &[]),
    ("sightline-picture", &["model"]),
    ("sightline-ingest", &["model", "picture"]),
    ("sightline-footage", &["model", "records"]),
    ("sightline-records", &["model"]),
    ("sightline-trust", &["model", "records", "footage"]),
    ("sightline-gateway", &["model", "records"]),
    ("sightline-api", &["model", "picture", "footage", "records", "trust", "gateway"]),
    ("sightline-sim", &["model"]),
    ("sightline", &["model", "picture", "ingest", "footage", "records", "trust", "gateway", "api", "sim"]),
    (
        "sightline-benches",
        &["model", "picture", "ingest", "footage", "records", "trust", "gateway", "api", "sim"],
    ),
    (
        "sightline-tests",
        &["model", "picture", "ingest", "footage", "records", "trust", "gateway", "api", "sim"],
    ),
];

/// Heavy libraries, and the packages that may name them. The simulator stands for foreign devices, so it has an MQTT client
/// of its own.
const NAMED_BY: &[(&str, &[&str])] = &[
    ("aws-lc-rs", &["sightline-footage"]),
    ("retina", &["sightline-ingest"]),
    ("gstreamer", &["sightline-picture"]),
    ("image", &["sightline-picture"]),
    ("sqlx", &["sightline-records"]),
    ("object_store", &["sightline-footage"]),
    ("rumqttc", &["sightline-gateway", "sightline-sim"]),
    ("rumqttd", &["sightline-gateway"]),
    ("axum", &["sightline-api"]),
    ("prometheus", &["sightline"]),
];

fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    metadata
        .packages
        .iter()
        .map(|package| {
            let uses =
                package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
            (package.name.to_string(), uses.map(|dependency| dependency.name.clone()).collect())
        })
        .collect()
}

#[test]
fn arrows_point_one_way() {
    let dependencies = dependencies();
    let known: BTreeSet<_> = MAY_USE.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(
        dependencies.keys().cloned().collect::<BTreeSet<_>>(),
        known,
        "every package has its row in MAY_USE"
    );
    for (name, allowed) in MAY_USE {
        for used in dependencies[*name].iter().filter_map(|used| used.strip_prefix("sightline-")) {
            assert!(allowed.contains(&used), "{name} must not use sightline-{used}");
        }
    }
}

#[test]
fn one_package_names_a_heavy_library() {
    for (package, uses) in dependencies() {
        for (library, named_by) in NAMED_BY.iter().filter(|(library, _)| uses.contains(*library)) {
            assert!(
                named_by.contains(&package.as_str())
                    || matches!(package.as_str(), "sightline-tests" | "sightline-benches"),
                "{package} names {library}, which belongs to {named_by:?}"
            );
        }
    }
}
