//! Full disks and the tier.

use super::*;

fn tiered(config: &PolicyConfig, after: u64, keep_local: u64) -> Policies {
    let tier = TierAges { after: hours(after), keep_local: hours(keep_local) };
    Policies::resolve(config, Some(tier)).unwrap()
}

fn evicted(plan: &Plan) -> Vec<u64> {
    let id = |step: &Step| match step.action {
        Action::Evict { segment } => Some(segment),
        _ => None,
    };
    plan.steps.iter().filter_map(id).collect()
}

#[test]
fn a_full_disk_loses_by_priority_and_then_by_age_and_never_before_the_minimum() {
    let low = Class { priority: 1, ..class(1, 2, 100) };
    let policies = resolved(&config(vec![class(0, 4, 100), low]));
    let mut segments = hourly(10, &[1]);
    for id in [3, 7, 8, 9] {
        segments[id].class = 1;
    }
    let mut stock = stock(segments);
    for (need, expected) in
        [(0, vec![]), (1, vec![3]), (200, vec![3, 7]), (201, vec![3, 7, 0]), (500, vec![3, 7, 0, 1, 2])]
    {
        stock.disks = vec![disk(1000, 1000 + need)];
        let plan = choose(&stock, &policies, &[], NOW);
        assert_eq!(deleted(&plan), expected, "{need} bytes needed");
        assert!(plan.notes.is_empty(), "{plan}");
    }
}

#[test]
fn what_goes_anyway_counts_first() {
    let policies = resolved(&config(vec![class(0, 1, 8)]));
    let mut stock = stock(hourly(10, &[1]));
    stock.disks = vec![disk(0, 200)];
    let plan = choose(&stock, &policies, &[], NOW);
    assert_eq!(deleted(&plan), [0, 1]);
    assert!(plan.steps.iter().all(|step| step.reason == Reason::PastMaximum { class: 0 }));
}

#[test]
fn each_disk_helps_itself() {
    let policies = resolved(&config(vec![class(0, 1, 100)]));
    let mut segments = hourly(10, &[1]);
    segments[0].disk = 1;
    segments[1].disk = 1;
    let mut stock = stock(segments);
    stock.disks = vec![disk(0, 100), DiskStock { id: 1, ..disk(500, 100) }];
    assert_eq!(deleted(&choose(&stock, &policies, &[], NOW)), [2]);
    // A disk that is not there is not helped, and what lies on it stays.
    stock.disks = vec![DiskStock { id: 1, ..disk(0, 300) }];
    let plan = choose(&stock, &policies, &[], NOW);
    assert_eq!(deleted(&plan), [0, 1]);
    assert_eq!(plan.notes, [Note::DiskShort { disk: 1, short_bytes: 100 }]);
}

#[test]
fn copies_that_the_tier_has_go_before_any_footage() {
    let policies = tiered(&config(vec![class(0, 1, 100)]), 1000, 1000);
    let mut segments = hourly(10, &[1]);
    segments[4].place = Place::Both;
    segments[5].place = Place::Both;
    segments[0].place = Place::Tier;
    let mut stock = stock(segments);
    stock.disks = vec![disk(0, 100)];
    assert_eq!(actions(&choose(&stock, &policies, &[], NOW)), [Action::Evict { segment: 4 }]);
    stock.disks = vec![disk(0, 300)];
    let plan = choose(&stock, &policies, &[], NOW);
    let expected =
        [Action::Evict { segment: 4 }, Action::Evict { segment: 5 }, Action::Delete { segment: 1 }];
    assert_eq!(actions(&plan), expected, "segment 0 has no local copy to give back");
}

#[test]
fn a_partly_held_segment_is_written_again_only_when_whole_ones_are_not_enough() {
    let mut config = config(vec![class(0, 1, 100)]);
    let mut stock = stock(hourly(4, &[1, 2]));
    let held = [hold(&[1], range(ago(4), ago(3)))];
    config.max_step_percent = 100;
    stock.disks = vec![disk(0, 400)];
    assert_eq!(deleted(&choose(&stock, &resolved(&config), &held, NOW)), [1, 2]);
    stock.disks = vec![disk(0, 450)];
    let plan = choose(&stock, &resolved(&config), &held, NOW);
    assert_eq!((deleted(&plan), plan.steps.len(), plan.frees_bytes()), (vec![1, 2], 3, 500));
    assert!(plan.notes.is_empty(), "{plan}");
    config.rewrite_min_percent = 51;
    let plan = choose(&stock, &resolved(&config), &held, NOW);
    assert_eq!(plan.notes, [Note::DiskShort { disk: 0, short_bytes: 50 }]);
    assert_eq!(actions(&plan)[2..], [], "half the way is not the end of it: recording goes on");
}

#[test]
fn with_nothing_left_that_may_go_the_least_class_stops() {
    let low = Class { priority: 1, ..class(1, 50, 100) };
    let policies = resolved(&config(vec![class(0, 50, 100), low]));
    let mut stock = stock(hourly(10, &[1]));
    stock.disks = vec![DiskStock { stop_bytes: 100, recorded: [0, 1].into(), ..disk(150, 200) }];
    let plan = choose(&stock, &policies, &[], NOW);
    assert_eq!(actions(&plan), [Action::Shed { disk: 0, class: 1 }]);
    assert_eq!(plan.steps[0].reason, Reason::DiskFull { disk: 0 });
    stock.disks[0].shed.insert(1);
    assert!(choose(&stock, &policies, &[], NOW).is_empty());
    stock.disks[0].free_bytes = 200;
    assert_eq!(actions(&choose(&stock, &policies, &[], NOW)), [Action::Resume { disk: 0, class: 1 }]);
}

#[test]
fn a_disbelieved_clock_still_evicts_and_sheds() {
    let policies = tiered(&config(vec![class(0, 1, 2)]), 1000, 1000);
    let mut segments = hourly(4, &[1]);
    segments[1].place = Place::Both;
    let mut stock = stock(segments);
    stock.disks = vec![disk(0, 150)];
    let plan = choose(&stock, &policies, &[], NOW + hours(500));
    assert!(matches!(plan.refusal, Some(Refusal::ClockAhead { .. })));
    assert_eq!(evicted(&plan), [1]);
    assert!(plan.steps.iter().all(|step| !step.action.destroys()), "{plan}");
    assert_eq!(plan.notes, [Note::DiskShort { disk: 0, short_bytes: 50 }]);
}

#[test]
fn sealed_segments_go_up_at_their_age_and_their_local_copies_go_at_theirs() {
    let policies = tiered(&config(vec![class(0, 1, 9)]), 2, 5);
    let mut segments = hourly(10, &[1]);
    for id in [0, 1, 4, 5] {
        segments[id].place = Place::Both;
    }
    segments[2].place = Place::Tier;
    segments[7].sealed = false;
    let plan = choose(&stock(segments), &policies, &[], NOW);
    assert_eq!(deleted(&plan), [0]);
    let up: Vec<_> = actions(&plan)
        .into_iter()
        .filter_map(|action| if let Action::Upload { segment } = action { Some(segment) } else { None })
        .collect();
    assert_eq!((up, evicted(&plan)), (vec![3, 6], vec![1, 4]));
}
