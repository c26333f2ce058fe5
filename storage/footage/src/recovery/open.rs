//! Opens a store's disks: decides by [`compare`], then does it.

use std::{
    collections::BTreeSet,
    io::{self, IoSlice},
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use sightline_model::Timestamp;

use super::{
    HeaderProblem, Opened, Rebuilt, Recovery,
    compare::{Compared, Found, compare},
    load, rebuild,
};
use crate::{
    Error,
    catalogue::{Catalogue, Place as Kept, Sealed, convert::sealed},
    disk::{Disk, DiskFile, read_vec},
    format::{
        footer::DirectoryRow,
        header::{SegmentHeader, file_name, parse_file_name},
    },
    index::{Index, Place, Segment, builder::Added, builder::Footer},
    room::Room,
};

/// Segments filed in one transaction.
const FILED_AT_ONCE: usize = 256;

/// A store being opened.
pub(crate) struct Opening<'a> {
    pub(crate) rooms: &'a [Arc<Room>],
    pub(crate) catalogue: &'a dyn Catalogue,
    pub(crate) now: Timestamp,
    /// Whether the index blocks of what is read are verified, and made again from the records where they are damaged.
    pub(crate) verify: bool,
    /// Told how many segments were read, of how many.
    pub(crate) progress: &'a mut dyn FnMut(u64, u64),
    report: Recovery,
    /// Read and not filed yet.
    waiting: Vec<Sealed>,
    /// Without a footer, because none can be written.
    unsealed: Vec<(SegmentHeader, u8, Rebuilt)>,
    /// Read, and nothing that the catalogue could have.
    unfit: Vec<u64>,
}

impl<'a> Opening<'a> {
    pub(crate) fn new(
        rooms: &'a [Arc<Room>],
        catalogue: &'a dyn Catalogue,
        now: Timestamp,
        progress: &'a mut dyn FnMut(u64, u64),
    ) -> Self {
        let (report, waiting, unsealed, unfit) = Default::default();
        Self { rooms, catalogue, now, verify: false, progress, report, waiting, unsealed, unfit }
    }

    /// Opens every segment of all disks that are there.
    pub(crate) fn run(mut self) -> Result<(Index, Recovery), Error> {
        let began = Instant::now();
        let known = self.catalogue.known()?;
        let files = self.files()?;
        let is_in = |disk: u8| self.rooms.get(usize::from(disk)).is_some_and(|room| !room.has_left());
        let mut compared = compare(&known, &files, is_in);
        self.finish_replacements(&files, &mut compared)?;
        let highest_known = known.last().map_or(0, |one| one.id);
        self.report.highest_id = files.last().map_or(0, |file| file.place.id).max(highest_known);
        self.report.segments = compared.trusted;
        self.report.bytes = compared.trusted_bytes;
        let all = compared.read.len() as u64;
        for (done, place) in compared.read.iter().enumerate() {
            self.read(*place)?;
            if self.waiting.len() >= FILED_AT_ONCE {
                self.file()?;
            }
            (self.progress)(done as u64 + 1, all);
        }
        self.file()?;
        self.unfit.retain(|id| known.binary_search_by_key(id, |one| one.id).is_ok());
        self.report.gone = compared.gone.len() as u64;
        self.report.away = compared.away;
        let gone: Vec<u64> = compared.gone.iter().chain(&self.unfit).copied().collect();
        if !gone.is_empty() {
            self.catalogue.remove(&gone)?;
        }
        for (ids, place) in [(&compared.in_tier, Kept::Tier), (&compared.in_both, Kept::Both)] {
            if !ids.is_empty() {
                self.catalogue.set_place(ids, place)?;
            }
        }
        self.index(began)
    }

    /// What the disks hold, in the order of ids; what was begun and never finished is removed.
    fn files(&mut self) -> Result<Vec<Found>, Error> {
        let mut files = Vec::new();
        for room in self.rooms {
            let path = room.disk.path();
            self.report.dirs.push(path.to_owned());
            if room.has_left() {
                let problem = room.state().problem().unwrap_or_default();
                self.report.disks_out.push((path.to_owned(), problem));
                continue;
            }
            let mut drafts = Vec::new();
            let each = &mut |name: &str, bytes: u64| {
                if let Some(id) = parse_file_name(name) {
                    files.push(Found { place: Place { id, disk: room.no }, bytes });
                } else if name.ends_with(".tmp") {
                    drafts.push(name.to_owned());
                }
            };
            room.disk.lengths(each).map_err(Error::io("list", path))?;
            for name in drafts {
                // Nothing was ever written behind its header.
                room.disk.remove(&name).map_err(Error::io("remove", path.join(&name)))?;
            }
        }
        files.sort_unstable_by_key(|file| file.place);
        files.dedup_by(|next, first| {
            let twice = next.place.id == first.place.id;
            if twice {
                tracing::warn!(segment = %file_name(next.place.id), "a segment stands on two disks, the first is used");
            }
            twice
        });
        Ok(files)
    }

    /// Takes out what was written again before a crash and is still there: otherwise what was thinned or dropped would be back.
    /// Only files that the catalogue does not know can be such, and only younger ones can say so.
    fn finish_replacements(&mut self, files: &[Found], compared: &mut Compared) -> Result<(), Error> {
        let Some(first) = compared.read.first().copied() else { return Ok(()) };
        let mut replaced = BTreeSet::new();
        for place in files.iter().map(|file| file.place).filter(|place| place.id > first.id) {
            let room = self.rooms.get(usize::from(place.disk));
            let header = room.and_then(|room| read_header(&*room.disk, place.id));
            replaced.extend(header.map(|header| header.replaces).filter(|old| *old != 0));
        }
        for place in compared.read.iter().filter(|place| replaced.contains(&place.id)) {
            let Some(room) = self.rooms.get(usize::from(place.disk)) else { continue };
            let name = file_name(place.id);
            let path = room.disk.path().join(&name);
            let removed = room.disk.remove(&name).and_then(|()| room.disk.sync_folder());
            removed.map_err(Error::io("remove", &path))?;
            tracing::info!(segment = %path.display(), "a segment that was written again before a crash is taken out");
            self.unfit.push(place.id);
        }
        compared.read.retain(|place| !replaced.contains(&place.id));
        Ok(())
    }

    fn file(&mut self) -> Result<(), Error> {
        if !self.waiting.is_empty() {
            self.catalogue.insert(&self.waiting)?;
            self.report.filed += self.waiting.len() as u64;
            self.waiting.clear();
        }
        Ok(())
    }

    fn index(mut self, began: Instant) -> Result<(Index, Recovery), Error> {
        let totals = self.catalogue.streams()?;
        let classes = self.catalogue.classes()?;
        let mut index = Index::default();
        index.restore(&totals, classes.iter().map(|class| class.segments).sum(), &[]);
        self.report.gops = totals.iter().map(|total| total.gops).sum();
        self.report.gaps = totals.iter().map(|total| total.gaps).sum();
        for (header, disk, rebuilt) in self.unsealed {
            for (summary, _) in rebuilt.builder.streams.values() {
                self.report.gops += u64::from(summary.gops);
                self.report.gaps += u64::from(summary.gaps);
            }
            add_unsealed(&mut index, header, disk, rebuilt);
        }
        self.report.streams = index.streams.len() as u64;
        self.report.took = began.elapsed();
        Ok((index, self.report))
    }

    fn read(&mut self, place: Place) -> Result<(), Error> {
        let Some(room) = self.rooms.get(usize::from(place.disk)) else { return Ok(()) };
        let path = room.disk.path().join(file_name(place.id));
        let mut opened = match load(&*room.disk, place.id) {
            Ok(opened) => opened,
            Err(HeaderProblem::Version(found)) => {
                return Err(Error::Version { path, found, supported: crate::format::VERSION });
            }
            Err(HeaderProblem::Unreadable(what)) => {
                tracing::error!(segment = %path.display(), "segment left alone, it cannot be read: {what}");
                self.report.unreadable.push((path, what));
                self.unfit.push(place.id);
                return Ok(());
            }
        };
        self.report.segments += 1;
        self.report.bytes += opened.bytes;
        if self.verify
            && let Ok((_, rows)) = &opened.footer
            && !rows.iter().all(|row| is_sound(&*opened.file, row))
        {
            opened.footer = Err("an index block does not match its checksum");
        }
        match &opened.footer {
            Ok((trailer, rows)) => {
                self.waiting.push(sealed(&opened.header, place.disk, opened.bytes, trailer, rows));
                Ok(())
            }
            Err(_) => {
                if let Err(error) = self.recover(&*room.disk, place.disk, opened) {
                    tracing::error!(segment = %path.display(), "segment left alone, it cannot be recovered: {error}");
                    self.report.segments -= 1;
                    self.report.unreadable.push((path, error.to_string()));
                    self.unfit.push(place.id);
                }
                Ok(())
            }
        }
    }

    /// Scans a segment without a good footer, cuts what is torn, and closes it with a footer.
    fn recover(&mut self, disk: &dyn Disk, disk_no: u8, opened: Opened) -> io::Result<()> {
        let Opened { header, file, bytes, footer } = opened;
        let id = header.id;
        let rebuilt = rebuild(&*file, id, bytes, |_| ())?;
        let report = &mut self.report;
        report.rescanned += 1;
        report.bytes_rescanned += bytes;
        report.damaged += rebuilt.damage.len() as u64;
        let had_footer = footer.is_err_and(|what| what != "there is no footer");
        report.footers_rebuilt += u64::from(had_footer);
        if rebuilt.unreadable_bytes > 0 {
            // Perhaps the disk gives them another time: nothing is cut, and nothing is written behind them.
            tracing::error!(segment = %file_name(id), unreadable_bytes = rebuilt.unreadable_bytes, "a part of this segment cannot be read");
            self.unfit.push(id);
            self.unsealed.push((header, disk_no, rebuilt));
            return Ok(());
        }
        if !had_footer {
            report.bytes_cut += rebuilt.torn_bytes;
        }
        report.bytes = report.bytes.saturating_sub(rebuilt.torn_bytes);
        if rebuilt.builder.next_seq() == 0 && rebuilt.damage.is_empty() {
            report.segments -= 1;
            report.empty_removed += 1;
            self.unfit.push(id);
            disk.remove(&file_name(id))?;
            return disk.sync_folder();
        }
        match close(&*file, id, &rebuilt, self.now) {
            Ok(footer) => {
                let bytes = rebuilt.records_end + footer.bytes.len() as u64;
                self.waiting.push(sealed(&header, disk_no, bytes, &footer.trailer, &footer.rows));
            }
            Err(error) => {
                // Full or read-only: everything can be read all the same, and the next start tries again.
                tracing::warn!(segment = %file_name(id), "segment could not be closed after a crash: {error}");
                self.unfit.push(id);
                self.unsealed.push((header, disk_no, rebuilt));
            }
        }
        Ok(())
    }
}

/// The header of a whole, sealed segment.
fn read_header(disk: &dyn Disk, id: u64) -> Option<SegmentHeader> {
    let opened = load(disk, id).ok()?;
    opened.footer.is_ok().then_some(opened.header)
}

fn is_sound(file: &dyn DiskFile, row: &DirectoryRow) -> bool {
    let length = usize::try_from(row.block.length).unwrap_or(usize::MAX);
    read_vec(file, row.block.offset, length)
        .is_ok_and(|bytes| crate::format::crc::crc32c(&bytes) == row.block.crc)
}

fn close(file: &dyn DiskFile, id: u64, rebuilt: &Rebuilt, now: Timestamp) -> io::Result<Footer> {
    file.set_length(rebuilt.records_end)?;
    let footer = rebuilt.builder.footer(id, rebuilt.records_end, now);
    file.write_at(rebuilt.records_end, &mut [IoSlice::new(&footer.bytes)])?;
    file.sync()?;
    Ok(footer)
}

fn add_unsealed(index: &mut Index, header: SegmentHeader, disk_no: u8, rebuilt: Rebuilt) {
    let id = header.id;
    let segment = index.add_open(Segment::open(header, disk_no, rebuilt.records_end));
    segment.bytes.store(rebuilt.records_end, Ordering::Release);
    for (key, (_, block)) in rebuilt.builder.streams {
        // Gaps first: what is known last must be the last GOP.
        let gaps = block.gaps.into_iter().map(Added::Gap);
        index.publish(id, gaps.chain(block.entries.into_iter().map(Added::Gop)).map(|added| (key, added)));
    }
}
