//! Brings sealed segments to the catalogue, off the disks' threads: many in one transaction, tried again when it fails.
//!
//! Until a segment is filed its rows stay in the index, so a slow or broken database delays nothing and hides nothing; what a
//! crash loses here the next start files.

use std::{
    io,
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use super::Sealed;
use crate::{Error, shared::Shared};

/// How long segments are gathered, and how many at most.
const GATHER: Duration = Duration::from_secs(1);
const GATHER_SEGMENTS: usize = 64;
/// The first pause after a failure, and the longest.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Files what comes through the sender until all its clones are gone.
pub(crate) fn start(shared: &Arc<Shared>) -> io::Result<Sender<Sealed>> {
    let (sender, sealed) = mpsc::channel();
    let farewell = Farewell(Arc::clone(shared));
    thread::Builder::new().name("footage-filing".to_owned()).spawn(move || run(&farewell.0, &sealed))?;
    Ok(sender)
}

/// Tells those who wait for the end, even if the thread should die.
struct Farewell(Arc<Shared>);

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.filed.send_replace(true);
    }
}

fn run(shared: &Shared, sealed: &Receiver<Sealed>) {
    let mut waiting: Vec<Sealed> = Vec::new();
    let mut pause = PAUSE;
    let mut retry_at: Option<Instant> = None;
    loop {
        let ended = gather(&mut waiting, sealed, retry_at);
        match file(shared, &waiting) {
            Ok(()) => {
                if retry_at.take().is_some() {
                    tracing::info!("the footage catalogue takes segments again");
                }
                waiting.clear();
                pause = PAUSE;
            }
            Err(error) => {
                if retry_at.is_none() {
                    tracing::error!(
                        segments = waiting.len(),
                        "sealed segments cannot be filed and stay in memory; the next start files them: {error}"
                    );
                }
                retry_at = Some(Instant::now() + pause);
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
        if ended {
            return;
        }
    }
}

/// Waits for segments; `true` when there will be no more.
fn gather(waiting: &mut Vec<Sealed>, sealed: &Receiver<Sealed>, retry_at: Option<Instant>) -> bool {
    let mut until = retry_at;
    loop {
        let next = match until {
            Some(until) => sealed.recv_timeout(until.saturating_duration_since(Instant::now())),
            None => sealed.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match next {
            Ok(one) => {
                waiting.push(one);
                if retry_at.is_none() && waiting.len() >= GATHER_SEGMENTS {
                    return false;
                }
                until.get_or_insert_with(|| Instant::now() + GATHER);
            }
            Err(RecvTimeoutError::Timeout) => return false,
            Err(RecvTimeoutError::Disconnected) => return true,
        }
    }
}

fn file(shared: &Shared, waiting: &[Sealed]) -> Result<(), Error> {
    // Nobody takes a segment away between the two.
    let _alone = shared.filing.lock();
    let still_there: Vec<Sealed> = {
        let index = shared.index.read();
        waiting.iter().filter(|one| index.segments.contains_key(&one.segment.id)).cloned().collect()
    };
    if still_there.is_empty() {
        return Ok(());
    }
    shared.catalogue.insert(&still_there)?;
    shared.tell_mover(&still_there);
    shared.index.write().filed(&still_there);
    shared.wake_mover();
    Ok(())
}

impl Shared {
    /// Files segments that were found in the tier, whatever was written since. Blocks.
    ///
    /// # Errors
    /// When the catalogue fails.
    pub(crate) fn file_adopted(&self, found: &[Sealed]) -> Result<(), Error> {
        let _alone = self.filing.lock();
        self.catalogue.insert(found)?;
        self.refresh(&[])
    }

    /// Takes segments, whose files are gone or about to go, out of index and catalogue. Blocks.
    ///
    /// # Errors
    /// When the catalogue fails; nothing is changed then.
    pub(crate) fn forget_segments(&self, ids: &[u64]) -> Result<(), Error> {
        let _alone = self.filing.lock();
        self.forget(ids)
    }

    /// Puts a segment in that was written again from one that is still there; what stands in both is found once. Blocks.
    ///
    /// # Errors
    /// When the catalogue fails; nothing is changed then.
    pub(crate) fn file_again(&self, sealed: Sealed) -> Result<(), Error> {
        let _alone = self.filing.lock();
        let new = [sealed];
        self.catalogue.insert(&new)?;
        self.tell_mover(&new);
        Ok(())
    }

    fn tell_mover(&self, filed: &[Sealed]) {
        if let Some(link) = &self.tier {
            filed.iter().for_each(|one| link.filed(one.segment.id));
        }
    }

    fn forget(&self, ids: &[u64]) -> Result<(), Error> {
        self.catalogue.remove(ids)?;
        self.refresh(ids)
    }

    /// Takes over what the catalogue says, while nobody files anything.
    fn refresh(&self, gone: &[u64]) -> Result<(), Error> {
        let totals = self.catalogue.streams()?;
        let segments = self.catalogue.classes()?.iter().map(|class| class.segments).sum();
        self.index.write().restore(&totals, segments, gone);
        Ok(())
    }
}
