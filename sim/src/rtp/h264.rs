//! RTP payloads of H.264 (RFC 6184), packetization mode 1: single NAL unit, STAP-A, FU-A.

use crate::media::h264_type;

/// NAL unit type of an aggregation packet.
const STAP_A: u8 = 24;
/// NAL unit type of a fragmentation unit.
const FU_A: u8 = 28;
/// F and NRI of a NAL unit header.
const F_AND_NRI: u8 = 0xE0;

/// Cuts the NAL units of one access unit into payloads of at most `max_bytes` (at least 3).
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
            payloads.push(stap_a(group));
            rest = tail;
            continue;
        }
        if first.len() <= max_bytes {
            payloads.push(first.to_vec());
        } else {
            fu_a(first, max_bytes, &mut payloads);
        }
        rest = after;
    }
    payloads
}

/// How many of the first units fit into one aggregation packet.
fn aggregated(nals: &[&[u8]], max_bytes: usize) -> usize {
    let mut bytes = 1;
    let fits = |nal: &&&[u8]| {
        bytes += 2 + nal.len();
        bytes <= max_bytes && matches!(h264_type(nal), 6..=8)
    };
    nals.iter().take_while(fits).count()
}

/// Section 5.7.1: F is the OR of all, NRI the largest, each unit behind its 16-bit length.
fn stap_a(nals: &[&[u8]]) -> Vec<u8> {
    let headers = || nals.iter().filter_map(|nal| nal.first());
    let forbidden = headers().fold(0, |or, header| or | (header & 0x80));
    let importance = headers().map(|header| header & 0x60).max().unwrap_or(0);
    let mut payload = vec![forbidden | importance | STAP_A];
    for nal in nals {
        payload.extend_from_slice(&u16::try_from(nal.len()).unwrap_or(u16::MAX).to_be_bytes());
        payload.extend_from_slice(nal);
    }
    payload
}

/// Section 5.8: the unit's header is spread over the indicator and the FU header of each fragment.
fn fu_a(nal: &[u8], max_bytes: usize, payloads: &mut Vec<Vec<u8>>) {
    let Some((header, body)) = nal.split_first() else { return };
    let fragments = body.chunks(max_bytes.saturating_sub(2).max(1));
    let last = fragments.len().saturating_sub(1);
    for (number, fragment) in fragments.enumerate() {
        let start = if number == 0 { 0x80 } else { 0 };
        let end = if number == last { 0x40 } else { 0 };
        let mut payload = Vec::with_capacity(2 + fragment.len());
        payload.extend_from_slice(&[(header & F_AND_NRI) | FU_A, start | end | (header & 0x1F)]);
        payload.extend_from_slice(fragment);
        payloads.push(payload);
    }
}
