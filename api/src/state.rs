//! What handlers share, and how the binary puts it together.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use sightline_footage::Footage;
use sightline_gateway::Gateway;
use sightline_model::{Timestamp, camera::StreamState, media::StreamKey};
use sightline_picture::Pictures;
use sightline_records::Records;
use sightline_trust::Trust;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    hub::Hub,
    layers::measure::{Metrics, MetricsSnapshot},
    routes,
};

/// What ingest says of every stream.
pub type States = watch::Receiver<Arc<BTreeMap<StreamKey, StreamState>>>;

/// Settings of the HTTP side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Marks the session cookie `Secure`. Set it when browsers come in over TLS (a proxy in front of this address).
    pub secure_cookies: bool,
    /// Takes the client's address from the last entry of `X-Forwarded-For`. Set it when all requests come through a
    /// proxy that writes that header, and only then.
    pub behind_proxy: bool,
    /// Longest JSON body.
    pub body_bytes: usize,
    /// Longest CSV body.
    pub import_bytes: usize,
    /// Longest `clip.mp4`, in seconds.
    pub clip_most_s: u64,
    /// Longest `playlist.m3u8`, in seconds.
    pub playlist_most_s: u64,
    /// Longest `timeline` or `keyframes`, in seconds.
    pub timeline_most_s: u64,
    /// Most live viewers at once; each may hold up to `live_buffer_bytes`.
    pub live_viewers: usize,
    /// Most bytes waiting for one live viewer before it jumps to a later key frame.
    pub live_buffer_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            secure_cookies: false,
            behind_proxy: false,
            body_bytes: 256 << 10,
            import_bytes: 16 << 20,
            clip_most_s: 6 * 3600,
            playlist_most_s: 6 * 3600,
            timeline_most_s: 31 * 86_400,
            live_viewers: 500,
            live_buffer_bytes: 4 << 20,
        }
    }
}

/// The parts that the HTTP side stands on.
pub struct Parts {
    /// Who may do what, and the one door to footage.
    pub trust: Trust,
    /// The records.
    pub records: Records,
    /// The footage store: for its state only; footage itself comes through `trust`.
    pub footage: Footage,
    /// Events, alerts and the hotlist.
    pub gateway: Gateway,
    /// The decoder.
    pub pictures: Pictures,
    /// What ingest says of every stream.
    pub states: States,
    /// Settings.
    pub config: Config,
    /// Name of this node.
    pub node: String,
    /// Version of the program.
    pub version: String,
    /// Cancelled when the program stops: streams end then.
    pub cancel: CancellationToken,
}

/// The HTTP side. Cheap to clone.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

struct Inner {
    parts: Parts,
    metrics: Metrics,
    hub: Hub,
    started: Instant,
    started_at: Timestamp,
}

impl Api {
    /// Starts the one task of this crate, which follows what changes for `GET /events`; it ends with `cancel`.
    /// Needs a tokio runtime.
    #[must_use]
    pub fn start(parts: Parts) -> Self {
        let templates = crate::openapi::document().paths.paths.into_keys();
        let api = Self(Arc::new(Inner {
            metrics: Metrics::new(templates),
            hub: Hub::default(),
            started: Instant::now(),
            started_at: Timestamp::now(),
            parts,
        }));
        tokio::spawn(crate::hub::follow(api.clone()));
        api
    }

    /// All routes, the console and what stands around them.
    pub fn router(&self) -> axum::Router {
        routes::router(self.clone())
    }

    /// What has been counted so far.
    #[must_use]
    pub fn metrics(&self) -> MetricsSnapshot {
        self.0.metrics.snapshot()
    }

    pub(crate) fn metrics_inner(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn count_media(&self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(0);
        self.0.metrics.media_bytes_total.fetch_add(bytes, std::sync::atomic::Ordering::Relaxed);
    }

    pub(crate) fn trust(&self) -> &Trust {
        &self.0.parts.trust
    }

    pub(crate) fn records(&self) -> &Records {
        &self.0.parts.records
    }

    pub(crate) fn footage(&self) -> &Footage {
        &self.0.parts.footage
    }

    pub(crate) fn gateway(&self) -> &Gateway {
        &self.0.parts.gateway
    }

    pub(crate) fn pictures(&self) -> &Pictures {
        &self.0.parts.pictures
    }

    pub(crate) fn states(&self) -> &States {
        &self.0.parts.states
    }

    pub(crate) fn config(&self) -> &Config {
        &self.0.parts.config
    }

    pub(crate) fn node(&self) -> &str {
        &self.0.parts.node
    }

    pub(crate) fn version(&self) -> &str {
        &self.0.parts.version
    }

    pub(crate) fn cancel(&self) -> &CancellationToken {
        &self.0.parts.cancel
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.0.hub
    }

    pub(crate) fn uptime(&self) -> Duration {
        self.0.started.elapsed()
    }

    pub(crate) fn started_at(&self) -> Timestamp {
        self.0.started_at
    }
}
