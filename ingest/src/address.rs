//! Addresses of cameras: RTSP only, and never with credentials in them.

use sightline_model::gap::GapReason;
use url::Url;

use crate::Failure;

/// An address that can be connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) url: Url,
    /// Host and port: what connections are paced by.
    pub(crate) host: String,
}

impl Address {
    /// Reads an address. The refusal does not repeat it, for it may hold a password.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let refuse =
            |why: &str| Failure::new(GapReason::Unreachable, format!("the address is of no use: {why}"));
        let url = Url::parse(text).map_err(|error| refuse(&error.to_string()))?;
        if url.scheme() != "rtsp" {
            return Err(refuse("only rtsp:// is understood"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("it holds a user name; give user and password separately"));
        }
        let Some(host) = url.host() else { return Err(refuse("it names no host")) };
        let host = format!("{host}:{}", url.port().unwrap_or(554));
        Ok(Self { url, host })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_paced_by_host_and_port() {
        let host = |text: &str| Address::parse(text).unwrap().host;
        assert_eq!(host("rtsp://10.0.0.5/Streaming/Channels/101?a=b"), "10.0.0.5:554");
        assert_eq!(host("rtsp://recorder.example:8554/1"), "recorder.example:8554");
        assert_eq!(host("rtsp://[fe80::1]/1"), "[fe80::1]:554");
    }

    #[test]
    fn what_is_refused_is_not_repeated() {
        for text in
            ["rtsp://admin:secret@10.0.0.5/", "rtsp://secret@10.0.0.5/", "http://10.0.0.5/secret", "secret"]
        {
            let failure = Address::parse(text).unwrap_err();
            assert_eq!(failure.reason, GapReason::Unreachable);
            assert!(!failure.detail.contains("secret"), "{failure}");
        }
    }
}
