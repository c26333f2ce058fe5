//! Random stocks, holds and policies against a naive world of GOPs, to which plans are done.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// One GOP of the world: what a plan cannot see and must not get wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct WorldGop {
    camera: u8,
    from: Timestamp,
    to: Timestamp,
    bytes: u64,
    full: bool,
}

#[derive(Debug, Clone)]
struct WorldSegment {
    id: u64,
    disk: u16,
    class: u8,
    sealed: bool,
    place: Place,
    gops: Vec<WorldGop>,
}

#[derive(Debug, Clone)]
struct World {
    segments: Vec<WorldSegment>,
    free: [u64; 2],
    shed: [BTreeSet<u8>; 2],
    keys: BTreeMap<u32, BTreeSet<CameraHour>>,
    next_id: u64,
}

const OVERHEAD: u64 = 10;
const MINUTE_US: i64 = 60_000_000;

impl WorldGop {
    fn thin_bytes(&self) -> u64 {
        if self.full { self.bytes / 4 } else { self.bytes }
    }

    fn is_held(&self, holds: &[Hold]) -> bool {
        holds.iter().any(|hold| hold.is_active(NOW) && hold.touches(camera(self.camera), self.from, self.to))
    }
}

impl WorldSegment {
    fn bytes(&self) -> u64 {
        OVERHEAD + self.gops.iter().map(|gop| gop.bytes).sum::<u64>()
    }

    /// As fine as a real store gives it: held cameras by GOP, the rest by stream, or all in one when nobody has a quota.
    fn stock(&self, holds: &[Hold], owners: bool) -> SegmentStock {
        let stretch = |key, gops: &[&WorldGop]| Stretch {
            key,
            from: gops.iter().map(|gop| gop.from).min().unwrap(),
            to: gops.iter().map(|gop| gop.to).max().unwrap(),
            bytes: gops.iter().map(|gop| gop.bytes).sum(),
            thin_bytes: gops.iter().map(|gop| gop.thin_bytes()).sum(),
            full: gops.iter().any(|gop| gop.full),
        };
        let mut stretches = Vec::new();
        let mut others = Vec::new();
        for n in 0..4 {
            let gops: Vec<_> = self.gops.iter().filter(|gop| gop.camera == n).collect();
            if gops.iter().any(|gop| gop.is_held(holds)) {
                stretches.extend(gops.iter().map(|gop| stretch(Some(key(n)), &[gop])));
            } else if owners && !gops.is_empty() {
                stretches.push(stretch(Some(key(n)), &gops));
            } else {
                others.extend(gops);
            }
        }
        if !others.is_empty() {
            stretches.push(stretch(None, &others));
        }
        let from = self.gops.iter().map(|gop| gop.from).min().unwrap();
        let to = self.gops.iter().map(|gop| gop.to).max().unwrap();
        SegmentStock {
            id: self.id,
            disk: self.disk,
            class: self.class,
            sealed: self.sealed,
            bytes: self.bytes(),
            place: self.place,
            range: range(from, to),
            stretches,
        }
    }
}

impl World {
    fn stock(&self, case: &Case) -> Stock {
        let owners = !case.config.owners.is_empty();
        let disk = |id: u16| DiskStock {
            id,
            free_bytes: self.free[usize::from(id)],
            keep_free_bytes: case.keep_free,
            stop_bytes: case.keep_free / 2,
            recorded: [0, 1, 2].into(),
            shed: self.shed[usize::from(id)].clone(),
            ..disk(0, 0)
        };
        Stock {
            segments: self.segments.iter().map(|segment| segment.stock(&case.holds, owners)).collect(),
            disks: vec![disk(0), disk(1)],
            owners: [(camera(0), "north".parse().unwrap()), (camera(1), "south".parse().unwrap())].into(),
            keys: self.keys.iter().map(|(day, hours)| KeyDay { day: *day, hours: hours.clone() }).collect(),
            seen: Some(NOW),
        }
    }

    fn apply(&mut self, plan: &Plan) {
        for step in &plan.steps {
            let before = self.free;
            match &step.action {
                Action::Delete { segment } => drop(self.take(*segment)),
                Action::Evict { segment } => self.at(*segment, |segment| segment.place = Place::Tier),
                Action::Upload { segment } => self.at(*segment, |segment| segment.place = Place::Both),
                Action::Rewrite { segment, drop, thin, keep } => self.rewrite(*segment, drop, thin, keep),
                Action::DestroyKeys { day, keep } => {
                    let hours = self.keys.get_mut(day).unwrap();
                    hours.retain(|hour| keep.contains(hour));
                }
                Action::Shed { disk, class } => assert!(self.shed[usize::from(*disk)].insert(*class)),
                Action::Resume { disk, class } => assert!(self.shed[usize::from(*disk)].remove(class)),
            }
            let gained: u64 = (0..2).map(|disk| self.free[disk].saturating_sub(before[disk])).sum();
            assert!(gained >= step.frees_bytes, "{step:?} gave {gained}");
        }
    }

    /// Takes a segment away and gives its disk the space back.
    fn take(&mut self, id: u64) -> WorldSegment {
        let at = self.segments.iter().position(|segment| segment.id == id).unwrap();
        let segment = self.segments.remove(at);
        assert!(segment.sealed);
        if segment.place.is_local() {
            self.free[usize::from(segment.disk)] += segment.bytes();
        }
        segment
    }

    fn at(&mut self, id: u64, change: impl FnOnce(&mut WorldSegment)) {
        let mut segment = self.take(id);
        change(&mut segment);
        self.put(segment);
    }

    fn put(&mut self, segment: WorldSegment) {
        if segment.place.is_local() {
            let free = &mut self.free[usize::from(segment.disk)];
            *free = free.saturating_sub(segment.bytes());
        }
        self.segments.push(segment);
    }

    fn rewrite(&mut self, id: u64, drop: &[Cut], thin: &[Cut], keep: &[Cut]) {
        let mut segment = self.take(id);
        let in_cut = |cuts: &[Cut], gop: &WorldGop| {
            cuts.iter().any(|cut| {
                cut.stream.is_none_or(|stream| stream == key(gop.camera)) && cut.range.contains(gop.from)
            })
        };
        let kept = |gop: &WorldGop| {
            keep.iter().any(|cut| {
                cut.stream == Some(key(gop.camera)) && gop.from < cut.range.to && gop.to > cut.range.from
            })
        };
        segment.gops.retain(|gop| kept(gop) || !in_cut(drop, gop));
        for gop in &mut segment.gops {
            if !kept(gop) && in_cut(thin, gop) {
                gop.bytes = gop.thin_bytes();
                gop.full = false;
            }
        }
        assert!(!segment.gops.is_empty(), "that would have been a deletion");
        segment.id = self.next_id;
        segment.place = Place::Local;
        self.next_id += 1;
        self.put(segment);
    }

    fn gops(&self) -> Vec<(u8, WorldGop)> {
        self.segments
            .iter()
            .flat_map(|segment| segment.gops.iter().map(|gop| (segment.class, *gop)))
            .collect()
    }
}

#[derive(Debug, Clone)]
struct Case {
    world: World,
    config: PolicyConfig,
    holds: Vec<Hold>,
    keep_free: u64,
    tier: Option<TierAges>,
}

prop_compose! {
    fn segments()(
        kinds in proptest::collection::vec((prop_oneof![9 => 2u64..140, 1 => 0u64..1], 0u16..2, 0u8..4, 0u8..12, 0u8..3), 1..14),
        lengths in proptest::collection::vec((0u8..4, 1i64..9, 1u64..60, any::<bool>()), 40),
    ) -> Vec<WorldSegment> {
        let mut next = lengths.iter().cycle();
        kinds.iter().enumerate().map(|(id, (hours_ago, disk, class, open, place))| {
            let mut gops = Vec::new();
            let mut at = [ago(*hours_ago); 4];
            for _ in 0..8 {
                let (n, minutes, bytes, full) = *next.next().unwrap();
                let from = at[usize::from(n)];
                let to = from.plus_micros(minutes * MINUTE_US);
                at[usize::from(n)] = to;
                gops.push(WorldGop { camera: n, from, to, bytes: bytes * 4, full });
            }
            let place = [Place::Local, Place::Both, Place::Tier][usize::from(*place)];
            WorldSegment { id: id as u64, disk: *disk, class: *class, sealed: *open > 0, place, gops }
        }).collect()
    }
}

prop_compose! {
    fn classes()(
        ages in proptest::collection::vec((0u64..40, 0u64..80, proptest::option::of(0u64..60)), 3),
        quotas in proptest::collection::vec(proptest::option::of(1u64..3000), 3),
        priorities in proptest::collection::vec(0u8..4, 3),
    ) -> Vec<Class> {
        ages.iter().zip(quotas).zip(priorities).zip(0u8..).map(|((((min, more, full), quota_bytes), priority), code)| {
            let max = min + more + 1;
            let full = full.map(|full| hours(full.min(max)));
            Class { full, quota_bytes, priority, ..class(code, *min, max) }
        }).collect()
    }
}

prop_compose! {
    fn case()(
        segments in segments(),
        classes in classes(),
        holds in proptest::collection::vec((0u8..4, 0u64..140, 0i64..60, 1i64..90, any::<bool>()), 0..5),
        owners in proptest::option::of((1u64..2000, 1u64..2000)),
        tier in proptest::option::of((0u64..60, 0u64..60)),
        bounds in (1u8..=100, 20u8..=100),
        space in ([0u64..4000, 0u64..4000], 0u64..4000),
    ) -> Case {
        let owner = |name: &str, quota_bytes| OwnerQuota { owner: name.parse().unwrap(), quota_bytes };
        let owners = owners.map(|(north, south)| vec![owner("north", north), owner("south", south)]);
        let config = PolicyConfig {
            owners: owners.unwrap_or_default(),
            rewrite_min_percent: bounds.0,
            max_step_percent: bounds.1,
            ..config(classes)
        };
        let holds = holds.into_iter().map(|(n, hours_ago, minutes, length, ended)| {
            let from = ago(hours_ago).plus_micros(minutes * MINUTE_US + 1);
            let until = ended.then_some(NOW);
            Hold { until, ..hold(&[n], range(from, from.plus_micros(length * MINUTE_US))) }
        }).collect();
        let mut keys: BTreeMap<u32, BTreeSet<CameraHour>> = BTreeMap::new();
        for gop in segments.iter().flat_map(|segment| &segment.gops) {
            let hour = CameraHour::of(camera(gop.camera), gop.from);
            keys.entry(hour.hour / 24).or_default().insert(hour);
        }
        let next_id = segments.len() as u64;
        let world = World { segments, free: space.0, shed: [[].into(), [].into()], keys, next_id };
        let tier = tier.map(|(after, more)| TierAges { after: hours(after), keep_local: hours(after + more) });
        Case { world, config, holds, keep_free: space.1, tier }
    }
}

/// What is missing after the plan was owed to nobody: not held, past its minimum, of a known class, in a sealed segment.
fn check_losses(case: &Case, policies: &Policies, after: &World) {
    let left = after.gops();
    for segment in &case.world.segments {
        for gop in &segment.gops {
            if left.contains(&(segment.class, *gop)) {
                continue;
            }
            let thinned = WorldGop { bytes: gop.thin_bytes(), full: false, ..*gop };
            let class = policies.class(segment.class).expect("of an unknown class");
            assert!(segment.sealed && !gop.is_held(&case.holds), "{gop:?} was touched");
            if left.contains(&(segment.class, thinned)) {
                assert!(gop.to + class.full.expect("never thinned") <= NOW, "{gop:?} was thinned too early");
            } else {
                assert!(gop.to + class.min <= NOW, "{gop:?} went before its minimum");
            }
        }
    }
}

/// Whatever can be read without its key gone could be read before.
fn check_keys(case: &Case, policies: &Policies, after: &World) {
    for (day, hours) in &case.world.keys {
        for hour in hours.difference(&after.keys[day]) {
            let range = hour.range();
            assert!(range.to + policies.longest_max() <= NOW, "{hour:?} is not over");
            let of = |gop: &WorldGop| camera(gop.camera) == hour.camera && range.contains(gop.from);
            assert!(!after.gops().iter().any(|(_, gop)| of(gop)), "{hour:?} is still needed");
            let held = |hold: &Hold| hold.is_active(NOW) && hold.touches(hour.camera, range.from, range.to);
            assert!(!case.holds.iter().any(held), "{hour:?} is held");
        }
    }
}

/// What nobody protects and is past its maximum is gone.
fn check_expiry(case: &Case, policies: &Policies, after: &World) {
    for segment in after.segments.iter().filter(|segment| segment.sealed) {
        let Some(class) = policies.class(segment.class) else { continue };
        let end = segment.gops.iter().map(|gop| gop.to).max().unwrap();
        if end + class.max <= NOW {
            assert!(
                segment.gops.iter().all(|gop| gop.is_held(&case.holds)),
                "{segment:?} is past its maximum"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]
    #[test]
    fn a_plan_breaks_no_promise_and_is_made_once(case in case()) {
        let policies = Policies::resolve(&case.config, case.tier).unwrap();
        let mut world = case.world.clone();
        let plan = choose(&world.stock(&case), &policies, &case.holds, NOW);
        world.apply(&plan);
        let all: u64 = case.world.segments.iter().map(WorldSegment::bytes).sum();
        prop_assert!(plan.loses_bytes() * 100 <= all * u64::from(case.config.max_step_percent));
        check_losses(&case, &policies, &world);
        check_keys(&case, &policies, &world);
        if plan.refusal.is_some() {
            prop_assert!(plan.steps.iter().all(|step| !step.action.destroys()), "{}", plan);
            return Ok(());
        }
        check_expiry(&case, &policies, &world);
        let second = choose(&world.stock(&case), &policies, &case.holds, NOW);
        if matches!(second.refusal, Some(Refusal::ClockBehind { .. })) {
            // Little more than footage from the future was left.
            return Ok(());
        }
        if case.tier.is_none() {
            prop_assert!(second.is_empty(), "first:\n{plan}\nthen:\n{second}");
        }
        // Moves between disk and tier may follow each other; they come to an end, and destroy nothing more.
        let mut next = second;
        for _ in 0..4 {
            prop_assert!(next.loses_bytes() == 0, "first:\n{plan}\nthen:\n{next}");
            world.apply(&next);
            next = choose(&world.stock(&case), &policies, &case.holds, NOW);
        }
        prop_assert!(next.is_empty(), "first:\n{plan}\nat last:\n{next}");
    }

    #[test]
    fn quotas_and_space_are_met_or_the_plan_says_why_not(case in case()) {
        let config = PolicyConfig { max_step_percent: 100, ..case.config.clone() };
        let policies = Policies::resolve(&config, case.tier).unwrap();
        let mut world = case.world.clone();
        let plan = choose(&world.stock(&case), &policies, &case.holds, NOW);
        if plan.refusal.is_some() {
            return Ok(());
        }
        world.apply(&plan);
        for class in policies.classes() {
            let of = world.segments.iter().filter(|segment| segment.class == class.code);
            let used: u64 = of.map(WorldSegment::bytes).sum();
            let said = plan.notes.iter().any(|note| matches!(note, Note::ClassOver { class: code, .. } if *code == class.code));
            prop_assert!(said || class.quota_bytes.is_none_or(|quota| used <= quota), "{class:?}: {used}\n{plan}");
        }
        for (owner, n) in case.config.owners.iter().zip(0u8..) {
            let used: u64 = world.gops().iter().filter(|(_, gop)| gop.camera == n).map(|(_, gop)| gop.bytes).sum();
            let said = plan.notes.iter().any(|note| matches!(note, Note::OwnerOver { owner: code, .. } if *code == owner.owner));
            prop_assert!(said || used <= owner.quota_bytes, "{owner:?}: {used}\n{plan}");
        }
        for (disk, free) in world.free.iter().enumerate() {
            let said = plan.notes.iter().any(|note| matches!(note, Note::DiskShort { disk: id, .. } if usize::from(*id) == disk));
            prop_assert!(said || *free >= case.keep_free, "disk {disk}: {free} free\n{plan}");
            prop_assert!(*free < case.keep_free || world.shed[disk].is_empty(), "disk {disk} sheds for nothing\n{plan}");
        }
    }

    #[test]
    fn a_wrong_clock_costs_nothing(case in case(), off_hours in 170u64..2_000_000) {
        let policies = Policies::resolve(&PolicyConfig { max_step_percent: 100, ..case.config.clone() }, case.tier).unwrap();
        let mut stock = case.world.stock(&case);
        for now in [NOW - hours(off_hours), NOW + hours(off_hours)] {
            stock.seen = None;
            let plan = choose(&stock, &policies, &case.holds, now);
            prop_assert!(plan.steps.iter().all(|step| !step.action.destroys()), "at {now}:\n{plan}");
            prop_assert!(plan.refusal.is_some(), "at {now}:\n{plan}");
        }
    }
}
