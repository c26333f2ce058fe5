//! The two listeners of a node: console and API, and the metrics on an address of their own.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::error;

use crate::config::Listen;

/// Both addresses, taken before anything else starts: a taken port is told before a store is touched.
pub(super) struct Listeners {
    api: TcpListener,
    metrics: TcpListener,
    pub api_addr: SocketAddr,
    pub metrics_addr: SocketAddr,
}

impl Listeners {
    pub(super) async fn bind(listen: &Listen) -> anyhow::Result<Self> {
        let api = bind("listen.api", listen.api).await?;
        let metrics = bind("listen.metrics", listen.metrics).await?;
        Ok(Self { api_addr: api.local_addr()?, metrics_addr: metrics.local_addr()?, api, metrics })
    }

    /// Serves both until cancelled.
    pub(super) fn serve(
        self,
        routes: sightline_api::Router,
        render: impl Fn() -> String + Clone + Send + Sync + 'static,
        tasks: &TaskTracker,
        cancel: &CancellationToken,
    ) {
        let metrics = sightline_api::metrics_router(render);
        for (name, listener, routes) in [("API", self.api, routes), ("metrics", self.metrics, metrics)] {
            let cancel = cancel.clone();
            tasks.spawn(async move {
                if let Err(error) = sightline_api::serve(listener, routes, cancel).await {
                    error!(%error, "The {name} listener failed.");
                }
            });
        }
    }
}

async fn bind(key: &str, addr: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(addr).await.with_context(|| {
        format!("cannot listen on {addr} ({key}): choose another address, or end what listens there")
    })
}
