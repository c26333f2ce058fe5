//! Who asks: by session cookie, or by bearer token. Writes with the cookie also carry the session's CSRF token.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, Method, header, request::Parts},
};
use sightline_model::Timestamp;
use sightline_trust::Caller;

use crate::{
    Api,
    problem::{Error, Refusal},
};

/// Name of the session cookie.
pub(crate) const SESSION_COOKIE: &str = "sightline_session";

const CSRF_HEADER: &str = "x-csrf-token";

/// How a request says who asks.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Credential {
    Session(String),
    Bearer(String),
}

impl Credential {
    /// The bearer token if there is one, else the cookie.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| {
            let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
        });
        let session = || cookie(headers, SESSION_COOKIE).map(|token| Self::Session(token.to_owned()));
        bearer.map(Self::Bearer).or_else(session)
    }

    /// The account behind it, if it still holds.
    pub(crate) async fn caller(&self, api: &Api, now: Timestamp) -> Result<Caller, Error> {
        Ok(match self {
            Self::Session(token) => api.trust().accounts().caller_by_session(token, now).await?,
            Self::Bearer(token) => api.trust().accounts().caller_by_bearer(token, now).await?,
        })
    }
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// Whoever asks, known and allowed to write if the request is a write.
pub(crate) struct SignedIn {
    pub(crate) caller: Caller,
    pub(crate) credential: Credential,
}

impl FromRequestParts<Api> for SignedIn {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Error> {
        let credential = Credential::of(&parts.headers).ok_or(Refusal::NotSignedIn)?;
        let caller = credential.caller(api, Timestamp::now()).await?;
        let writes = !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
        if writes && matches!(credential, Credential::Session(_)) {
            let given = parts.headers.get(CSRF_HEADER).map(|token| token.as_bytes());
            let wanted = caller.session.as_ref().map_or("", |session| session.csrf.as_str());
            check_csrf(given, wanted.as_bytes())?;
        }
        Ok(Self { caller, credential })
    }
}

fn check_csrf(given: Option<&[u8]>, wanted: &[u8]) -> Result<(), Refusal> {
    let equal = given.is_some_and(|given| {
        // Every byte is compared, whatever the ones before were.
        let differing = given.iter().zip(wanted).fold(0, |acc, (a, b)| acc | (a ^ b));
        given.len() == wanted.len() && !wanted.is_empty() && differing == 0
    });
    if equal { Ok(()) } else { Err(Refusal::Csrf { given: given.is_some() }) }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_token_must_be_the_session_s() {
        assert!(check_csrf(Some(b"abc"), b"abc").is_ok());
        for given in [None, Some(&b""[..]), Some(&b"abd"[..]), Some(&b"abcd"[..])] {
            assert!(check_csrf(given, b"abc").is_err());
        }
        assert!(check_csrf(Some(b""), b"").is_err(), "a session without a token takes no writes");
    }

    #[test]
    fn the_cookie_is_found_among_others_and_a_bearer_token_wins() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("a=b; sightline_session=s1; x=y"));
        assert!(Credential::of(&headers) == Some(Credential::Session("s1".into())));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer t1"));
        assert!(Credential::of(&headers) == Some(Credential::Bearer("t1".into())));
        assert!(Credential::of(&HeaderMap::new()).is_none());
    }
}
