//! What a process used, as the kernel counted it.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

/// Bytes this process has made the kernel write to disk: pages made dirty, each time they were.
pub(crate) fn written_bytes() -> u64 {
    let io = fs::read_to_string("/proc/self/io").unwrap();
    field(&io, "write_bytes:")
}

/// The most memory this process has had resident, in bytes.
pub(crate) fn peak_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    field(&status, "VmHWM:") * 1024
}

fn field(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// Bytes that a folder takes on disk, with all that is in it. Engines remove files meanwhile.
pub(crate) fn disk_bytes(dir: &Path) -> u64 {
    let Ok(names) = fs::read_dir(dir) else { return 0 };
    names
        .flatten()
        .map(|name| match name.metadata() {
            Ok(data) if data.is_dir() => disk_bytes(&name.path()),
            Ok(data) => data.blocks() * 512,
            Err(_) => 0,
        })
        .sum()
}

/// The value that `share` of the sorted values do not exceed.
pub(crate) fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let at = ((values.len() - 1) as f64 * share).round() as usize;
    values[at]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_asked_rightly() {
        let dir = std::env::temp_dir().join(format!("sightline-engines-{}", std::process::id()));
        fs::create_dir_all(dir.join("inner")).unwrap();
        fs::write(dir.join("inner/file"), vec![7; 1 << 20]).unwrap();
        fs::File::open(dir.join("inner/file")).unwrap().sync_all().unwrap();
        assert!(((1 << 20)..(1 << 20) + 65_536).contains(&disk_bytes(&dir)));
        fs::remove_dir_all(&dir).unwrap();
        assert!(peak_bytes() > 1 << 20);
        assert!(percentile(&mut [5.0, 1.0, 3.0], 0.5) == 3.0);
    }
}
