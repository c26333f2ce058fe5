//! Regions: the tree of places that cameras, grants and plans are scoped by.

use serde::{Deserialize, Serialize};

use crate::RegionId;

/// Level in the tree, from the widest.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum RegionLevel {
    /// 省
    Province,
    /// 市
    City,
    /// 区县
    District,
    /// 街道、乡镇
    Town,
    /// 社区、村
    Community,
}

/// One node of the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Region {
    /// Its code.
    pub id: RegionId,
    /// The node above; `None` for a root.
    pub parent: Option<RegionId>,
    /// Level in the tree; a child's level is below its parent's.
    pub level: RegionLevel,
    /// Name as people say it.
    pub name: String,
}
