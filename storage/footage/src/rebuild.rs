//! Makes the catalogue again from the segments, and damaged footers again from their records: for
//! `sightline footage check --rebuild`.

use std::sync::Arc;

use sightline_model::Timestamp;

use crate::{
    Config, Error, Recovery,
    catalogue::{Catalogue, Place},
    recovery::Opening,
    store::{NewDisk, claim_all, rooms},
};

/// Drops the rows of every segment whose disk is there, and files every segment again: from its footer, or from its records
/// where the footer or an index block is damaged. What is known of the tier stays known. `progress` gets the segments done and
/// the segments there are.
///
/// The store must not be open. Blocks.
///
/// # Errors
/// When a folder is in use or cannot be read, or the catalogue fails.
pub fn rebuild(
    config: &Config,
    catalogue: &dyn Catalogue,
    now: Timestamp,
    mut progress: impl FnMut(u64, u64),
) -> Result<Recovery, Error> {
    config.check()?;
    // Held to the end: nobody may write meanwhile.
    let disks = claim_all(config)?;
    rebuild_on(&disks, config, catalogue, now, &mut progress)
}

pub(crate) fn rebuild_on(
    disks: &[NewDisk],
    config: &Config,
    catalogue: &dyn Catalogue,
    now: Timestamp,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Recovery, Error> {
    // Full disks do not matter here.
    let rooms = rooms(disks, &Config { min_free_bytes: 0, ..config.clone() })?;
    let is_in = |disk: u8| rooms.get(usize::from(disk)).is_some_and(|room: &Arc<_>| !room.has_left());
    let known = catalogue.known()?;
    let (dropped, kept): (Vec<_>, Vec<_>) =
        known.into_iter().partition(|one| one.place != Place::Tier && is_in(one.disk));
    if kept.is_empty() {
        catalogue.clear()?;
    } else {
        catalogue.remove(&dropped.iter().map(|one| one.id).collect::<Vec<_>>())?;
    }
    let mut opening = Opening::new(&rooms, catalogue, now, progress);
    opening.verify = true;
    let (_, recovery) = opening.run()?;
    let both = dropped.iter().filter(|one| one.place == Place::Both).map(|one| one.id).collect::<Vec<_>>();
    if !both.is_empty() {
        // Those that are no longer on disk have no row any more: the tier's manifests bring them back.
        catalogue.set_place(&both, Place::Both)?;
    }
    Ok(recovery)
}
