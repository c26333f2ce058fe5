//! What a disk can carry: the store beside a bare program that writes, syncs and reads the same bytes on the same disk.
//! For `sightline footage bench`, where a site measures its own machine, and for the project's benches.
//!
//! Rounds alternate between the programs, so that a disk that drifts drifts for all of them.

mod append;
mod keys;
mod seek;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use crate::{Error, KeyProvider};

/// What to measure with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BenchPlan {
    /// Where: a folder of its own is made in it and removed again.
    pub dir: PathBuf,
    /// Cameras.
    pub cameras: usize,
    /// GOPs of each camera, in each round.
    pub gops: usize,
    /// Bytes of a GOP.
    pub gop_bytes: usize,
    /// Rounds; the figures are medians over them.
    pub rounds: usize,
    /// Segments written side by side.
    pub lanes: u8,
    /// Size of a segment, in bytes.
    pub segment_bytes: u64,
    /// Seeks in each round.
    pub seeks: usize,
}

impl Default for BenchPlan {
    fn default() -> Self {
        Self {
            dir: PathBuf::from("."),
            cameras: 2000,
            gops: 2,
            gop_bytes: 500_000,
            rounds: 3,
            lanes: 4,
            segment_bytes: 1 << 30,
            seeks: 1000,
        }
    }
}

/// How one program wrote. Times are medians over the rounds.
#[derive(Debug, Clone, PartialEq)]
pub struct WriteFigure {
    /// Which.
    pub name: &'static str,
    /// Media, in bytes.
    pub media_bytes: u64,
    /// Written for them, all included, in the last round.
    pub written_bytes: u64,
    /// From the first byte to everything synced.
    pub took: Duration,
    /// Of the bare program's speed in the same round.
    pub of_bare: f64,
    /// Syncs of a file, in the last round.
    pub syncs: u64,
}

/// How one way of reading did, over all rounds.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadFigure {
    /// Which.
    pub name: &'static str,
    /// Median.
    pub p50: Duration,
    /// One of a hundred takes longer.
    pub p99: Duration,
    /// Its median against the bare one's.
    pub of_bare_p50: f64,
    /// The same of the 99th percentiles.
    pub of_bare_p99: f64,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchReport {
    /// Writing: bare, in the clear, encrypted.
    pub write: Vec<WriteFigure>,
    /// Reading a GOP at a time that is known: bare, in the clear, encrypted.
    pub read: Vec<ReadFigure>,
}

/// Measures. Takes seconds to minutes and holds up its thread meanwhile; `progress` gets rounds done and all rounds.
///
/// # Errors
/// When the folder cannot be written, or is too small for what is asked.
pub async fn bench(plan: &BenchPlan, mut progress: impl FnMut(u64, u64)) -> Result<BenchReport, Error> {
    let home = Home::make(&plan.dir)?;
    let keys: Arc<dyn KeyProvider> = Arc::new(keys::PassingKeys::default());
    let all = plan.rounds as u64;
    let (mut writes, mut reads) = (append::Rounds::default(), seek::Rounds::default());
    for round in 0..plan.rounds {
        progress(round as u64, all);
        append::round(plan, &home.0, &keys, &mut writes).await?;
        seek::round(plan, &home.0, &keys, &mut reads).await?;
        home.empty()?;
    }
    progress(all, all);
    Ok(BenchReport { write: writes.figures(plan), read: reads.figures() })
}

/// The folder of a run; removed with everything in it.
struct Home(PathBuf);

impl Home {
    fn make(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(format!("sightline-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(Error::io("create", &path))?;
        Ok(Self(path))
    }

    fn empty(&self) -> Result<(), Error> {
        std::fs::remove_dir_all(&self.0).map_err(Error::io("remove", &self.0))?;
        std::fs::create_dir_all(&self.0).map_err(Error::io("create", &self.0))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The value at `part` (0 to 1) of sorted values.
fn quantile(values: &mut [Duration], part: f64) -> Duration {
    values.sort_unstable();
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let at = ((values.len().saturating_sub(1)) as f64 * part).round() as usize;
    values.get(at).copied().unwrap_or_default()
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64().max(1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_small_run_measures_everything_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let plan = BenchPlan {
            dir: dir.path().to_owned(),
            cameras: 5,
            gops: 3,
            gop_bytes: 60_000,
            rounds: 2,
            seeks: 20,
            ..BenchPlan::default()
        };
        let report = bench(&plan, |_, _| ()).await.unwrap();
        assert_eq!(report.write.iter().map(|figure| figure.name).collect::<Vec<_>>(), append::NAMES);
        for figure in &report.write {
            assert_eq!(figure.media_bytes, 5 * 3 * 60_000, "{}", figure.name);
            assert!(figure.written_bytes >= figure.media_bytes && figure.of_bare > 0.0, "{}", figure.name);
        }
        assert!(report.read.iter().all(|figure| figure.p50 > Duration::ZERO && figure.p50 <= figure.p99));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
