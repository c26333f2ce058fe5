//! Answers questions over ring, open segments and sealed segments as if they were one.
//!
//! Everything here is synchronous and comes in two tempers: without I/O (answers [`Miss::Io`] when something would have to
//! be read) and with. The store tries the first on the caller's task and the second on a thread that may block.

mod forget;
mod nearest;
mod parts;
mod read;
pub(crate) mod stream;
mod timeline;

use std::{io, sync::Arc};

use sightline_model::{
    TimeRange, Timestamp,
    media::{RunId, StreamKey},
};

use crate::{
    Error,
    format::{block::Block, footer::Section},
    index::{Place, Source},
    recovery,
    shared::Shared,
    tail::{chunk::Piece, pull::TailView, ring::JOIN_MAX_US},
    types::GopEntry,
};
use parts::Found;

/// How far from a GOP's start its pieces may begin, with room for clocks.
const REACH_US: i64 = JOIN_MAX_US + 2_000_000;
/// How many entries back the piece before may stand: more than one only where runs overlap.
const JOIN_BACK: usize = 8;

/// What tells one GOP of a stream from every other, and orders them: see [`GopEntry::identity`].
pub(crate) type Identity = (Timestamp, RunId, u32, u16);

/// Why there is no answer yet.
#[derive(Debug)]
pub(crate) enum Miss {
    /// Something has to be read from disk first.
    Io,
    /// It cannot be answered.
    Error(Error),
}

impl From<Error> for Miss {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// A question about one stream.
pub(crate) struct Query<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) key: StreamKey,
    /// Whether it may read from disk.
    pub(crate) io: bool,
}

impl Query<'_> {
    /// What the ring knows beyond the index. Always asked before the index, so that a GOP on its way from one to the other
    /// is seen at least once.
    fn tail(&self, now: Timestamp) -> Option<TailView> {
        self.shared.registry.get(self.key).map(|tail| tail.ring.lock().view(now))
    }

    fn block(&self, part: &Found) -> Result<Arc<Block>, Miss> {
        self.block_of(part.segment, &part.source)
    }

    pub(crate) fn block_of(&self, segment: Place, source: &Source) -> Result<Arc<Block>, Miss> {
        let section = match source {
            Source::Memory(block) => return Ok(Arc::clone(block)),
            Source::Footer(section) => *section,
        };
        let cached = self.shared.blocks.lock().get(&(segment.id, section));
        match cached {
            Some(block) => Ok(block),
            None if self.io => Ok(self.load_block(segment, section)?),
            None => self.block_now(segment, section).ok_or(Miss::Io),
        }
    }

    /// A block that the operating system has in memory: taken from there, it costs less than the way to another thread.
    fn block_now(&self, segment: Place, section: Section) -> Option<Arc<Block>> {
        let bytes = self.shared.files.section_now(segment, section)?;
        Some(self.keep_block(segment, section, Block::decode(bytes.as_ref())?))
    }

    fn keep_block(&self, segment: Place, section: Section, block: Block) -> Arc<Block> {
        let weight = block.memory_bytes();
        let block = Arc::new(block);
        self.shared.blocks.lock().insert((segment.id, section), Arc::clone(&block), weight);
        block
    }

    fn load_block(&self, segment: Place, section: Section) -> Result<Arc<Block>, Error> {
        let files = &self.shared.files;
        let block = match files.section(segment, section, "an index block") {
            Ok(bytes) => Block::decode(&bytes),
            Err(Error::Damaged { .. }) => None,
            // Removed since the row was looked up, or its disk is not there.
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Ok(Arc::default());
            }
            // The records may be readable where the index is not.
            Err(Error::Io { .. }) => None,
            Err(error) => return Err(error),
        };
        let block = match block {
            Some(block) => block,
            None => self.rebuild_block(segment)?,
        };
        Ok(self.keep_block(segment, section, block))
    }

    /// The index is derived: a damaged block is made again from the records.
    fn rebuild_block(&self, segment: Place) -> Result<Block, Error> {
        let path = self.shared.files.path(segment);
        tracing::warn!(segment = %path.display(), stream = %self.key, "damaged index block, made again from the records");
        let file = self.shared.files.file(segment)?;
        let scan = || recovery::rebuild(&*file, segment.id, file.length()?, |_| ());
        let mut rebuilt = scan().map_err(Error::io("scan", path))?;
        Ok(rebuilt.builder.streams.remove(&self.key).map(|(_, block)| block).unwrap_or_default())
    }

    /// GOPs that overlap `range` and come behind `after`, in the order of start and run, their pieces put together.
    pub(crate) fn entries(
        &self,
        range: TimeRange,
        after: Option<Identity>,
        limit: usize,
    ) -> Result<Vec<GopEntry>, Miss> {
        // The pieces of a GOP that reaches into the range may lie outside of it.
        let (from, to) = (range.from.plus_micros(-REACH_US), range.to.plus_micros(REACH_US));
        let answer = |found: &mut Vec<GopEntry>| {
            put_in_order(found);
            let mut whole = join(found);
            whole.retain(|entry| {
                entry.units > 0
                    && overlaps(entry, range)
                    && after.is_none_or(|after| entry.identity() > after)
            });
            whole
        };
        let tail = self.tail(range.to).unwrap_or_default();
        let in_tail = tail.gops.iter().map(|piece| GopEntry::in_tail(self.key, piece));
        let near = |entry: &GopEntry| entry.start < to && entry.end >= from;
        let mut found: Vec<GopEntry> = in_tail.filter(near).collect();
        let mut parts = self.parts((from, to))?;
        while let Some(part) = parts.next()? {
            if found.len() >= limit {
                let whole = answer(&mut found);
                let last = limit.checked_sub(1).and_then(|last| whole.get(last));
                // Nothing in this segment or a later one can come before the last that is wanted, or belong to it.
                if limit == 0 || last.is_some_and(|last| last.start.plus_micros(REACH_US) < part.from) {
                    break;
                }
            }
            let block = self.block(&part)?;
            let on_disk = block.entries.iter().map(|entry| GopEntry::on_disk(self.key, part.segment, entry));
            found.extend(on_disk.filter(near));
        }
        let mut whole = answer(&mut found);
        whole.truncate(limit);
        Ok(whole)
    }

    /// Every piece that overlaps `range`, as it was written.
    fn raw(&self, range: TimeRange) -> Result<Vec<GopEntry>, Miss> {
        let tail = self.tail(range.to).unwrap_or_default();
        let mut found: Vec<_> = tail.gops.iter().map(|piece| GopEntry::in_tail(self.key, piece)).collect();
        let mut parts = self.parts((range.from, range.to))?;
        while let Some(part) = parts.next()? {
            let block = self.block(&part)?;
            let on_disk = block.entries.iter().map(|entry| GopEntry::on_disk(self.key, part.segment, entry));
            found.extend(on_disk);
        }
        found.retain(|entry| overlaps(entry, range));
        put_in_order(&mut found);
        Ok(found)
    }

    /// The newest picture: from the ring, which knows it even when the clock has stepped back, else from the index.
    pub(crate) fn latest(&self) -> Result<Option<GopEntry>, Miss> {
        let in_ring = self.shared.registry.get(self.key).and_then(|tail| tail.ring.lock().newest_key());
        match in_ring {
            Some(gop) => Ok(Some(GopEntry::in_tail(self.key, &Piece { gop, joined: false }))),
            None => self.nearest(Timestamp(i64::MAX)),
        }
    }
}

fn overlaps(entry: &GopEntry, range: TimeRange) -> bool {
    entry.start < range.to && (entry.end > range.from || entry.start >= range.from)
}

/// Sorts, and drops what stands in another entry as well. Of equals the longer one stays, and then the one in the later
/// segment: the other was left by a failed write or sync.
fn put_in_order(entries: &mut Vec<GopEntry>) {
    entries.sort_unstable_by_key(|entry| {
        (entry.identity(), std::cmp::Reverse(entry.pieces), entry.location.preference())
    });
    let mut kept: Vec<GopEntry> = Vec::with_capacity(entries.len());
    for entry in entries.drain(..) {
        if !kept.iter().rev().take(JOIN_BACK).any(|before| before.holds(&entry)) {
            kept.push(entry);
        }
    }
    *entries = kept;
}

/// Puts pieces, given in order, together.
fn join(entries: &[GopEntry]) -> Vec<GopEntry> {
    let mut whole: Vec<GopEntry> = Vec::with_capacity(entries.len());
    for entry in entries {
        let joined = entry.joined && whole.iter_mut().rev().take(JOIN_BACK).any(|before| before.join(entry));
        if !joined {
            whole.push(*entry);
        }
    }
    whole
}
