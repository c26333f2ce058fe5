use proptest::prelude::*;
use sightline_model::media::StreamKind;
use uuid::Uuid;

use super::*;

/// Two grants, two cameras, both streams, two ways of looking.
fn key(n: u8) -> Key {
    Key {
        account: AccountId(Uuid::nil()),
        grant: GrantId(Uuid::from_u128(u128::from(n & 1))),
        stream: StreamKey {
            camera: format!("camera-{}", n >> 1 & 1).parse().unwrap(),
            stream: if n & 4 == 0 { StreamKind::Main } else { StreamKind::Sub },
        },
        kind: if n & 8 == 0 { LookKind::Playback } else { LookKind::Still },
    }
}

proptest! {
    /// Against the plain rule: a look is covered only when some entry of its own key, less than a minute old, contains it.
    #[test]
    fn nothing_is_covered_that_was_not_entered(
        steps in prop::collection::vec((0_u8..16, 0_i64..100, 1_i64..40, -5_i64..30), 1..80)
    ) {
        let mut looks = Looks::default();
        let mut model: Vec<(Timestamp, Key, TimeRange)> = Vec::new();
        let mut now = Timestamp::from_secs(1000);
        for (which, from, length, pause) in steps {
            now = now.plus_micros(pause * 1_000_000);
            let key = key(which);
            let range = TimeRange { from: Timestamp(from), to: Timestamp(from + length) };
            let covered = looks.covers(&key, range, now);
            let in_model = model.iter().any(|(at, entered_key, entered)| {
                *at <= now && now.duration_since(*at) < STANDS_FOR && *entered_key == key && entered.covers(&range)
            });
            // The clock may be set back in between: then more may be forgotten than needed, and never less.
            prop_assert!(!covered || in_model, "{key:?} {range:?} was never entered");
            if !covered {
                looks.entered(key, range, now);
                prop_assert!(looks.covers(&key, range, now));
                model.push((now, key, range));
            }
        }
    }
}

#[test]
fn memory_is_bounded_and_forgetting_only_costs_an_entry() {
    let mut looks = Looks::default();
    let now = Timestamp::from_secs(1);
    let range = |n: usize| TimeRange { from: Timestamp(n as i64), to: Timestamp(n as i64 + 1) };
    for n in 0..=MAX_REMEMBERED {
        looks.entered(key(n as u8), range(n), now);
    }
    assert_eq!(looks.order.len(), MAX_REMEMBERED);
    assert_eq!(looks.entered.values().map(VecDeque::len).sum::<usize>(), MAX_REMEMBERED);
    assert!(!looks.covers(&key(0), range(0), now) && looks.covers(&key(1), range(1), now));
    looks.entered(key(0), range(0), now + STANDS_FOR);
    assert_eq!((looks.order.len(), looks.entered.len()), (1, 1), "what is over is forgotten");
}

#[test]
fn a_budget_counts_what_it_leaves_out() {
    let mut budget = Budget::new(2);
    let now = Timestamp::from_secs(100);
    assert_eq!((budget.spend("a", now), budget.spend("a", now)), (Some(0), Some(0)));
    assert_eq!((budget.spend("a", now), budget.spend("a", now)), (None, None));
    assert_eq!(budget.spend("b", now), Some(0), "each has its own");
    assert_eq!(budget.spend("a", now + STANDS_FOR), Some(2), "the next one tells how many are missing");
    assert_eq!(budget.spend("a", now + STANDS_FOR), Some(0));
}

#[test]
fn a_refusal_is_entered_once_a_minute_and_a_flood_of_different_ones_is_cut() {
    let mut refusals = Refusals::default();
    let (who, now) = (AccountId(Uuid::nil()), Timestamp::from_secs(100));
    let camera = |n: u32| Some(format!("c-{n}").parse().unwrap());
    assert_eq!(refusals.spend(who, "grant_scope", camera(0), now), Some(0));
    assert_eq!(refusals.spend(who, "grant_scope", camera(0), now), None);
    assert_eq!(refusals.spend(who, "grant_missing", camera(0), now), Some(0));
    let entered = (1..1000).filter(|n| refusals.spend(who, "grant_scope", camera(*n), now).is_some()).count();
    assert_eq!(entered, 28);
    assert_eq!(refusals.spend(who, "grant_scope", camera(0), now + STANDS_FOR), Some(971));
}
