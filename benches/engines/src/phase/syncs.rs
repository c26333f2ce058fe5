//! Counting the syncs that are really made: the load under strace, which sees every system call of every thread, whichever
//! library makes it. (A preloaded library would miss calls that do not go through libc.) The filter sits in the kernel,
//! so calls that are not traced run at full speed.

use std::{fs, path::Path, process::Command};

use crate::{args::Shape, child::Task, engine::Kind};

/// Calls that put data on disk for good, when they end.
const SYNCS: [&str; 5] = ["fsync", "fdatasync", "msync", "sync", "syncfs"];
/// Starts writing and waits, but neither writes metadata nor empties the disk's cache: "extremely dangerous", says its
/// manual page, and no sync.
const RANGE: &str = "sync_file_range";

/// What was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Syncs {
    /// Batches acknowledged.
    pub(crate) acks: u32,
    /// Of these, without any sync since the one before.
    pub(crate) bare_acks: u32,
    /// Syncs in all, until the last batch was acknowledged.
    pub(crate) syncs: u32,
    /// Calls of `sync_file_range` until then.
    pub(crate) ranges: u32,
    /// Files that were opened so that every write syncs.
    pub(crate) sync_files: u32,
}

/// Loads some batches under strace; `None` when there is no strace.
pub(crate) fn run(engine: Kind, dir: &Path, shape: Shape, batches: u32) -> Option<Result<Syncs, String>> {
    let trace = dir.with_extension("strace");
    let task = Task::new("load", engine, dir, shape).with(0).with(batches).with("acks");
    let calls = format!("trace={},{RANGE},write,openat", SYNCS.join(","));
    let mut strace = Command::new("strace");
    strace.args(["-f", "--seccomp-bpf", "-e", &calls, "-o"]).arg(&trace);
    let status = strace.arg(std::env::current_exe().unwrap()).args(task.words()).output().ok()?.status;
    let text = fs::read_to_string(&trace).unwrap_or_default();
    let _ = fs::remove_file(&trace);
    if !status.success() {
        return Some(Err(format!("load under strace failed: {status}")));
    }
    Some(Ok(count(&text)))
}

/// Reads what strace wrote.
fn count(trace: &str) -> Syncs {
    let mut counted = Syncs::default();
    let mut at_ack = counted;
    for line in trace.lines() {
        let call = line.split_once(' ').map_or(line, |(_, call)| call.trim_start());
        if call.starts_with("write(1, \"ack ") {
            counted.acks += 1;
            counted.bare_acks += u32::from(counted.syncs == at_ack.syncs);
            at_ack = counted;
        }
        counted.sync_files += u32::from(call.contains("O_SYNC") || call.contains("O_DSYNC"));
        match ended(call) {
            Some(RANGE) => counted.ranges += 1,
            Some(name) if SYNCS.contains(&name) => counted.syncs += 1,
            _ => {}
        }
    }
    at_ack
}

/// The name of the call that ends with a line.
fn ended(call: &str) -> Option<&str> {
    if let Some(rest) = call.strip_prefix("<... ") {
        return rest.split_once(' ').map(|(name, _)| name);
    }
    (!call.contains("<unfinished")).then(|| call.split_once('(').map(|(name, _)| name)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_counted() {
        let trace = "\
7 openat(AT_FDCWD, \"log\", O_RDWR|O_CREAT|O_DSYNC|O_CLOEXEC, 0666) = 3
7 write(1, \"ack 0\\n\", 6) = 6
8 fsync(3 <unfinished ...>
7 sync_file_range(3, 0, 4096, SYNC_FILE_RANGE_WRITE) = 0
7 write(1, \"ack 1\\n\", 6) = 6
8 <... fsync resumed>) = 0
7  fdatasync(4) = 0
7 write(3, \"ack 9\\n\", 6) = 6
7 write(1, \"ack 2\\n\", 6) = 6
7 fsync(3) = 0
7 write(1, \"load_s 1\\n\", 9) = 9
";
        let expected = Syncs { acks: 3, bare_acks: 2, syncs: 2, ranges: 1, sync_files: 1 };
        assert_eq!(count(trace), expected);
    }
}
