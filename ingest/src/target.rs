//! What is to be pulled, and where it goes.

use sightline_model::{
    camera::Credentials,
    media::{Policy, StreamKey},
    tail::TailItem,
};

/// One stream that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Which one.
    pub key: StreamKey,
    /// RTSP address, without credentials: an address with a user name in it is refused.
    pub url: String,
    /// How to sign in.
    pub credentials: Option<Credentials>,
    /// What is kept of it.
    pub policy: Policy,
    /// Whether it runs all the time; otherwise only while somebody reads it, and a little longer.
    pub always: bool,
}

/// Takes in one stream. Called inline for every frame, so it must neither block nor fail.
pub type Append = Box<dyn FnMut(TailItem) + Send>;

/// Where the streams go.
pub trait Sink: Send + Sync + 'static {
    /// The function that takes in `key` from now on. What an earlier one for the same stream held is dropped before.
    fn open(&self, key: StreamKey) -> Append;
}
