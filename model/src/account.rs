//! Accounts and what each role may do.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Timestamp, grant::GroundKind, id::AccountId};

/// The part a person plays. One account has one role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Patrols and works alarms.
    Operator,
    /// Searches footage inside a case.
    Investigator,
    /// Registers and proves cameras.
    Integrator,
    /// Checks that patrols and reviews were done and that looks were justified.
    Supervisor,
    /// Reads the audit log.
    Auditor,
    /// Manages accounts, cases and settings; sees no footage.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] =
        [Self::Operator, Self::Investigator, Self::Integrator, Self::Supervisor, Self::Auditor, Self::Admin];

    /// The name in answers and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Investigator => "investigator",
            Self::Integrator => "integrator",
            Self::Supervisor => "supervisor",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }

    /// Whether the role may do it at all. Looking at footage or passes also needs a grant.
    #[must_use]
    pub fn may(self, right: Right) -> bool {
        use Right::*;
        match self {
            Self::Operator => matches!(right, SeeCameras | RunPatrols | WorkAlerts | SeeState),
            Self::Investigator => {
                matches!(right, SeeCameras | SearchPasses | WorkAlerts | ProposeHotlist | SeeState)
            }
            Self::Integrator => matches!(right, SeeCameras | EditCameras | SeeState),
            Self::Supervisor => matches!(
                right,
                SeeCameras
                    | SeeState
                    | SeeReports
                    | EditPlans
                    | ApproveHotlist
                    | WorkAlerts
                    | ReadAudit
                    | EditCases
            ),
            Self::Auditor => matches!(right, ReadAudit | SeeReports | SeeState),
            Self::Admin => {
                matches!(right, SeeCameras | EditCameras | EditAccounts | EditPlans | EditCases | SeeState)
            }
        }
    }

    /// Whether the role may open a grant on this ground.
    #[must_use]
    pub fn may_open(self, ground: GroundKind) -> bool {
        use GroundKind::*;
        match self {
            Self::Operator => matches!(ground, Patrol | Alert | Assistance),
            Self::Investigator => matches!(ground, Case),
            Self::Integrator => matches!(ground, Maintenance),
            Self::Supervisor => matches!(ground, Alert | Assistance),
            Self::Auditor | Self::Admin => false,
        }
    }
}

impl FromStr for Role {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| {
            format!(
                "{text:?} is not a role: use operator, investigator, integrator, supervisor, auditor or admin"
            )
        })
    }
}

/// Something a role may or may not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Right {
    /// List cameras and regions, without their addresses.
    SeeCameras,
    /// Register, change and remove cameras; see their addresses.
    EditCameras,
    /// Start patrols and record what was seen.
    RunPatrols,
    /// Confirm, dismiss, dispatch and resolve alerts.
    WorkAlerts,
    /// Search vehicle passes (under a grant).
    SearchPasses,
    /// Propose hotlist entries.
    ProposeHotlist,
    /// Approve or refuse hotlist entries proposed by another.
    ApproveHotlist,
    /// Make and change patrol plans.
    EditPlans,
    /// Read patrol reports.
    SeeReports,
    /// Register cases and their members.
    EditCases,
    /// Make and disable accounts.
    EditAccounts,
    /// Read the audit log.
    ReadAudit,
    /// See the state of the system and the stream of changes.
    SeeState,
}

/// An account. The password hash stays in the records store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Sign-in name, unique.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The unit (team, office) the person belongs to: second persons must come from another one.
    pub unit: String,
    /// Whether it is a service account that signs in by token only.
    pub service: bool,
    /// Since when it is switched off.
    pub disabled_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}
