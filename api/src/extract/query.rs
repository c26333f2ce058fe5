//! Query parameters and parts of the path.

use axum::{
    extract::{FromRequestParts, Path, Query},
    http::request::Parts,
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use sightline_model::{TimeRange, Timestamp, id::GrantId};

use crate::problem::{Error, Refusal, cut};

/// The query as `T`.
#[derive(Debug)]
pub(crate) struct QueryOf<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for QueryOf<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(query)) => Ok(Self(query)),
            Err(refused) => {
                let text = refused.body_text();
                let why = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
                Err(Refusal::Query { why: cut(why, 256) }.into())
            }
        }
    }
}

/// The one id in the path.
#[derive(Debug)]
pub(crate) struct PathId<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for PathId<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(id)) => Ok(Self(id)),
            Err(refused) => {
                let text = refused.body_text();
                let why = text.strip_prefix("Invalid URL: ").unwrap_or(&text);
                Err(Refusal::Path { why: cut(why, 256) }.into())
            }
        }
    }
}

/// A time as it comes in a query. A `+` that nobody escaped arrives as a space: `2026-11-22T14:00:00 08:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct At(pub(crate) Timestamp);

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.replace(' ', "+").parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// Items on a page unless the client says otherwise.
const DEFAULT_LIMIT: usize = 100;

/// Most items on a page.
const MOST_ITEMS: usize = 1000;

/// `cursor=` and `limit=`.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// `next` of the page before.
    pub(crate) cursor: Option<String>,
    /// Most items on the page (default 100, at most 1000).
    pub(crate) limit: Option<usize>,
}

impl Paging {
    pub(crate) fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MOST_ITEMS)
    }
}

/// `from=`, `to=` and `grant=`.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FromTo {
    /// First instant, RFC 3339.
    #[param(value_type = Timestamp)]
    pub(crate) from: At,
    /// First instant after, RFC 3339.
    #[param(value_type = Timestamp)]
    pub(crate) to: At,
    /// The grant to look under (see `POST /grants`).
    #[param(value_type = Option<String>)]
    pub(crate) grant: Option<GrantId>,
}

impl FromTo {
    /// The range, no longer than `most_s` seconds.
    pub(crate) fn range(&self, most_s: u64) -> Result<TimeRange, Refusal> {
        range(self.from.0, self.to.0, most_s)
    }
}

pub(crate) fn range(from: Timestamp, to: Timestamp, most_s: u64) -> Result<TimeRange, Refusal> {
    let range = TimeRange::new(from, to)
        .ok_or_else(|| Refusal::field("to", format!("must be later than from: from={from}, to={to}")))?;
    if range.length().as_secs() > most_s {
        let why = format!("the range is longer than {most_s} s: ask for less at a time");
        return Err(Refusal::field("to", why));
    }
    Ok(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_survives_an_unescaped_plus() {
        let at = |text: &str| serde_json::from_value::<At>(text.into()).map(|at| at.0);
        assert_eq!(at("2026-11-22T14:00:00 08:00").unwrap(), at("2026-11-22T06:00:00Z").unwrap());
        assert!(at("today").unwrap_err().to_string().contains("RFC 3339"));
    }

    #[test]
    fn a_range_is_forward_and_bounded() {
        let at = Timestamp::from_secs;
        assert!(range(at(0), at(60), 60).is_ok());
        assert!(range(at(0), at(61), 60).unwrap_err().to_string().contains("longer than 60 s"));
        assert!(range(at(1), at(1), 60).unwrap_err().to_string().contains("later than from"));
    }
}
