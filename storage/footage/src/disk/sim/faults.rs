//! What goes wrong on a simulated disk, and when.

use std::io;

/// `EIO`: what a broken disk says.
pub(crate) const EIO: i32 = 5;
/// `ENOSPC`: what a full disk says.
pub(crate) const ENOSPC: i32 = 28;
/// `EROFS`: what a file system says that was mounted read-only after an error.
pub(crate) const EROFS: i32 = 30;

/// One kind of operation of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Op {
    List,
    Create,
    Open,
    Rename,
    Remove,
    SyncFolder,
    FreeSpace,
    Length,
    Write,
    Read,
    SetLength,
    Sync,
}

impl Op {
    /// Whether it changes what a crash leaves.
    pub(super) fn changes(self) -> bool {
        !matches!(self, Self::List | Self::Open | Self::FreeSpace | Self::Length | Self::Read)
    }

    pub(super) fn is_sync(self) -> bool {
        matches!(self, Self::Sync | Self::SyncFolder)
    }
}

/// A failure to come: the next `times` operations of kind `op`, after `skip` that go well.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    op: Op,
    skip: u64,
    times: u64,
    errno: i32,
    drops_dirty: bool,
}

impl Failure {
    /// Once.
    pub(crate) fn once(op: Op) -> Self {
        Self::times(op, 1)
    }

    /// For a while.
    pub(crate) fn times(op: Op, times: u64) -> Self {
        Self { op, skip: 0, times, errno: EIO, drops_dirty: false }
    }

    /// For ever.
    pub(crate) fn always(op: Op) -> Self {
        Self::times(op, u64::MAX)
    }

    /// Only after `skip` operations of this kind went well.
    pub(crate) fn after(self, skip: u64) -> Self {
        Self { skip, ..self }
    }

    /// With this error instead of [`EIO`].
    pub(crate) fn errno(self, errno: i32) -> Self {
        Self { errno, ..self }
    }

    /// A failed sync takes unwritten pages for clean, as Linux does: a later sync says that all is well, and part of
    /// the data is not there.
    pub(crate) fn dropping_dirty_pages(self) -> Self {
        Self { drops_dirty: true, ..self }
    }
}

/// What goes wrong.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    /// Bytes the disk holds; `None`: no end.
    pub(crate) capacity: Option<u64>,
    /// Bytes of these that others hold.
    pub(crate) others_bytes: u64,
    /// Others take and give back up to this much, all the time.
    pub(crate) restless_bytes: u64,
    /// Writes fail like a broken disk.
    pub(crate) refuse_writes: bool,
    /// Syncs fail like a broken disk.
    pub(crate) refuse_syncs: bool,
    /// Syncs of files and of the folder say that all went well and do nothing, as disks do that lie.
    pub(crate) lie_about_syncs: bool,
    /// The image of a crash is taken just before this many more syncs have happened.
    pub(crate) crash_in_syncs: Option<u64>,
    /// Single failures, each used up as it happens.
    pub(crate) failures: Vec<Failure>,
}

/// A failure that has come.
pub(super) struct Hit {
    pub(super) error: io::Error,
    pub(super) drops_dirty: bool,
}

impl Faults {
    /// Whether this operation fails, and how.
    pub(super) fn hit(&mut self, op: Op) -> Option<Hit> {
        if (self.refuse_writes && op == Op::Write) || (self.refuse_syncs && op.is_sync()) {
            let error = io::Error::other(format!("simulated failure of {op:?}"));
            return Some(Hit { error, drops_dirty: false });
        }
        let at = self.failures.iter().position(|failure| failure.op == op)?;
        let failure = &mut self.failures[at];
        if failure.skip > 0 {
            failure.skip -= 1;
            return None;
        }
        failure.times = if failure.times == u64::MAX { u64::MAX } else { failure.times - 1 };
        let hit =
            Hit { error: io::Error::from_raw_os_error(failure.errno), drops_dirty: failure.drops_dirty };
        if failure.times == 0 {
            self.failures.remove(at);
        }
        Some(hit)
    }
}
