//! A long range page by page: what is in memory is one page, whatever the range.

use sightline_model::{TimeRange, Timestamp, gap::Gap};

use super::{Identity, Miss, Query};
use crate::types::{FootageItem, GopEntry};

/// GOPs in a page.
const PAGE_GOPS: usize = 256;

/// A page of a range, and where the next one begins.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) items: Vec<FootageItem>,
    /// What is left of the range, and the last GOP that was given; `None` at the end.
    pub(crate) rest: Option<(TimeRange, Identity)>,
}

impl Query<'_> {
    /// The first page of what `range` holds behind `after`: GOPs, and the gaps up to the last of them, in order.
    pub(crate) fn page(
        &self,
        range: TimeRange,
        after: Option<Identity>,
        now: Timestamp,
    ) -> Result<Page, Miss> {
        let gops = self.entries(range, after, PAGE_GOPS)?;
        // There is footage where the last GOP begins, so no gap reaches over the end of the page.
        let last = gops.last().filter(|_| gops.len() >= PAGE_GOPS).copied();
        let until = last.map_or(range.to, |last| last.start.max(range.from));
        let gaps = match TimeRange::new(range.from, until) {
            Some(page) => self.timeline(page, now)?.gaps,
            None => Vec::new(),
        };
        let rest = last.and_then(|last| Some((TimeRange::new(until, range.to)?, last.identity())));
        Ok(Page { items: in_order(gops, gaps), rest })
    }
}

/// Both in the order of their start; a gap before the GOP that ends it.
fn in_order(gops: Vec<GopEntry>, gaps: Vec<Gap>) -> Vec<FootageItem> {
    let mut gaps = gaps.into_iter().peekable();
    let mut items = Vec::with_capacity(gops.len() + gaps.len());
    for gop in gops {
        while let Some(gap) = gaps.next_if(|gap| gap.from <= gop.start) {
            items.push(FootageItem::Gap(gap));
        }
        items.push(FootageItem::Gop(gop));
    }
    items.extend(gaps.map(FootageItem::Gap));
    items
}
