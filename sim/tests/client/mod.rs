//! A small RTSP client over raw TCP, for tests that look at every byte.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::{collections::VecDeque, net::SocketAddr, time::Duration};

use md5::{Digest, Md5};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// How long a test waits for what must come.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Incoming {
    Answer(Answer),
    Packet { channel: u8, data: Vec<u8> },
    Closed,
}

/// An RTP packet, as far as the tests look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rtp {
    pub(crate) marker: bool,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
    /// First byte of the payload.
    pub(crate) first: u8,
    /// Length of the payload.
    pub(crate) bytes: usize,
}

impl Rtp {
    pub(crate) fn parse(data: &[u8]) -> Self {
        assert_eq!((data[0], data[1] & 0x7F), (0x80, 96));
        let word = |at: usize| u32::from_be_bytes(data[at..at + 4].try_into().unwrap());
        Self {
            marker: data[1] & 0x80 != 0,
            sequence: u16::from_be_bytes([data[2], data[3]]),
            timestamp: word(4),
            ssrc: word(8),
            first: data[12],
            bytes: data.len() - 12,
        }
    }

    /// Whether an H.264 packet begins a key frame of the clips: parameter sets in an aggregation packet.
    pub(crate) fn begins_key_frame(&self) -> bool {
        self.first & 0x1F == 24
    }
}

pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    cseq: u32,
    url: String,
    pub(crate) session: Option<String>,
    pub(crate) authorization: Option<String>,
    packets: VecDeque<(u8, Vec<u8>)>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr, url: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        Self {
            stream,
            buffer: Vec::new(),
            cseq: 0,
            url: url.to_owned(),
            session: None,
            authorization: None,
            packets: VecDeque::new(),
        }
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    pub(crate) async fn send(&mut self, method: &str, uri: &str, headers: &str) {
        self.cseq += 1;
        let mut text = format!("{method} {uri} RTSP/1.0\r\nCSeq: {}\r\n{headers}", self.cseq);
        if let Some(session) = &self.session {
            text += &format!("Session: {session}\r\n");
        }
        if let Some(authorization) = &self.authorization {
            text += &format!("Authorization: {authorization}\r\n");
        }
        self.write((text + "\r\n").as_bytes()).await;
    }

    /// Sends a request for the stream and waits for its answer; packets that come between are kept.
    pub(crate) async fn ask(&mut self, method: &str, headers: &str) -> Answer {
        let uri = if method == "SETUP" { format!("{}/trackID=0", self.url) } else { self.url.clone() };
        self.ask_for(method, &uri, headers).await
    }

    pub(crate) async fn ask_for(&mut self, method: &str, uri: &str, headers: &str) -> Answer {
        self.send(method, uri, headers).await;
        let answer = self.answer().await;
        assert_eq!(answer.header("CSeq"), Some(self.cseq.to_string().as_str()), "{answer:?}");
        answer
    }

    pub(crate) async fn answer(&mut self) -> Answer {
        loop {
            match self.next().await {
                Incoming::Answer(answer) => return answer,
                Incoming::Packet { channel, data } => self.packets.push_back((channel, data)),
                Incoming::Closed => panic!("closed instead of answered"),
            }
        }
    }

    /// SETUP over TCP and PLAY.
    pub(crate) async fn play(&mut self) -> Answer {
        let answer = self.ask("SETUP", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let session = answer.header("Session").unwrap();
        self.session = Some(session.split(';').next().unwrap().to_owned());
        let answer = self.ask("PLAY", "Range: npt=0.000-\r\n").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer
    }

    /// The next packet of the channel; others are left out. `None` when the connection is closed.
    pub(crate) async fn packet(&mut self, wanted: u8) -> Option<Vec<u8>> {
        loop {
            let (channel, data) = match self.packets.pop_front() {
                Some(packet) => packet,
                None => match self.next().await {
                    Incoming::Packet { channel, data } => (channel, data),
                    Incoming::Closed => return None,
                    Incoming::Answer(answer) => panic!("an answer nobody asked for: {answer:?}"),
                },
            };
            if channel == wanted {
                return Some(data);
            }
        }
    }

    pub(crate) async fn rtp(&mut self) -> Rtp {
        Rtp::parse(&self.packet(0).await.expect("the connection is open"))
    }

    /// Waits until the server closes the connection, whatever it sends before.
    pub(crate) async fn closed(&mut self) {
        while !matches!(self.next().await, Incoming::Closed) {}
    }

    /// Whether nothing at all comes for so long.
    pub(crate) async fn is_silent_for(&mut self, length: Duration) -> bool {
        self.packets.is_empty()
            && self.buffer.is_empty()
            && tokio::time::timeout(length, self.stream.readable()).await.is_err()
    }

    /// Throws away what is there, without waiting for more.
    pub(crate) fn drain(&mut self) {
        let mut bytes = [0; 65536];
        while let Ok(read @ 1..) = self.stream.try_read(&mut bytes) {
            self.buffer.extend_from_slice(&bytes[..read]);
        }
        while self.take().is_some() {}
        self.packets.clear();
    }

    /// Reads on until nothing has come for a while.
    pub(crate) async fn runs_dry(&mut self) {
        let start = std::time::Instant::now();
        loop {
            self.drain();
            if self.is_silent_for(Duration::from_millis(400)).await {
                return;
            }
            assert!(start.elapsed() < DEADLINE, "the server goes on sending");
        }
    }

    pub(crate) async fn next(&mut self) -> Incoming {
        tokio::time::timeout(DEADLINE, self.read()).await.expect("the server sends nothing")
    }

    async fn read(&mut self) -> Incoming {
        loop {
            if let Some(incoming) = self.take() {
                return incoming;
            }
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(0) | Err(_) => return Incoming::Closed,
                Ok(_) => {}
            }
        }
    }

    fn take(&mut self) -> Option<Incoming> {
        if *self.buffer.first()? == b'$' {
            let length = usize::from(u16::from_be_bytes([*self.buffer.get(2)?, *self.buffer.get(3)?]));
            if self.buffer.len() < 4 + length {
                return None;
            }
            let packet: Vec<u8> = self.buffer.drain(..4 + length).collect();
            return Some(Incoming::Packet { channel: packet[1], data: packet[4..].to_vec() });
        }
        let end = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
        let head = String::from_utf8(self.buffer[..end].to_vec()).unwrap();
        let mut answer = Answer { status: head[9..12].parse().unwrap(), head, body: String::new() };
        let body = answer.header("Content-Length").map_or(0, |length| length.parse::<usize>().unwrap());
        if self.buffer.len() < end + body {
            return None;
        }
        answer.body = String::from_utf8(self.buffer[end..end + body].to_vec()).unwrap();
        self.buffer.drain(..end + body);
        Some(Incoming::Answer(answer))
    }
}

/// What a client answers to a digest challenge.
pub(crate) fn digest(challenge: &str, user: &str, password: &str, method: &str, uri: &str) -> String {
    let field =
        |name: &str| challenge.split_once(&format!("{name}=\"")).unwrap().1.split('"').next().unwrap();
    let (realm, nonce) = (field("realm"), field("nonce"));
    let hash = |text: String| Md5::digest(text).iter().map(|b| format!("{b:02x}")).collect::<String>();
    let secret = hash(format!("{user}:{realm}:{password}"));
    let response = hash(format!("{secret}:{nonce}:{}", hash(format!("{method}:{uri}"))));
    format!(
        "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\""
    )
}

/// Polls until the condition holds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !holds() {
        assert!(start.elapsed() < DEADLINE, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
