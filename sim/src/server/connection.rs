//! One RTSP connection: reads requests, answers them, keeps at most one session.
//!
//! ```text
//! (no session) ── SETUP ──> ready ── PLAY ──> playing ── TEARDOWN, time-out, close ──> (no session)
//!                             ^─── PAUSE ───────┘
//! ```

use std::{io, net::SocketAddr, ops::ControlFlow, sync::Arc};

use bytes::BytesMut;
use tokio::{net::TcpStream, time::Instant};

use super::{
    Shared, metrics,
    outbox::{Offer, Outbox},
    session::{Liveness, Session},
};
use crate::rtsp::message::{self, Incoming, Request, Response, Status};

pub(crate) struct Connection {
    pub(crate) shared: Arc<Shared>,
    pub(crate) peer: SocketAddr,
    /// The server's end, as the client addressed it.
    pub(crate) local: SocketAddr,
    pub(crate) session: Option<Session>,
    pub(crate) liveness: Liveness,
    pub(crate) outbox: Arc<Outbox>,
    stream: Arc<TcpStream>,
    buffer: BytesMut,
}

/// What happens next on a connection.
enum Action {
    Read,
    CheckLiveness,
    Close,
}

/// What a request leads to.
pub(crate) enum Outcome {
    Answer(Response),
    /// The answer, after which playing begins.
    Play(Response, super::session::Beginning),
    /// No answer at all.
    Silence,
    /// Close without an answer.
    Close,
}

/// Serves one connection until either side closes it.
pub(crate) async fn serve(shared: Arc<Shared>, stream: TcpStream, peer: SocketAddr) {
    stream.set_nodelay(true).ok();
    let Ok(local) = stream.local_addr() else { return };
    let stream = Arc::new(stream);
    let mut connection = Connection {
        outbox: Arc::new(Outbox::new(stream.clone(), shared.config.outbox_bytes)),
        liveness: Liveness::new(shared.epoch),
        peer,
        local,
        session: None,
        stream,
        buffer: BytesMut::new(),
        shared: shared.clone(),
    };
    metrics::add(&shared.metrics.connections_total, 1);
    metrics::add(&shared.metrics.connections_open, 1);
    loop {
        let action = connection.select().await;
        if connection.apply(action).is_break() {
            break;
        }
    }
    metrics::sub(&shared.metrics.connections_open, 1);
}

impl Connection {
    async fn select(&self) -> Action {
        let hung_up = async {
            match &self.session {
                Some(session) => session.hangup.cancelled().await,
                None => std::future::pending().await,
            }
        };
        let deadline = self.liveness.heard_at() + self.shared.config.session_timeout;
        tokio::select! {
            biased;
            () = self.shared.cancel.cancelled() => Action::Close,
            () = hung_up => Action::Close,
            ready = self.stream.readable() => if ready.is_ok() { Action::Read } else { Action::Close },
            _broken = self.outbox.flush() => Action::Close,
            () = tokio::time::sleep_until(deadline) => Action::CheckLiveness,
        }
    }

    fn apply(&mut self, action: Action) -> ControlFlow<()> {
        match action {
            Action::Read => self.read(),
            Action::CheckLiveness => {
                let deadline = self.liveness.heard_at() + self.shared.config.session_timeout;
                if deadline <= Instant::now() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            }
            Action::Close => ControlFlow::Break(()),
        }
    }

    fn read(&mut self) -> ControlFlow<()> {
        match self.stream.try_read_buf(&mut self.buffer) {
            Ok(0) => return ControlFlow::Break(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return ControlFlow::Continue(()),
            Err(_) => return ControlFlow::Break(()),
        }
        loop {
            match message::take(&mut self.buffer) {
                Ok(None) => return ControlFlow::Continue(()),
                Ok(Some(Incoming::Packet { .. })) => self.liveness.touch(),
                Ok(Some(Incoming::Request(request))) => {
                    self.liveness.touch();
                    self.answer(&request)?;
                }
                Err(malformed) => {
                    self.outbox.offer(&Response::new(malformed.status()).encode(None));
                    return ControlFlow::Break(());
                }
            }
        }
    }

    fn answer(&mut self, request: &Request) -> ControlFlow<()> {
        metrics::add(&self.shared.metrics.requests_total, 1);
        let cseq = request.header("CSeq").filter(|cseq| cseq.parse::<u32>().is_ok());
        let outcome = match cseq {
            Some(_) => self.handle(request),
            None => Outcome::Answer(Response::new(Status::BAD_REQUEST)),
        };
        let (response, beginning) = match outcome {
            Outcome::Answer(response) => (response, None),
            Outcome::Play(response, beginning) => (response, Some(beginning)),
            Outcome::Silence => return ControlFlow::Continue(()),
            Outcome::Close => return ControlFlow::Break(()),
        };
        tracing::debug!(peer = %self.peer, method = request.method, uri = request.uri, status = response.status.code(), "RTSP request answered");
        let offer = self.outbox.offer(&response.encode(cseq));
        if let (Some(beginning), Some(session)) = (beginning, &mut self.session) {
            session.play(beginning, &self.outbox);
        }
        // A client that sends requests and does not read the answers is cut off.
        if offer == Offer::Taken { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}
