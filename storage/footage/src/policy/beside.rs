//! A plan for a store that another process may have open: reads footers, changes nothing.

use std::{collections::BTreeMap, sync::Arc};

use sightline_model::{CameraId, Timestamp};

use super::{Hold, OwnerId, Plan};
use crate::{
    Config, Error, Seams,
    catalogue::{Catalogue, MemoryCatalogue, convert::sealed},
    disk::{Disk, RealDisk},
    format::header::{file_name, parse_file_name},
    index::{Index, Segment},
    recovery::{HeaderProblem, load},
    room::Room,
    shared::Shared,
    store::SEGMENTS_FOLDER,
};

/// What the policies of `config` would do at `now` to the store that it names. Beside a running node it does not know which
/// classes are given up or when the node's clock was right last, and leaves keys out.
///
/// # Errors
/// When the configuration cannot work, or the store cannot be read.
pub fn plan_beside(
    config: Config,
    holds: Vec<Hold>,
    owners: BTreeMap<CameraId, OwnerId>,
    now: Timestamp,
) -> Result<Plan, Error> {
    config.check()?;
    let room = |(no, dir): (usize, &std::path::PathBuf)| {
        let disk = Arc::new(RealDisk::read_only(dir.join(SEGMENTS_FOLDER)));
        Arc::new(Room::new(u8::try_from(no).unwrap_or(u8::MAX), disk, config.min_free_bytes))
    };
    let rooms: Vec<Arc<Room>> = config.dirs().enumerate().map(room).collect();
    let catalogue = MemoryCatalogue::default();
    let mut index = Index::default();
    for room in &rooms {
        read(&*room.disk, room.no, &catalogue, &mut index)?;
    }
    let seams = Seams { catalogue: Some(Arc::new(catalogue)), ..Seams::default() };
    let shared = Shared::new(config, rooms, index, seams, None, 0)?;
    shared.keeping.set_holds(holds);
    shared.keeping.set_owners(owners);
    shared.keeping.plan(&shared, now)
}

fn read(disk: &dyn Disk, no: u8, catalogue: &MemoryCatalogue, index: &mut Index) -> Result<(), Error> {
    let names = disk.list().map_err(Error::io("list", disk.path()))?;
    let mut ids: Vec<u64> = names.iter().filter_map(|name| parse_file_name(name)).collect();
    ids.sort_unstable();
    for id in ids {
        match load(disk, id) {
            Ok(opened) => match opened.footer {
                Ok((trailer, rows)) => {
                    catalogue.insert(&[sealed(&opened.header, no, opened.bytes, &trailer, &rows)])?;
                }
                // It is being written, or waits for the next start: no plan touches it.
                Err(_) => {
                    index.add_open(Segment::open(opened.header, no, opened.bytes));
                }
            },
            Err(HeaderProblem::Version(found)) => {
                let (path, supported) = (disk.path().join(file_name(id)), crate::format::VERSION);
                return Err(Error::Version { path, found, supported });
            }
            // Left alone by the store, and so by its policies.
            Err(HeaderProblem::Unreadable(_)) => {}
        }
    }
    Ok(())
}
