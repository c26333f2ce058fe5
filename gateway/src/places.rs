//! Where cameras stand: region with all above, and position. A snapshot of the registry.

use std::collections::HashMap;

use sightline_model::{
    CameraId, RegionId,
    camera::{Camera, Position},
    region::Region,
};

/// The registry as the gateway needs it.
#[derive(Debug, Default)]
pub(crate) struct Places {
    cameras: HashMap<CameraId, (RegionId, Option<Position>)>,
    /// Each region and all above it, nearest first.
    chains: HashMap<RegionId, Vec<RegionId>>,
}

impl Places {
    pub(crate) fn new(cameras: &[Camera], regions: &[Region]) -> Self {
        let parents: HashMap<_, _> = regions.iter().map(|region| (region.id, region.parent)).collect();
        let chain = |start: RegionId| {
            let above = |region: &RegionId| parents.get(region).copied().flatten();
            // Bounded, should the tree hold a cycle in spite of the store's rules.
            std::iter::successors(Some(start), above).take(16).collect()
        };
        Self {
            cameras: cameras.iter().map(|camera| (camera.id, (camera.region, camera.position))).collect(),
            chains: regions.iter().map(|region| (region.id, chain(region.id))).collect(),
        }
    }

    /// The region a camera stands in.
    pub(crate) fn region(&self, camera: CameraId) -> Option<RegionId> {
        self.cameras.get(&camera).map(|(region, _)| *region)
    }

    /// Where a camera stands.
    pub(crate) fn position(&self, camera: CameraId) -> Option<Position> {
        self.cameras.get(&camera).and_then(|(_, position)| *position)
    }

    /// The region a camera stands in and all above; empty for a camera that is not registered.
    pub(crate) fn regions(&self, camera: CameraId) -> &[RegionId] {
        let chain = self.region(camera).and_then(|region| self.chains.get(&region));
        chain.map(Vec::as_slice).unwrap_or_default()
    }
}

#[cfg(test)]
impl Places {
    pub(crate) fn insert_camera(&mut self, camera: CameraId, region: RegionId) {
        self.cameras.insert(camera, (region, None));
    }
}
