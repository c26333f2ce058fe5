//! From stored GOPs to what a player takes: where each lies on the answer's time line, playlists, live streams.
//!
//! Pure parts: [`place`], [`playlist`], [`live_mux`], [`gap_header`].

pub(crate) mod gap_header;
pub(crate) mod live_mux;
pub(crate) mod place;
pub(crate) mod playlist;
