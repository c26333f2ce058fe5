//! What footage goes, when and why: retention classes, quotas, holds, thinning, full disks and dying keys.
//!
//! [`choose`] decides: a pure function from what there is ([`Stock`]), what is wanted ([`Policies`]), what is pinned
//! ([`Hold`]) and the time, to a [`Plan`] that is printed or carried out. Nothing in it opens a file or reads a clock.
//!
//! Invariants of every plan:
//!
//! - What a hold touches is not dropped, thinned, nor is its key destroyed.
//! - Nothing goes before its class's minimum, whatever the quota and however full the disk.
//! - Open segments, footage from the future and footage of a class that nobody describes stay.
//! - A plan that is carried out leaves nothing to do: choosing again at the same time gives an empty plan, but for moves
//!   between disk and tier that became possible by it.
//! - One plan destroys at most `max_step_percent` of what is stored; a larger one is refused, as a wrong clock or a slip
//!   in the configuration is likelier than such an order.
//!
//! The unit of decision is a [`Stretch`], the unit of work a segment. A segment of which everything may go is deleted; one
//! that is held in part, or of which only one owner's footage may go, is written again without it. Writing again costs
//! reading and writing all that stays, so for a quota, a full disk or thinning it is done only when it gives back at least
//! `rewrite_min_percent` of the segment, and never for a segment that the tier alone has. What is past its maximum goes
//! however little it is and wherever it lies.

mod beside;
mod choose;
mod class;
mod clock;
mod disk;
mod draft;
mod execute;
mod handle;
mod hold;
mod journal;
pub(crate) mod keeper;
mod keys;
mod plan;
mod rewrite;
mod seam;
mod shed;
mod show;
mod stock;
mod survey;
#[cfg(test)]
mod tests;
mod whole;

pub use beside::plan_beside;
pub use choose::choose;
pub use class::{Class, OwnerQuota, Policies, PolicyConfig, TierAges};
pub use execute::Done;
pub use hold::Hold;
pub use plan::{Action, Cut, Note, Plan, Reason, Refusal, Step};
pub use seam::KeyDestroyer;
pub use stock::{DiskStock, KeyDay, OwnerId, Place, SegmentStock, Stock, Stretch};
