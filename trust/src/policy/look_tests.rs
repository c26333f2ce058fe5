//! Every rule of a look against every other: a look is shown exactly when all hold, and refused for the first that does
//! not.

use proptest::prelude::*;
use sightline_model::{
    account::Role,
    alert::AlertState,
    grant::{Case, Ground},
    id::GrantId,
};
use uuid::Uuid;

use super::*;
use crate::policy::{
    DAY, HOUR,
    tests::{ME, NOW, OTHER, account, alert, camera, case, patrol},
};

const GROUNDS: [GroundKind; 5] = [
    GroundKind::Patrol,
    GroundKind::Alert,
    GroundKind::Case,
    GroundKind::Assistance,
    GroundKind::Maintenance,
];
const KINDS: [LookKind; 4] = [LookKind::Timeline, LookKind::Still, LookKind::Playback, LookKind::Live];

fn grant(kind: GroundKind) -> Grant {
    Grant {
        id: GrantId(Uuid::from_u128(7)),
        account: ME,
        ground: Ground { kind, reference: "REF-1".into() },
        reason: "because".into(),
        cameras: vec![camera("a")],
        regions: vec!["town".parse().unwrap()],
        range: TimeRange { from: NOW - HOUR, to: NOW + HOUR },
        created_at: NOW,
        expires_at: NOW + HOUR,
        ended_at: None,
    }
}

fn facts(kind: GroundKind, open: bool) -> Facts {
    match (kind, open) {
        (GroundKind::Patrol, true) => Facts::Patrol(patrol()),
        (GroundKind::Alert, true) => alert(AlertState::Confirmed),
        (GroundKind::Case, true) => case(),
        (GroundKind::Assistance | GroundKind::Maintenance, true) => Facts::Outside,
        (GroundKind::Alert, false) => alert(AlertState::Resolved),
        (_, false) => Facts::Nothing,
    }
}

fn role(kind: GroundKind) -> Role {
    Role::ALL.into_iter().find(|role| role.may_open(kind)).unwrap()
}

/// One case of everything that a look depends on.
#[derive(Debug, Clone, Copy)]
struct Circumstances {
    ground: GroundKind,
    kind: LookKind,
    mine: bool,
    ended: bool,
    expired: bool,
    open: bool,
    role_kept: bool,
    /// Named, in a granted region, or neither.
    camera: u8,
    /// Just now, outside of the grant, or (`None`) the newest.
    time: Option<bool>,
}

/// The rules, written down once more as plainly as possible.
fn expected(at: &Circumstances) -> &'static str {
    let live = at.kind == LookKind::Live || (at.time.is_none() && at.kind != LookKind::Live);
    let no_video =
        at.ground == GroundKind::Maintenance && matches!(at.kind, LookKind::Playback | LookKind::Live);
    if !at.mine {
        "grant_foreign"
    } else if at.ended {
        "grant_ended"
    } else if at.expired {
        "grant_expired"
    } else if !at.open {
        "ground_closed"
    } else if !at.role_kept {
        "role_forbids"
    } else if at.camera == 2 || no_video || (!live && at.time == Some(false)) {
        "grant_scope"
    } else {
        "shown"
    }
}

fn found(at: &Circumstances) -> &'static str {
    let mut grant = grant(at.ground);
    grant.account = if at.mine { ME } else { OTHER };
    grant.ended_at = at.ended.then_some(NOW);
    grant.expires_at = if at.expired { NOW } else { NOW + HOUR };
    let me = account(if at.role_kept { role(at.ground) } else { Role::Auditor });
    let town: RegionId = if at.camera == 1 { "town" } else { "elsewhere" }.parse().unwrap();
    let range = at.time.map(|inside| match inside {
        true => TimeRange { from: NOW - MINUTE, to: NOW },
        false => TimeRange { from: NOW - DAY, to: NOW - DAY + MINUTE },
    });
    let camera = camera(if at.camera == 0 { "a" } else { "z" });
    let wanted = Wanted { camera, kind: at.kind, range };
    match check(&grant, &me, &facts(at.ground, at.open), &wanted, &[town], NOW) {
        Ok(opened) => {
            assert_eq!(opened.is_none(), at.kind == LookKind::Live || range.is_none());
            "shown"
        }
        Err(refusal) => refusal.code(),
    }
}

#[test]
fn a_look_is_shown_exactly_when_every_rule_holds() {
    let both = [false, true];
    let mut shown = 0;
    for ground in GROUNDS {
        for kind in KINDS {
            for bits in 0..32_u8 {
                let [mine, ended, expired, open, role_kept] =
                    [1, 2, 4, 8, 16].map(|bit| both[usize::from(bits & bit != 0)]);
                // Assistance and maintenance refer to papers outside: nothing in Sightline closes them.
                if !open && matches!(ground, GroundKind::Assistance | GroundKind::Maintenance) {
                    continue;
                }
                for camera in 0..3 {
                    for time in [Some(true), Some(false), None] {
                        let at = Circumstances {
                            ground,
                            kind,
                            mine,
                            ended,
                            expired,
                            open,
                            role_kept,
                            camera,
                            time,
                        };
                        assert_eq!(found(&at), expected(&at), "{at:?}");
                        shown += usize::from(found(&at) == "shown");
                    }
                }
            }
        }
    }
    // Five grounds, two ways to cover a camera; of three times, live looks at none and the others are refused one. Less
    // the video of maintenance.
    assert_eq!(shown, 5 * 2 * (2 + 2 + 2 + 3) - 2 * (2 + 3));
}

fn open_time(
    ground: GroundKind,
    facts: &Facts,
    kind: LookKind,
    from: Timestamp,
    to: Timestamp,
) -> Option<TimeRange> {
    let mut grant = grant(ground);
    grant.range = TimeRange { from: NOW - DAY * 10, to: NOW + DAY };
    let wanted = Wanted { camera: camera("a"), kind, range: TimeRange::new(from, to) };
    check(&grant, &account(role(ground)), facts, &wanted, &[], NOW).ok().flatten()
}

#[test]
fn a_patrol_shows_the_last_ten_minutes_only_however_long_it_runs() {
    let facts = Facts::Patrol(sightline_model::patrol::Patrol { started_at: NOW - HOUR * 11, ..patrol() });
    let open = |from, to| open_time(GroundKind::Patrol, &facts, LookKind::Playback, from, to);
    assert!(open(NOW - PATROL_BEFORE, NOW).is_some());
    assert!(open(NOW - HOUR, NOW - HOUR + MINUTE).is_none());
    assert!(open(NOW - HOUR, NOW).is_none(), "recorded video is never shortened");
    let cut = open_time(GroundKind::Patrol, &facts, LookKind::Timeline, NOW - HOUR, NOW);
    assert_eq!(cut, TimeRange::new(NOW - PATROL_BEFORE - JUST_NOW, NOW), "a timeline is");
}

#[test]
fn an_alert_shows_its_time_and_now_and_nothing_between() {
    let Facts::Alert { mut alert, near } = alert(AlertState::Confirmed) else { unreachable!() };
    let then = NOW - HOUR * 20;
    alert.occurred_at = then;
    let facts = Facts::Alert { alert, near };
    let open = |from, to| open_time(GroundKind::Alert, &facts, LookKind::Playback, from, to).is_some();
    assert!(open(then - ALERT_BEFORE, then + ALERT_AFTER));
    assert!(!open(then - ALERT_BEFORE - MINUTE, then));
    assert!(!open(then + ALERT_AFTER, then + ALERT_AFTER + MINUTE));
    assert!(!open(NOW - HOUR, NOW - HOUR + MINUTE));
    assert!(open(NOW - MINUTE, NOW));
    let live = Wanted { camera: camera("a"), kind: LookKind::Live, range: None };
    let mut grant = grant(GroundKind::Alert);
    assert_eq!(check(&grant, &account(Role::Operator), &facts, &live, &[], NOW), Ok(None));
    grant.range.to = NOW;
    assert!(check(&grant, &account(Role::Operator), &facts, &live, &[], NOW).is_err());
}

#[test]
fn maintenance_shows_stills_of_the_last_hour() {
    let still = |from| {
        let facts = Facts::Outside;
        open_time(GroundKind::Maintenance, &facts, LookKind::Still, from, from + Duration::from_secs(2))
            .is_some()
    };
    assert!(still(NOW - MAINTENANCE_BEFORE) && still(NOW - MINUTE));
    assert!(!still(NOW - MAINTENANCE_BEFORE - MINUTE * 2));
}

#[test]
fn a_case_that_is_over_or_without_me_shows_nothing() {
    let Facts::Case(open) = case() else { unreachable!() };
    for closed in [
        Case { closed_at: Some(NOW), ..open.clone() },
        Case { ends_at: NOW, ..open.clone() },
        Case { members: vec![OTHER], ..open },
    ] {
        let facts = Facts::Case(closed);
        assert!(open_time(GroundKind::Case, &facts, LookKind::Still, NOW - MINUTE, NOW).is_none());
    }
}

proptest! {
    /// Whatever is asked for: what opens was asked for, lies inside the grant's range (a still touches it), and is
    /// contained in what is entered.
    #[test]
    fn nothing_opens_beyond_the_question_the_grant_and_the_entry(
        ground in 0_usize..5, kind in 0_usize..4,
        (from, length) in (-200_000_i64..200_000, 1_i64..100_000),
        (granted_from, granted_length) in (-200_000_i64..100_000, 1_i64..200_000),
    ) {
        let second = |s: i64| NOW.plus_micros(s * 1_000_000 + s);
        let (ground, kind) = (GROUNDS[ground], KINDS[kind]);
        let asked = TimeRange { from: second(from), to: second(from + length) };
        let mut grant = grant(ground);
        grant.range = TimeRange { from: second(granted_from), to: second(granted_from + granted_length) };
        let wanted = Wanted { camera: camera("a"), kind, range: Some(asked) };
        let result = check(&grant, &account(role(ground)), &facts(ground, true), &wanted, &[], NOW);
        if let Ok(Some(opened)) = result {
            prop_assert!(asked.covers(&opened));
            prop_assert!(entered_range(kind, opened).covers(&opened));
            match kind {
                LookKind::Still => prop_assert!(grant.range.intersection(&opened).is_some()),
                _ => prop_assert!(grant.range.covers(&opened)),
            }
        }
        if let Ok(None) = result {
            prop_assert!(kind == LookKind::Live && grant.range.contains(NOW));
        }
    }
}

#[test]
fn stills_are_entered_by_whole_minutes() {
    let range = TimeRange { from: NOW + Duration::from_millis(30_500), to: NOW + Duration::from_secs(60) };
    assert_eq!(entered_range(LookKind::Still, range), TimeRange { from: NOW, to: NOW + MINUTE });
    let across = TimeRange { from: NOW - Duration::from_secs(1), to: NOW + Duration::from_secs(1) };
    assert_eq!(entered_range(LookKind::Still, across), TimeRange { from: NOW - MINUTE, to: NOW + MINUTE });
    assert_eq!(entered_range(LookKind::Playback, range), range);
}
