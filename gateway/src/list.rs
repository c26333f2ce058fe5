//! The hotlist and the registry in memory, brought up to date before each batch.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use sightline_model::Timestamp;
use sightline_records::Records;
use tokio::sync::watch;

use crate::{Error, matcher::Matcher, metrics::Metrics, places::Places};

/// What passes are compared with.
#[derive(Debug)]
pub(crate) struct List {
    records: Records,
    metrics: Arc<Metrics>,
    /// Set by whoever changed the hotlist.
    stale: Arc<AtomicBool>,
    registry: watch::Receiver<u64>,
    pub(crate) matcher: Matcher,
    pub(crate) places: Places,
}

impl List {
    pub(crate) async fn load(
        records: Records,
        metrics: Arc<Metrics>,
        stale: Arc<AtomicBool>,
    ) -> Result<Self, Error> {
        let mut registry = records.registry_version();
        registry.mark_changed();
        stale.store(true, Relaxed);
        let (matcher, places) = (Matcher::default(), Places::default());
        let mut list = Self { records, metrics, stale, registry, matcher, places };
        list.refresh(Timestamp::now()).await?;
        Ok(list)
    }

    /// Reads again what has changed.
    pub(crate) async fn refresh(&mut self, now: Timestamp) -> Result<(), Error> {
        // Cleared before the read: a change during the read is seen the next time.
        if self.stale.swap(false, Relaxed) {
            let entries = self.records.active_hotlist(now).await;
            let entries = entries.inspect_err(|_| self.stale.store(true, Relaxed))?;
            self.matcher = Matcher::new(entries);
            let entries = u64::try_from(self.matcher.entries()).unwrap_or(u64::MAX);
            self.metrics.hotlist_entries.store(entries, Relaxed);
        }
        // The sender lives as long as the records, which are held here.
        if self.registry.has_changed().unwrap_or(false) {
            self.registry.mark_unchanged();
            let read =
                async { Ok::<_, Error>((self.records.all_cameras().await?, self.records.regions().await?)) };
            let (cameras, regions) = read.await.inspect_err(|_| self.registry.mark_changed())?;
            self.places = Places::new(&cameras, &regions);
        }
        Ok(())
    }
}
