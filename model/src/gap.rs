//! Gaps: missing footage is a record with a start, an end and a reason, so that completeness can be proved.

use serde::{Deserialize, Serialize};

use crate::{TimeRange, Timestamp};

/// Why footage is missing. The codes are stable: they stand on disk and in answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// Nothing says why: the footage before and after is there, and what lay between is not.
    Unknown,
    /// Sightline was not running.
    GatewayStopped,
    /// The camera could not be reached.
    Unreachable,
    /// The camera refused the user name or password.
    Unauthorized,
    /// The camera closed the connection, or it broke.
    Disconnected,
    /// The connection stood but no key frame came.
    Stalled,
    /// The stream could not be understood.
    BadStream,
    /// Packets were lost on the way.
    PacketLoss,
    /// The camera was switched off in the registry.
    Disabled,
    /// The disk was too slow or full, and footage had to be let go.
    DiskOverload,
    /// The receiver's clock jumped; the footage lies at the times the clock showed.
    ClockJump,
    /// The stored bytes are damaged and were cut away by recovery.
    Damaged,
    /// Its time was over, or its quota used up: it was deleted by the footage policies, and what is held around it stayed.
    Expired,
    /// The disk was full and nothing on it could go: recording of its class was given up for a while.
    Shed,
}

impl GapReason {
    /// Every reason, in the order of its code on disk.
    pub const ALL: [Self; 14] = [
        Self::Unknown,
        Self::GatewayStopped,
        Self::Unreachable,
        Self::Unauthorized,
        Self::Disconnected,
        Self::Stalled,
        Self::BadStream,
        Self::PacketLoss,
        Self::Disabled,
        Self::DiskOverload,
        Self::ClockJump,
        Self::Damaged,
        Self::Expired,
        Self::Shed,
    ];

    /// The number that stands for it on disk.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The reason of a number on disk; a number from a later version reads as [`Self::Unknown`].
    #[must_use]
    pub fn from_code(code: u8) -> Self {
        Self::ALL.get(usize::from(code)).copied().unwrap_or(Self::Unknown)
    }

    /// The name in answers and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::GatewayStopped => "gateway_stopped",
            Self::Unreachable => "unreachable",
            Self::Unauthorized => "unauthorized",
            Self::Disconnected => "disconnected",
            Self::Stalled => "stalled",
            Self::BadStream => "bad_stream",
            Self::PacketLoss => "packet_loss",
            Self::Disabled => "disabled",
            Self::DiskOverload => "disk_overload",
            Self::ClockJump => "clock_jump",
            Self::Damaged => "damaged",
            Self::Expired => "expired",
            Self::Shed => "shed",
        }
    }
}

/// A stretch without footage. An open one ends "now": its end moves with each question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Gap {
    /// First instant without footage.
    pub from: Timestamp,
    /// First instant with footage again.
    pub to: Timestamp,
    /// Why.
    pub reason: GapReason,
}

impl Gap {
    /// The stretch itself, `None` when it has no length.
    #[must_use]
    pub fn range(&self) -> Option<TimeRange> {
        TimeRange::new(self.from, self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_read_back_and_later_ones_are_unknown() {
        for reason in GapReason::ALL {
            assert_eq!(GapReason::from_code(reason.code()), reason);
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
        assert_eq!(GapReason::from_code(200), GapReason::Unknown);
    }
}
