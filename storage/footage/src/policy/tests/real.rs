//! On the real disk: space comes back, the log tells, and a plan from beside is the same.

use std::{collections::BTreeMap, fs, path::Path};

use super::{
    store::{gops, store_config},
    *,
};
use crate::{
    Config, Footage,
    testkit::{key as stream, push, recorded, s, seams},
    tests::{all, read_all},
};

fn config_in(dir: &Path, classes: Vec<Class>) -> Config {
    Config { dir: dir.join("footage"), ..store_config(classes) }
}

fn stored_bytes(config: &Config) -> u64 {
    let segments = fs::read_dir(config.dir.join("segments")).unwrap();
    segments.map(|file| file.unwrap().metadata().unwrap().len()).sum()
}

#[tokio::test]
async fn a_day_is_deleted_on_a_real_disk() {
    let dir = tempfile::tempdir().unwrap();
    let config = config_in(dir.path(), vec![class(0, 1, 4)]);
    for hour in 0..6 {
        let footage = Footage::open(config.clone(), seams(), s(0)).unwrap().0;
        for camera in ["a", "b"] {
            let mut writer = recorded(&footage, stream(camera));
            gops(hour * 3600, 30).iter().for_each(|gop| push(&mut writer, gop));
        }
        footage.shutdown().await.unwrap();
    }
    // A minute more than four hours: the last GOP of a held stream is taken to reach so far.
    let now = s(5 * 3600 + 90);
    let held = [("a", 5, 8), ("b", 3600, 3605)].map(|(camera, from, to)| Hold {
        cameras: vec![camera.parse().unwrap()],
        ..hold(&[], range(s(from), s(to)))
    });
    let footage = Footage::open(config.clone(), seams(), s(0)).unwrap().0;
    footage.set_holds(held.to_vec());
    let beside = plan_beside(config.clone(), held.to_vec(), BTreeMap::new(), now).unwrap();
    assert_eq!(beside, footage.plan(now).await.unwrap());
    let before = stored_bytes(&config);
    let (plan, done) = footage.keep_policies(now).await.unwrap();
    assert_eq!(plan, beside);
    assert_eq!((done.steps, done.rewritten, done.failed), (2, 2, 0), "{plan}");
    let freed = before - stored_bytes(&config);
    // The record of the gap that a cut leaves is the new segment's own.
    assert!(freed + 1024 >= plan.frees_bytes(), "{freed} of {}: {plan}", plan.frees_bytes());
    assert_eq!((all(&footage, stream("a")).await.len(), all(&footage, stream("b")).await.len()), (123, 125));
    assert!(footage.plan(now).await.unwrap().is_empty());
    let log = fs::read_to_string(config.dir.join("policy.log")).unwrap();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = lines.iter().map(|line| (&line["action"]["do"], &line["reason"]["why"])).collect();
    assert!(
        told.iter().all(|told| *told == (&"rewrite".into(), &"past_maximum".into())) && told.len() == 2,
        "{log}"
    );
    footage.shutdown().await.unwrap();
    drop(footage);
    assert!(crate::check(&config.dir, |_, _| ()).unwrap().is_clean());
    let footage = Footage::open(config.clone(), seams(), s(0)).unwrap().0;
    assert_eq!(read_all(&footage, stream("a")).await.len(), 123);
    // The holds end, and with them what they held.
    footage.set_holds(Vec::new());
    let (plan, done) = footage.keep_policies(now).await.unwrap();
    assert_eq!((done.deleted, deleted(&plan).len()), (2, 2), "{plan}");
    assert_eq!(all(&footage, stream("a")).await.len(), 120);
}
