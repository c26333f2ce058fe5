//! RTSP (RFC 2326), server side, without I/O: messages, authentication, transports, session descriptions.

pub(crate) mod auth;
pub(crate) mod message;
pub(crate) mod sdp;
pub(crate) mod transport;
