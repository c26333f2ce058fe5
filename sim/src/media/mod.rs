//! Clips: real footage as Annex B streams, split into access units and packetised once.

mod annexb;
mod clip;
mod reel;
mod timebase;

pub use annexb::{Picture, nals, pictures};
pub(crate) use annexb::{h264_type, h265_type};
pub use clip::Clip;
pub use reel::{Reel, Unit};
pub(crate) use timebase::Timebase;
