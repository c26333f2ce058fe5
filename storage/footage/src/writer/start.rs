//! Starts the two threads of a disk, and tells how they ended.

use std::{
    io,
    sync::{
        Arc,
        mpsc::{self, Sender},
    },
    thread,
};

use super::{Writer, stage::Stage};
use crate::{
    catalogue::Sealed,
    disk::Lock,
    room::{Finished, Room},
    shared::Shared,
};

/// Batches that stand between the two threads: one being written, one ready.
const AHEAD: usize = 2;

/// Tells those who wait for the end, even if a thread should die.
struct Farewell(Arc<Room>);

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.finished.send_if_modified(|finished| {
            let unexpected = *finished == Finished::No;
            if unexpected {
                *finished =
                    Finished::Lost { gops: 0, detail: "the disk writer ended unexpectedly".to_owned() };
            }
            unexpected
        });
    }
}

/// Serves `room` until the store stops.
pub(crate) fn start(
    shared: &Arc<Shared>,
    room: &Arc<Room>,
    lock: Option<Lock>,
    sealed: Sender<Sealed>,
) -> io::Result<()> {
    let (give, orders) = mpsc::sync_channel(AHEAD);
    let (give_back, buffers) = mpsc::channel();
    let stage =
        Stage { shared: Arc::clone(shared), room: Arc::clone(room), orders: give, buffers, flushed: 0 };
    let writer = Writer {
        shared: Arc::clone(shared),
        room: Arc::clone(room),
        orders,
        buffers: give_back,
        sealed,
        lanes: std::collections::BTreeMap::new(),
        again: Vec::new(),
        held: std::collections::VecDeque::new(),
        unsynced_since: None,
        unsynced_bytes: 0,
        retry_at: None,
        failing_since: None,
        alone_since: None,
        keys_refused: false,
        flushed: 0,
        space_checked: None,
        bytes_since_check: 0,
        deadline: None,
        lost: 0,
        _lock: lock,
    };
    thread::Builder::new().name(format!("footage-make-{}", room.no)).spawn(move || stage.run())?;
    let farewell = Farewell(Arc::clone(room));
    thread::Builder::new().name(format!("footage-disk-{}", room.no)).spawn(move || {
        let finished = writer.run();
        farewell.0.finished.send_replace(finished);
    })?;
    Ok(())
}
