//! What the catalogue says against what is on the disks: pure.

use std::collections::BTreeMap;

use crate::{
    catalogue::{Known, Place as Kept},
    index::Place,
};

/// A segment file: its number, and its disk and length.
pub(super) type Files = BTreeMap<u64, (u8, u64)>;

/// What is to be done so that the catalogue says what is there.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Compared {
    /// As the catalogue has them: not looked at.
    pub(super) trusted: Vec<Known>,
    /// To be read, in the order of writing: the catalogue does not know them, or knows something else.
    pub(super) read: Vec<Place>,
    /// Rows to be removed: the disk is there, the file is not.
    pub(super) gone: Vec<u64>,
    /// Gone from the disk and still in the tier.
    pub(super) in_tier: Vec<u64>,
    /// On the disk as well as in the tier, against what the catalogue says.
    pub(super) in_both: Vec<u64>,
    /// On disks that are not there.
    pub(super) away: u64,
}

/// Compares. A disk on which the catalogue knows segments and that has none at all is taken for one that is not there: a
/// folder under which nothing is mounted looks like that.
pub(super) fn compare(known: &[Known], files: &Files, is_in: impl Fn(u8) -> bool) -> Compared {
    let has_files = |disk: u8| files.values().any(|(on, _)| *on == disk);
    let mut there: BTreeMap<u8, bool> = BTreeMap::new();
    let mut compared = Compared::default();
    let mut as_known: BTreeMap<u64, bool> = BTreeMap::new();
    for one in known {
        match files.get(&one.id) {
            Some((disk, bytes)) => {
                let same = (*disk, *bytes) == (one.disk, one.bytes);
                as_known.insert(one.id, same);
                if same {
                    compared.trusted.push(*one);
                    compared.in_both.extend((one.place == Kept::Tier).then_some(one.id));
                }
            }
            None if one.place == Kept::Tier => compared.trusted.push(*one),
            None if !*there.entry(one.disk).or_insert_with(|| is_in(one.disk) && has_files(one.disk)) => {
                compared.away += 1;
            }
            None if one.place == Kept::Both => compared.in_tier.push(one.id),
            None => compared.gone.push(one.id),
        }
    }
    let new = files.iter().filter(|(id, _)| !as_known.get(id).copied().unwrap_or(false));
    compared.read = new.map(|(id, (disk, _))| Place { id: *id, disk: *disk }).collect();
    compared
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(id: u64, disk: u8, place: Kept) -> Known {
        Known { id, disk, place, bytes: id * 100 }
    }

    #[test]
    fn what_fits_is_trusted_and_the_rest_is_read_or_struck_off() {
        let rows = [known(1, 0, Kept::Local), known(2, 0, Kept::Local), known(3, 0, Kept::Local)];
        let files = Files::from([(1, (0, 100)), (2, (0, 999)), (4, (0, 400))]);
        let compared = compare(&rows, &files, |_| true);
        assert_eq!(compared.trusted, [rows[0]]);
        assert_eq!(compared.read, [Place { id: 2, disk: 0 }, Place { id: 4, disk: 0 }]);
        assert_eq!((compared.gone, compared.away), (vec![3], 0));
    }

    #[test]
    fn rows_of_a_disk_that_is_not_there_stay() {
        let rows = [known(1, 0, Kept::Local), known(2, 1, Kept::Local), known(3, 2, Kept::Local)];
        let files = Files::from([(7, (0, 700))]);
        // Disk 1 is out; disk 2 is there and empty, as if nothing were mounted.
        let compared = compare(&rows, &files, |disk| disk != 1);
        assert_eq!((compared.gone, compared.away), (vec![1], 2));
    }

    #[test]
    fn the_place_follows_the_file() {
        let rows = [known(1, 0, Kept::Both), known(2, 0, Kept::Tier), known(3, 0, Kept::Tier)];
        let files = Files::from([(2, (0, 200)), (9, (0, 900))]);
        let compared = compare(&rows, &files, |_| true);
        assert_eq!((compared.in_tier, compared.in_both), (vec![1], vec![2]));
        assert_eq!(compared.trusted, [rows[1], rows[2]]);
        assert!(compared.gone.is_empty());
    }
}
