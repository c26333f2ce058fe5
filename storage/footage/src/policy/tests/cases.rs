//! Age, quotas, holds, keys and clocks.

use super::*;

#[test]
fn what_is_past_its_maximum_goes_oldest_first_and_nothing_else() {
    let policies = resolved(&config(vec![class(0, 1, 8)]));
    let plan = choose(&stock(hourly(10, &[1, 2])), &policies, &[], NOW);
    // Segment 1 ended 8 hours ago, to the microsecond.
    assert_eq!(deleted(&plan), [0, 1]);
    assert_eq!((plan.frees_bytes(), plan.loses_bytes(), plan.refusal.as_ref()), (400, 400, None));
    assert!(plan.steps.iter().all(|step| step.reason == Reason::PastMaximum { class: 0 }));
    let earlier = choose(&stock(hourly(10, &[1, 2])), &policies, &[], NOW.plus_micros(-1));
    assert_eq!(deleted(&earlier), [0]);
}

#[test]
fn each_class_has_its_own_ages_and_an_unknown_one_stays() {
    let policies = resolved(&config(vec![class(0, 1, 8), class(1, 1, 5)]));
    let mut segments = hourly(10, &[1]);
    segments[2].class = 1;
    segments[6].class = 1;
    segments[0].class = 9;
    let plan = choose(&stock(segments), &policies, &[], NOW);
    assert_eq!(deleted(&plan), [1, 2]);
    assert_eq!(plan.notes, [Note::UnknownClass { class: 9, segments: 1 }]);
}

#[test]
fn an_open_segment_stays() {
    let mut segments = hourly(10, &[1]);
    segments[0].sealed = false;
    let plan = choose(&stock(segments), &resolved(&config(vec![class(0, 1, 8)])), &[], NOW);
    assert_eq!(deleted(&plan), [1]);
}

#[test]
fn a_segment_of_gaps_alone_goes_too() {
    let mut segments = hourly(10, &[1]);
    segments[0].stretches.clear();
    let plan = choose(&stock(segments), &resolved(&config(vec![class(0, 1, 8)])), &[], NOW);
    assert_eq!(deleted(&plan), [0, 1]);
}

#[test]
fn a_held_stretch_makes_of_a_deletion_a_rewrite() {
    let mut old = segment(0, 10, &[2]);
    // A held stream comes GOP by GOP.
    let minutes = |from: i64| ago(10).plus_micros(from * 60_000_000);
    let gop = |from, to| Stretch { from: minutes(from), to: minutes(to), ..stretch(1, 10, 10) };
    old.stretches.extend((0..60).map(|minute| gop(minute, minute + 1)));
    old.bytes = 700;
    let mut segments = hourly(10, &[3]);
    segments[0] = old;
    let held = range(minutes(10).plus_micros(1), minutes(12));
    let plan = choose(&stock(segments), &resolved(&config(vec![class(0, 1, 9)])), &[hold(&[1], held)], NOW);
    let cut = |n, from, to| Cut { stream: Some(key(n)), range: range(from, to) };
    let drop = vec![
        cut(1, minutes(0), minutes(10)),
        cut(1, minutes(12), minutes(60)),
        cut(2, minutes(0), minutes(60)),
    ];
    let keep = vec![Cut { stream: Some(key(1)), range: held }];
    assert_eq!(actions(&plan), [Action::Rewrite { segment: 0, drop, thin: vec![], keep }]);
    assert_eq!(plan.frees_bytes(), 680);
}

#[test]
fn a_hold_on_everything_leaves_a_segment_alone_until_it_ends() {
    let policies = resolved(&config(vec![class(0, 1, 9)]));
    let mut hold = hold(&[1], range(ago(11), ago(8)));
    hold.until = Some(NOW);
    let stock = stock(hourly(10, &[1]));
    assert!(choose(&stock, &policies, &[hold.clone()], NOW.plus_micros(-1)).is_empty());
    assert_eq!(deleted(&choose(&stock, &policies, &[hold.clone()], NOW)), [0]);
    hold.until = None;
    assert!(choose(&stock, &policies, &[hold], NOW).is_empty());
}

#[test]
fn a_class_over_its_quota_loses_its_oldest_past_the_minimum() {
    let mut config = config(vec![Class { quota_bytes: Some(450), ..class(0, 3, 100) }]);
    let stock = stock(hourly(10, &[1]));
    config.max_step_percent = 100;
    let plan = choose(&stock, &resolved(&config), &[], NOW);
    assert_eq!(deleted(&plan), [0, 1, 2, 3, 4, 5]);
    assert_eq!(plan.steps[0].reason, Reason::ClassQuota { class: 0 });
    config.classes[0].min = hours(7);
    let plan = choose(&stock, &resolved(&config), &[], NOW);
    assert_eq!(deleted(&plan), [0, 1, 2]);
    assert_eq!(plan.notes, [Note::ClassOver { class: 0, over_bytes: 250 }]);
}

#[test]
fn an_owner_over_its_quota_loses_its_own_footage_only() {
    let mut config = config(vec![class(0, 1, 100)]);
    config.owners = vec![OwnerQuota { owner: "north".parse().unwrap(), quota_bytes: 600 }];
    let mut stock = stock(hourly(10, &[1, 2]));
    stock.segments[1].stretches.remove(1);
    stock.segments[1].bytes = 100;
    stock.owners = [(camera(1), "north".parse().unwrap())].into();
    let plan = choose(&stock, &resolved(&config), &[], NOW);
    let rewrite = |segment: u64| Action::Rewrite {
        segment,
        drop: vec![Cut { stream: Some(key(1)), range: range(ago(10 - segment), ago(10 - segment) + HOUR) }],
        thin: vec![],
        keep: vec![],
    };
    assert_eq!(actions(&plan), [Action::Delete { segment: 1 }, rewrite(0), rewrite(2), rewrite(3)]);
    assert_eq!(plan.loses_bytes(), 400);
}

#[test]
fn an_owner_with_a_sliver_of_a_segment_does_not_cost_a_rewrite() {
    let mut config = config(vec![class(0, 1, 100)]);
    config.owners = vec![OwnerQuota { owner: "north".parse().unwrap(), quota_bytes: 1 }];
    config.rewrite_min_percent = 51;
    let mut stock = stock(hourly(3, &[1, 2]));
    stock.owners = [(camera(1), "north".parse().unwrap())].into();
    let plan = choose(&stock, &resolved(&config), &[], NOW);
    assert!(plan.is_empty(), "{plan}");
    assert_eq!(plan.notes, [Note::OwnerOver { owner: "north".parse().unwrap(), over_bytes: 299 }]);
}

#[test]
fn footage_is_thinned_at_its_age_unless_it_is_held() {
    let config = config(vec![Class { full: Some(hours(8)), ..class(0, 1, 100) }]);
    let held = hold(&[2], range(ago(10), ago(8)));
    let plan = choose(&stock(hourly(10, &[1, 2])), &resolved(&config), &[held], NOW);
    let thinned: Vec<_> = plan
        .steps
        .iter()
        .map(|step| match &step.action {
            Action::Rewrite { segment, drop, thin, .. } if drop.is_empty() => {
                (*segment, thin[0].stream, thin.len())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(thinned, [(0, Some(key(1)), 1), (1, Some(key(1)), 1)]);
    assert_eq!(plan.frees_bytes(), 100);
    let mut thin = hourly(10, &[1]);
    thin.iter_mut().flat_map(|segment| &mut segment.stretches).for_each(|stretch| stretch.full = false);
    assert!(choose(&stock(thin), &resolved(&config), &[], NOW).is_empty());
}

#[test]
fn a_day_past_every_maximum_loses_its_keys_but_for_what_is_held_or_there() {
    let policies = resolved(&config(vec![class(0, 1, 24), class(1, 1, 48)]));
    let day = u32::try_from(NOW.0 / 86_400_000_000).unwrap() - 4;
    let hour = |n: u8, hour: u32| CameraHour { camera: camera(n), hour: day * 24 + hour };
    let hours_of_day = |day: u32| KeyDay {
        day,
        hours: (1..4)
            .flat_map(|n| (0..24).map(move |h| CameraHour { camera: camera(n), hour: day * 24 + h }))
            .collect(),
    };
    let mut stock = stock(hourly(3, &[1]));
    stock.keys = vec![hours_of_day(day), hours_of_day(day + 1), hours_of_day(day + 2)];
    // An open segment of the old day, and one of a class that nobody knows.
    let at = hour(2, 5).range();
    let mut open = segment(7, 0, &[]);
    open.sealed = false;
    open.stretches = vec![Stretch { from: at.from, to: at.to.plus_micros(1), ..stretch(2, 0, 10) }];
    open.range = at;
    stock.segments.push(open);
    let at = hour(3, 9).range();
    let held = hold(&[3], range(at.from.plus_micros(60_000_000), at.from.plus_micros(120_000_000)));
    let plan = choose(&stock, &policies, &[held], NOW);
    let keep = vec![hour(2, 5), hour(2, 6), hour(3, 8), hour(3, 9)];
    assert_eq!(
        actions(&plan),
        [Action::DestroyKeys { day, keep: keep.clone() }, Action::DestroyKeys { day: day + 1, keep: vec![] }],
        "the day before yesterday is not over for class 1"
    );
    stock.keys = vec![KeyDay { day, hours: keep.into_iter().collect() }];
    let held = hold(&[3], hour(3, 9).range());
    assert!(choose(&stock, &policies, &[held], NOW).is_empty());
}

#[test]
fn one_plan_does_not_destroy_more_than_its_bound() {
    let mut config = config(vec![class(0, 1, 3)]);
    let stock = stock(hourly(10, &[1]));
    let plan = choose(&stock, &resolved(&config), &[], NOW);
    assert_eq!(plan.refusal, Some(Refusal::TooMuch { lost_bytes: 700, percent: 70, bound_percent: 50 }));
    assert!(plan.is_empty());
    assert!(plan.to_string().contains("max_step_percent to 100"), "{plan}");
    config.max_step_percent = 70;
    assert_eq!(deleted(&choose(&stock, &resolved(&config), &[], NOW)).len(), 7);
}

#[test]
fn a_clock_far_ahead_of_every_sign_of_life_is_not_believed() {
    let config = PolicyConfig { max_step_percent: 100, ..config(vec![class(0, 1, 3)]) };
    let policies = resolved(&config);
    let mut stock = stock(hourly(10, &[1]));
    let day = hours(24);
    assert_eq!(deleted(&choose(&stock, &policies, &[], NOW + day)).len(), 10);
    let later = NOW + day + Duration::from_micros(1);
    let plan = choose(&stock, &policies, &[], later);
    assert_eq!((plan.refusal, plan.steps), (Some(Refusal::ClockAhead { now: later, last: NOW }), vec![]));
    // Without cameras the store still knows that time goes by.
    stock.seen = Some(later);
    assert_eq!(deleted(&choose(&stock, &policies, &[], later)).len(), 10);
}

#[test]
fn a_clock_behind_most_footage_is_not_believed_and_some_future_footage_is_left_alone() {
    let policies = resolved(&config(vec![class(0, 1, 5)]));
    let plan = choose(&stock(hourly(10, &[1])), &policies, &[], Timestamp(0));
    assert!(matches!(plan.refusal, Some(Refusal::ClockBehind { segments: 10, all: 10, .. })), "{plan}");
    assert!(plan.is_empty());
    let mut segments = hourly(9, &[1]);
    let newest = NOW + hours(1_000_000);
    segments[3].range.to = newest;
    let plan = choose(&stock(segments), &policies, &[], NOW);
    assert_eq!((deleted(&plan), plan.refusal), (vec![0, 1, 2], None));
    assert_eq!(plan.notes, [Note::Future { segments: 1, newest }]);
}

#[test]
fn a_plan_reads_as_a_table_and_back_from_json() {
    let mut config = config(vec![class(0, 1, 9), Class { full: Some(hours(1)), ..class(1, 1, 99) }]);
    config.owners = vec![OwnerQuota { owner: "north".parse().unwrap(), quota_bytes: 1 }];
    let mut stock = stock(hourly(10, &[1, 2]));
    stock.owners = [(camera(1), "north".parse().unwrap())].into();
    stock.segments[4].class = 1;
    stock.disks = vec![DiskStock { free_bytes: 0, keep_free_bytes: 90, stop_bytes: 80, ..disk(0, 0) }];
    stock.disks[0].shed.insert(1);
    let plan = choose(&stock, &resolved(&PolicyConfig { max_step_percent: 100, ..config }), &[], NOW);
    let text = plan.to_string();
    for words in [
        "delete",
        "past its maximum",
        "rewrite",
        "drop c1/main",
        "over its quota",
        "resume",
        "Note: owner north",
    ] {
        assert!(text.contains(words), "{words} in:\n{text}");
    }
    let json = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
    let nothing = choose(&Stock::default(), &resolved(&PolicyConfig::default()), &[], NOW).to_string();
    assert!(nothing.starts_with("There is nothing to do."), "{nothing}");
}
