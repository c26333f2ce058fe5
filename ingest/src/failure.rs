//! Why a session with a camera ended.

use std::{fmt, time::Duration};

use sightline_model::gap::GapReason;

use crate::health::Trouble;

/// Why a session ended: a stable code, and a sentence that names what happened. Never a secret, never an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The code; it becomes the reason of the gap.
    pub reason: GapReason,
    /// The sentence, without a full stop.
    pub detail: String,
}

impl Failure {
    /// A failure for `reason`. `detail` may quote the camera: control characters are replaced and it is cut short.
    #[must_use]
    pub fn new(reason: GapReason, detail: impl AsRef<str>) -> Self {
        let printable = |c: char| if c.is_control() { ' ' } else { c };
        let detail: String = detail.as_ref().chars().map(printable).take(240).collect();
        Self { reason, detail: detail.trim().to_owned() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        let for_secs = |length: Duration| format!("for {} s", length.as_secs_f64());
        match trouble {
            Trouble::Silent(limit) => Self::new(
                GapReason::Unreachable,
                format!("the camera did not answer within {} s", limit.as_secs_f64()),
            ),
            Trouble::NoFrame(limit) => {
                Self::new(GapReason::Stalled, format!("connected, but no frame came {}", for_secs(limit)))
            }
            Trouble::NoKeyFrame(limit) => {
                Self::new(GapReason::Stalled, format!("connected, but no key frame came {}", for_secs(limit)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_camera_says_is_quoted_in_one_short_line() {
        let failure = Failure::new(GapReason::BadStream, format!("said\r\n\x1b[31m{}", "x".repeat(9999)));
        assert!(failure.detail.starts_with("said   [31mx") && failure.detail.len() == 240, "{failure}");
    }

    #[test]
    fn trouble_says_how_long_it_was_waited() {
        let failure = Failure::from(Trouble::NoKeyFrame(Duration::from_millis(1500)));
        assert_eq!(failure.reason, GapReason::Stalled);
        assert_eq!(failure.to_string(), "connected, but no key frame came for 1.5 s");
    }
}
