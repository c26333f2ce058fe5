//! gzip for JSON, playlists and the console; never for media, which does not shrink.

use tower_http::compression::{
    CompressionLayer, Predicate,
    predicate::{DefaultPredicate, NotForContentType},
};

/// The layer.
pub(crate) fn layer() -> CompressionLayer<impl Predicate> {
    // The default predicate leaves out short bodies, pictures and server-sent events.
    let video = NotForContentType::const_new("video/");
    CompressionLayer::new().compress_when(DefaultPredicate::new().and(video))
}
