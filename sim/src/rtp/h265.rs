//! RTP payloads of H.265 (RFC 7798), without DONL: single NAL unit, AP, FU.

use crate::media::h265_type;

/// NAL unit type of an aggregation packet.
const AP: u8 = 48;
/// NAL unit type of a fragmentation unit.
const FU: u8 = 49;
/// Everything of the first header byte but the type: F and the high bit of `nuh_layer_id`.
const NOT_TYPE: u8 = 0x81;

/// Cuts the NAL units of one access unit into payloads of at most `max_bytes` (at least 4).
///
/// Parameter sets and SEI units that follow each other are aggregated, large units are fragmented.
#[must_use]
pub fn packetise(nals: &[&[u8]], max_bytes: usize) -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    let mut rest = nals;
    while let Some((first, after)) = rest.split_first() {
        let together = aggregated(rest, max_bytes);
        if together >= 2 {
            let (group, tail) = rest.split_at(together);
            payloads.push(ap(group));
            rest = tail;
            continue;
        }
        if first.len() <= max_bytes {
            payloads.push(first.to_vec());
        } else {
            fu(first, max_bytes, &mut payloads);
        }
        rest = after;
    }
    payloads
}

/// How many of the first units fit into one aggregation packet.
fn aggregated(nals: &[&[u8]], max_bytes: usize) -> usize {
    let mut bytes = 2;
    let fits = |nal: &&&[u8]| {
        bytes += 2 + nal.len();
        bytes <= max_bytes && matches!(h265_type(nal), 32..=34 | 39 | 40)
    };
    nals.iter().take_while(fits).count()
}

/// Section 4.4.2: F is the OR of all, layer and temporal ids the lowest, each unit behind its 16-bit length.
fn ap(nals: &[&[u8]]) -> Vec<u8> {
    let headers = || nals.iter().filter_map(|nal| nal.first_chunk::<2>());
    let forbidden = headers().fold(0, |or, [first, _]| or | (first & 0x80));
    let layer = |[first, second]: &[u8; 2]| ((first & 1) << 5) | (second >> 3);
    let layer = headers().map(layer).min().unwrap_or(0);
    let temporal = headers().map(|[_, second]| second & 7).min().unwrap_or(1);
    let mut payload = vec![forbidden | (AP << 1) | (layer >> 5), ((layer & 0x1F) << 3) | temporal];
    for nal in nals {
        payload.extend_from_slice(&u16::try_from(nal.len()).unwrap_or(u16::MAX).to_be_bytes());
        payload.extend_from_slice(nal);
    }
    payload
}

/// Section 4.4.3: the unit's header moves into the payload header and the FU header of each fragment.
fn fu(nal: &[u8], max_bytes: usize, payloads: &mut Vec<Vec<u8>>) {
    let Some(([first, second], body)) = nal.split_first_chunk::<2>() else { return };
    let fragments = body.chunks(max_bytes.saturating_sub(3).max(1));
    let last = fragments.len().saturating_sub(1);
    for (number, fragment) in fragments.enumerate() {
        let start = if number == 0 { 0x80 } else { 0 };
        let end = if number == last { 0x40 } else { 0 };
        let mut payload = Vec::with_capacity(3 + fragment.len());
        payload.extend_from_slice(&[(first & NOT_TYPE) | (FU << 1), *second, start | end | h265_type(nal)]);
        payload.extend_from_slice(fragment);
        payloads.push(payload);
    }
}
