//! What parent and worker say to each other. The table is in `picture/DESIGN.md`.
//!
//! Every message is a frame: its length in 4 bytes, then that many bytes. Nothing here trusts the other side.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut, TryGetError};
use sightline_model::media::Codec;

use crate::{Error, MAX_SIDE, Size};

/// First bytes a worker says.
const MAGIC: [u8; 4] = *b"SLPW";
/// Version of everything below. Both sides come from one binary; another version is a half-done upgrade.
pub(crate) const VERSION: u16 = 1;
/// Bytes of a frame's length.
pub(crate) const LENGTH_BYTES: usize = 4;
/// Longest key frame: eight times what a 4K camera sends.
pub(crate) const MAX_UNIT_BYTES: usize = 16 << 20;
/// Longest decoder configuration: three parameter sets of 16-bit length.
pub(crate) const MAX_CONFIG_BYTES: usize = 64 << 10;
/// Longest frame either way: a request with all of the above, or a JPEG at [`MAX_SIDE`] squared.
pub(crate) const MAX_FRAME_BYTES: usize = 128 << 20;

/// A message that breaks the protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Broken {
    /// Ends early.
    #[error("the message ends early: {0} bytes wanted, {1} there")]
    Short(usize, usize),
    /// Longer than [`MAX_FRAME_BYTES`].
    #[error("a message of {0} bytes is announced, the limit is {MAX_FRAME_BYTES}")]
    Long(usize),
    /// Not the first words of a worker.
    #[error("this is not a picture worker: it began with {0:02x?}")]
    Magic([u8; 4]),
    /// A worker of another build.
    #[error("the worker speaks version {0} of the protocol, this program speaks {VERSION}: restart the node")]
    Version(u16),
    /// A value outside its set.
    #[error("{what} cannot be {value}")]
    Value { what: &'static str, value: u64 },
}

impl From<TryGetError> for Broken {
    fn from(short: TryGetError) -> Self {
        Self::Short(short.requested, short.available)
    }
}

/// The length in a frame's head, if it is allowed.
pub(crate) fn frame_length(head: [u8; LENGTH_BYTES]) -> Result<usize, Broken> {
    let length = usize::try_from(u32::from_be_bytes(head)).unwrap_or(usize::MAX);
    if length > MAX_FRAME_BYTES { Err(Broken::Long(length)) } else { Ok(length) }
}

/// Puts the length in front of `body` and its `tail`, which is sent after it.
fn framed(body: &BytesMut, tail: usize) -> Bytes {
    let length = u32::try_from(body.len() + tail).unwrap_or(u32::MAX);
    let mut frame = BytesMut::with_capacity(LENGTH_BYTES + body.len());
    frame.put_u32(length);
    frame.put_slice(body);
    frame.freeze()
}

/// What a worker says first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hello {
    /// The decoders it will use, best first, as `h264:avdec_h264 h265:avdec_h265`.
    pub(crate) decoders: String,
}

impl Hello {
    pub(crate) fn encode(&self) -> Bytes {
        let mut body = BytesMut::new();
        body.put_slice(&MAGIC);
        body.put_u16(VERSION);
        body.put_slice(self.decoders.as_bytes());
        framed(&body, 0)
    }

    pub(crate) fn decode(mut body: Bytes) -> Result<Self, Broken> {
        let mut magic = [0; 4];
        body.try_copy_to_slice(&mut magic)?;
        if magic != MAGIC {
            return Err(Broken::Magic(magic));
        }
        let version = body.try_get_u16()?;
        if version != VERSION {
            return Err(Broken::Version(version));
        }
        Ok(Self { decoders: String::from_utf8_lossy(&body).into_owned() })
    }
}

/// One key frame to make a picture of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    /// Comes back in the reply.
    pub(crate) id: u64,
    pub(crate) codec: Codec,
    pub(crate) size: Size,
    /// The body of `avcC` or `hvcC`.
    pub(crate) config: Bytes,
    /// NAL units, each behind a 4-byte length.
    pub(crate) unit: Bytes,
}

impl Request {
    /// Head and tail of the frame; the tail is the key frame itself, not copied.
    pub(crate) fn encode(&self) -> (Bytes, Bytes) {
        let mut body = BytesMut::new();
        body.put_u64(self.id);
        body.put_u8(codec_byte(self.codec));
        // 0 stands for the original size; a width of 0 makes no picture anyway.
        body.put_u32(match self.size {
            Size::Original => 0,
            Size::Width(width) => width.clamp(1, MAX_SIDE),
        });
        body.put_u32(u32::try_from(self.config.len()).unwrap_or(u32::MAX));
        body.put_slice(&self.config);
        (framed(&body, self.unit.len()), self.unit.clone())
    }

    pub(crate) fn decode(mut body: Bytes) -> Result<Self, Broken> {
        let id = body.try_get_u64()?;
        let codec = codec_of(body.try_get_u8()?)?;
        let size = match body.try_get_u32()? {
            0 => Size::Original,
            width => Size::Width(width),
        };
        let config_bytes = usize::try_from(body.try_get_u32()?).unwrap_or(usize::MAX);
        if config_bytes > body.len() {
            return Err(Broken::Short(config_bytes, body.len()));
        }
        let config = body.split_to(config_bytes);
        Ok(Self { id, codec, size, config, unit: body })
    }
}

/// A finished picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Time spent on decoding, scaling and colour.
    pub(crate) decode: Duration,
    /// Time spent on JPEG.
    pub(crate) encode: Duration,
    pub(crate) jpeg: Bytes,
}

/// Why there is no picture, as far as a worker can know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    Undecodable(String),
    NoDecoder(Codec),
    /// A side of the coded picture, in pixels.
    TooLarge(u32),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Undecodable(reason) => Self::Undecodable { reason },
            Failure::NoDecoder(codec) => Self::NoDecoder { codec },
            Failure::TooLarge(side) => {
                Self::TooLarge { what: "a side in pixels", value: side.into(), limit: MAX_SIDE.into() }
            }
        }
    }
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) id: u64,
    pub(crate) outcome: Result<Picture, Failure>,
}

const DONE: u8 = 0;
const UNDECODABLE: u8 = 1;
const NO_DECODER: u8 = 2;
const TOO_LARGE: u8 = 3;

impl Reply {
    /// Head and tail of the frame; the tail is the JPEG, not copied.
    pub(crate) fn encode(&self) -> (Bytes, Bytes) {
        let mut body = BytesMut::new();
        body.put_u64(self.id);
        let mut tail = Bytes::new();
        match &self.outcome {
            Ok(picture) => {
                body.put_u8(DONE);
                body.put_u32(picture.width);
                body.put_u32(picture.height);
                body.put_u32(micros(picture.decode));
                body.put_u32(micros(picture.encode));
                tail = picture.jpeg.clone();
            }
            Err(Failure::Undecodable(reason)) => {
                body.put_u8(UNDECODABLE);
                body.put_slice(reason.as_bytes());
            }
            Err(Failure::NoDecoder(codec)) => {
                body.put_u8(NO_DECODER);
                body.put_u8(codec_byte(*codec));
            }
            Err(Failure::TooLarge(side)) => {
                body.put_u8(TOO_LARGE);
                body.put_u32(*side);
            }
        }
        (framed(&body, tail.len()), tail)
    }

    pub(crate) fn decode(mut body: Bytes) -> Result<Self, Broken> {
        let id = body.try_get_u64()?;
        let outcome = match body.try_get_u8()? {
            DONE => Ok(Picture {
                width: body.try_get_u32()?,
                height: body.try_get_u32()?,
                decode: Duration::from_micros(body.try_get_u32()?.into()),
                encode: Duration::from_micros(body.try_get_u32()?.into()),
                jpeg: body,
            }),
            UNDECODABLE => Err(Failure::Undecodable(String::from_utf8_lossy(&body).into_owned())),
            NO_DECODER => Err(Failure::NoDecoder(codec_of(body.try_get_u8()?)?)),
            TOO_LARGE => Err(Failure::TooLarge(body.try_get_u32()?)),
            other => return Err(Broken::Value { what: "the outcome", value: other.into() }),
        };
        Ok(Self { id, outcome })
    }
}

fn micros(length: Duration) -> u32 {
    u32::try_from(length.as_micros()).unwrap_or(u32::MAX)
}

fn codec_byte(codec: Codec) -> u8 {
    match codec {
        Codec::H264 => 1,
        Codec::H265 => 2,
    }
}

fn codec_of(byte: u8) -> Result<Codec, Broken> {
    match byte {
        1 => Ok(Codec::H264),
        2 => Ok(Codec::H265),
        other => Err(Broken::Value { what: "the codec", value: other.into() }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    /// A frame's body, after a look at its length.
    fn body(head: &Bytes, tail: &Bytes) -> Bytes {
        let mut frame = BytesMut::from(&head[..]);
        frame.put_slice(tail);
        let length = frame_length(frame[..LENGTH_BYTES].try_into().unwrap()).unwrap();
        assert_eq!(length, frame.len() - LENGTH_BYTES);
        frame.split_off(LENGTH_BYTES).freeze()
    }

    #[test]
    fn a_hello_of_another_program_or_version_is_refused() {
        let hello = Hello { decoders: "h264:avdec_h264".to_owned() };
        assert_eq!(Hello::decode(body(&hello.encode(), &Bytes::new())), Ok(hello));
        assert_eq!(Hello::decode(Bytes::from_static(b"HTTP/1.1")), Err(Broken::Magic(*b"HTTP")));
        assert_eq!(Hello::decode(Bytes::from_static(b"SLPW\x00\x63")), Err(Broken::Version(99)));
        assert!(matches!(Hello::decode(Bytes::from_static(b"SL")), Err(Broken::Short(..))));
    }

    #[test]
    fn long_frames_are_refused_before_they_are_read() {
        assert_eq!(frame_length(*b"HTTP"), Err(Broken::Long(0x4854_5450)));
        assert_eq!(frame_length([0, 0, 1, 0]), Ok(256));
    }

    #[test]
    fn failures_come_back_as_they_were() {
        for failure in [
            Failure::Undecodable("no slice".to_owned()),
            Failure::NoDecoder(Codec::H265),
            Failure::TooLarge(16_384),
        ] {
            let reply = Reply { id: 7, outcome: Err(failure) };
            let (head, tail) = reply.encode();
            assert_eq!(Reply::decode(body(&head, &tail)), Ok(reply));
        }
    }

    proptest! {
        #[test]
        fn requests_and_pictures_come_back_as_they_were(
            id: u64, h265: bool, width in 0..=MAX_SIDE, config in vec(any::<u8>(), 0..80), data in vec(any::<u8>(), 0..200),
            times: (u32, u32),
        ) {
            let codec = if h265 { Codec::H265 } else { Codec::H264 };
            let size = if width == 0 { Size::Original } else { Size::Width(width) };
            let request = Request { id, codec, size, config: config.into(), unit: data.clone().into() };
            let (head, tail) = request.encode();
            prop_assert_eq!(Request::decode(body(&head, &tail)), Ok(request));
            let (decode, encode) =
                (Duration::from_micros(times.0.into()), Duration::from_micros(times.1.into()));
            let picture = Picture { width, height: 9, decode, encode, jpeg: data.into() };
            let reply = Reply { id, outcome: Ok(picture) };
            let (head, tail) = reply.encode();
            prop_assert_eq!(Reply::decode(body(&head, &tail)), Ok(reply));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..64)) {
            let bytes = Bytes::from(bytes);
            let _ = (Hello::decode(bytes.clone()), Request::decode(bytes.clone()), Reply::decode(bytes));
        }
    }
}
