//! Which disk a camera records to: pure.

use sightline_model::media::StreamKey;

/// The disk, of those that `takes` says take streams, that `key` goes to; `None` when none does.
///
/// Rendezvous hashing (Thaler and Ravishankar, 1998): a disk that goes or comes moves only its own streams.
pub(crate) fn place(key: StreamKey, disks: u8, takes: impl Fn(u8) -> bool) -> Option<u8> {
    let camera = crate::format::crc::crc32c(key.camera.as_str().as_bytes());
    let weight = |disk: &u8| mix((u64::from(camera) << 8) | u64::from(*disk));
    (0..disks).filter(|disk| takes(*disk)).max_by_key(weight)
}

/// The finalizer of splitmix64 (Steele, Lea, Flood, 2014): spreads neighbouring numbers.
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit;

    #[test]
    fn streams_spread_and_only_those_of_a_lost_disk_move() {
        let keys: Vec<_> = (0..1000).map(|n| testkit::key(&format!("cam-{n}"))).collect();
        let before: Vec<_> = keys.iter().map(|key| place(*key, 4, |_| true).unwrap()).collect();
        let after: Vec<_> = keys.iter().map(|key| place(*key, 4, |disk| disk != 2).unwrap()).collect();
        for disk in 0..4 {
            let count = before.iter().filter(|at| **at == disk).count();
            assert!((180..320).contains(&count), "disk {disk} has {count} of 1000");
        }
        for (before, after) in before.iter().zip(&after) {
            assert!(if *before == 2 { *after != 2 } else { before == after });
        }
        assert_eq!(place(keys[0], 4, |_| false), None);
    }
}
