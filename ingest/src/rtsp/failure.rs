//! retina's errors to ours. retina has one opaque error type: what it tells is the status code and the text, so the
//! text's beginnings are matched here, and a test against simulated cameras notices when they change.

use sightline_model::gap::GapReason;

use crate::Failure;

/// How far a session had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Describe,
    Setup,
    Play,
    Playing,
}

impl Stage {
    fn as_str(self) -> &'static str {
        match self {
            Self::Describe => "DESCRIBE",
            Self::Setup => "SETUP",
            Self::Play => "PLAY",
            Self::Playing => "the stream",
        }
    }
}

/// What an error means, in our words.
pub(super) fn explain(stage: Stage, error: &retina::Error, credentials: bool) -> Failure {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    match error.status_code() {
        Some(status) if (200..300).contains(&status) => {
            let what = line.split_once(": ").map_or(line, |(_, what)| what);
            let detail = format!("the answer to {} is not understood: {what}", stage.as_str());
            Failure::new(GapReason::BadStream, detail)
        }
        Some(status) => refused(stage, status, credentials),
        None => broken(stage, line),
    }
}

/// Whether an error is about one packet, so that the session can go on.
pub(super) fn is_of_one_packet(error: &retina::Error) -> bool {
    let text = error.to_string();
    text.contains("\nstream: ") && !text.starts_with("Error receiving UDP packet")
}

fn refused(stage: Stage, status: u16, credentials: bool) -> Failure {
    let stage = stage.as_str();
    let (reason, detail) = match status {
        401 if credentials => {
            (GapReason::Unauthorized, "the camera refused the user name or password (401)".to_owned())
        }
        401 => (
            GapReason::Unauthorized,
            "the camera asks for a user name and a password, and none are registered (401)".to_owned(),
        ),
        403 => (GapReason::Unauthorized, format!("the camera forbids {stage} to this user (403)")),
        404 | 454 => (GapReason::BadStream, format!("the camera has no stream at this address ({status})")),
        461 => {
            (GapReason::BadStream, "the camera refuses this transport (461): try the other one".to_owned())
        }
        300..=399 => {
            (GapReason::BadStream, format!("the camera points elsewhere ({status}), which is not followed"))
        }
        453 | 500.. => {
            (GapReason::Unreachable, format!("the camera is busy or out of order ({status} to {stage})"))
        }
        _ => (GapReason::BadStream, format!("the camera refused {stage} ({status})")),
    };
    Failure::new(reason, detail)
}

fn broken(stage: Stage, line: &str) -> Failure {
    let stage = stage.as_str();
    let after = |beginning: &str| line.strip_prefix(beginning).map(str::trim);
    if let Some(why) = after("Unable to connect to RTSP server:") {
        return Failure::new(GapReason::Unreachable, format!("no connection to the camera: {why}"));
    }
    let broke =
        ["Error reading from RTSP peer:", "Error writing to RTSP peer:", "Error receiving UDP packet:"];
    if let Some(why) = broke.into_iter().find_map(after) {
        return Failure::new(GapReason::Disconnected, format!("the connection broke in {stage}: {why}"));
    }
    Failure::new(GapReason::BadStream, format!("{stage} is not understood: {line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_reason() {
        let reason = |status| refused(Stage::Describe, status, true).reason;
        assert_eq!(reason(401), GapReason::Unauthorized);
        assert_eq!(reason(403), GapReason::Unauthorized);
        assert_eq!(reason(404), GapReason::BadStream);
        assert_eq!(reason(302), GapReason::BadStream);
        assert_eq!(reason(453), GapReason::Unreachable);
        assert_eq!(reason(503), GapReason::Unreachable);
        assert!(refused(Stage::Describe, 401, false).detail.contains("none are registered"));
        assert!(refused(Stage::Setup, 503, false).detail.contains("503 to SETUP"));
    }

    #[test]
    fn a_broken_connection_is_no_bad_stream() {
        let refused =
            broken(Stage::Describe, "Unable to connect to RTSP server: Connection refused (os error 111)");
        assert_eq!(refused.reason, GapReason::Unreachable);
        assert_eq!(refused.detail, "no connection to the camera: Connection refused (os error 111)");
        let reset = broken(Stage::Playing, "Error reading from RTSP peer: Connection reset by peer");
        assert_eq!(reset.reason, GapReason::Disconnected);
        assert_eq!(broken(Stage::Playing, "RTSP framing error: x").reason, GapReason::BadStream);
    }
}
