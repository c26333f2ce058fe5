//! Fragmented MP4 (ISO/IEC 14496-12, -15) from stored or live access units, without touching a coded byte.
//!
//! One writer serves clips, HLS segments and live viewers. Pure: bytes in, bytes out, no clock, no I/O.
//!
//! Belongs here: boxes, decode times, sample flags. Does not belong here: which GOPs go into an answer, and where they
//! lie on its time line (`media/`).
//!
//! Invariants of a fragment: `decode times rise`, `sum of durations = the GOP's duration`, so fragments put end to end
//! leave no hole and never overlap.

mod boxes;
mod fragment;
mod init;
mod timing;

#[cfg(test)]
pub(crate) mod parse;
#[cfg(test)]
mod tests;

pub(crate) use fragment::fragment_timed;
pub use fragment::{Fragment, fragment, fragment_head};
pub use init::{InitOptions, init_segment, init_segment_with};
pub use timing::{Sample, samples};

/// MIME type of every file made here.
pub const MIME: &str = "video/mp4";
