//! Where GOPs lie on the time line of one answer.
//!
//! Inside a run they are put end to end by their media durations, so that a player never sees a seam where the
//! receiver's clock only jittered. Over a gap or into another run the wall clock decides, so a minute that is missing
//! takes a minute.

use sightline_footage::GopEntry;
use sightline_model::{
    Timestamp,
    media::{RunId, micros_to_ticks},
};

/// A seam of up to this long inside one run is jitter of the receiver's clock, in microseconds.
const SEAM_US: i64 = 250_000;

/// What is needed of a GOP to place it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) duration_90k: u32,
    pub(crate) run: RunId,
}

impl From<&GopEntry> for Piece {
    fn from(entry: &GopEntry) -> Self {
        Self { start: entry.start, end: entry.end, duration_90k: entry.duration_90k, run: entry.run }
    }
}

/// A GOP's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placed {
    /// Decode time of its first unit, in 1/90,000 s after the answer's origin.
    pub(crate) base_90k: u64,
    /// Whether something is missing before it, or another run begins.
    pub(crate) discontinuity: bool,
}

/// Places GOPs one after another. The first one lies at 0.
#[derive(Debug, Default)]
pub(crate) struct Placer {
    last: Option<Last>,
    origin: Timestamp,
}

#[derive(Debug)]
struct Last {
    run: RunId,
    end: Timestamp,
    end_90k: u64,
}

impl Placer {
    /// The next GOP's place: never before the end of the one before.
    pub(crate) fn place(&mut self, piece: Piece) -> Placed {
        let placed = match &self.last {
            None => {
                self.origin = piece.start;
                Placed { base_90k: 0, discontinuity: false }
            }
            Some(last) if last.run == piece.run && piece.start.micros_since(last.end).abs() <= SEAM_US => {
                Placed { base_90k: last.end_90k, discontinuity: false }
            }
            Some(last) => {
                let wall_90k = micros_to_ticks(piece.start.micros_since(self.origin));
                let wall_90k = u64::try_from(wall_90k).unwrap_or(0);
                Placed { base_90k: wall_90k.max(last.end_90k), discontinuity: true }
            }
        };
        let end_90k = placed.base_90k.saturating_add(u64::from(piece.duration_90k));
        self.last = Some(Last { run: piece.run, end: piece.end, end_90k });
        placed
    }

    /// Length of everything placed so far.
    pub(crate) fn end_90k(&self) -> u64 {
        self.last.as_ref().map_or(0, |last| last.end_90k)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn piece(start_ms: i64, length_ms: u32, run: u64) -> Piece {
        let start = Timestamp(start_ms * 1000);
        Piece {
            start,
            end: start.plus_micros(i64::from(length_ms) * 1000),
            duration_90k: length_ms * 90,
            run: RunId(run),
        }
    }

    fn place(pieces: &[Piece]) -> Vec<(u64, bool)> {
        let mut placer = Placer::default();
        pieces
            .iter()
            .map(|piece| placer.place(*piece))
            .map(|placed| (placed.base_90k / 90, placed.discontinuity))
            .collect()
    }

    #[test]
    fn jitter_is_smoothed_and_gaps_keep_their_length() {
        let pieces =
            [piece(5000, 2000, 1), piece(7030, 2000, 1), piece(19_000, 2000, 1), piece(21_000, 2000, 2)];
        assert_eq!(place(&pieces), [(0, false), (2000, false), (14_000, true), (16_000, true)]);
    }

    #[test]
    fn a_clock_that_jumps_back_never_makes_an_overlap() {
        assert_eq!(place(&[piece(5000, 2000, 1), piece(1000, 2000, 2)]), [(0, false), (2000, true)]);
    }

    proptest! {
        #[test]
        fn places_never_overlap(
            pieces in prop::collection::vec((-100_000_i64..100_000, 0_u32..5000, 0_u64..3), 1..50),
        ) {
            let mut placer = Placer::default();
            let mut end = 0;
            for (start_ms, length_ms, run) in pieces {
                let placed = placer.place(piece(start_ms, length_ms, run));
                prop_assert!(placed.base_90k >= end);
                end = placed.base_90k + u64::from(length_ms) * 90;
                prop_assert_eq!(placer.end_90k(), end);
            }
        }
    }
}
