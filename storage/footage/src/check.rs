//! Looks at segments without opening the store: for `sightline footage ls` and `sightline footage check`.
//!
//! Read-only and without a lock. Beside a running recorder the newest records of open segments may be half written; that is
//! told as such and is not a problem.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use sightline_model::TimeRange;

use crate::{
    Error,
    catalogue::Place,
    disk::{Disk, PAGE_BYTES, RealDisk, read_vec},
    format::{
        block::Block,
        footer::{DirectoryRow, Trailer, widen},
        header::{file_name, parse_file_name},
        record::RECORD_MAGIC,
    },
    index::SegmentInfo,
    recovery::{HeaderProblem, Opened, Rebuilt, load, rebuild},
    store::SEGMENTS_FOLDER,
};

/// Something wrong in a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The segment file.
    pub path: PathBuf,
    /// Where in it.
    pub offset: u64,
    /// What is wrong.
    pub what: String,
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Segments looked at.
    pub segments: u64,
    /// Of those, without a footer: being written, or left by a crash that no start has cleaned up yet.
    pub open: u64,
    /// Records whose checksums fit.
    pub records: u64,
    /// GOPs (parts counted) among them.
    pub gops: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Bytes behind the last complete record of open segments: a write on its way, or a torn one.
    pub incomplete_bytes: u64,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

impl CheckReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { segments, open, records, gops, .. } = self;
        write!(
            f,
            "{segments} segments ({open} open), {} MB, {records} records, {gops} GOPs checked: ",
            self.bytes / 1_000_000
        )?;
        match self.problems.len() {
            0 => f.write_str("all checksums and Merkle roots fit")?,
            count => write!(f, "{count} problems")?,
        }
        for Problem { path, offset, what } in &self.problems {
            write!(f, "\n{} at byte {offset}: {what}", path.display())?;
        }
        Ok(())
    }
}

/// Verifies every record, index block and Merkle root under `dir`, which may be in use.
/// `progress` gets the bytes done and the bytes there are.
///
/// # Errors
/// When the folder cannot be read at all. What is wrong inside segments stands in the report.
pub fn check(dir: &Path, mut progress: impl FnMut(u64, u64)) -> Result<CheckReport, Error> {
    let disk = RealDisk::read_only(dir.join(SEGMENTS_FOLDER));
    let ids = segment_ids(&disk)?;
    let sizes = ids.iter().map(|id| disk.open(&file_name(*id)).and_then(|file| file.length()).unwrap_or(0));
    let all: u64 = sizes.sum();
    let mut report = CheckReport::default();
    for id in ids {
        let before = report.bytes;
        report.segments += 1;
        match load(&disk, id) {
            Ok(opened) => {
                let bytes = opened.bytes;
                check_segment(&disk, opened, &mut report, |done| progress(before + done, all));
                report.bytes = before + bytes;
            }
            Err(problem) => report.problem(&disk, id, 0, describe(&problem)),
        }
        progress(report.bytes, all);
    }
    Ok(report)
}

fn describe(problem: &HeaderProblem) -> String {
    match problem {
        HeaderProblem::Version(found) => format!("format version {found} is later than this program"),
        HeaderProblem::Unreadable(what) => what.clone(),
    }
}

impl CheckReport {
    fn problem(&mut self, disk: &RealDisk, id: u64, offset: u64, what: impl Into<String>) {
        self.problems.push(Problem { path: disk.path().join(file_name(id)), offset, what: what.into() });
    }
}

fn check_segment(disk: &RealDisk, opened: Opened, report: &mut CheckReport, progress: impl FnMut(u64)) {
    let id = opened.header.id;
    let until = opened.footer.as_ref().map_or(opened.bytes, |(trailer, _)| trailer.records_end);
    let rebuilt = match rebuild(&*opened.file, id, until, progress) {
        Ok(rebuilt) => rebuilt,
        Err(error) => return report.problem(disk, id, 0, error.to_string()),
    };
    report.records += u64::from(rebuilt.builder.next_seq());
    report.gops += u64::from(rebuilt.builder.gops());
    for (offset, bytes, what) in &rebuilt.damage {
        report.problem(disk, id, *offset, format!("{what} ({bytes} bytes)"));
    }
    match &opened.footer {
        Ok((trailer, rows)) => check_footer(disk, &opened, trailer, rows, &rebuilt, report),
        Err("there is no footer") => {
            report.open += 1;
            report.incomplete_bytes += rebuilt.torn_bytes;
            if rebuilt.torn_bytes > 0 && !begins_a_record(&opened, rebuilt.records_end) {
                let what = format!("{} bytes are neither records nor a footer", rebuilt.torn_bytes);
                report.problem(disk, id, rebuilt.records_end, what);
            }
        }
        Err(what) => report.problem(disk, id, opened.bytes, *what),
    }
}

/// Whether the bytes at `offset` can be a record that is being written: its magic, or nothing yet.
fn begins_a_record(opened: &Opened, offset: u64) -> bool {
    let left = opened.bytes.saturating_sub(offset).min(RECORD_MAGIC.len() as u64);
    let Ok(bytes) = read_vec(&*opened.file, offset, usize::try_from(left).unwrap_or(0)) else { return false };
    RECORD_MAGIC.starts_with(&bytes) || bytes.iter().all(|byte| *byte == 0)
}

/// Whether nothing but the zeros that fill a large write up to its page lies between the records and the footer.
fn is_padding(opened: &Opened, rebuilt: &Rebuilt) -> bool {
    let length = usize::try_from(rebuilt.torn_bytes).unwrap_or(usize::MAX);
    rebuilt.torn_bytes < PAGE_BYTES
        && read_vec(&*opened.file, rebuilt.records_end, length)
            .is_ok_and(|bytes| bytes.iter().all(|byte| *byte == 0))
}

fn check_footer(
    disk: &RealDisk,
    opened: &Opened,
    trailer: &Trailer,
    rows: &[DirectoryRow],
    rebuilt: &Rebuilt,
    report: &mut CheckReport,
) {
    let id = opened.header.id;
    if rebuilt.torn_bytes > 0 && !is_padding(opened, rebuilt) {
        report.problem(disk, id, rebuilt.records_end, format!("{} bytes are no records", rebuilt.torn_bytes));
    }
    if rebuilt.builder.next_seq() != trailer.records {
        let found = rebuilt.builder.next_seq();
        report.problem(disk, id, 0, format!("{found} records fit, the footer has {}", trailer.records));
    }
    if rebuilt.builder.merkle_root() != trailer.merkle_root {
        report.problem(disk, id, 0, "the Merkle root over the records is not the one in the footer");
    }
    let section = |section: crate::format::footer::Section| -> io::Result<Option<Vec<u8>>> {
        let bytes = read_vec(&*opened.file, section.offset, usize::try_from(section.length).unwrap_or(0))?;
        Ok((crate::format::crc::crc32c(&bytes) == section.crc).then_some(bytes))
    };
    for row in rows {
        let block = section(row.block).ok().flatten().and_then(|bytes| Block::decode(&bytes));
        let truth = rebuilt.builder.streams.get(&row.key).map(|(_, block)| block);
        if block.as_ref() != truth || block.is_none() {
            let what = format!("the index block of {} is not that of the records", row.key);
            report.problem(disk, id, row.block.offset, what);
        }
    }
    if rows.len() != rebuilt.builder.streams.len() {
        report.problem(
            disk,
            id,
            trailer.directory.offset,
            "the footer's directory has other streams than the records",
        );
    }
}

/// Lists the segments under `dir`, which need not be open and may be in use.
///
/// # Errors
/// When the folder cannot be read, or a segment is of a later format version.
pub fn list_segments(dir: &Path) -> Result<Vec<SegmentInfo>, Error> {
    let disk = RealDisk::read_only(dir.join(SEGMENTS_FOLDER));
    let mut list = Vec::new();
    for id in segment_ids(&disk)? {
        let path = disk.path().join(file_name(id));
        let opened = load(&disk, id).map_err(|problem| match problem {
            HeaderProblem::Version(found) => {
                Error::Version { path: path.clone(), found, supported: crate::format::VERSION }
            }
            HeaderProblem::Unreadable(what) => Error::Damaged { path: path.clone(), offset: 0, what },
        })?;
        list.push(info(opened).map_err(Error::io("read", path))?);
    }
    Ok(list)
}

fn info(opened: Opened) -> io::Result<SegmentInfo> {
    let id = opened.header.id;
    let (sealed, summaries): (bool, Vec<_>) = match opened.footer {
        Ok((_, rows)) => (true, rows.iter().map(|row| row.summary).collect()),
        Err(_) => {
            let rebuilt = rebuild(&*opened.file, id, opened.bytes, |_| ())?;
            (false, rebuilt.builder.streams.values().map(|(summary, _)| *summary).collect())
        }
    };
    let hull =
        summaries.iter().filter_map(|summary| summary.footage).fold(None, |hull, (a, b)| widen(hull, a, b));
    Ok(SegmentInfo {
        id,
        disk: 0,
        class: opened.header.class,
        lane: opened.header.lane,
        node: opened.header.node,
        created: opened.header.created,
        sealed,
        place: Place::Local,
        bytes: opened.bytes,
        gops: summaries.iter().map(|summary| u64::from(summary.gops)).sum(),
        streams: summaries.len() as u64,
        range: hull.and_then(|(from, to)| TimeRange::new(from, to)),
    })
}

fn segment_ids(disk: &RealDisk) -> Result<Vec<u64>, Error> {
    let names = disk.list().map_err(Error::io("list", disk.path()))?;
    let mut ids: Vec<u64> = names.iter().filter_map(|name| parse_file_name(name)).collect();
    ids.sort_unstable();
    Ok(ids)
}
