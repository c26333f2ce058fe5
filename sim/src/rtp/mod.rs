//! RTP (RFC 3550) with the payload formats of H.264 (RFC 6184) and H.265 (RFC 7798), sending side.

#[cfg(test)]
mod depacketise;
pub mod h264;
pub mod h265;
pub mod rtcp;

use sightline_model::media::Codec;

/// Largest RTP packet with its header: fits an Ethernet frame with room for tunnels.
pub const MAX_PACKET_BYTES: usize = 1400;
/// Length of an RTP header without extensions.
pub const RTP_HEADER_BYTES: usize = 12;
/// Length of the `$`, channel and length before an interleaved packet (RFC 2326 section 10.12).
pub const INTERLEAVED_BYTES: usize = 4;
/// Bytes before each payload as it is kept.
pub const OVERHEAD_BYTES: usize = INTERLEAVED_BYTES + RTP_HEADER_BYTES;
/// Largest payload.
pub const MAX_PAYLOAD_BYTES: usize = MAX_PACKET_BYTES - RTP_HEADER_BYTES;
/// The dynamic payload type that the simulator uses.
pub const PAYLOAD_TYPE: u8 = 96;

/// What changes from one sending of a packet to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Interleaved channel.
    pub channel: u8,
    /// Sequence number.
    pub sequence: u16,
    /// RTP timestamp.
    pub timestamp: u32,
    /// Synchronisation source.
    pub ssrc: u32,
}

/// Cuts the NAL units of one access unit into payloads of at most `max_bytes`.
#[must_use]
pub fn packetise(codec: Codec, nals: &[&[u8]], max_bytes: usize) -> Vec<Vec<u8>> {
    match codec {
        Codec::H264 => h264::packetise(nals, max_bytes),
        Codec::H265 => h265::packetise(nals, max_bytes),
    }
}

/// Appends a packet with an empty stamp, in interleaved form.
pub fn append_packet(wire: &mut Vec<u8>, payload: &[u8], marker: bool) {
    let length = u16::try_from(RTP_HEADER_BYTES + payload.len()).unwrap_or(u16::MAX);
    let [length_high, length_low] = length.to_be_bytes();
    let second = PAYLOAD_TYPE | if marker { 0x80 } else { 0 };
    wire.extend_from_slice(&[b'$', 0, length_high, length_low, 0x80, second]);
    wire.extend_from_slice(&[0; 10]);
    wire.extend_from_slice(payload);
}

/// Writes `stamp` into a packet made by [`append_packet`].
pub fn stamp(packet: &mut [u8], stamp: Stamp) {
    let Some(head) = packet.first_chunk_mut::<OVERHEAD_BYTES>() else { return };
    let sequence = stamp.sequence.to_be_bytes();
    let timestamp = stamp.timestamp.to_be_bytes();
    let ssrc = stamp.ssrc.to_be_bytes();
    head[1] = stamp.channel;
    let fields = sequence.into_iter().chain(timestamp).chain(ssrc);
    for (to, from) in head.iter_mut().skip(6).zip(fields) {
        *to = from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_lands_in_its_fields() {
        let mut packet = Vec::new();
        append_packet(&mut packet, &[0x65, 0xAA], true);
        let marks = Stamp { channel: 2, sequence: 0x0102, timestamp: 0x0304_0506, ssrc: 0x0708_090A };
        stamp(&mut packet, marks);
        let expected = [b'$', 2, 0, 14, 0x80, 0xE0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0x65, 0xAA];
        assert_eq!(packet, expected);
    }
}
