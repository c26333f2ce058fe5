//! The server's pair of UDP ports: RTP goes out of the even one, RTCP of the odd one. All UDP sessions share it.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
};

use parking_lot::Mutex;
use tokio::net::UdpSocket;

use super::session::Liveness;
use crate::Error;

/// How many pairs are tried before giving up.
const TRIES: usize = 64;

pub(crate) struct UdpPair {
    pub(crate) rtp: UdpSocket,
    pub(crate) rtcp: UdpSocket,
    /// Even.
    pub(crate) rtp_port: u16,
    /// Who sends RTCP from where: it keeps its session alive.
    receivers: Mutex<HashMap<SocketAddr, Liveness>>,
}

impl UdpPair {
    pub(crate) async fn bind(ip: IpAddr) -> Result<Self, Error> {
        let mut last = io::Error::from(io::ErrorKind::AddrInUse);
        // Sockets with an odd port are kept until the end, so that the system offers another one each time.
        let mut odd = Vec::new();
        for _ in 0..TRIES {
            match Self::bind_once(ip, &mut odd).await {
                Ok(Some(pair)) => return Ok(pair),
                Ok(None) => {}
                Err(error) => last = error,
            }
        }
        Err(Error::UdpPorts { address: SocketAddr::new(ip, 0), source: last })
    }

    async fn bind_once(ip: IpAddr, odd: &mut Vec<UdpSocket>) -> io::Result<Option<Self>> {
        let rtp = UdpSocket::bind((ip, 0)).await?;
        let rtp_port = rtp.local_addr()?.port();
        if rtp_port % 2 == 1 {
            odd.push(rtp);
            return Ok(None);
        }
        let rtcp = UdpSocket::bind((ip, rtp_port + 1)).await?;
        Ok(Some(Self { rtp, rtcp, rtp_port, receivers: Mutex::default() }))
    }

    pub(crate) fn register(&self, rtcp_peer: SocketAddr, liveness: Liveness) {
        self.receivers.lock().insert(rtcp_peer, liveness);
    }

    pub(crate) fn forget(&self, rtcp_peer: &SocketAddr) {
        self.receivers.lock().remove(rtcp_peer);
    }

    /// Reads what clients send: RTCP keeps a session alive, packets that open firewalls are thrown away.
    pub(crate) async fn drain(&self) {
        let (mut rtp, mut rtcp) = ([0; 2048], [0; 2048]);
        loop {
            let from = tokio::select! {
                from = self.rtcp.recv_from(&mut rtcp) => from,
                _ = self.rtp.recv_from(&mut rtp) => continue,
            };
            if let Ok((_, peer)) = from
                && let Some(liveness) = self.receivers.lock().get(&peer)
            {
                liveness.touch();
            }
        }
    }
}
