//! The one module that names rumqttd: an MQTT 3.1.1 broker inside this process.
//!
//! What it is good for and what not is written in `docs/formats/README.md`: it keeps everything in memory and
//! acknowledges before anything is on disk.
//!
//! rumqttd has no way to stop, so its server runs in a runtime of our own, which is dropped. A client with a `/`, `#`,
//! `+` or `$` in its id that connects twice poisons a lock in rumqttd's server, which then takes no connection any
//! more: therefore the server is asked for a connection every few seconds and replaced when it gives none. Its router,
//! with subscriptions and retained messages, stays.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use rumqttd::{ConnectionSettings, LinkType, Router, RouterConfig, Server, ServerSettings, protocol::v4::V4};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Error,
    config::Login,
    metrics::{Metrics, count},
};

/// Longest packet the embedded broker takes; more than the gateway accepts, so that the sender learns of it.
const MAX_PACKET_BYTES: usize = 256 * 1024;
/// What the broker keeps in memory for each subscription: older messages that a slow reader did not take are dropped.
const SEGMENT_BYTES: usize = 2 * 1024 * 1024;
const SEGMENTS: usize = 16;
const MAX_CONNECTIONS: usize = 10_000;
/// How often the server is asked for a connection, and how long it may take.
const PROBE_EVERY: Duration = Duration::from_secs(2);
const PROBE_WITHIN: Duration = Duration::from_secs(3);
const PORT_TRIES: usize = 20;

/// A running embedded broker. It stops with its token.
#[derive(Debug)]
pub(crate) struct Embedded {
    addr: SocketAddr,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Embedded {
    /// Starts it; returns once it listens.
    pub(crate) async fn start(
        listen: SocketAddr,
        login: Option<&Login>,
        metrics: Arc<Metrics>,
        cancel: CancellationToken,
    ) -> Result<Self, Error> {
        let failed = |detail: String| Error::Listen { listen, detail };
        let mut last = String::new();
        // Port 0: rumqttd does not tell the port it got, so a free one is looked for; somebody may be faster.
        for _ in 0..PORT_TRIES {
            let addr = free_port(listen).map_err(|error| failed(error.to_string()))?;
            let (to_us, listening) = oneshot::channel();
            let core = Core { addr, login: login.cloned(), metrics: metrics.clone(), cancel: cancel.clone() };
            let thread = std::thread::Builder::new()
                .name("mqtt-broker".to_owned())
                .spawn(move || core.run(to_us))
                .map_err(|error| failed(error.to_string()))?;
            match listening.await {
                Ok(Ok(())) => return Ok(Self { addr, thread: Some(thread) }),
                Ok(Err(why)) => last = why,
                Err(_) => "its thread ended".clone_into(&mut last),
            }
            if listen.port() != 0 {
                break;
            }
        }
        Err(failed(last))
    }

    /// Where it listens.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Waits for its thread, after the token was cancelled.
    pub(crate) async fn stopped(mut self) {
        let Some(thread) = self.thread.take() else { return };
        tokio::task::spawn_blocking(move || thread.join().ok()).await.ok();
    }
}

/// The address to reach a listener at: itself, or this machine when it listens everywhere.
pub(crate) fn reachable(listen: SocketAddr) -> SocketAddr {
    match listen.ip() {
        ip if !ip.is_unspecified() => listen,
        IpAddr::V4(_) => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), listen.port()),
        IpAddr::V6(_) => SocketAddr::new(IpAddr::V6(std::net::Ipv6Addr::LOCALHOST), listen.port()),
    }
}

fn free_port(listen: SocketAddr) -> io::Result<SocketAddr> {
    if listen.port() != 0 {
        return Ok(listen);
    }
    TcpListener::bind(listen)?.local_addr()
}

struct Core {
    addr: SocketAddr,
    login: Option<Login>,
    metrics: Arc<Metrics>,
    cancel: CancellationToken,
}

impl Core {
    fn run(self, listening: oneshot::Sender<Result<(), String>>) {
        let mut listening = Some(listening);
        let router = Router::new(0, router_config()).spawn();
        while !self.cancel.is_cancelled() {
            // A runtime for each server: dropped, it takes all connections of the server with it.
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => {
                    tracing::error!(%error, "The embedded MQTT broker has no runtime");
                    return;
                }
            };
            let mut server = Server::new(self.settings(), router.clone(), V4);
            let served = runtime.block_on(async {
                let mut serving = pin!(server.start(LinkType::Remote));
                // The first poll binds: pending means that it listens.
                let first = std::future::poll_fn(|cx| Poll::Ready(serving.as_mut().poll(cx))).await;
                if let Poll::Ready(ended) = first {
                    return Err(ended.err().map_or_else(|| "it ended".to_owned(), |error| error.to_string()));
                }
                if let Some(listening) = listening.take() {
                    listening.send(Ok(())).ok();
                }
                tokio::select! {
                    () = self.cancel.cancelled() => Ok(()),
                    _ = serving => Err("it ended".to_owned()),
                    () = self.probe_until_dead() => Err("it takes no connections".to_owned()),
                }
            });
            runtime.shutdown_background();
            let Err(why) = served else { return };
            if let Some(listening) = listening.take() {
                listening.send(Err(why)).ok();
                return;
            }
            tracing::error!(%why, "The embedded MQTT broker's server is replaced");
            count(&self.metrics.broker_restarts, 1);
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Returns when two probes in a row failed.
    async fn probe_until_dead(&self) {
        let mut failures = 0;
        while failures < 2 {
            sleep(PROBE_EVERY).await;
            let answered = timeout(PROBE_WITHIN, probe(reachable(self.addr), self.login.as_ref())).await;
            failures = if matches!(answered, Ok(Ok(()))) { 0 } else { failures + 1 };
        }
    }

    fn settings(&self) -> ServerSettings {
        let account = |login: &Login| HashMap::from([(login.username.clone(), login.password.clone())]);
        ServerSettings {
            name: "mqtt".to_owned(),
            listen: self.addr,
            tls: None,
            next_connection_delay_ms: 1,
            connections: ConnectionSettings {
                connection_timeout_ms: 5000,
                max_payload_size: MAX_PACKET_BYTES,
                max_inflight_count: 100,
                auth: self.login.as_ref().map(account),
                external_auth: None,
                dynamic_filters: false,
            },
        }
    }
}

fn router_config() -> RouterConfig {
    RouterConfig {
        max_connections: MAX_CONNECTIONS,
        max_outgoing_packet_count: 200,
        max_segment_size: SEGMENT_BYTES,
        max_segment_count: SEGMENTS,
        ..RouterConfig::default()
    }
}

/// Connects as any client would, and leaves.
async fn probe(addr: SocketAddr, login: Option<&Login>) -> io::Result<()> {
    let mut stream = TcpStream::connect(addr).await?;
    stream.write_all(&connect_packet("sightline-probe", login)).await?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await?;
    stream.write_all(&[0xe0, 0x00]).await?;
    if answer == [0x20, 0x02, 0x00, 0x00] {
        Ok(())
    } else {
        Err(io::Error::other("the connection was refused"))
    }
}

/// An MQTT 3.1.1 CONNECT with a clean session and a keep-alive of 10 s.
fn connect_packet(client_id: &str, login: Option<&Login>) -> Vec<u8> {
    let text = |text: &str| {
        let length = u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes();
        [&length, text.as_bytes()].concat()
    };
    let flags = if login.is_some() { 0b1100_0010 } else { 0b0000_0010 };
    let mut body = [text("MQTT").as_slice(), &[4, flags, 0, 10], &text(client_id)].concat();
    if let Some(login) = login {
        body.extend(text(&login.username));
        body.extend(text(&login.password));
    }
    let mut packet = vec![0x10];
    let mut left = body.len();
    loop {
        let more = if left >= 128 { 0x80 } else { 0 };
        packet.push(u8::try_from(left % 128).unwrap_or(0) | more);
        left /= 128;
        if left == 0 {
            break;
        }
    }
    packet.extend(body);
    packet
}
