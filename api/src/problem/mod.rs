//! What a client is told when something cannot be done: problem details (RFC 9457) with a stable `code` and a `remedy`.
//!
//! [`Error`] is what handlers return; `table.rs` is the one place that maps it to a status and a code.

mod catalogue;
mod table;

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

pub use catalogue::{CODES, Code};

/// MIME type of a problem.
pub const MIME: &str = "application/problem+json";

/// The body of every answer with a status of 400 or above.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// `urn:sightline:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// What sort of problem, in a few words.
    #[schema(value_type = String)]
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What happened, to what.
    pub detail: String,
    /// Stable name of the problem, for programs.
    #[schema(value_type = String)]
    pub code: &'static str,
    /// What to do about it.
    pub remedy: String,
}

/// Why a request cannot be answered as asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The door, or the rights, refused it.
    #[error(transparent)]
    Trust(#[from] sightline_trust::Error),
    /// The records store.
    #[error(transparent)]
    Records(#[from] sightline_records::Error),
    /// The footage store.
    #[error(transparent)]
    Footage(#[from] sightline_footage::Error),
    /// The gateway of events.
    #[error(transparent)]
    Gateway(#[from] sightline_gateway::Error),
    /// The decoder.
    #[error(transparent)]
    Picture(#[from] sightline_picture::Error),
    /// The request itself; see [`Refusal`].
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// What is wrong with a request before any other part has seen it, or with what it asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The body is not the JSON that is wanted.
    #[error("the body's {path}: {why}")]
    Json {
        /// Where in the document, as `cameras[2].name`; `document` for the whole.
        path: String,
        /// What is wrong there.
        why: String,
    },
    /// A query parameter is not what is wanted.
    #[error("the query: {why}")]
    Query {
        /// What is wrong, with the parameter's name.
        why: String,
    },
    /// A part of the path is not what is wanted.
    #[error("the path: {why}")]
    Path {
        /// What is wrong.
        why: String,
    },
    /// A value breaks a rule.
    #[error("{field}: {why}")]
    Field {
        /// Which one.
        field: &'static str,
        /// The rule, and what would be right.
        why: String,
    },
    /// The body is of another kind.
    #[error("the body is {found:?}, not {wanted}")]
    ContentType {
        /// What the header says, cut to 64 characters.
        found: String,
        /// What it must say.
        wanted: &'static str,
    },
    /// The body is too long.
    #[error("the body is longer than {most_bytes} bytes")]
    TooLarge {
        /// The limit.
        most_bytes: usize,
    },
    /// The body did not arrive whole.
    #[error("the body did not arrive whole: {why}")]
    Cut {
        /// Why.
        why: String,
    },
    /// Nobody is signed in.
    #[error("the request carries neither a session nor a token")]
    NotSignedIn,
    /// The header that proves that the page, and not another site, sent it.
    #[error("the header X-CSRF-Token is {}", if *given { "not the session's" } else { "missing" })]
    Csrf {
        /// Whether there was one at all.
        given: bool,
    },
    /// A WebSocket from a page of another site.
    #[error("the page at {origin:?} is not this console")]
    Origin {
        /// What the header says, cut to 64 characters.
        origin: String,
    },
    /// Not a WebSocket handshake.
    #[error("this route answers WebSocket handshakes only: {why}")]
    Upgrade {
        /// What is missing.
        why: String,
    },
    /// No such route.
    #[error("there is no route {path:?}")]
    Route {
        /// The path, cut to 128 characters.
        path: String,
    },
    /// The route has no such method.
    #[error("{path:?} does not take {method}")]
    Method {
        /// The path, cut to 128 characters.
        path: String,
        /// The method.
        method: String,
    },
    /// As many watch live as this node can serve.
    #[error("{most} live viewers are connected already")]
    TooManyViewers {
        /// The limit.
        most: usize,
    },
    /// There is no footage where it was asked for.
    #[error("camera {camera} has no footage {place}")]
    NoFootage {
        /// The camera.
        camera: String,
        /// Where it was looked for.
        place: String,
    },
    /// The thing belongs to somebody else.
    #[error("{what} {id} belongs to another account")]
    NotYours {
        /// The kind of thing.
        what: &'static str,
        /// Which one.
        id: String,
    },
    /// The thing is over.
    #[error("{what} {id} has ended")]
    Ended {
        /// The kind of thing.
        what: &'static str,
        /// Which one.
        id: String,
    },
}

impl Refusal {
    /// A value that breaks a rule.
    pub(crate) fn field(field: &'static str, why: impl Into<String>) -> Self {
        Self::Field { field, why: why.into() }
    }
}

/// The first `most` characters of something foreign, for messages.
pub(crate) fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

impl Error {
    /// The answer's body.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let row = table::row(self);
        let code = row.code;
        // What went wrong inside is for the log: paths, SQL and library messages are not the client's business.
        let inside = code.status >= 500 && !matches!(self, Self::Refused(_));
        let detail = if inside { code.title.to_owned() } else { self.to_string() };
        Problem {
            kind: format!("urn:sightline:problem:{}", code.name),
            title: code.title,
            status: code.status,
            detail,
            code: code.name,
            remedy: row.remedy.unwrap_or_else(|| code.remedy.to_owned()),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let problem = self.problem();
        if problem.status >= 500 && !matches!(self, Self::Refused(_)) {
            tracing::error!(code = problem.code, error = %self, "a request failed inside");
        }
        let mut response = problem.into_response();
        if let Self::Trust(sightline_trust::Error::Throttled { wait }) = self {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = axum::http::StatusCode::from_u16(self.status)
            .unwrap_or(axum::http::StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response =
            (status, [(header::CONTENT_TYPE, HeaderValue::from_static(MIME))], body).into_response();
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == 401 {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        Error::from(self).into_response()
    }
}
