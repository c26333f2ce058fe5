//! The simulated cameras: one RTSP server for all of them.
//!
//! ```text
//! listener ── a task a connection: requests in, answers out ──┐ join, leave
//!                     │ outbox (bounded, one a connection)    v
//!                     └<──────────── media ───────────── the player: one task, one clock, all streams
//! ```

mod camera;
mod connection;
mod methods;
mod metrics;
mod outbox;
mod player;
mod session;
mod udp;
mod viewer;

use std::{collections::HashMap, fmt, net::SocketAddr, sync::Arc, time::Duration};

use sightline_model::{CameraId, media::StreamKind};
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::mpsc,
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use metrics::{CountersSnapshot, MetricsSnapshot};

use self::{camera::Camera, metrics::Metrics, player::Player, udp::UdpPair};
use crate::{Clip, Error, Fault, rtsp::auth::Nonces};

/// How the server behaves.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// A session without a sign of life for so long is closed.
    pub session_timeout: Duration,
    /// How long an authentication nonce is good.
    pub nonce_lifetime: Duration,
    /// How much may wait for one client before pictures are dropped for it.
    pub outbox_bytes: usize,
    /// The kernel's buffer for one client.
    pub socket_buffer_bytes: u32,
    /// A client that has not read for so long is disconnected.
    pub slow_client_timeout: Duration,
    /// Most connections at one time.
    pub max_connections: u64,
    /// How pictures are written to TCP clients.
    pub writes: Writes,
}

impl Config {
    /// The usual behaviour.
    #[must_use]
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            session_timeout: Duration::from_secs(60),
            nonce_lifetime: Duration::from_secs(300),
            outbox_bytes: 512 * 1024,
            socket_buffer_bytes: 128 * 1024,
            slow_client_timeout: Duration::from_secs(10),
            max_connections: 10_000,
            writes: Writes::PerUnit,
        }
    }
}

/// How pictures are written to TCP clients: cameras do either, and it decides what receiving costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Writes {
    /// All packets of a picture in one write.
    #[default]
    PerUnit,
    /// Each packet in a write of its own.
    PerPacket,
}

/// A camera to be simulated.
#[derive(Clone)]
pub struct CameraSpec {
    /// Its id, and the first part of its path.
    pub id: CameraId,
    /// What `/{id}/main` shows.
    pub main: Clip,
    /// What `/{id}/sub` shows.
    pub sub: Option<Clip>,
    /// How far into the loop the camera is when the server starts.
    pub offset: Duration,
    /// User name and password it wants; everybody may look when there are none.
    pub credentials: Option<(String, String)>,
    /// What is wrong with it from the start.
    pub fault: Option<Fault>,
}

impl CameraSpec {
    /// A camera with a street picture in H.264 and a sub-stream, without password or fault.
    #[must_use]
    pub fn new(id: CameraId) -> Self {
        Self {
            id,
            main: Clip::StreetH264,
            sub: Some(Clip::StreetSubH264),
            offset: Duration::ZERO,
            credentials: None,
            fault: None,
        }
    }
}

impl fmt::Debug for CameraSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let credentials = self.credentials.as_ref().map(|_| "hidden");
        f.debug_struct("CameraSpec")
            .field("id", &self.id)
            .field("main", &self.main)
            .field("sub", &self.sub)
            .field("offset", &self.offset)
            .field("credentials", &credentials)
            .field("fault", &self.fault)
            .finish()
    }
}

/// What all tasks of one server share.
pub(crate) struct Shared {
    config: Config,
    cameras: HashMap<CameraId, Arc<Camera>>,
    epoch: Instant,
    nonces: Nonces,
    player: mpsc::UnboundedSender<player::Command>,
    udp: Arc<UdpPair>,
    metrics: Metrics,
    cancel: CancellationToken,
}

/// A running RTSP server with simulated cameras. It stops when it is dropped or its token is cancelled.
pub struct CameraSim {
    address: SocketAddr,
    shared: Arc<Shared>,
    tasks: TaskTracker,
}

impl CameraSim {
    /// Starts the cameras with the usual behaviour.
    ///
    /// # Errors
    /// When the address cannot be listened on, or two cameras have one id.
    pub async fn start(
        listen: SocketAddr,
        cameras: Vec<CameraSpec>,
        cancel: CancellationToken,
    ) -> Result<Self, Error> {
        Self::start_with(Config::new(listen), cameras, cancel).await
    }

    /// Starts the cameras.
    ///
    /// # Errors
    /// When the address cannot be listened on, or two cameras have one id.
    pub async fn start_with(
        config: Config,
        cameras: Vec<CameraSpec>,
        cancel: CancellationToken,
    ) -> Result<Self, Error> {
        let mut order = Vec::new();
        let mut by_id = HashMap::new();
        for (number, spec) in cameras.iter().enumerate() {
            let camera = Arc::new(Camera::new(spec, number * 2)?);
            if by_id.insert(spec.id, camera.clone()).is_some() {
                return Err(Error::DuplicateCamera { camera: spec.id });
            }
            order.push(camera);
        }
        let in_vain = |source| Error::Listen { address: config.listen, source };
        let listener = listen(&config).map_err(in_vain)?;
        let address = listener.local_addr().map_err(in_vain)?;
        let udp = Arc::new(UdpPair::bind(address.ip()).await?);
        let (player, commands) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            nonces: Nonces::new(rand::random(), config.nonce_lifetime),
            config,
            cameras: by_id,
            epoch: Instant::now(),
            player,
            udp,
            metrics: Metrics::default(),
            cancel: cancel.child_token(),
        });
        let tasks = TaskTracker::new();
        tasks.spawn(Player::new(shared.clone(), &order, commands).run());
        tasks.spawn(accept(shared.clone(), listener, tasks.clone()));
        tasks.spawn({
            let shared = shared.clone();
            async move { shared.cancel.run_until_cancelled(shared.udp.drain()).await }
        });
        tasks.close();
        tracing::info!(cameras = order.len(), %address, "Simulated cameras are ready");
        Ok(Self { address, shared, tasks })
    }

    /// Where the server listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// Address of a stream, without credentials.
    #[must_use]
    pub fn url(&self, camera: CameraId, stream: StreamKind) -> String {
        format!("rtsp://{}/{camera}/{}", self.address, stream.as_str())
    }

    /// Gives a camera a fault, or takes it away.
    ///
    /// # Errors
    /// When there is no such camera.
    pub fn set_fault(&self, camera: CameraId, fault: Option<Fault>) -> Result<(), Error> {
        let known = self.shared.cameras.get(&camera).ok_or(Error::UnknownCamera { camera })?;
        known.set_fault(fault);
        Ok(())
    }

    /// What happened at a camera; `None` when there is no such camera.
    #[must_use]
    pub fn counters(&self, camera: CameraId) -> Option<CountersSnapshot> {
        self.shared.cameras.get(&camera).map(|camera| camera.counters.snapshot())
    }

    /// What the server has done.
    #[must_use]
    pub fn metrics(&self) -> MetricsSnapshot {
        self.shared.metrics.snapshot()
    }

    /// Stops and waits until every connection is closed.
    pub async fn stop(self) {
        self.shared.cancel.cancel();
        self.tasks.wait().await;
    }
}

impl Drop for CameraSim {
    fn drop(&mut self) {
        self.shared.cancel.cancel();
    }
}

impl fmt::Debug for CameraSim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CameraSim({}, {} cameras)", self.address, self.shared.cameras.len())
    }
}

fn listen(config: &Config) -> std::io::Result<TcpListener> {
    let socket = if config.listen.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    // Connections inherit it. A bound here keeps a slow client's backlog in the outbox, where it is seen.
    socket.set_send_buffer_size(config.socket_buffer_bytes)?;
    socket.bind(config.listen)?;
    socket.listen(4096)
}

async fn accept(shared: Arc<Shared>, listener: TcpListener, tasks: TaskTracker) {
    let cancel = shared.cancel.clone();
    while let Some(accepted) = cancel.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, peer)) => {
                let open = shared.metrics.snapshot().connections_open;
                if open >= shared.config.max_connections {
                    metrics::add(&shared.metrics.connections_refused_total, 1);
                    continue;
                }
                tasks.spawn(connection::serve(shared.clone(), stream, peer));
            }
            Err(error) => {
                // Out of file descriptors, most likely: connections that close make room.
                tracing::warn!(%error, "A connection to the simulated cameras could not be taken");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}
