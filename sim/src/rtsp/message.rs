//! RTSP messages in and out. Whatever a client sends, at most [`MAX_HEAD_BYTES`] and [`MAX_BODY_BYTES`] of it are held.

use bytes::{Buf, Bytes, BytesMut};
use memchr::memmem;

/// Longest request line with all headers.
pub(crate) const MAX_HEAD_BYTES: usize = 8 * 1024;
/// Longest body; requests to a camera hardly have one.
pub(crate) const MAX_BODY_BYTES: usize = 16 * 1024;
/// Most headers in a request.
const MAX_HEADERS: usize = 64;

/// What a client sends on an RTSP connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Incoming {
    Request(Request),
    /// An interleaved packet: RTCP of the client.
    Packet {
        channel: u8,
        data: Bytes,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) uri: String,
    pub(crate) version: String,
    headers: Vec<(String, String)>,
}

impl Request {
    /// The first header of that name; names are compared without case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// Why the bytes cannot be a request; the connection is closed after the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Malformed {
    Head,
    HeadTooLong,
    BodyTooLong,
}

impl Malformed {
    pub(crate) fn status(self) -> Status {
        match self {
            Self::Head | Self::HeadTooLong => Status::BAD_REQUEST,
            Self::BodyTooLong => Status::BODY_TOO_LARGE,
        }
    }
}

/// Takes the next message out of `buffer`; `None` when it is not complete yet.
pub(crate) fn take(buffer: &mut BytesMut) -> Result<Option<Incoming>, Malformed> {
    while buffer.first().is_some_and(|byte| matches!(byte, b'\r' | b'\n')) {
        buffer.advance(1);
    }
    match buffer.first() {
        None => Ok(None),
        Some(b'$') => Ok(take_packet(buffer)),
        Some(byte) if byte.is_ascii_uppercase() => take_request(buffer),
        Some(_) => Err(Malformed::Head),
    }
}

fn take_packet(buffer: &mut BytesMut) -> Option<Incoming> {
    let [_, channel, high, low] = *buffer.first_chunk::<4>()?;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if buffer.len() < 4 + length {
        return None;
    }
    buffer.advance(4);
    Some(Incoming::Packet { channel, data: buffer.split_to(length).freeze() })
}

fn take_request(buffer: &mut BytesMut) -> Result<Option<Incoming>, Malformed> {
    let Some((head_bytes, gap_bytes)) = end_of_head(buffer) else {
        return if buffer.len() > MAX_HEAD_BYTES { Err(Malformed::HeadTooLong) } else { Ok(None) };
    };
    if head_bytes > MAX_HEAD_BYTES {
        return Err(Malformed::HeadTooLong);
    }
    let head = buffer.get(..head_bytes).and_then(|bytes| std::str::from_utf8(bytes).ok());
    let request = parse_head(head.ok_or(Malformed::Head)?)?;
    let body_bytes = match request.header("Content-Length") {
        Some(length) => length.parse::<usize>().map_err(|_| Malformed::Head)?,
        None => 0,
    };
    if body_bytes > MAX_BODY_BYTES {
        return Err(Malformed::BodyTooLong);
    }
    let total = head_bytes + gap_bytes + body_bytes;
    if buffer.len() < total {
        return Ok(None);
    }
    buffer.advance(total);
    Ok(Some(Incoming::Request(request)))
}

/// Where the head ends and how long the empty line after it is; bare line feeds are put up with.
fn end_of_head(buffer: &[u8]) -> Option<(usize, usize)> {
    let strict = memmem::find(buffer, b"\r\n\r\n").map(|at| (at, 4));
    let loose = memmem::find(buffer, b"\n\n").map(|at| (at, 2));
    [strict, loose].into_iter().flatten().min()
}

fn parse_head(head: &str) -> Result<Request, Malformed> {
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split_ascii_whitespace();
    let (Some(method), Some(uri), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Malformed::Head);
    };
    let mut headers = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(':').ok_or(Malformed::Head)?;
        if headers.len() == MAX_HEADERS {
            return Err(Malformed::HeadTooLong);
        }
        headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    Ok(Request { method: method.to_owned(), uri: uri.to_owned(), version: version.to_owned(), headers })
}

/// Status code and reason of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Status(u16, &'static str);

impl Status {
    pub(crate) const OK: Self = Self(200, "OK");
    pub(crate) const BAD_REQUEST: Self = Self(400, "Bad Request");
    pub(crate) const UNAUTHORIZED: Self = Self(401, "Unauthorized");
    pub(crate) const NOT_FOUND: Self = Self(404, "Not Found");
    pub(crate) const METHOD_NOT_ALLOWED: Self = Self(405, "Method Not Allowed");
    pub(crate) const NOT_ACCEPTABLE: Self = Self(406, "Not Acceptable");
    pub(crate) const BODY_TOO_LARGE: Self = Self(413, "Request Entity Too Large");
    pub(crate) const SESSION_NOT_FOUND: Self = Self(454, "Session Not Found");
    pub(crate) const INVALID_STATE: Self = Self(455, "Method Not Valid in This State");
    pub(crate) const UNSUPPORTED_TRANSPORT: Self = Self(461, "Unsupported transport");
    pub(crate) const NOT_IMPLEMENTED: Self = Self(501, "Not Implemented");
    pub(crate) const SERVICE_UNAVAILABLE: Self = Self(503, "Service Unavailable");
    pub(crate) const VERSION_NOT_SUPPORTED: Self = Self(505, "RTSP Version not supported");
    pub(crate) const OPTION_NOT_SUPPORTED: Self = Self(551, "Option not supported");

    pub(crate) fn code(self) -> u16 {
        self.0
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: Status,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Response {
    pub(crate) fn new(status: Status) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn with_body(mut self, content_type: &'static str, body: String) -> Self {
        self.body = body;
        self.with("Content-Type", content_type)
    }

    /// The answer as it goes out, to the request with this `CSeq`.
    pub(crate) fn encode(&self, cseq: Option<&str>) -> Vec<u8> {
        let Status(code, reason) = self.status;
        let mut text = format!("RTSP/1.0 {code} {reason}\r\n");
        let own = [("Server", "sightline-sim")];
        let cseq = cseq.map(|cseq| ("CSeq", cseq));
        let given = self.headers.iter().map(|(name, value)| (*name, value.as_str()));
        for (name, value) in cseq.into_iter().chain(own).chain(given) {
            text.extend([name, ": ", value, "\r\n"]);
        }
        if !self.body.is_empty() {
            text.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        text.extend(["\r\n", &self.body]);
        text.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(text: &str) -> Result<Option<Incoming>, Malformed> {
        take(&mut BytesMut::from(text))
    }

    #[test]
    fn requests_and_packets_come_out_in_turn_whatever_the_pieces() {
        let stream = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n$\x01\x00\x03abc\
            SET_PARAMETER rtsp://h/a/main RTSP/1.0\r\ncseq:2\r\nContent-Length: 4\r\n\r\nbodyPLAY x RTSP/1.0\nCSeq: 3\n\n";
        for piece in 1..stream.len() {
            let mut buffer = BytesMut::new();
            let mut seen = Vec::new();
            for part in stream.chunks(piece) {
                buffer.extend_from_slice(part);
                while let Some(incoming) = take(&mut buffer).unwrap() {
                    seen.push(match incoming {
                        Incoming::Request(r) => format!("{} {}", r.method, r.header("CSeq").unwrap()),
                        Incoming::Packet { channel, data } => format!("{channel} {}", data.len()),
                    });
                }
            }
            assert_eq!(seen, ["OPTIONS 1", "1 3", "SET_PARAMETER 2", "PLAY 3"], "pieces of {piece}");
        }
    }

    #[test]
    fn nonsense_is_refused_before_it_is_held() {
        assert_eq!(request("\x16\x03\x01"), Err(Malformed::Head), "a TLS greeting");
        assert_eq!(request("GET /\r\n\r\n"), Err(Malformed::Head));
        assert_eq!(request("PLAY a RTSP/1.0\r\nno colon\r\n\r\n"), Err(Malformed::Head));
        assert_eq!(request("PLAY a RTSP/1.0\r\nContent-Length: -1\r\n\r\n"), Err(Malformed::Head));
        assert_eq!(request("PLAY a RTSP/1.0\r\nContent-Length: 99999\r\n\r\n"), Err(Malformed::BodyTooLong));
        assert_eq!(request(&"A".repeat(MAX_HEAD_BYTES + 1)), Err(Malformed::HeadTooLong));
        let many = format!("PLAY a RTSP/1.0\r\n{}\r\n", "a: b\r\n".repeat(MAX_HEADERS + 1));
        assert_eq!(request(&many), Err(Malformed::HeadTooLong));
        assert_eq!(request("PLAY a RTSP/1.0\r\nCSeq: 1\r\n"), Ok(None));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut buffer = BytesMut::from(&bytes[..]);
            while let Ok(Some(_)) = take(&mut buffer) {}
        }
    }

    #[test]
    fn an_answer_repeats_the_number_and_counts_its_body() {
        let answer = Response::new(Status::OK).with_body("application/sdp", "v=0\r\n".to_owned());
        let text = String::from_utf8(answer.encode(Some("7"))).unwrap();
        assert!(text.starts_with("RTSP/1.0 200 OK\r\nCSeq: 7\r\n"), "{text}");
        assert!(text.ends_with("Content-Length: 5\r\n\r\nv=0\r\n"), "{text}");
    }
}
