//! One running node: opens the stores, starts the parts in the order they need each other, and ends them in the reverse.
//!
//! ```text
//! records ─┬─> trust <── footage <── tail <── ingest <── targets (registry)
//!          │              └── keys
//!          ├─> gateway                  └── demand (live readers) ──> ingest
//!          └─> api <── trust, gateway, pictures, states (ingest)
//! ```

mod destroyer;
mod follow;
mod http;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use sightline_api::{Api, Parts};
use sightline_footage::{Footage, Keep, KeyProvider, Seams, catalogue::SqlCatalogue};
use sightline_gateway::Gateway;
use sightline_ingest::{Append, Sink, Supervisor};
use sightline_model::{
    CameraId, Timestamp,
    camera::StreamState,
    media::{StreamKey, StreamKind},
};
use sightline_picture::Pictures;
use sightline_records::Records;
use sightline_trust::{
    Trust,
    keys::{self, FileKeys},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};

use crate::{config::Config, metrics};
use destroyer::Destroyer;

/// How long each part may take to end. Together they stay under five seconds.
const API_ENDS_WITHIN: Duration = Duration::from_millis(700);
const INGEST_ENDS_WITHIN: Duration = Duration::from_secs(1);
const FOOTAGE_ENDS_WITHIN: Duration = Duration::from_millis(1500);
const GATEWAY_ENDS_WITHIN: Duration = Duration::from_secs(1);

/// A node that runs.
pub(crate) struct Node {
    pub records: Records,
    pub footage: Footage,
    pub trust: Trust,
    pub gateway: Gateway,
    pub api_addr: SocketAddr,
    pub metrics_addr: SocketAddr,
    supervisor: Arc<Supervisor>,
    ingest_cancel: CancellationToken,
    pictures: Pictures,
    cancel: CancellationToken,
    tasks: TaskTracker,
}

impl Node {
    /// Starts every part. When one cannot start, those before it are ended by being dropped.
    pub(crate) async fn start(config: Config) -> anyhow::Result<Self> {
        let cancel = CancellationToken::new();
        let tasks = TaskTracker::new();
        std::fs::create_dir_all(&config.node.data)
            .with_context(|| format!("cannot make the data directory {}", config.node.data.display()))?;
        let listeners = http::Listeners::bind(&config.listen).await?;

        config.ingest.check()?;
        let keys = open_keys(config.keys).await?;
        let records = Records::open(&config.records).await?;
        let footage = open_footage(config.footage, records.clone(), keys.clone()).await?;
        let trust = Trust::new(config.trust, records.clone(), footage.clone());
        if let Some(keys) = keys.clone() {
            let (trust, runtime) = (trust.clone(), tokio::runtime::Handle::current());
            footage.set_key_destroyer(Arc::new(Destroyer { keys, trust, runtime }));
        }
        let gateway = Gateway::start(config.gateway, records.clone(), cancel.clone()).await?;
        let pictures = Pictures::start(config.pictures)?;
        // Ingest ends by being drained, not by the common signal: its open GOPs must reach the log first.
        let ingest_cancel = CancellationToken::new();
        let tail = Arc::new(Tail(footage.clone()));
        let supervisor = Arc::new(Supervisor::start(config.ingest, tail, ingest_cancel.clone()));

        let api = Api::start(Parts {
            trust: trust.clone(),
            records: records.clone(),
            footage: footage.clone(),
            gateway: gateway.clone(),
            pictures: pictures.clone(),
            states: supervisor.states(),
            config: config.api,
            node: config.node.name,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            cancel: cancel.clone(),
        });
        let (api_addr, metrics_addr) = (listeners.api_addr, listeners.metrics_addr);
        let sources = metrics::Sources {
            footage: footage.clone(),
            gateway: gateway.clone(),
            ingest: Arc::downgrade(&supervisor),
            trust: trust.clone(),
            keys,
            pictures: pictures.clone(),
            api: api.clone(),
        };
        listeners.serve(api.router(), move || sources.render(), &tasks, &cancel);
        let node = Self {
            records,
            footage,
            trust,
            gateway,
            api_addr,
            metrics_addr,
            supervisor,
            ingest_cancel,
            pictures,
            cancel,
            tasks,
        };
        node.follow().await?;
        info!(console = %format!("http://{api_addr}"), "The node is up.");
        Ok(node)
    }

    /// Starts the tasks that carry news from one part to another.
    async fn follow(&self) -> anyhow::Result<()> {
        let (cancel, ingest) = (&self.cancel, &self.supervisor);
        ingest.set_targets(follow::targets(&self.records).await?);
        self.tasks.spawn(
            cancel
                .clone()
                .run_until_cancelled_owned(follow::registry(self.records.clone(), Arc::clone(ingest))),
        );
        self.tasks.spawn(
            cancel
                .clone()
                .run_until_cancelled_owned(follow::demand(self.footage.demand(), Arc::clone(ingest))),
        );
        let policies = follow::footage_policies(self.records.clone(), self.footage.clone());
        self.tasks.spawn(cancel.clone().run_until_cancelled_owned(policies));
        let states = follow::camera_states(self.supervisor.states(), self.gateway.clone());
        self.tasks.spawn(cancel.clone().run_until_cancelled_owned(states));
        Ok(())
    }

    /// Whether complete GOPs of a camera come in, and footage later than `since` is safe on disk.
    pub(crate) fn is_recording(&self, camera: CameraId, since: Timestamp) -> bool {
        let key = StreamKey::main(camera);
        let streaming =
            matches!(self.supervisor.states().borrow().get(&key), Some(StreamState::Streaming { .. }));
        streaming && self.footage.last_synced(key).is_some_and(|end| end > since)
    }

    /// Ends everything in the reverse order: no new looks, no new footage, all footage synced, events finished.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        let Self { records, footage, gateway, supervisor, ingest_cancel, pictures, cancel, tasks, .. } = self;
        cancel.cancel();
        tasks.close();
        if tokio::time::timeout(API_ENDS_WITHIN, tasks.wait()).await.is_err() {
            warn!("Some connections did not end in time and are dropped.");
        }
        match Arc::try_unwrap(supervisor) {
            Ok(supervisor) => supervisor.drain(INGEST_ENDS_WITHIN).await,
            Err(_) => ingest_cancel.cancel(),
        }
        let synced = tokio::time::timeout(FOOTAGE_ENDS_WITHIN, footage.shutdown()).await;
        let gateway_done = gateway.drain(GATEWAY_ENDS_WITHIN).await;
        pictures.shutdown().await;
        records.close().await;
        synced
            .context("the disk did not take the last footage in time; what was synced before is safe")??;
        anyhow::ensure!(gateway_done, "the broker did not take the last messages in time");
        info!(watermarks = ?footage.watermarks(), "Everything is synced; the node is down.");
        Ok(())
    }
}

/// The keys of footage; `None` when it is neither encrypted nor ever was.
async fn open_keys(config: keys::Config) -> anyhow::Result<Option<Arc<FileKeys>>> {
    let encryption = config.encryption;
    let keys = tokio::task::spawn_blocking(move || FileKeys::open_if_used(&config)).await??;
    match &keys {
        Some(keys) if encryption => info!(master = %keys.master(), "New footage is encrypted."),
        _ => warn!("New footage is not encrypted (keys.encryption)."),
    }
    Ok(keys.map(Arc::new))
}

async fn open_footage(
    config: sightline_footage::Config,
    records: Records,
    keys: Option<Arc<FileKeys>>,
) -> anyhow::Result<Footage> {
    let catalogue = SqlCatalogue::open(records, &config.node).await?;
    let keys = keys.map(|keys| keys as Arc<dyn KeyProvider>);
    let seams = Seams { keys, catalogue: Some(Arc::new(catalogue)), ..Seams::default() };
    let (footage, recovery) =
        tokio::task::spawn_blocking(move || Footage::open(config, seams, Timestamp::now())).await??;
    info!("Footage recovered: {recovery}");
    Ok(footage)
}

/// The end of ingest and the beginning of the log: neither knows the other.
struct Tail(Footage);

impl Sink for Tail {
    fn open(&self, key: StreamKey) -> Append {
        let keep = match key.stream {
            StreamKind::Main => Keep::Recorded,
            StreamKind::Sub => Keep::LiveOnly,
        };
        match self.0.writer(key, keep) {
            Ok(mut writer) => Box::new(move |item| writer.push(item)),
            Err(error) => {
                tracing::error!(stream = %key, %error, "The log does not take this stream; it is pulled and not kept.");
                Box::new(|_| ())
            }
        }
    }
}
