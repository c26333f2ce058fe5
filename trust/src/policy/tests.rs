//! Every ground, every bound.

use sightline_model::{
    account::Role,
    alert::{AlertSource, AlertState, Severity},
    id::{AccountId, AlertId, GrantId, PatrolId},
    patrol::Layout,
};
use uuid::Uuid;

use super::*;

const NOW: Timestamp = Timestamp(1_800_000_000_000_000);
const ME: AccountId = AccountId(Uuid::from_u128(1));
const OTHER: AccountId = AccountId(Uuid::from_u128(2));

fn account(role: Role) -> Account {
    Account {
        id: ME,
        name: "li".into(),
        role,
        unit: "a".into(),
        service: false,
        disabled_at: None,
        created_at: NOW,
    }
}

fn camera(id: &str) -> CameraId {
    id.parse().unwrap()
}

fn request(kind: GroundKind, cameras: &[&str]) -> GrantRequest {
    GrantRequest {
        ground: Ground { kind, reference: "REF-1".into() },
        cameras: cameras.iter().map(|id| camera(id)).collect(),
        regions: Vec::new(),
        from: Some(NOW - HOUR),
        to: Some(NOW + MINUTE),
        reason: "because it is needed".into(),
    }
}

fn case() -> Facts {
    Facts::Case(Case {
        number: "REF-1".into(),
        title: "t".into(),
        members: vec![ME],
        opened_at: NOW - DAY,
        ends_at: NOW + DAY,
        closed_at: None,
    })
}

fn patrol() -> Patrol {
    Patrol {
        id: PatrolId(Uuid::from_u128(9)),
        plan: None,
        account: ME,
        cameras: vec![camera("a"), camera("b")],
        layout: Layout::Four,
        dwell_s: 5,
        started_at: NOW - MINUTE,
        ended_at: None,
    }
}

fn alert(state: AlertState) -> Facts {
    let alert = Alert {
        id: AlertId(Uuid::from_u128(8)),
        state,
        source: AlertSource::Alarm { event: "e".into(), alarm: "fire".into(), drill: true },
        severity: Severity::Severe,
        title: "t".into(),
        occurred_at: NOW - MINUTE,
        raised_at: NOW,
        camera: Some(camera("a")),
        region: None,
        position: None,
        repeats: 0,
        history: Vec::new(),
        revision: 1,
    };
    Facts::Alert { alert: Box::new(alert), near: vec![camera("b")] }
}

fn code(result: Result<Terms, Refusal>) -> &'static str {
    result.map_or_else(|refusal| refusal.code(), |_| "granted")
}

#[test]
fn a_role_opens_its_own_grounds_only() {
    use GroundKind::*;
    let facts = |kind| match kind {
        Patrol => Facts::Patrol(patrol()),
        Alert => alert(AlertState::Candidate),
        Case => case(),
        Assistance | Maintenance => Facts::Outside,
    };
    for role in Role::ALL {
        for kind in [Patrol, Alert, Case, Assistance, Maintenance] {
            let expected = if role.may_open(kind) { "granted" } else { "role_forbids" };
            let result = decide(&request(kind, &["a"]), &account(role), &facts(kind), 0, NOW);
            assert_eq!(code(result), expected, "{role:?} {kind:?}");
        }
    }
}

#[test]
fn a_case_grant_is_for_members_while_it_is_open() {
    let me = account(Role::Investigator);
    let ask = |facts: &Facts| code(decide(&request(GroundKind::Case, &["a"]), &me, facts, 0, NOW));
    assert_eq!(ask(&case()), "granted");
    let change = |change: fn(&mut Case)| {
        let Facts::Case(mut case) = case() else { unreachable!() };
        change(&mut case);
        Facts::Case(case)
    };
    assert_eq!(ask(&change(|case| case.members = vec![OTHER])), "ground_unknown");
    assert_eq!(ask(&change(|case| case.closed_at = Some(NOW))), "ground_unknown");
    assert_eq!(ask(&change(|case| case.ends_at = NOW)), "ground_unknown");
    assert_eq!(ask(&Facts::Nothing), "ground_unknown");
}

#[test]
fn requests_that_are_too_wide_are_refused_with_the_bound() {
    let me = account(Role::Investigator);
    let ask = |change: fn(&mut GrantRequest), region_cameras| {
        let mut request = request(GroundKind::Case, &["a"]);
        change(&mut request);
        decide(&request, &me, &case(), region_cameras, NOW).unwrap_err()
    };
    let told = ask(|request| request.from = Some(NOW - DAY * 32), 0).to_string();
    assert!(told.contains("at most 744 hours"), "{told}");
    assert!(ask(|request| request.cameras.clear(), 0).to_string().contains("at least one camera"));
    assert!(
        ask(|request| request.regions = vec!["r".parse().unwrap()], 200).to_string().contains("200 cameras")
    );
    assert!(ask(|request| request.to = request.from, 0).to_string().contains("after its start"));
    assert_eq!(ask(|request| request.reason = "why".into(), 0), Refusal::ReasonMissing);
    assert!(ask(|request| request.from = None, 0).to_string().contains("give from and to"));
}

#[test]
fn a_patrol_shows_its_own_cameras_now() {
    let me = account(Role::Operator);
    let patrol_facts = Facts::Patrol(patrol());
    let mut asked = request(GroundKind::Patrol, &[]);
    asked.from = Some(Timestamp(0));
    asked.to = None;
    let terms = decide(&asked, &me, &patrol_facts, 0, NOW).unwrap();
    assert_eq!(terms.cameras, patrol().cameras);
    assert_eq!(terms.range.from, patrol().started_at - PATROL_BEFORE, "no further back than ten minutes");
    assert_eq!(terms.expires_at, patrol().started_at + PATROL_LONGEST);
    assert_eq!(code(decide(&request(GroundKind::Patrol, &["z"]), &me, &patrol_facts, 0, NOW)), "grant_scope");
    for change in [|p: &mut Patrol| p.account = OTHER, |p: &mut Patrol| p.ended_at = Some(NOW)] {
        let mut other = patrol();
        change(&mut other);
        assert_eq!(code(decide(&asked, &me, &Facts::Patrol(other), 0, NOW)), "ground_unknown");
    }
}

#[test]
fn an_alert_shows_the_cameras_of_its_place_around_its_time() {
    let me = account(Role::Operator);
    let terms = decide(&request(GroundKind::Alert, &[]), &me, &alert(AlertState::Candidate), 0, NOW).unwrap();
    assert_eq!(terms.cameras, [camera("a"), camera("b")]);
    assert_eq!(terms.range.from, NOW - MINUTE - ALERT_BEFORE);
    assert_eq!(
        code(decide(&request(GroundKind::Alert, &["c"]), &me, &alert(AlertState::Candidate), 0, NOW)),
        "grant_scope"
    );
    assert_eq!(
        code(decide(&request(GroundKind::Alert, &["a"]), &me, &alert(AlertState::Resolved), 0, NOW)),
        "ground_unknown"
    );
}

fn grant() -> Grant {
    Grant {
        id: GrantId(Uuid::from_u128(7)),
        account: ME,
        ground: Ground { kind: GroundKind::Case, reference: "REF-1".into() },
        reason: "because".into(),
        cameras: vec![camera("a")],
        regions: vec!["town".parse().unwrap()],
        range: TimeRange { from: NOW - HOUR, to: NOW + HOUR },
        created_at: NOW,
        expires_at: NOW + HOUR,
        ended_at: None,
    }
}

#[test]
fn each_rule_of_a_look_refuses_by_itself() {
    let me = account(Role::Investigator);
    let town: RegionId = "town".parse().unwrap();
    let wanted =
        |id: &str, kind, from, to| Wanted { camera: camera(id), kind, range: TimeRange::new(from, to) };
    let inside = wanted("a", LookKind::Playback, NOW - MINUTE, NOW);
    let look = |grant: &Grant, open, wanted: &Wanted, regions: &[RegionId]| {
        check(grant, &me, open, wanted, regions, NOW).map_or_else(|refusal| refusal.code(), |()| "shown")
    };
    assert_eq!(look(&grant(), true, &inside, &[]), "shown");
    assert_eq!(look(&grant(), true, &wanted("z", LookKind::Still, NOW - MINUTE, NOW), &[town]), "shown");
    assert_eq!(look(&grant(), true, &wanted("z", LookKind::Still, NOW - MINUTE, NOW), &[]), "grant_scope");
    assert_eq!(look(&grant(), false, &inside, &[]), "ground_closed");
    assert_eq!(look(&Grant { account: OTHER, ..grant() }, true, &inside, &[]), "grant_foreign");
    assert_eq!(look(&Grant { ended_at: Some(NOW), ..grant() }, true, &inside, &[]), "grant_ended");
    assert_eq!(look(&Grant { expires_at: NOW, ..grant() }, true, &inside, &[]), "grant_expired");
    let early = wanted("a", LookKind::Playback, NOW - HOUR - MINUTE, NOW);
    assert_eq!(look(&grant(), true, &early, &[]), "grant_scope");
    let live = Wanted { range: None, ..inside };
    assert_eq!(look(&grant(), true, &live, &[]), "shown");
    let past = Grant { range: TimeRange { from: NOW - DAY, to: NOW }, ..grant() };
    assert_eq!(look(&past, true, &live, &[]), "grant_scope", "live is now, and now is not covered");
    let maintenance =
        Grant { ground: Ground { kind: GroundKind::Maintenance, reference: "W".into() }, ..grant() };
    assert_eq!(look(&maintenance, true, &inside, &[]), "grant_scope");
    assert_eq!(look(&maintenance, true, &Wanted { kind: LookKind::Still, ..inside }, &[]), "shown");
}

#[test]
fn stills_are_entered_by_whole_minutes() {
    let range = TimeRange { from: NOW + Duration::from_millis(30_500), to: NOW + Duration::from_secs(60) };
    assert_eq!(entered_range(LookKind::Still, range), TimeRange { from: NOW, to: NOW + MINUTE });
    assert_eq!(entered_range(LookKind::Playback, range), range);
}
