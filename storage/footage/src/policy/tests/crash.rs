//! A crash at every sync point of a rewrite.

use std::sync::Arc;

use sightline_model::media::{Gop, Policy};

use super::{
    store::{gops, open_with, record, store_config},
    *,
};
use crate::{
    Seams,
    catalogue::{Catalogue, MemoryCatalogue},
    disk::sim::SimDisk,
    testkit::{key as stream, s, seams},
    tests::read_all,
};

/// What is there after the crash is the old or the new, GOP by GOP, once each, and what is held is as it was; the next plan
/// brings the same end.
async fn crash_once(crash_in_syncs: u64, seed: u64, thin: bool, catalogue: bool) -> bool {
    let disk = SimDisk::with_seed(seed);
    let full = if thin { Some(hours(2)) } else { None };
    let config = store_config(vec![Class { full, ..class(0, 1, if thin { 20 } else { 4 }) }]);
    let recorded = gops(0, 40);
    record(&disk, &config, &["a", "b"], &recorded).await;
    let hold = Hold { cameras: vec!["a".parse().unwrap()], ..hold(&[], range(s(10), s(13))) };
    // A catalogue that outlives the crash knows more than the disk then.
    let catalogue = catalogue.then(|| Arc::new(MemoryCatalogue::default()) as Arc<dyn Catalogue>);
    let seams = || Seams { catalogue: catalogue.clone(), ..seams() };
    let footage = open_with(&disk, config.clone(), seams());
    footage.set_holds(vec![hold.clone()]);
    disk.faults(|faults| faults.crash_in_syncs = Some(crash_in_syncs));
    let now = s(6 * 3600);
    footage.keep_policies(now).await.unwrap();
    let crashed = disk.image().is_some();
    let image = disk.image().unwrap_or_else(|| disk.crash(seed));
    drop(footage);

    let context =
        format!("sync {crash_in_syncs}, seed {seed}, thin {thin}, catalogue {}", catalogue.is_some());
    let footage = open_with(&image, config, seams());
    footage.set_holds(vec![hold]);
    let found = read_all(&footage, stream("a")).await;
    assert_eq!(found.iter().filter(|gop| recorded[10..13].contains(gop)).count(), 3, "{context}");
    for gop in &found {
        let whole = Gop { units: recorded[gop.start.number as usize].units.clone(), ..gop.clone() };
        let old = recorded.contains(gop);
        assert!(
            old || thin && gop.start.policy == Policy::Keyframes && whole.units[..1] == gop.units,
            "{context}"
        );
    }
    assert!(found.is_sorted_by(|a, b| a.start.number < b.start.number), "{context}: a GOP twice");
    assert!(!thin || found.len() == 40, "{context}: thinning loses no GOP");
    footage.keep_policies(now).await.unwrap();
    assert!(footage.plan(now).await.unwrap().is_empty(), "{context}");
    let (a, b) = (read_all(&footage, stream("a")).await, read_all(&footage, stream("b")).await);
    if thin {
        assert_eq!((a.len(), b.len()), (40, 40), "{context}");
        assert_eq!(a.iter().filter(|gop| gop.units.len() > 1).count(), 3, "{context}");
    } else {
        assert_eq!((a, b), (recorded[10..13].to_vec(), vec![]), "{context}");
    }
    assert_eq!(image.names().len(), 1, "{context}: {:?}", image.names());
    crashed
}

#[tokio::test]
async fn a_crash_at_any_sync_leaves_the_old_or_the_new_and_never_neither() {
    for (thin, catalogue) in [(false, false), (true, false), (false, true), (true, true)] {
        for seed in 0..8 {
            let mut points = 0;
            while crash_once(points, seed, thin, catalogue).await {
                points += 1;
            }
            assert!(points >= 4, "only {points} syncs in a rewrite");
        }
    }
}
