//! Which pages will be asked for next: doubling while somebody reads on, nothing while they jump about. Pure.

/// Readers of one file that are told apart.
const READERS: usize = 4;
/// Most pages asked for ahead.
pub(crate) const MOST_AHEAD: u64 = 8;

#[derive(Debug, Clone, Copy)]
struct Reader {
    /// Last page read.
    last: u64,
    ahead: u64,
}

/// What was read of one file lately.
#[derive(Debug, Default)]
pub(crate) struct ReadAhead {
    /// The one heard of last is the last.
    readers: Vec<Reader>,
}

impl ReadAhead {
    /// Notes that the pages `first..=last` are read, and answers how many behind them are worth loading.
    pub(crate) fn note(&mut self, first: u64, last: u64) -> u64 {
        let goes_on = |reader: &Reader| reader.last == first || reader.last.checked_add(1) == Some(first);
        let known = self.readers.iter().position(goes_on).map(|at| self.readers.remove(at));
        let reader = match known {
            // Small reads inside one page say nothing yet.
            Some(same) if same.last == last => same,
            Some(on) => Reader { last, ahead: (on.ahead * 2).clamp(1, MOST_AHEAD) },
            None => Reader { last, ahead: 0 },
        };
        if self.readers.len() >= READERS {
            self.readers.remove(0);
        }
        self.readers.push(reader);
        reader.ahead
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_on_doubles_and_jumping_begins_anew() {
        let mut ahead = ReadAhead::default();
        assert_eq!(ahead.note(10, 10), 0);
        assert_eq!((ahead.note(10, 10), ahead.note(10, 11)), (0, 1));
        assert_eq!(
            [ahead.note(12, 12), ahead.note(12, 14), ahead.note(15, 15), ahead.note(16, 16)],
            [2, 4, 8, 8]
        );
        assert_eq!(ahead.note(16, 16), 8, "the same page again");
        assert_eq!(ahead.note(90, 91), 0);
        assert_eq!(ahead.note(17, 17), 8, "the first reader is not forgotten");
        assert_eq!(ahead.note(u64::MAX, u64::MAX), 0);
    }

    #[test]
    fn a_few_readers_are_told_apart_and_no_more() {
        let mut ahead = ReadAhead::default();
        for at in 0..10 {
            for reader in 0..READERS as u64 {
                let expected = if at == 0 { 0 } else { (1 << (at - 1)).min(MOST_AHEAD) };
                assert_eq!(ahead.note(reader * 1000 + at, reader * 1000 + at), expected);
            }
        }
        for reader in 100..200 {
            ahead.note(reader * 1000, reader * 1000);
        }
        assert_eq!(ahead.readers.len(), READERS);
    }
}
