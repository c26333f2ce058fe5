//! `api/openapi.json`.

use std::path::Path;

use sightline_api::openapi::{document, document_text};
use sightline_api::problem::CODES;

/// Set this to write the file anew.
const UPDATE: &str = "SIGHTLINE_UPDATE_OPENAPI";

#[test]
fn the_file_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&path, document_text()).unwrap();
    }
    let file = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        file == document_text(),
        "api/openapi.json is stale: run this test again with {UPDATE}=1 and commit the file"
    );
}

#[test]
fn the_document_is_complete() {
    let document = serde_json::to_value(document()).unwrap();
    let mut operations = 0;
    let mut names = std::collections::BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        assert!(path.starts_with("/api/v1/"), "{path}");
        for (method, operation) in item.as_object().unwrap() {
            operations += 1;
            let place = format!("{method} {path}");
            assert!(
                operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()),
                "{place}: no summary"
            );
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{place}: {name} names another operation too");
            assert!(operation["tags"].as_array().is_some_and(|tags| tags.len() == 1), "{place}: one tag");
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.keys().any(|status| status.starts_with(['1', '2'])), "{place}: no good answer");
            assert!(responses.contains_key("500"), "{place}: no problems");
            let written = path.matches('{').count();
            let given = operation["parameters"]
                .as_array()
                .map_or(0, |list| list.iter().filter(|p| p["in"] == "path").count());
            assert_eq!(written, given, "{place}: parameters of the path");
        }
    }
    assert!(operations > 50, "{operations}");
    let codes =
        document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"].as_array().unwrap().len();
    assert_eq!(codes, CODES.len());
}

/// Every route of the design that this version has.
#[test]
fn the_promised_routes_are_there() {
    let document = serde_json::to_value(document()).unwrap();
    let promised = [
        ("post", "/session"),
        ("delete", "/session"),
        ("get", "/me"),
        ("get", "/regions"),
        ("get", "/cameras"),
        ("post", "/cameras"),
        ("get", "/cameras/{id}"),
        ("patch", "/cameras/{id}"),
        ("delete", "/cameras/{id}"),
        ("post", "/cameras/import"),
        ("get", "/cameras/{id}/health"),
        ("get", "/cases"),
        ("post", "/grants"),
        ("get", "/grants"),
        ("get", "/grants/{id}"),
        ("delete", "/grants/{id}"),
        ("get", "/footage/{camera}/timeline"),
        ("get", "/footage/{camera}/keyframes"),
        ("get", "/footage/{camera}/frame.jpg"),
        ("get", "/footage/{camera}/clip.mp4"),
        ("get", "/footage/{camera}/playlist.m3u8"),
        ("get", "/footage/{camera}/live"),
        ("post", "/views/select"),
        ("get", "/patrol-plans"),
        ("post", "/patrol-plans"),
        ("post", "/patrols"),
        ("get", "/patrols/{id}/next"),
        ("post", "/patrols/{id}/seen"),
        ("post", "/patrols/{id}/findings"),
        ("post", "/patrols/{id}/end"),
        ("get", "/patrols/{id}/report"),
        ("get", "/passes"),
        ("get", "/hotlist"),
        ("post", "/hotlist"),
        ("post", "/hotlist/{id}/approve"),
        ("delete", "/hotlist/{id}"),
        ("get", "/alerts"),
        ("get", "/alerts/{id}"),
        ("post", "/alerts/{id}/confirm"),
        ("post", "/alerts/{id}/dismiss"),
        ("post", "/alerts/{id}/dispatch"),
        ("post", "/alerts/{id}/resolve"),
        ("get", "/events"),
        ("get", "/audit/entries"),
        ("get", "/audit/verify"),
        ("get", "/status"),
        ("get", "/healthz"),
        ("get", "/readyz"),
    ];
    for (method, path) in promised {
        assert!(document["paths"][format!("/api/v1{path}")][method].is_object(), "{method} {path}");
    }
}
