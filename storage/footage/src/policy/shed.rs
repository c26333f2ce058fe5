//! Which classes stop being recorded when a disk has nothing left that may go.
//!
//! Between `keep_free_bytes` and `stop_bytes` of free space, classes are given up one after another, the smallest priority
//! first: of `n` classes, `k` once `k/n` of that stretch is used up. So the last class records until the disk takes nothing
//! more. All are taken up again as soon as enough is free, and none before, so that recording does not flutter.

use super::{DiskStock, Policies};

/// See the module's words.
#[derive(Debug, PartialEq, Eq, Default)]
pub(super) struct Shed {
    pub(super) stop: Vec<u8>,
    pub(super) resume: Vec<u8>,
}

/// Decides for one disk with `free_bytes` free.
pub(super) fn decide(disk: &DiskStock, free_bytes: u64, policies: &Policies) -> Shed {
    if free_bytes >= disk.keep_free_bytes {
        return Shed { stop: Vec::new(), resume: disk.shed.iter().copied().collect() };
    }
    let mut order: Vec<u8> = disk.recorded.iter().copied().collect();
    // A class that nobody describes is the least wanted.
    order.sort_by_key(|code| (policies.class(*code).map(|class| class.priority), *code));
    let band = u128::from(disk.keep_free_bytes.saturating_sub(disk.stop_bytes));
    let used = u128::from(disk.keep_free_bytes - free_bytes).min(band);
    let count = match band {
        0 => order.len(),
        _ => usize::try_from(order.len() as u128 * used / band).unwrap_or(order.len()),
    };
    let stop = order.into_iter().take(count).filter(|class| !disk.shed.contains(class)).collect();
    Shed { stop, resume: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Class, PolicyConfig};

    #[test]
    fn classes_are_given_up_one_by_one_and_come_back_together() {
        let class = |code: u8, priority| Class { code, name: code.to_string(), priority, ..Class::default() };
        let classes = vec![class(1, 200), class(2, 50), class(3, 100)];
        let policies = Policies::resolve(&PolicyConfig { classes, ..PolicyConfig::default() }, None).unwrap();
        let mut disk = DiskStock {
            id: 0,
            total_bytes: 10_000,
            free_bytes: 0,
            keep_free_bytes: 400,
            stop_bytes: 100,
            recorded: [1, 2, 3].into(),
            shed: [].into(),
        };
        for (free, stop) in [
            (400, vec![]),
            (399, vec![]),
            (301, vec![]),
            (300, vec![2]),
            (200, vec![2, 3]),
            (101, vec![2, 3]),
            (100, vec![2, 3, 1]),
            (0, vec![2, 3, 1]),
        ] {
            assert_eq!(decide(&disk, free, &policies), Shed { stop, resume: vec![] }, "{free} bytes free");
        }
        disk.shed = [2, 3].into();
        assert_eq!(decide(&disk, 399, &policies), Shed::default(), "none comes back before there is room");
        assert_eq!(decide(&disk, 400, &policies), Shed { stop: vec![], resume: vec![2, 3] });
        disk.keep_free_bytes = 100;
        assert_eq!(decide(&disk, 50, &policies).stop, [1], "no band: all at once");
    }
}
