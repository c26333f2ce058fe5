//! A segment in the tier, read as if it were a file.
//!
//! Header and footer come with the manifest. Records come in pages of 1 MiB through a bounded cache; many readers of one
//! page share one request, and whoever reads on gets up to 8 pages ahead.

use std::{
    collections::VecDeque,
    fmt,
    io::{self, IoSlice},
    ops::Range,
    sync::Arc,
};

use bytes::Bytes;
use parking_lot::Mutex;

use super::{
    ahead::ReadAhead,
    cache::{Claim, Loading},
    fetch::Fetch,
    inner::{Inner, PATIENCE},
    manifest::Manifest,
    problem::TierProblem,
};
use crate::{Error, disk::DiskFile};

/// Bytes of a page: two GOPs of a street camera.
pub(crate) const PAGE_BYTES: u64 = 1 << 20;
/// Pages of one read that are on their way at once.
const STEP: u64 = 8;

/// See the module's words.
pub(crate) struct RemoteFile {
    inner: Arc<Inner>,
    manifest: Arc<Manifest>,
    ahead: Mutex<ReadAhead>,
}

impl fmt::Display for RemoteFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.inner.name(self.manifest.segment), self.inner.label)
    }
}

impl fmt::Debug for RemoteFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteFile({self})")
    }
}

/// A page that was claimed.
enum Wanted {
    Here(Bytes),
    Coming(Arc<Loading>),
}

impl RemoteFile {
    /// Opens a segment of this node; blocks for its manifest.
    pub(crate) fn open(inner: &Arc<Inner>, segment: u64) -> Result<Self, Error> {
        let failed = |problem: TierProblem| inner.failed("open", inner.name(segment))(problem);
        let _turn = inner.turn().map_err(failed)?;
        let asked = Arc::clone(inner);
        let manifest = inner.wait(async move { asked.manifest(&asked.node, segment).await })?;
        Ok(Self::of(inner, manifest.ok_or_else(|| failed(TierProblem::Missing))?))
    }

    /// A file whose manifest is known.
    pub(crate) fn of(inner: &Arc<Inner>, manifest: Manifest) -> Self {
        Self { inner: Arc::clone(inner), manifest: Arc::new(manifest), ahead: Mutex::default() }
    }

    /// Length of the file.
    pub(crate) fn bytes(&self) -> u64 {
        self.manifest.bytes
    }

    fn page_bytes(&self) -> u64 {
        self.inner.options.page_bytes
    }

    /// What lies wholly in the header or the footer.
    fn known(&self, from: u64, to: u64) -> Option<&[u8]> {
        let tail_from = self.manifest.bytes - self.manifest.tail.len() as u64;
        let slice = |bytes: &'_ Bytes, start: u64| -> Option<Range<usize>> {
            let range = usize::try_from(from - start).ok()?..usize::try_from(to - start).ok()?;
            (range.end <= bytes.len()).then_some(range)
        };
        if from >= tail_from {
            self.manifest.tail.get(slice(&self.manifest.tail, tail_from)?)
        } else {
            self.manifest.header.get(slice(&self.manifest.header, 0)?)
        }
    }

    /// Gets pages, or sees to it that they come.
    fn claim(&self, pages: Range<u64>) -> Vec<Wanted> {
        let segment = self.manifest.segment;
        let mut wanted = Vec::new();
        let mut run = Fetch::new(&self.inner, &self.manifest);
        for page in pages {
            match self.inner.pages.claim((segment, page)) {
                Claim::Ready(bytes) => wanted.push(Wanted::Here(bytes)),
                Claim::Theirs(loading) => wanted.push(Wanted::Coming(loading)),
                Claim::Mine(loading) => {
                    if !run.takes(page) {
                        run.start(None);
                        run = Fetch::new(&self.inner, &self.manifest);
                    }
                    run.add(page, Arc::clone(&loading));
                    wanted.push(Wanted::Coming(loading));
                }
            }
        }
        run.start(None);
        wanted
    }

    /// Asks for pages that nobody waits for yet, unless enough of that is going on.
    fn read_ahead(&self, pages: Range<u64>) {
        let segment = self.manifest.segment;
        let end = pages.end.min(self.manifest.bytes.div_ceil(self.page_bytes()));
        let middle = pages.start + (end.saturating_sub(pages.start)).div_ceil(2);
        // Half of the way is still there: ask later, for more at once.
        if pages.start >= end || self.inner.pages.has_all(segment, pages.start..middle) {
            return;
        }
        let Ok(permit) = Arc::clone(&self.inner.ahead).try_acquire_owned() else { return };
        let mut run = Fetch::new(&self.inner, &self.manifest);
        for page in pages.start..end {
            if !run.takes(page) {
                break;
            }
            match self.inner.pages.claim((segment, page)) {
                Claim::Mine(loading) => run.add(page, loading),
                _ if run.is_empty() => {}
                _ => break,
            }
        }
        run.start(Some(permit));
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), TierProblem> {
        let _turn = self.inner.turn()?;
        let page_bytes = self.page_bytes();
        let end = offset + buffer.len() as u64;
        let (first, last) = (offset / page_bytes, (end - 1) / page_bytes);
        let ahead = self.ahead.lock().note(first, last);
        let mut rest = buffer;
        let mut at = offset;
        let mut claimed = first;
        let mut coming = VecDeque::new();
        for page in first..=last {
            // The next pages are on their way while these are waited for.
            while claimed <= last && claimed <= page + STEP {
                let until = (claimed + STEP).min(last + 1);
                coming.extend(self.claim(claimed..until));
                claimed = until;
                if claimed > last {
                    self.read_ahead(last + 1..last + 1 + ahead);
                }
            }
            let bytes = match coming.pop_front() {
                Some(Wanted::Here(bytes)) => bytes,
                Some(Wanted::Coming(loading)) => loading.wait(PATIENCE)?,
                None => break,
            };
            let inside = usize::try_from(at - page * page_bytes).unwrap_or(usize::MAX);
            let bytes = bytes.get(inside..).unwrap_or_default();
            let length = bytes.len().min(rest.len());
            let (now, later) = rest.split_at_mut(length);
            now.copy_from_slice(bytes.get(..length).unwrap_or_default());
            rest = later;
            at += length as u64;
        }
        if rest.is_empty() {
            return Ok(());
        }
        Err(TierProblem::Damaged { what: "a chunk is shorter than its manifest says".to_owned() })
    }
}

impl DiskFile for RemoteFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.manifest.bytes)
    }

    fn write_at(&self, _: u64, _: &mut [IoSlice<'_>]) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(buffer.len() as u64).filter(|end| *end <= self.manifest.bytes);
        let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        if buffer.is_empty() {
            return Ok(());
        }
        if let Some(known) = self.known(offset, end) {
            buffer.copy_from_slice(known);
            return Ok(());
        }
        self.read(offset, buffer).map_err(|problem| {
            let what = format!("bytes {offset} to {end} of {}", self.inner.name(self.manifest.segment));
            io::Error::other(self.inner.failed("read", what)(problem))
        })
    }

    fn set_length(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
