//! Digest authentication (RFC 2617, MD5, without `qop`: what cameras do). Basic is neither offered nor taken.

use std::time::Duration;

use md5::{Digest, Md5};

/// What the `Authorization` header of a request amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The right credentials.
    Granted,
    /// None given, or of another scheme than digest.
    Missing,
    /// The right answer to an old nonce: the client may try again without asking anybody.
    Stale,
    /// Wrong.
    Denied,
}

/// Makes nonces that carry their time and cannot be made up; nothing is kept per nonce.
#[derive(Debug, Clone)]
pub(crate) struct Nonces {
    secret: u128,
    lifetime: Duration,
}

impl Nonces {
    pub(crate) fn new(secret: u128, lifetime: Duration) -> Self {
        Self { secret, lifetime }
    }

    /// A nonce made at `now`, on the server's own clock.
    pub(crate) fn make(&self, now: Duration) -> String {
        let stamp = format!("{:012x}", now.as_millis());
        let seal = hash(&[&stamp, &format!("{:032x}", self.secret)]);
        stamp + &seal
    }

    /// `None` when it is not ours, else whether it is still good.
    fn is_fresh(&self, nonce: &str, now: Duration) -> Option<bool> {
        let made = Duration::from_millis(u64::from_str_radix(nonce.get(..12)?, 16).ok()?);
        (self.make(made) == nonce).then(|| now.saturating_sub(made) <= self.lifetime)
    }
}

/// The challenge of a 401 answer.
pub(crate) fn challenge(realm: &str, nonce: &str, stale: bool) -> String {
    let stale = if stale { ", stale=true" } else { "" };
    format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm=MD5{stale}")
}

/// What a request must match.
pub(crate) struct Expected<'a> {
    pub(crate) realm: &'a str,
    pub(crate) user: &'a str,
    pub(crate) password: &'a str,
    pub(crate) method: &'a str,
    pub(crate) uri: &'a str,
}

/// Judges the `Authorization` header of a request.
pub(crate) fn check(
    header: Option<&str>,
    expected: &Expected<'_>,
    nonces: &Nonces,
    now: Duration,
) -> Verdict {
    let Some(parameters) = header.and_then(digest_parameters) else { return Verdict::Missing };
    let get = |name: &str| {
        let found = parameters.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    };
    let (Some(user), Some(nonce), Some(uri), Some(response)) =
        (get("username"), get("nonce"), get("uri"), get("response"))
    else {
        return Verdict::Denied;
    };
    let Some(fresh) = nonces.is_fresh(nonce, now) else { return Verdict::Denied };
    let secret = hash(&[expected.user, expected.realm, expected.password]);
    let subject = hash(&[expected.method, expected.uri]);
    let wanted = match (get("qop"), get("nc"), get("cnonce")) {
        (Some(qop), Some(count), Some(client)) => hash(&[&secret, nonce, count, client, qop, &subject]),
        _ => hash(&[&secret, nonce, &subject]),
    };
    let right = user == expected.user && uri == expected.uri && response.eq_ignore_ascii_case(&wanted);
    match (right, fresh) {
        (true, true) => Verdict::Granted,
        (true, false) => Verdict::Stale,
        (false, _) => Verdict::Denied,
    }
}

/// MD5 over the parts with colons between, in hexadecimal.
fn hash(parts: &[&str]) -> String {
    let digest = Md5::digest(parts.join(":"));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The `name=value` and `name="value"` pairs of a digest header; `None` for other schemes or when it is torn.
fn digest_parameters(header: &str) -> Option<Vec<(String, String)>> {
    let (scheme, mut rest) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("digest") {
        return None;
    }
    let mut pairs = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', ',', '\t']);
        if rest.is_empty() {
            return Some(pairs);
        }
        let (name, after) = rest.split_once('=')?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(',').unwrap_or((after, "")),
        };
        pairs.push((name.trim().to_owned(), value.trim().to_owned()));
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(100);
    const URI: &str = "rtsp://127.0.0.1:554/gate/main";

    fn nonces() -> Nonces {
        Nonces::new(7, Duration::from_secs(60))
    }

    fn expected() -> Expected<'static> {
        Expected { realm: "cam", user: "admin", password: "pa:ss", method: "DESCRIBE", uri: URI }
    }

    fn header(user: &str, password: &str, nonce: &str) -> String {
        let response = hash(&[&hash(&[user, "cam", password]), nonce, &hash(&["DESCRIBE", URI])]);
        format!(
            "Digest username=\"{user}\", realm=\"cam\", nonce=\"{nonce}\", uri=\"{URI}\", response=\"{response}\""
        )
    }

    fn verdict(header: Option<&str>, now: Duration) -> Verdict {
        check(header, &expected(), &nonces(), now)
    }

    #[test]
    fn the_example_of_the_rfc_hashes_as_it_says() {
        // RFC 2617 section 3.5.
        let secret = hash(&["Mufasa", "testrealm@host.com", "Circle Of Life"]);
        let subject = hash(&["GET", "/dir/index.html"]);
        let nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
        let response = hash(&[&secret, nonce, "00000001", "0a4f113b", "auth", &subject]);
        assert_eq!(response, "6629fae49393a05397450978507c4ef1");
    }

    #[test]
    fn only_the_right_answer_to_an_own_nonce_is_granted() {
        let nonce = nonces().make(NOW);
        assert_eq!(verdict(Some(&header("admin", "pa:ss", &nonce)), NOW), Verdict::Granted);
        assert_eq!(verdict(Some(&header("admin", "wrong", &nonce)), NOW), Verdict::Denied);
        assert_eq!(verdict(Some(&header("guest", "pa:ss", &nonce)), NOW), Verdict::Denied);
        let foreign = Nonces::new(8, Duration::from_secs(60)).make(NOW);
        assert_eq!(verdict(Some(&header("admin", "pa:ss", &foreign)), NOW), Verdict::Denied);
        let late = NOW + Duration::from_secs(61);
        assert_eq!(verdict(Some(&header("admin", "pa:ss", &nonce)), late), Verdict::Stale);
        assert_eq!(verdict(Some(&header("admin", "wrong", &nonce)), late), Verdict::Denied);
    }

    #[test]
    fn other_schemes_and_torn_headers_are_no_credentials() {
        for given in [None, Some("Basic YWRtaW46cGE6c3M="), Some("Digest"), Some("Digest username=\"a")] {
            assert_eq!(verdict(given, NOW), Verdict::Missing, "{given:?}");
        }
        assert_eq!(verdict(Some("Digest username=\"admin\""), NOW), Verdict::Denied);
    }
}
