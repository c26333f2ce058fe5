//! From a GOP to a request.

use sightline_model::media::Gop;

use crate::{
    Error, Size,
    wire::{MAX_CONFIG_BYTES, MAX_UNIT_BYTES, Request},
};

/// The request for the first picture of `gop`.
///
/// # Errors
/// When the GOP does not begin with a key frame, or is beyond the limits.
pub(crate) fn request(gop: &Gop, size: Size) -> Result<Request, Error> {
    let part = gop.start.part;
    let unit = gop.units.first().filter(|unit| part == 0 && unit.key).ok_or(Error::NoKeyFrame { part })?;
    let params = &gop.start.params;
    within("bytes", unit.data.len(), MAX_UNIT_BYTES)?;
    within("bytes of decoder configuration", params.decoder_config.len(), MAX_CONFIG_BYTES)?;
    Ok(Request {
        id: 0,
        codec: params.codec,
        size,
        config: params.decoder_config.clone(),
        unit: unit.data.clone(),
    })
}

fn within(what: &'static str, value: usize, limit: usize) -> Result<(), Error> {
    if value <= limit {
        return Ok(());
    }
    let wide = |n| u64::try_from(n).unwrap_or(u64::MAX);
    Err(Error::TooLarge { what, value: wide(value), limit: wide(limit) })
}
