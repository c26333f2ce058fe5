//! The console, and what surrounds every answer.

use serde_json::json;

use crate::support::{Client, Site};

#[tokio::test]
async fn unknown_paths_are_the_console_s_and_unknown_routes_are_problems() {
    let site = Site::start().await;
    let nobody = Client::nobody(&site);
    for path in ["//", "//wall", "//cameras/gate-1"] {
        let page = nobody.get(path).await;
        assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html"), "{path}");
        assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
        assert_eq!(
            (page.header("x-content-type-options"), page.header("cache-control")),
            ("nosniff", "no-cache")
        );
    }
    nobody.get("//assets/gone-1234.js").await.problem(404, "route_unknown");
    nobody.get("/nonsense").await.problem(404, "route_unknown");
    nobody.post("/healthz", &json!({})).await.problem(405, "method_unknown");
}

#[tokio::test]
async fn machines_can_ask_how_it_is() {
    let site = Site::start().await;
    let nobody = Client::nobody(&site);
    for path in ["//healthz", "//readyz", "/healthz", "/readyz"] {
        let answer = nobody.get(path).await;
        assert!(!answer.header("x-request-id").is_empty(), "every answer can be found in the log");
        assert_eq!(answer.ok()["ok"], true, "{path}");
    }
    let counted = site.api.metrics();
    let healthz = counted.routes.iter().find(|route| route.route == "/api/v1/healthz").unwrap();
    assert_eq!((healthz.method, healthz.by_class), ("GET", [0, 1, 0, 0, 0]));
}

#[tokio::test]
async fn the_docs_are_served_from_the_program() {
    let site = Site::start().await;
    let nobody = Client::nobody(&site);
    assert!(nobody.get("//api/docs/").await.text().contains("swagger"));
    let document = nobody.get("/openapi.json").await.ok();
    assert!(document["paths"]["/api/v1/cameras"]["get"].is_object());
}
