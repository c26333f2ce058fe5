//! A client with a session.

use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use sightline_model::Timestamp;

use super::Site;

pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    pub(crate) cookie: String,
    pub(crate) csrf: String,
}

/// An answer, read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    async fn of(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, body: response.bytes().await.unwrap().to_vec() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body of an answer that must be fine.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text());
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// Checks that it is a problem with this status and code, and gives it.
    #[track_caller]
    pub(crate) fn problem(self, status: u16, code: &str) -> Value {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text());
        let problem = self.json();
        assert_eq!((self.status.as_u16(), problem["code"].as_str()), (status, Some(code)), "{problem}");
        assert_eq!(problem["status"], status);
        assert!(problem["remedy"].as_str().is_some_and(|remedy| remedy.len() > 10), "{problem}");
        problem
    }
}

impl Client {
    pub(crate) fn nobody(site: &Site) -> Self {
        let http = reqwest::Client::new();
        Self { http, base: site.url(""), cookie: String::new(), csrf: String::new() }
    }

    pub(crate) async fn sign_in(site: &Site, name: &str) -> Self {
        let mut client = Self::nobody(site);
        let body = serde_json::json!({ "name": name, "password": site.password(name) });
        let answer = client.post("/session", &body).await;
        let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        client.csrf = answer.ok()["csrf"].as_str().unwrap().to_owned();
        client.cookie = cookie;
        client
    }

    /// A request below `/api/v1`, or at the root for a path that begins with `//`.
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = match path.strip_prefix("//") {
            Some(path) => format!("{}/{path}", self.base),
            None => format!("{}/api/v1{path}", self.base),
        };
        let mut request = self.http.request(method, url);
        if !self.cookie.is_empty() {
            request = request.header("cookie", &self.cookie).header("x-csrf-token", &self.csrf);
        }
        request
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        Answer::of(request.send().await.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PATCH, path).json(body)).await
    }

    /// Opens a case grant on cameras for a time, and gives its id.
    pub(crate) async fn case_grant(&self, cameras: &[&str], from: Timestamp, to: Timestamp) -> String {
        let body = serde_json::json!({
            "ground": { "kind": "case", "ref": "CASE-1" }, "cameras": cameras, "from": from, "to": to,
            "reason": "the vehicle in question",
        });
        self.post("/grants", &body).await.ok()["id"].as_str().unwrap().to_owned()
    }
}
