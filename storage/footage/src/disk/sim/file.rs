//! An open file of the simulated disk.

use std::{
    io::{self, IoSlice},
    sync::Arc,
};

use rand::RngExt;

use super::{DiskFile, Op, SimDisk, State};

/// Counts as a user of its file's bytes while it lives, also after the name is gone.
#[derive(Debug)]
pub(super) struct SimFile {
    pub(super) disk: SimDisk,
    pub(super) file: u64,
    pub(super) _open: Arc<()>,
}

impl SimFile {
    fn run<T>(&self, op: Op, act: impl FnOnce(&mut State, u64) -> io::Result<T>) -> io::Result<T> {
        self.disk.run(op, |state| act(state, self.file))
    }
}

fn usize_of(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

impl DiskFile for SimFile {
    fn length(&self) -> io::Result<u64> {
        self.run(Op::Length, |state, file| Ok(state.content(file).live().len() as u64))
    }

    fn write_at(&self, offset: u64, slices: &mut [IoSlice<'_>]) -> io::Result<()> {
        let mut bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        let failed = self.disk.run_told(Op::Write, |state, hit| {
            state.stir();
            let length = state.content(self.file).live().len();
            let grown = (usize_of(offset) + bytes.len()).saturating_sub(length);
            let over = grown.saturating_sub(usize_of(state.room().min(1 << 40)));
            let mut failed = hit;
            if failed.is_some() {
                // A write that failed may have been done in part.
                bytes.truncate(state.rng.random_range(0..=bytes.len()));
            } else if over > 0 {
                // A full disk takes what fits and then says so.
                bytes.truncate(bytes.len().saturating_sub(over));
                failed = Some(io::ErrorKind::StorageFull.into());
            }
            if !bytes.is_empty() {
                state.content_mut(self.file).write(usize_of(offset), bytes);
            }
            failed
        });
        failed.map_or(Ok(()), Err)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.run(Op::Read, |state, file| state.content(file).read(usize_of(offset), buffer))
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.run(Op::SetLength, |state, file| {
            state.content_mut(file).set_length(usize_of(length));
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.run(Op::Sync, |state, file| {
            if !state.faults.lie_about_syncs {
                state.content_mut(file).sync();
            }
            Ok(())
        })
        .inspect_err(|_| self.disk.sync_failed(self.file))
    }
}
