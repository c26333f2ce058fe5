//! Every ground, every bound.

use sightline_model::{
    account::Role,
    alert::{AlertSource, AlertState, Severity},
    id::{AccountId, AlertId, PatrolId},
    patrol::Layout,
};
use uuid::Uuid;

use super::*;

pub(super) const NOW: Timestamp = Timestamp(1_800_000_000_000_000);
pub(super) const ME: AccountId = AccountId(Uuid::from_u128(1));
pub(super) const OTHER: AccountId = AccountId(Uuid::from_u128(2));

pub(super) fn account(role: Role) -> Account {
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

pub(super) fn camera(id: &str) -> CameraId {
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

pub(super) fn case() -> Facts {
    Facts::Case(Case {
        number: "REF-1".into(),
        title: "t".into(),
        members: vec![ME],
        opened_at: NOW - DAY,
        ends_at: NOW + DAY,
        closed_at: None,
    })
}

pub(super) fn patrol() -> Patrol {
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

pub(super) fn alert(state: AlertState) -> Facts {
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

#[test]
fn an_alert_that_stands_open_for_days_can_still_be_looked_at() {
    let me = account(Role::Operator);
    let Facts::Alert { mut alert, near } = alert(AlertState::Confirmed) else { unreachable!() };
    alert.occurred_at = NOW - DAY * 3;
    let facts = Facts::Alert { alert, near };
    let asked = GrantRequest { from: None, to: None, ..request(GroundKind::Alert, &[]) };
    let terms = decide(&asked, &me, &facts, 0, NOW).unwrap();
    assert_eq!(terms.range, TimeRange { from: NOW - DAY * 3 - ALERT_BEFORE, to: NOW + HOUR });
    assert_eq!(terms.expires_at, NOW + HOUR);
}

#[test]
fn an_alert_has_at_most_nine_cameras() {
    let me = account(Role::Operator);
    let Facts::Alert { alert, .. } = alert(AlertState::Confirmed) else { unreachable!() };
    let near: Vec<CameraId> = (0..30).map(|n| camera(&format!("n{n}"))).collect();
    let facts = Facts::Alert { alert, near };
    let terms = decide(&request(GroundKind::Alert, &[]), &me, &facts, 0, NOW).unwrap();
    assert_eq!((terms.cameras.len(), terms.cameras[0]), (9, camera("a")), "its own first");
    assert_eq!(code(decide(&request(GroundKind::Alert, &["n7"]), &me, &facts, 0, NOW)), "granted");
    assert_eq!(code(decide(&request(GroundKind::Alert, &["n8"]), &me, &facts, 0, NOW)), "grant_scope");
    let nowhere =
        Facts::Alert { alert: Box::new(Alert { camera: None, ..alert_of(&facts) }), near: Vec::new() };
    let told = decide(&request(GroundKind::Alert, &[]), &me, &nowhere, 0, NOW).unwrap_err().to_string();
    assert!(told.contains("at least one camera"), "{told}");
}

fn alert_of(facts: &Facts) -> Alert {
    let Facts::Alert { alert, .. } = facts else { unreachable!() };
    (**alert).clone()
}

#[test]
fn assistance_is_about_a_day_up_to_now() {
    let me = account(Role::Operator);
    let ask = |change: fn(&mut GrantRequest)| {
        let mut request = request(GroundKind::Assistance, &["a"]);
        change(&mut request);
        decide(&request, &me, &Facts::Outside, 0, NOW)
    };
    let live = ask(|request| request.to = Some(NOW + DAY)).unwrap();
    assert_eq!(
        live.range,
        TimeRange { from: NOW - HOUR, to: NOW + HOUR },
        "live for as long as the grant lasts"
    );
    assert_eq!(code(ask(|request| request.from = Some(NOW - DAY * 2))), "grant_too_wide");
    assert_eq!(
        code(ask(|request| (request.from, request.to) = (Some(NOW + HOUR), None))),
        "grant_too_wide",
        "the future"
    );
    assert_eq!(code(ask(|request| request.regions = vec!["r".parse().unwrap()])), "grant_too_wide");
    let eleven =
        |request: &mut GrantRequest| request.cameras = (0..11).map(|n| camera(&format!("c{n}"))).collect();
    assert_eq!(code(ask(eleven)), "grant_too_wide");
    assert_eq!(code(ask(|request| request.ground.reference = "  ".into())), "ground_unknown");
    assert_eq!(code(ask(|request| request.ground.reference = "R\n1".into())), "ground_unknown");
    assert_eq!(code(ask(|request| request.ground.reference = "r".repeat(129))), "ground_unknown");
}

#[test]
fn a_patrol_that_runs_for_too_long_opens_nothing_more() {
    let me = account(Role::Operator);
    let old = Patrol { started_at: NOW - PATROL_LONGEST, ..patrol() };
    let asked = request(GroundKind::Patrol, &[]);
    assert_eq!(code(decide(&asked, &me, &Facts::Patrol(old), 0, NOW)), "ground_closed");
}

#[test]
fn a_reason_has_words() {
    let me = account(Role::Investigator);
    let ask = |reason: &str| {
        let asked = GrantRequest { reason: reason.into(), ..request(GroundKind::Case, &["a"]) };
        code(decide(&asked, &me, &case(), 0, NOW))
    };
    assert_eq!(ask("    x    "), "reason_missing");
    assert_eq!(ask("查找失窃车辆"), "granted");
    assert_eq!(ask(&"x".repeat(501)), "reason_missing");
}
