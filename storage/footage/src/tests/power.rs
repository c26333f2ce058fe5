//! A crash at every moment at which the disk changes, also while a crash is being recovered from.

use sightline_model::media::{Gop, RunId, StreamKey};

use super::{all, read_all};
use crate::{
    Config,
    disk::sim::{Moment, SimDisk, Watch},
    testkit::{config, gop, gop_of, key, open, push, recorded},
};

const STREAMS: [&str; 3] = ["a", "b", "c"];

/// What was pushed, by stream, and how much of it had been flushed when the disk was promised `n`.
struct History {
    pushed: Vec<Vec<Gop>>,
    flushed: Vec<usize>,
    moments: Vec<Moment>,
}

/// Records a while on a watched disk, over segment changes, a restart and a shutdown.
async fn history(seed: u64, watch: Watch) -> History {
    let disk = SimDisk::with_seed(seed);
    disk.watch(watch);
    let mut pushed = vec![Vec::new(); STREAMS.len()];
    let mut flushed = vec![0];
    for run in 0..2u32 {
        let footage = open(&disk, config());
        let mut writers: Vec<_> = STREAMS.iter().map(|name| recorded(&footage, key(name))).collect();
        for round in 0..6u32 {
            for (stream, writer) in writers.iter_mut().enumerate() {
                let number = run * 6 + round;
                let bytes = 100 + (number as usize * 911 + stream * 53 + seed as usize * 37) % 5000;
                let at_ms = i64::from(number) * 1000;
                let gop = gop_of(at_ms, 1000, RunId(u64::from(run)), number, 0, bytes);
                push(writer, &gop);
                pushed[stream].push(gop);
            }
            if round % 3 != 1 {
                footage.flush().await.unwrap();
                flushed.push(pushed[0].len());
                disk.promise(flushed.len() as u64 - 1);
            }
        }
        drop(writers);
        footage.shutdown().await.unwrap();
        flushed.push(pushed[0].len());
        disk.promise(flushed.len() as u64 - 1);
    }
    History { pushed, flushed, moments: disk.moments() }
}

/// Everything that was flushed by then is there, byte-exact; what else is there was pushed; nothing is invented.
async fn check(image: &SimDisk, history: &History, promised: u64, what: &str) {
    let footage = open(image, config());
    let safe = history.flushed[usize::try_from(promised).unwrap()];
    for (stream, pushed) in history.pushed.iter().enumerate() {
        let found = read_all(&footage, key(STREAMS[stream])).await;
        assert!(found.len() >= safe, "{what}: {} of {safe} GOPs", found.len());
        assert!(found[..safe] == pushed[..safe], "{what}: not what was flushed");
        assert!(found.iter().all(|gop| pushed.contains(gop)), "{what}: an invented GOP");
    }
}

#[tokio::test]
async fn a_crash_or_a_kill_at_every_moment_keeps_everything_that_was_flushed() {
    for seed in 0..3 {
        let history = history(seed, Watch::Changes).await;
        assert!(history.moments.len() > 60, "{} moments", history.moments.len());
        for (number, moment) in history.moments.iter().enumerate() {
            let what = format!("seed {seed}, moment {number} ({})", moment.name());
            check(&moment.crash(seed * 1000 + number as u64), &history, moment.promised(), &what).await;
            check(&moment.kill(number as u64), &history, moment.promised(), &what).await;
        }
    }
}

#[tokio::test]
async fn a_crash_at_every_moment_of_a_recovery_keeps_it_too() {
    let history = history(7, Watch::Syncs).await;
    for (number, moment) in history.moments.iter().enumerate().step_by(3) {
        let image = moment.crash(number as u64);
        image.watch(Watch::Changes);
        check(&image, &history, moment.promised(), "the first recovery").await;
        for (again, second) in image.moments().iter().enumerate() {
            let what = format!("moment {number} ({}), then {again} ({})", moment.name(), second.name());
            check(&second.crash(again as u64), &history, moment.promised(), &what).await;
        }
    }
}

#[tokio::test]
async fn what_a_recovery_found_the_next_one_finds_too_and_recording_goes_on() {
    let history = history(9, Watch::Changes).await;
    for (number, moment) in history.moments.iter().enumerate().step_by(5) {
        let image = moment.crash(number as u64);
        let identities = async |footage: &crate::Footage, key: StreamKey| -> Vec<_> {
            all(footage, key).await.iter().map(crate::GopEntry::identity).collect()
        };
        let mut first = Vec::new();
        let footage = open(&image, config());
        for name in STREAMS {
            first.push(identities(&footage, key(name)).await);
        }
        let later = gop(1_000_000, 0, 0);
        let mut writer = recorded(&footage, key("a"));
        push(&mut writer, &later);
        footage.flush().await.unwrap();
        drop((writer, footage));
        let again = open(&image.crash(1), Config { lanes: 1, ..config() });
        for (stream, name) in STREAMS.into_iter().enumerate() {
            let mut found = identities(&again, key(name)).await;
            if name == "a" {
                assert_eq!(found.pop(), Some((later.start.at, later.start.run, 0, 0)), "moment {number}");
            }
            assert_eq!(found, first[stream], "moment {number} ({}), {name}", moment.name());
        }
    }
}
