//! A signed-in HTTP client, as a program outside would write it.

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

/// One person's session.
pub struct Client {
    http: reqwest::Client,
    api: String,
    csrf: String,
    /// The signed-in account, as the server told it.
    pub account: Value,
}

impl Client {
    /// Signs in.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn sign_in(api: &str, name: &str, password: &str) -> Self {
        let http = reqwest::Client::builder().cookie_store(true).build().unwrap();
        let answer = http
            .post(format!("{api}/session"))
            .json(&json!({ "name": name, "password": password }))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{name} signs in");
        let body: Value = answer.json().await.unwrap();
        let csrf = body["csrf"].as_str().unwrap().to_owned();
        Self { http, api: api.to_owned(), csrf, account: body["account"].clone() }
    }

    /// A request to a path below the API's base.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.api)).header("X-CSRF-Token", &self.csrf)
    }

    /// GET; whatever comes.
    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    /// GET that must answer 200 with JSON.
    pub async fn get_json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert_eq!(status, StatusCode::OK, "GET {path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// POST of a JSON body; the status and the JSON that came.
    pub async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let answer = self.request(Method::POST, path).json(body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Opens a grant and gives its id.
    ///
    /// # Panics
    /// When the server refuses it.
    pub async fn grant(&self, body: &Value) -> String {
        let (status, answer) = self.post("/grants", body).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        answer["id"].as_str().unwrap().to_owned()
    }
}
