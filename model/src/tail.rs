//! What a source feeds into the tail of the log, and what every reader of the tail gets back.

use crate::{
    Timestamp,
    gap::GapReason,
    media::{AccessUnit, GopStart},
};

/// One step of a stream, in order. A GOP is `Begin`, one or more `Unit`, `End`; between GOPs there may be `Absent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TailItem {
    /// A GOP, or a further part of a long one, begins.
    Begin(GopStart),
    /// An access unit of the GOP that began last.
    Unit(AccessUnit),
    /// The GOP (or part) is complete; what follows is another `Begin` or `Absent`.
    End {
        /// Length until the next GOP or part begins, or the best estimate when nothing follows, in 1/90,000 s.
        duration_90k: u32,
    },
    /// From here on there is no footage, until the next `Begin`. A source repeats it when the reason changes.
    Absent {
        /// Since when.
        since: Timestamp,
        /// Why.
        reason: GapReason,
    },
}
