//! CRC-32C (Castagnoli; "CRC-32/ISCSI", RFC 3720), the checksum of everything on disk.

use crc_fast::CrcAlgorithm::Crc32Iscsi;

/// The checksum of `bytes`.
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    // The library answers every width in 64 bits; of these 32 are used.
    u32::try_from(crc_fast::checksum(Crc32Iscsi, bytes)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_the_checksum_of_the_standard() {
        // RFC 3720, appendix B.4.
        assert_eq!(super::crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(super::crc32c(&(0..32).collect::<Vec<u8>>()), 0x46dd_794e);
    }
}
