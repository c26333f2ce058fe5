//! The console's files, embedded in the binary. Unknown paths outside the API get the page itself, which finds its way.

use axum::{
    extract::Request,
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::problem::{Refusal, cut};

#[derive(RustEmbed)]
#[folder = "console/dist"]
struct Dist;

const PAGE: &str = "index.html";

/// Everything that is no route: the console's files, its page, or a problem for programs.
pub(crate) async fn serve(request: Request) -> Response {
    let path = request.uri().path();
    if path == "/api" || path.starts_with("/api/") {
        return Refusal::Route { path: cut(path, 128) }.into_response();
    }
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return Refusal::Method { path: cut(path, 128), method: cut(request.method().as_str(), 16) }
            .into_response();
    }
    let name = path.trim_start_matches('/');
    if let Some(file) = Dist::get(name).filter(|_| !name.is_empty()) {
        return answer(name, file, &request);
    }
    // A missing script must not come back as a page: the browser would try to run it.
    if name.starts_with("assets/") {
        return Refusal::Route { path: cut(path, 128) }.into_response();
    }
    match Dist::get(PAGE) {
        Some(page) => answer(PAGE, page, &request),
        None => Refusal::Route { path: cut(path, 128) }.into_response(),
    }
}

fn answer(name: &str, file: EmbeddedFile, request: &Request) -> Response {
    let hash = file.metadata.sha256_hash();
    let tag: String =
        hash.iter().take(12).fold(String::from("\""), |tag, byte| format!("{tag}{byte:02x}")) + "\"";
    // Vite puts a hash of the content into the names below assets/: such a file never changes.
    let caching =
        if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known =
        request.headers().get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = HeaderValue::from_str(file.metadata.mimetype())
            .unwrap_or(HeaderValue::from_static("application/octet-stream"));
        ([(header::CONTENT_TYPE, kind)], file.data.into_owned()).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}
