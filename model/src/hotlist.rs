//! The hotlist (车辆布控): vehicles under an authorised look-out.

use serde::{Deserialize, Serialize};

use crate::{
    RegionId, Timestamp,
    id::{AccountId, HotlistId},
};

/// Why a vehicle is looked for: a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HotlistReason {
    /// Reported stolen.
    Stolen,
    /// Left the scene of an accident.
    HitAndRun,
    /// Carries a plate that belongs to another vehicle.
    ClonedPlate,
    /// Dangerous goods out of their route or hours.
    DangerousGoods,
    /// Named in a registered case.
    CaseVehicle,
    /// Carries somebody who is missing and may be in danger, by a registered report.
    Welfare,
}

impl HotlistReason {
    /// The name in answers and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stolen => "stolen",
            Self::HitAndRun => "hit_and_run",
            Self::ClonedPlate => "cloned_plate",
            Self::DangerousGoods => "dangerous_goods",
            Self::CaseVehicle => "case_vehicle",
            Self::Welfare => "welfare",
        }
    }
}

/// One entry. It matches only while approved, not withdrawn and inside its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HotlistEntry {
    /// Its id.
    pub id: HotlistId,
    /// The plate, normalised.
    pub plate: String,
    /// Why.
    pub reason: HotlistReason,
    /// The authority: the number of a registered case.
    pub case: String,
    /// Where it applies, with all below; `None` for everywhere.
    pub region: Option<RegionId>,
    /// Who proposed it.
    pub author: AccountId,
    /// Who approved it: never the author.
    pub approver: Option<AccountId>,
    /// First instant it applies.
    pub valid_from: Timestamp,
    /// First instant it no longer applies.
    pub valid_to: Timestamp,
    /// When it was withdrawn.
    pub withdrawn_at: Option<Timestamp>,
    /// When it was proposed.
    pub created_at: Timestamp,
}

impl HotlistEntry {
    /// Whether it may match at `at`.
    #[must_use]
    pub fn is_active(&self, at: Timestamp) -> bool {
        self.approver.is_some() && self.withdrawn_at.is_none() && self.valid_from <= at && at < self.valid_to
    }
}
