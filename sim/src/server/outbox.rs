//! What waits to be sent on one TCP connection: answers and media in one order, with a bound.
//!
//! The player and the connection's own task both append; whatever the socket does not take at once waits here and is
//! flushed by the connection's task. A client that does not read fills its own outbox and nobody else's.

use std::{io, sync::Arc};

use bytes::{Buf, BytesMut};
use parking_lot::Mutex;
use tokio::{net::TcpStream, sync::Notify};

pub(crate) struct Outbox {
    stream: Arc<TcpStream>,
    pending: Mutex<BytesMut>,
    has_pending: Notify,
    limit_bytes: usize,
}

/// What became of bytes offered to an [`Outbox`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offer {
    /// Sent, or waiting to be.
    Taken,
    /// Too much waits already; nothing of it was taken.
    Full,
    /// The connection is gone.
    Closed,
}

impl Outbox {
    pub(crate) fn new(stream: Arc<TcpStream>, limit_bytes: usize) -> Self {
        Self { stream, pending: Mutex::default(), has_pending: Notify::new(), limit_bytes }
    }

    /// Whether `bytes` more would be taken.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        let pending = self.pending.lock().len();
        pending == 0 || pending + bytes <= self.limit_bytes
    }

    /// Sends `bytes` whole, in order after what was offered before.
    pub(crate) fn offer(&self, bytes: &[u8]) -> Offer {
        let mut pending = self.pending.lock();
        if !pending.is_empty() {
            if pending.len() + bytes.len() > self.limit_bytes {
                return Offer::Full;
            }
            pending.extend_from_slice(bytes);
            return Offer::Taken;
        }
        let sent = match self.stream.try_write(bytes) {
            Ok(sent) => sent,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(_) => return Offer::Closed,
        };
        if let Some(rest @ [_, ..]) = bytes.get(sent..) {
            pending.extend_from_slice(rest);
            self.has_pending.notify_one();
        }
        Offer::Taken
    }

    /// Sends what waits, as the socket takes it. Returns only when the connection is broken; may be dropped any time.
    pub(crate) async fn flush(&self) -> io::Error {
        loop {
            if self.pending.lock().is_empty() {
                self.has_pending.notified().await;
                continue;
            }
            if let Err(error) = self.stream.writable().await {
                return error;
            }
            let mut pending = self.pending.lock();
            match self.stream.try_write(&pending) {
                Ok(sent) => pending.advance(sent),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return error,
            }
        }
    }
}
