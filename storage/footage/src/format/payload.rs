//! What stands behind a record header: media, a gap, or parameter sets.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use sightline_model::{
    Timestamp,
    gap::{Gap, GapReason},
    media::{AccessUnit, Codec, Gop, GopStart, ParameterSets, Policy},
    signature::signatures,
};

use super::{
    Bad,
    cursor::Cursor,
    record::{RECORD_HEADER_BYTES, RecordHeader, TAG_BYTES},
};

/// Bytes of one row of the unit table.
pub(crate) const UNIT_ROW_BYTES: u64 = 8;
/// The bit of a row's length that says "key".
const KEY_BIT: u32 = 1 << 31;
/// Bytes of a gap payload.
const GAP_BYTES: usize = 16;

/// The access units that are kept of a GOP under its policy. Of `keyframes`, that is the first picture, however many access
/// units its camera made of it, and of later ones what signs the video.
pub(crate) fn kept(gop: &Gop) -> Cow<'_, [AccessUnit]> {
    if gop.start.policy == Policy::Full {
        return Cow::Borrowed(&gop.units);
    }
    let first = gop.units.first().filter(|_| gop.start.part == 0);
    let picture =
        first.map_or(0, |first| gop.units.iter().take_while(|u| u.pts_90k == first.pts_90k).count());
    let (picture, later) = gop.units.split_at_checked(picture).unwrap_or_default();
    let codec = gop.start.params.codec;
    let signatures: Vec<AccessUnit> = later.iter().filter_map(|unit| only_signatures(codec, unit)).collect();
    if signatures.is_empty() { Cow::Borrowed(picture) } else { Cow::Owned([picture, &signatures].concat()) }
}

/// What of an access unit signs the video.
fn only_signatures(codec: Codec, unit: &AccessUnit) -> Option<AccessUnit> {
    let nals: Vec<&[u8]> = signatures(codec, &unit.data).filter_map(|nal| unit.data.get(nal)).collect();
    let data = match nals.as_slice() {
        [] => return None,
        [one] => unit.data.slice_ref(one),
        many => Bytes::from(many.concat()),
    };
    Some(AccessUnit { pts_90k: unit.pts_90k, key: false, data })
}

/// Header and payload length of a GOP record.
pub(crate) const fn gop_record_bytes(units: u32, media_bytes: u64, encrypted: bool) -> u64 {
    let tag = if encrypted { TAG_BYTES } else { 0 };
    RECORD_HEADER_BYTES + units as u64 * UNIT_ROW_BYTES + media_bytes + tag
}

/// Appends the unit table; the media follows it on disk in the same order.
pub(crate) fn encode_unit_table(units: &[AccessUnit], out: &mut Vec<u8>) {
    for unit in units {
        let length = u32::try_from(unit.data.len()).unwrap_or(u32::MAX) & !KEY_BIT;
        out.extend_from_slice(&unit.pts_90k.to_le_bytes());
        out.extend_from_slice(&(if unit.key { length | KEY_BIT } else { length }).to_le_bytes());
    }
}

/// Puts a GOP together again; its units are slices of `payload`.
pub(crate) fn decode_gop(
    header: &RecordHeader,
    payload: &Bytes,
    params: Arc<ParameterSets>,
) -> Result<Gop, Bad> {
    let rows_bytes = usize::try_from(u64::from(header.units) * UNIT_ROW_BYTES).unwrap_or(usize::MAX);
    let mut rows = Cursor::new(payload.get(..rows_bytes).ok_or("the unit table is cut short")?);
    let mut units = Vec::with_capacity(usize::try_from(header.units).unwrap_or(0));
    let mut at = rows_bytes;
    while let (Some(pts_90k), Some(length)) = (rows.i32(), rows.u32()) {
        let end = at.saturating_add(usize::try_from(length & !KEY_BIT).unwrap_or(usize::MAX));
        if end > payload.len() {
            return Err("an access unit reaches beyond its record");
        }
        units.push(AccessUnit { pts_90k, key: length & KEY_BIT != 0, data: payload.slice(at..end) });
        at = end;
    }
    if at != payload.len() {
        return Err("the access units do not fill their record");
    }
    let start = GopStart {
        run: header.run,
        number: header.number,
        part: header.part,
        at: header.start,
        camera_clock: header.camera_clock,
        media_90k: header.media_90k,
        policy: header.policy,
        params,
    };
    Ok(Gop { start, duration_90k: header.duration_90k, units })
}

/// A gap's payload; its start stands in the record header.
pub(crate) fn encode_gap(gap: &Gap, out: &mut Vec<u8>) {
    out.extend_from_slice(&gap.to.0.to_le_bytes());
    out.push(gap.reason.code());
    out.extend_from_slice(&[0; 7]);
}

/// Reads a gap back.
pub(crate) fn decode_gap(header: &RecordHeader, payload: &[u8]) -> Result<Gap, Bad> {
    let bad = "the gap makes no sense";
    if payload.len() != GAP_BYTES {
        return Err(bad);
    }
    let mut cursor = Cursor::new(payload);
    let to = Timestamp(cursor.i64().ok_or(bad)?);
    let reason = GapReason::from_code(cursor.u8().ok_or(bad)?);
    if to <= header.start {
        return Err(bad);
    }
    Ok(Gap { from: header.start, to, reason })
}

/// The payload of a parameter-set record.
pub(crate) fn encode_params(params: &ParameterSets, out: &mut Vec<u8>) {
    let text = params.rfc6381.as_bytes();
    out.push(match params.codec {
        Codec::H264 => 1,
        Codec::H265 => 2,
    });
    out.push(0);
    out.extend_from_slice(&params.width.to_le_bytes());
    out.extend_from_slice(&params.height.to_le_bytes());
    out.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_le_bytes());
    out.extend_from_slice(text.get(..usize::from(u16::MAX)).unwrap_or(text));
    out.extend_from_slice(&u32::try_from(params.decoder_config.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(&params.decoder_config);
}

/// Reads parameter sets back.
pub(crate) fn decode_params(payload: &[u8]) -> Result<ParameterSets, Bad> {
    let mut cursor = Cursor::new(payload);
    params_fields(&mut cursor).filter(|_| cursor.is_empty()).ok_or("the parameter sets make no sense")
}

fn params_fields(cursor: &mut Cursor<'_>) -> Option<ParameterSets> {
    let codec = match cursor.u8()? {
        1 => Codec::H264,
        2 => Codec::H265,
        _ => return None,
    };
    cursor.u8()?;
    let width = cursor.u16()?;
    let height = cursor.u16()?;
    let text_bytes = usize::from(cursor.u16()?);
    let rfc6381 = String::from_utf8(cursor.take(text_bytes)?.to_vec()).ok()?;
    let config_bytes = usize::try_from(cursor.u32()?).ok()?;
    let decoder_config = Bytes::copy_from_slice(cursor.take(config_bytes)?);
    Some(ParameterSets { codec, width, height, rfc6381, decoder_config })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{format::record::Kind, testkit};

    #[test]
    fn parameter_sets_read_back_and_cut_ones_are_refused() {
        let params = testkit::params(3);
        let mut out = Vec::new();
        encode_params(&params, &mut out);
        assert_eq!(decode_params(&out).as_ref(), Ok(&*params));
        for cut in 0..out.len() {
            assert!(decode_params(&out[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn only_the_first_frame_of_a_keyframes_gop_is_kept() {
        let mut gop = testkit::gop(0, 0, 0);
        assert_eq!(kept(&gop).len(), gop.units.len());
        gop.start.policy = Policy::Keyframes;
        assert_eq!(kept(&gop).len(), 1);
        gop.units[1].pts_90k = gop.units[0].pts_90k;
        assert_eq!(kept(&gop).len(), 2, "a picture in two access units is one picture");
        gop.start.part = 1;
        assert!(kept(&gop).is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_decode_to_a_value_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200), units in 0u32..40) {
            let key = testkit::key("cam");
            let header = RecordHeader { units, ..RecordHeader::new(Kind::Gop, key, Timestamp(0)) };
            let payload = Bytes::from(bytes);
            drop(decode_gop(&header, &payload, testkit::params(0)));
            let _ = decode_gap(&header, &payload);
            drop(decode_params(&payload));
        }
    }
}
