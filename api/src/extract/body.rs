//! Bodies: JSON with the path of what is wrong in it, CSV as text; both bounded.

use axum::{
    body::to_bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::{
    Api,
    problem::{Error, Refusal, cut},
};

/// A JSON body. Unknown fields are refused by the types themselves (`deny_unknown_fields`).
#[derive(Debug)]
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Api> for JsonBody<T> {
    type Rejection = Error;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Error> {
        want_type(request.headers(), "application/json")?;
        let bytes = read(request, api.config().body_bytes).await?;
        Ok(Self(parse(&bytes)?))
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = match error.path().to_string().as_str() {
            "." | "?" => "document".to_owned(),
            path => cut(path, 128),
        };
        Refusal::Json { path, why: cut(&error.inner().to_string(), 256) }
    })?;
    json.end().map_err(|error| Refusal::Json { path: "document".to_owned(), why: error.to_string() })?;
    Ok(value)
}

/// A CSV body.
#[derive(Debug)]
pub(crate) struct CsvBody(pub(crate) Bytes);

impl FromRequest<Api> for CsvBody {
    type Rejection = Error;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Error> {
        want_type(request.headers(), "text/csv")?;
        Ok(Self(read(request, api.config().import_bytes).await?))
    }
}

fn want_type(headers: &HeaderMap, wanted: &'static str) -> Result<(), Refusal> {
    let found = headers.get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let found = found.unwrap_or_default();
    let essence = found.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    Err(Refusal::ContentType { found: cut(&found, 64), wanted })
}

async fn read(request: Request, most_bytes: usize) -> Result<Bytes, Refusal> {
    let announced =
        request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|bytes: usize| bytes > most_bytes) {
        return Err(Refusal::TooLarge { most_bytes });
    }
    // One byte more than allowed tells a body that is too long from one that broke off.
    match to_bytes(request.into_body(), most_bytes).await {
        Ok(bytes) => Ok(bytes),
        Err(error) if is_length_limit(&error) => Err(Refusal::TooLarge { most_bytes }),
        Err(error) => Err(Refusal::Cut { why: cut(&error.to_string(), 128) }),
    }
}

fn is_length_limit(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains("length limit exceeded") {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[allow(dead_code, reason = "only its parsing matters")]
        cameras: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[allow(dead_code, reason = "only its parsing matters")]
        name: String,
    }

    fn refusal(body: &str) -> String {
        parse::<Outer>(body.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_bad_body_is_refused_with_the_place() {
        assert!(refusal(r#"{"cameras":[{"name":"a"},{"name":3}]}"#).contains("cameras[1].name"));
        assert!(refusal(r#"{"cameras":[{"name":"a","nmae":"b"}]}"#).contains("nmae"));
        assert!(refusal("").contains("document"));
        assert!(refusal(r#"{"cameras":[]} x"#).contains("trailing"));
    }
}
