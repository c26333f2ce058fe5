//! Why a look or a grant is refused, in words and as a stable code, and what would be needed.

use sightline_model::{CameraId, TimeRange, Timestamp, account::Role, grant::GroundKind};

/// A refusal. `Display` says what is wrong, [`Refusal::remedy`] what would be needed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No grant was given.
    #[error("footage and vehicle records are only shown under a grant, and the request names none")]
    GrantMissing,
    /// There is no such grant, or it is somebody else's.
    #[error("this grant is not one of yours")]
    GrantForeign,
    /// The grant has ended by time.
    #[error("the grant expired at {at}")]
    GrantExpired {
        /// When.
        at: Timestamp,
    },
    /// The grant was ended by hand.
    #[error("the grant was ended at {at}")]
    GrantEnded {
        /// When.
        at: Timestamp,
    },
    /// What the grant stood on is over.
    #[error("the {kind} this grant stands on is closed", kind = kind.as_str())]
    GroundClosed {
        /// Its kind.
        kind: GroundKind,
    },
    /// The thing that the ground names does not exist or does not concern this person.
    #[error("there is no {kind} {reference:?} that is open for you", kind = kind.as_str())]
    GroundUnknown {
        /// The kind.
        kind: GroundKind,
        /// What was named.
        reference: String,
    },
    /// The camera is outside of the grant.
    #[error("camera {camera} is not covered by the grant")]
    CameraOutside {
        /// Which.
        camera: CameraId,
    },
    /// The time is outside of the grant.
    #[error("the grant covers {granted_from} to {granted_to}, and not all of what was asked for", granted_from = granted.from, granted_to = granted.to)]
    TimeOutside {
        /// What the grant covers.
        granted: TimeRange,
    },
    /// The ground allows stills only.
    #[error("a {kind} grant shows single pictures, no video", kind = kind.as_str())]
    StillsOnly {
        /// Its kind.
        kind: GroundKind,
    },
    /// The role may not open this ground.
    #[error("a {role} cannot open a {kind} grant", role = role.as_str(), kind = kind.as_str())]
    RoleForbidsGround {
        /// The role.
        role: Role,
        /// The ground.
        kind: GroundKind,
    },
    /// The request goes beyond what the ground allows.
    #[error("a {kind} grant {limit}", kind = kind.as_str())]
    TooWide {
        /// The ground.
        kind: GroundKind,
        /// The bound, as the end of a sentence.
        limit: String,
    },
    /// The reason is missing or too short.
    #[error("a grant needs a reason of 5 to 500 characters in your own words")]
    ReasonMissing,
}

impl Refusal {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::GrantMissing => "grant_missing",
            Self::GrantForeign => "grant_foreign",
            Self::GrantExpired { .. } => "grant_expired",
            Self::GrantEnded { .. } => "grant_ended",
            Self::GroundClosed { .. } => "ground_closed",
            Self::GroundUnknown { .. } => "ground_unknown",
            Self::CameraOutside { .. } | Self::TimeOutside { .. } | Self::StillsOnly { .. } => "grant_scope",
            Self::RoleForbidsGround { .. } => "role_forbids",
            Self::TooWide { .. } => "grant_too_wide",
            Self::ReasonMissing => "reason_missing",
        }
    }

    /// What would be needed.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::GrantMissing => {
                "Open a grant with POST /api/v1/grants (a patrol, alert, case, assistance or maintenance) and give its id as grant=."
            }
            Self::GrantForeign => "Use a grant that you opened yourself; GET /api/v1/grants lists them.",
            Self::GrantExpired { .. } | Self::GrantEnded { .. } => {
                "Open a new grant if the ground still stands."
            }
            Self::GroundClosed { .. } => {
                "Look under another ground, or have it opened again by who is responsible for it."
            }
            Self::GroundUnknown { .. } => {
                "Check the reference. For a case, a supervisor can register it or add you as a member; a patrol must be your own."
            }
            Self::CameraOutside { .. } | Self::TimeOutside { .. } => {
                "Open a grant whose cameras and time cover it."
            }
            Self::StillsOnly { .. } => "Ask for single pictures, or look under another ground.",
            Self::RoleForbidsGround { .. } => {
                "Use a ground that your role may open, or ask somebody whose role may."
            }
            Self::TooWide { .. } => "Narrow the request, or open several grants, each with its own reason.",
            Self::ReasonMissing => "Say in a sentence why you need to look.",
        }
    }
}
