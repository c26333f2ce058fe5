//! What the catalogue says against what is on the disks: pure.

use crate::{
    catalogue::{Known, Place as Kept},
    index::Place,
};

/// A segment file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) place: Place,
    pub(super) bytes: u64,
}

/// What is to be done so that the catalogue says what is there.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Compared {
    /// How many are as the catalogue has them, and their bytes: not looked at.
    pub(super) trusted: u64,
    pub(super) trusted_bytes: u64,
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

impl Compared {
    fn trust(&mut self, one: &Known) {
        self.trusted += 1;
        self.trusted_bytes += one.bytes;
    }
}

/// Compares; both lists in the order of ids. A disk on which the catalogue knows segments and that has none at all is taken for
/// one that is not there: a folder under which nothing is mounted looks like that.
pub(super) fn compare(known: &[Known], files: &[Found], is_in: impl Fn(u8) -> bool) -> Compared {
    let mut has_files = [false; 1 << 8];
    for file in files {
        if let Some(disk) = has_files.get_mut(usize::from(file.place.disk)) {
            *disk = true;
        }
    }
    let is_there = |disk: u8| is_in(disk) && has_files.get(usize::from(disk)).copied().unwrap_or(false);
    let mut compared = Compared::default();
    let mut files = files.iter().peekable();
    for one in known {
        while let Some(new) = files.next_if(|file| file.place.id < one.id) {
            compared.read.push(new.place);
        }
        match files.next_if(|file| file.place.id == one.id) {
            Some(file) if (file.place.disk, file.bytes) == (one.disk, one.bytes) => {
                compared.trust(one);
                compared.in_both.extend((one.place == Kept::Tier).then_some(one.id));
            }
            Some(file) => compared.read.push(file.place),
            None if one.place == Kept::Tier => compared.trust(one),
            None if !is_there(one.disk) => compared.away += 1,
            None if one.place == Kept::Both => compared.in_tier.push(one.id),
            None => compared.gone.push(one.id),
        }
    }
    compared.read.extend(files.map(|file| file.place));
    compared
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(id: u64, disk: u8, place: Kept) -> Known {
        Known { id, disk, place, bytes: id * 100 }
    }

    fn found<const N: usize>(files: [(u64, u8, u64); N]) -> [Found; N] {
        files.map(|(id, disk, bytes)| Found { place: Place { id, disk }, bytes })
    }

    #[test]
    fn what_fits_is_trusted_and_the_rest_is_read_or_struck_off() {
        let rows = [known(1, 0, Kept::Local), known(2, 0, Kept::Local), known(3, 0, Kept::Local)];
        let files = found([(1, 0, 100), (2, 0, 999), (4, 0, 400)]);
        let compared = compare(&rows, &files, |_| true);
        assert_eq!((compared.trusted, compared.trusted_bytes), (1, 100));
        assert_eq!(compared.read, [Place { id: 2, disk: 0 }, Place { id: 4, disk: 0 }]);
        assert_eq!((compared.gone, compared.away), (vec![3], 0));
    }

    #[test]
    fn rows_of_a_disk_that_is_not_there_stay() {
        let rows = [known(1, 0, Kept::Local), known(2, 1, Kept::Local), known(3, 2, Kept::Local)];
        let files = found([(7, 0, 700)]);
        // Disk 1 is out; disk 2 is there and empty, as if nothing were mounted.
        let compared = compare(&rows, &files, |disk| disk != 1);
        assert_eq!((compared.gone, compared.away), (vec![1], 2));
    }

    #[test]
    fn the_place_follows_the_file() {
        let rows = [known(1, 0, Kept::Both), known(2, 0, Kept::Tier), known(3, 0, Kept::Tier)];
        let files = found([(2, 0, 200), (9, 0, 900)]);
        let compared = compare(&rows, &files, |_| true);
        assert_eq!((compared.in_tier, compared.in_both), (vec![1], vec![2]));
        assert_eq!((compared.trusted, compared.trusted_bytes), (2, 500));
        assert!(compared.gone.is_empty());
    }
}
