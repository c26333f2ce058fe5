//! RTCP sender reports (RFC 3550 section 6.4.1), as a compound packet with the source's name.

use sightline_model::Timestamp;

/// Seconds from 1900 to 1970: NTP time counts from 1900.
const NTP_EPOCH_OFFSET_S: i64 = 2_208_988_800;
/// The name in source descriptions.
const CNAME: &[u8; 13] = b"sightline-sim";

/// What a sender says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderReport {
    /// Synchronisation source.
    pub ssrc: u32,
    /// The sender's wall clock.
    pub wall: Timestamp,
    /// The RTP time of the same instant.
    pub rtp: u32,
    /// Packets sent so far.
    pub packets: u32,
    /// Payload bytes sent so far.
    pub octets: u32,
}

impl SenderReport {
    /// The report and the source's name as one compound packet.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut packet = vec![0x80, 200, 0, 6];
        packet.extend_from_slice(&self.ssrc.to_be_bytes());
        packet.extend_from_slice(&ntp(self.wall).to_be_bytes());
        for field in [self.rtp, self.packets, self.octets] {
            packet.extend_from_slice(&field.to_be_bytes());
        }
        // One SDES chunk: SSRC, CNAME item of 2 + 13 bytes, one zero byte that ends the list on a word's border.
        packet.extend_from_slice(&[0x81, 202, 0, 5]);
        packet.extend_from_slice(&self.ssrc.to_be_bytes());
        packet.extend_from_slice(&[1, 13]);
        packet.extend_from_slice(CNAME);
        packet.push(0);
        packet
    }
}

/// 64-bit NTP time: seconds since 1900 and a 32-bit fraction.
#[must_use]
pub fn ntp(wall: Timestamp) -> u64 {
    let seconds = wall.0.div_euclid(1_000_000) + NTP_EPOCH_OFFSET_S;
    let micros = u64::try_from(wall.0.rem_euclid(1_000_000)).unwrap_or(0);
    let seconds = u64::try_from(seconds).unwrap_or(0) & u64::from(u32::MAX);
    (seconds << 32) | ((micros << 32) / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ntp_time_counts_from_1900() {
        assert_eq!(ntp(Timestamp(0)) >> 32, 2_208_988_800);
        assert_eq!(ntp(Timestamp(500_000)) & 0xFFFF_FFFF, 0x8000_0000);
        assert_eq!(ntp(Timestamp(-1)) >> 32, 2_208_988_799);
    }

    #[test]
    fn every_part_of_the_compound_has_the_length_it_states() {
        let report =
            SenderReport { ssrc: 0xA1B2_C3D4, wall: Timestamp(0), rtp: 9000, packets: 3, octets: 400 };
        let packet = report.encode();
        let mut rest = packet.as_slice();
        let mut kinds = Vec::new();
        while !rest.is_empty() {
            kinds.push(rest[1]);
            let words = usize::from(u16::from_be_bytes([rest[2], rest[3]])) + 1;
            assert_eq!(&rest[4..8], &[0xA1, 0xB2, 0xC3, 0xD4]);
            rest = &rest[words * 4..];
        }
        assert_eq!(kinds, [200, 202]);
        assert_eq!(&packet[16..28], &[0, 0, 0x23, 0x28, 0, 0, 0, 3, 0, 0, 1, 0x90]);
    }
}
