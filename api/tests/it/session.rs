//! `/session`, `/me`.

use reqwest::Method;
use serde_json::json;
use sightline_model::{Timestamp, account::Role};
use sightline_trust::NewAccount;

use crate::support::{Client, Site};

#[tokio::test]
async fn signing_in_gives_a_strict_cookie_and_says_what_one_may() {
    let site = Site::start().await;
    let nobody = Client::nobody(&site);
    nobody.get("/me").await.problem(401, "not_signed_in");
    let wrong = nobody.post("/session", &json!({ "name": "olga", "password": "nope" })).await;
    wrong.problem(401, "bad_credentials");

    let body = json!({ "name": "olga", "password": site.password("olga") });
    let answer = nobody.post("/session", &body).await;
    let cookie = answer.header("set-cookie").to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "sightline_session="] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let session = answer.ok();
    assert_eq!(
        (&session["account"]["name"], &session["account"]["role"]),
        (&json!("olga"), &json!("operator"))
    );

    let olga = site.sign_in("olga").await;
    let me = olga.get("/me").await.ok();
    assert_eq!(me["csrf"], olga.csrf);
    let rights: Vec<_> =
        me["rights"].as_array().unwrap().iter().map(|right| right.as_str().unwrap()).collect();
    assert!(rights.contains(&"run_patrols") && !rights.contains(&"edit_cameras"), "{rights:?}");

    let out = olga.delete("/session").await;
    assert_eq!(out.status, 204);
    olga.get("/me").await.problem(401, "not_signed_in");
}

#[tokio::test]
async fn a_write_with_the_cookie_needs_its_token_and_a_service_needs_none() {
    let site = Site::start().await;
    let mut ines = site.sign_in("ines").await;
    let region = json!({ "id": "east", "parent": "city", "level": "district", "name": "East" });
    ines.csrf = "forged".to_owned();
    ines.post("/regions", &region).await.problem(403, "csrf");
    ines.csrf.clear();
    ines.post("/regions", &region).await.problem(403, "csrf");
    assert!(ines.get("/regions").await.status.is_success(), "reading needs none");

    let now = Timestamp::now();
    let new =
        NewAccount { name: "robot".into(), role: Role::Integrator, unit: "works".into(), password: None };
    let robot = site.trust.accounts().create_account(None, new, now).await.unwrap();
    let token = site.trust.accounts().create_service_token(None, &robot, "test", None, now).await.unwrap();
    let service = Client::nobody(&site);
    let request = |token: &str| service.request(Method::POST, "/regions").bearer_auth(token).json(&region);
    service.send(request(&token)).await.ok();
    service.send(request("guess")).await.problem(401, "not_signed_in");
}
