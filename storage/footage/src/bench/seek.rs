//! Reading: find the GOP at a time and give its bytes, beside reading as many bytes at a place that is known.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    BenchPlan, ReadFigure,
    append::{BARE, config, key, start_of, stores},
    quantile, ratio,
};
use crate::{Error, Footage, KeyProvider, Seams};

const NAMES: [&str; 3] = ["bare pread", "find and read, in the clear", "find and read, encrypted"];

/// What the rounds gave, in the order of [`NAMES`].
#[derive(Debug, Default)]
pub(super) struct Rounds([Vec<Duration>; 3]);

impl Rounds {
    pub(super) fn figures(mut self) -> Vec<ReadFigure> {
        let mut figures: Vec<ReadFigure> = Vec::new();
        for (name, times) in NAMES.into_iter().zip(&mut self.0) {
            let (p50, p99) = (quantile(times, 0.5), quantile(times, 0.99));
            let bare = figures.first().map_or((p50, p99), |bare| (bare.p50, bare.p99));
            let (of_bare_p50, of_bare_p99) = (ratio(p50, bare.0), ratio(p99, bare.1));
            figures.push(ReadFigure { name, p50, p99, of_bare_p50, of_bare_p99 });
        }
        figures
    }
}

pub(super) async fn round(
    plan: &BenchPlan,
    home: &Path,
    keys: &Arc<dyn KeyProvider>,
    rounds: &mut Rounds,
) -> Result<(), Error> {
    let path = home.join(BARE);
    let file = File::open(&path).map_err(Error::io("open", &path))?;
    let mut open = Vec::new();
    for (name, keys) in stores(keys) {
        open.push(
            Footage::open(
                config(plan, &home.join(name)),
                Seams { keys, ..Seams::default() },
                start_of(plan.gops),
            )?
            .0,
        );
    }
    // Everybody reads from the page cache: what is compared is the way to the bytes, not the disk.
    warm(home).map_err(Error::io("read", home))?;
    let mut buffer = vec![0; plan.gop_bytes];
    let all = plan.cameras * plan.gops;
    for seek in 0..plan.seeks {
        let number = seek.wrapping_mul(7919) % all.max(1);
        let began = Instant::now();
        file.read_exact_at(&mut buffer, (number * plan.gop_bytes) as u64)
            .map_err(Error::io("read", &path))?;
        rounds.0[0].push(began.elapsed());
        for (footage, times) in open.iter().zip(rounds.0.iter_mut().skip(1)) {
            let (camera, gop) = (number % plan.cameras, number / plan.cameras);
            let Some(key) = key(camera) else { continue };
            let began = Instant::now();
            let at = start_of(gop).plus_micros(700_000);
            if let Some(entry) = footage.nearest(key, at).await? {
                footage.read(&entry).await?;
                times.push(began.elapsed());
            }
        }
    }
    for footage in open {
        footage.shutdown().await?;
    }
    Ok(())
}

/// Reads every file under `folder` once.
fn warm(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            warm(&entry.path())?;
        } else {
            std::io::copy(&mut File::open(entry.path())?, &mut std::io::sink())?;
        }
    }
    Ok(())
}
