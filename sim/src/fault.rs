//! What a simulated camera does wrong. Faults are switched at run time with [`crate::CameraSim::set_fault`].

use serde::{Deserialize, Serialize};

/// What a simulated camera does wrong, one at a time.
///
/// Each holds until it is replaced or cleared, except [`Fault::Disconnect`], which happens once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Sends no media and no RTCP, while the socket stays open and requests are answered as if all were well.
    Stall,
    /// Sends nothing at all any more, not even answers; sockets stay open (a frozen device).
    Mute,
    /// Closes every connection that has a session with the camera, once. Later connections are served.
    Disconnect,
    /// Refuses every request that names the camera. What already plays goes on.
    Refuse(Refusal),
    /// Refuses every request with 401, whatever the credentials (the password was changed). What already plays goes on.
    Unauthorized,
    /// Leaves out key frames.
    NoKeyframes,
    /// Loses so many of 100 RTP packets, at random; their sequence numbers are missing.
    PacketLoss {
        /// 0 to 100.
        percent: u8,
    },
    /// Lies in RTCP sender reports: the camera's clock is off by so many seconds.
    ClockOffset {
        /// Positive when the camera's clock is ahead.
        seconds: i64,
    },
    /// Changes picture size, and with it the parameter sets, in mid-stream: plays [`crate::Clip::alternate`]. Clearing
    /// the fault changes back. Both happen at a key frame. A clip without an alternate is not changed.
    ParameterChange,
}

/// How [`Fault::Refuse`] refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Answers 503 Service Unavailable (too many sessions, say).
    ServiceUnavailable,
    /// Answers 454 Session Not Found.
    SessionNotFound,
    /// Closes the connection without an answer.
    Close,
}
