//! The store as a whole.

mod catalogue;
mod clocks;
mod corpus;
mod crash;
mod disks;
mod faults;
mod gaps;
mod model;
mod pieces;
mod power;
mod real;
mod serve;
mod signed;
mod stream;

use sightline_model::{
    TimeRange, Timestamp,
    media::{Gop, StreamKey},
};

use crate::{Footage, GopEntry};

pub(crate) fn always() -> TimeRange {
    TimeRange { from: Timestamp(i64::MIN / 2), to: Timestamp(i64::MAX / 2) }
}

pub(crate) fn range(from_s: i64, to_s: i64) -> TimeRange {
    TimeRange { from: Timestamp::from_secs(from_s), to: Timestamp::from_secs(to_s) }
}

pub(crate) async fn all(footage: &Footage, key: StreamKey) -> Vec<GopEntry> {
    footage.entries(key, always(), usize::MAX).await.unwrap()
}

/// Reads every GOP of a stream.
pub(crate) async fn read_all(footage: &Footage, key: StreamKey) -> Vec<Gop> {
    let mut gops = Vec::new();
    for entry in all(footage, key).await {
        gops.push(Gop::clone(&*footage.read(&entry).await.unwrap()));
    }
    gops
}
