//! The bytes of one simulated file: what is seen, what is durable, and what lies between.
//!
//! A crash shows each 512-byte sector as it was at some moment between the last sync and now, each at its own moment, and so
//! the length. A sector may be torn inside; a sector that was never written may show what lay there before.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    ops::Range,
};

use rand::{RngExt, rngs::SmallRng};

/// What a disk writes at once.
pub(crate) const SECTOR_BYTES: usize = 512;

#[derive(Debug, Clone)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Length(usize),
}

/// See the module's words.
#[derive(Debug, Clone, Default)]
pub(super) struct Content {
    live: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
    /// Sectors that cannot be read until they are written again.
    bad: BTreeSet<usize>,
}

impl Content {
    /// A file that has been durable for long.
    pub(super) fn settled(bytes: Vec<u8>) -> Self {
        Self { live: bytes.clone(), durable: bytes, ..Self::default() }
    }

    pub(super) fn live(&self) -> &[u8] {
        &self.live
    }

    pub(super) fn write(&mut self, offset: usize, bytes: Vec<u8>) {
        for piece in sectors(offset..offset + bytes.len()) {
            self.bad.remove(&(piece.start / SECTOR_BYTES));
        }
        self.change(Change::Write { offset, bytes });
    }

    pub(super) fn set_length(&mut self, length: usize) {
        self.change(Change::Length(length));
    }

    fn change(&mut self, change: Change) {
        apply(&mut self.live, &change);
        self.pending.push(change);
    }

    pub(super) fn read(&self, offset: usize, buffer: &mut [u8]) -> io::Result<()> {
        let range = offset..offset + buffer.len();
        let bytes = self.live.get(range.clone()).ok_or(io::ErrorKind::UnexpectedEof)?;
        if sectors(range).any(|piece| self.bad.contains(&(piece.start / SECTOR_BYTES))) {
            return Err(io::Error::from_raw_os_error(super::EIO));
        }
        buffer.copy_from_slice(bytes);
        Ok(())
    }

    /// Everything written so far becomes durable.
    pub(super) fn sync(&mut self) {
        for change in self.pending.drain(..) {
            apply(&mut self.durable, &change);
        }
    }

    /// A failed sync as Linux does it: some sectors reached the disk, the others are taken for clean and are never tried
    /// again. Readers see them until memory is needed for something else.
    pub(super) fn sync_and_drop_dirty(&mut self, rng: &mut SmallRng) {
        self.durable = self.crash(rng, &[]);
        self.pending.clear();
    }

    /// Forgets what is in memory alone: from here on readers see what is durable.
    pub(super) fn forget_clean_pages(&mut self) {
        if self.pending.is_empty() {
            self.live.clone_from(&self.durable);
        }
    }

    /// The file as a crash now leaves it. `stale` is what other files held where this one has grown.
    pub(super) fn crash(&self, rng: &mut SmallRng, stale: &[u8]) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        if self.pending.is_empty() {
            return bytes;
        }
        let mut arrivals = Arrivals::draw(rng, &self.pending);
        let mut lengths = vec![bytes.len()];
        let mut written: BTreeSet<usize> = BTreeSet::new();
        for (number, change) in self.pending.iter().enumerate() {
            let length = lengths.last().copied().unwrap_or(0);
            match change {
                Change::Length(length) => {
                    lengths.push(*length);
                    if arrivals.length_moment > number {
                        bytes.truncate(*length);
                    }
                }
                Change::Write { offset, bytes: new } => {
                    lengths.push(length.max(offset + new.len()));
                    for piece in sectors(*offset..offset + new.len()) {
                        let keep = arrivals.part(rng, number, piece.clone());
                        let until = piece.start + keep.min(piece.len());
                        if until > piece.start {
                            written.insert(piece.start / SECTOR_BYTES);
                            put(&mut bytes, piece.start, &new[piece.start - offset..until - offset]);
                        }
                    }
                }
            }
        }
        let mut length = lengths[arrivals.length_moment];
        if matches!(arrivals.order, Order::Forward { .. }) && rng.random::<bool>() {
            // The length came no further than the bytes did.
            length = bytes.len();
        }
        let grown = self.durable.len().min(length)..length;
        bytes.resize(length, 0);
        if !stale.is_empty() && rng.random_ratio(1, 3) {
            for piece in sectors(grown).filter(|piece| !written.contains(&(piece.start / SECTOR_BYTES))) {
                let from = rng.random_range(0..stale.len()) / SECTOR_BYTES * SECTOR_BYTES;
                let old = &stale[from..stale.len().min(from + piece.len())];
                put(&mut bytes, piece.start, old);
                bytes.truncate(length);
            }
        }
        bytes
    }

    /// Flips one bit where it lies, unnoticed.
    pub(super) fn rot(&mut self, bit: usize) {
        for bytes in [&mut self.live, &mut self.durable] {
            if let Some(byte) = bytes.get_mut(bit / 8) {
                *byte ^= 1 << (bit % 8);
            }
        }
    }

    /// Loses everything from `length` on, unnoticed.
    pub(super) fn cut(&mut self, length: usize) {
        self.live.truncate(length);
        self.durable.truncate(length);
    }

    /// Makes the sector at `offset` unreadable.
    pub(super) fn spoil(&mut self, offset: usize) {
        self.bad.insert(offset / SECTOR_BYTES);
    }

    /// A process was killed in the middle of its last write: `keep` bytes of it had arrived.
    pub(super) fn cut_last_write(&mut self, rng: &mut SmallRng) {
        let Some(Change::Write { offset, bytes }) = self.pending.last_mut() else { return };
        let end = *offset + bytes.len();
        // Only what was appended: what lay below is not told here.
        if end != self.live.len() {
            return;
        }
        bytes.truncate(rng.random_range(0..=bytes.len()));
        self.live.truncate(*offset + bytes.len());
    }
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write { offset, bytes: written } => put(bytes, *offset, written),
        Change::Length(length) => bytes.resize(*length, 0),
    }
}

fn put(bytes: &mut Vec<u8>, offset: usize, written: &[u8]) {
    let end = offset + written.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[offset..end].copy_from_slice(written);
}

/// The pieces of `range` that lie in one sector each.
fn sectors(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut at = range.start;
    std::iter::from_fn(move || {
        let end = range.end.min((at / SECTOR_BYTES + 1) * SECTOR_BYTES);
        (at < end).then(|| std::mem::replace(&mut at, end)..end)
    })
}

/// In which way unsynced changes arrive.
#[derive(Debug, Clone, Copy)]
enum Order {
    /// In order up to one that is torn at a byte of its own.
    Forward { torn: usize, at: usize },
    /// Every sector as of a moment of its own.
    Sectors,
    /// Only what lies behind a place: the end before the beginning.
    Backwards { from: usize },
}

/// What of the unsynced changes arrives.
struct Arrivals {
    order: Order,
    /// How many changes the length has seen.
    length_moment: usize,
    /// How many changes each sector has seen.
    moments: BTreeMap<usize, usize>,
    changes: usize,
}

impl Arrivals {
    fn draw(rng: &mut SmallRng, pending: &[Change]) -> Self {
        let changes = pending.len();
        let order = match rng.random_range(0..6) {
            0 => Order::Forward { torn: 0, at: 0 },
            1 => Order::Forward { torn: changes, at: 0 },
            2 => {
                let torn = rng.random_range(0..changes);
                let length = match &pending[torn] {
                    Change::Write { bytes, .. } => bytes.len(),
                    Change::Length(_) => 0,
                };
                Order::Forward { torn, at: rng.random_range(0..=length) }
            }
            3 => {
                let end = pending.iter().map(end_of).max().unwrap_or(0);
                Order::Backwards { from: rng.random_range(0..=end) }
            }
            _ => Order::Sectors,
        };
        let length_moment = match order {
            Order::Forward { torn, at } => (torn + usize::from(at > 0)).min(changes),
            Order::Backwards { .. } => changes,
            Order::Sectors => rng.random_range(0..=changes),
        };
        Self { order, length_moment, moments: BTreeMap::new(), changes }
    }

    /// How many bytes of `piece`, which lies in one sector, change `number` brings to disk.
    fn part(&mut self, rng: &mut SmallRng, number: usize, piece: Range<usize>) -> usize {
        match &mut self.order {
            Order::Forward { torn, .. } if number < *torn => piece.len(),
            Order::Forward { torn, at } if number == *torn => {
                let here = piece.len().min(*at);
                *at -= here;
                here
            }
            Order::Forward { .. } => 0,
            Order::Backwards { from } if piece.end > *from => piece.len(),
            Order::Backwards { .. } => 0,
            Order::Sectors => {
                let changes = self.changes;
                let sector = piece.start / SECTOR_BYTES;
                let moment = *self.moments.entry(sector).or_insert_with(|| rng.random_range(0..=changes));
                match number.cmp(&moment) {
                    std::cmp::Ordering::Less => piece.len(),
                    std::cmp::Ordering::Equal if rng.random_ratio(1, 4) => rng.random_range(0..=piece.len()),
                    _ => 0,
                }
            }
        }
    }
}

fn end_of(change: &Change) -> usize {
    match change {
        Change::Write { offset, bytes } => offset + bytes.len(),
        Change::Length(length) => *length,
    }
}
