use std::time::Duration;

use sightline_model::account::Role;

use super::*;
use crate::testing::{World, camera};

fn code<T>(result: Result<T, Error>) -> &'static str {
    result.map_or_else(|error| error.code(), |_| "granted")
}

#[tokio::test]
async fn a_grant_is_entered_with_its_scope_before_it_exists() {
    let world = World::without_footage().await;
    let (who, grant) = world.investigator().await;
    let act = world.log().await.pop().unwrap().act;
    assert_eq!((act.action, act.grant, act.range), (Action::GrantOpened, Some(grant.id), Some(grant.range)));
    assert!(act.detail.contains("cameras gate-1") && act.detail.contains("stolen car"), "{}", act.detail);
    assert_eq!(world.trust.grant(&who, grant.id).await.unwrap(), grant);
    assert_eq!(
        world.trust.grants(&who, None, 10, world.now).await.unwrap().items,
        std::slice::from_ref(&grant)
    );
    let ended = world.trust.end_grant(&who, grant.id, world.now).await.unwrap();
    assert_eq!(ended.ended_at, Some(world.now));
    assert_eq!(world.log().await.pop().unwrap().act.action, Action::GrantEnded);
}

#[tokio::test]
async fn nobody_sees_or_ends_the_grant_of_another() {
    let world = World::without_footage().await;
    let (_, grant) = world.investigator().await;
    let other = world.somebody("iris", Role::Investigator).await;
    assert_eq!(code(world.trust.grant(&other, grant.id).await), "grant_foreign");
    assert_eq!(code(world.trust.end_grant(&other, grant.id, world.now).await), "grant_foreign");
    let missing = GrantId(Uuid::now_v7());
    assert_eq!(
        code(world.trust.grant(&other, missing).await),
        "grant_foreign",
        "the same as for no grant at all"
    );
}

#[tokio::test]
async fn a_case_is_open_to_its_members_and_unknown_to_all_others() {
    let world = World::without_footage().await;
    let (_, _) = world.investigator().await;
    let other = world.somebody("iris", Role::Investigator).await;
    let ask = async |number: &str| {
        let request = world.request(GroundKind::Case, number, &["gate-1"]);
        world.trust.open_grant(&other, request, world.now).await.unwrap_err().to_string()
    };
    let (theirs, nobodys) = (ask("C-1").await, ask("C-9").await);
    assert_eq!(theirs.replace("C-1", "C-9"), nobodys, "an answer must not tell whether a case exists");
}

#[tokio::test]
async fn a_region_covers_its_cameras_and_no_others() {
    let world = World::without_footage().await;
    let who = world.somebody("ines", Role::Investigator).await;
    world.case("C-1", &[&who]).await;
    let mut request = world.request(GroundKind::Case, "C-1", &[]);
    request.regions = vec!["town-a".parse().unwrap()];
    let grant = world.trust.open_grant(&who, request, world.now).await.unwrap();
    let scope = |cameras: &[&str]| PassScope {
        cameras: cameras.iter().map(|id| camera(id)).collect(),
        range: TimeRange { from: Timestamp(0), to: world.now },
        what: "plate 京A12345".into(),
    };
    let all = world.trust.search(&who, Some(grant.id), scope(&[]), world.now).await.unwrap();
    assert_eq!(all.cameras, [camera("gate-1"), camera("gate-2"), camera("gate-3")]);
    assert_eq!(all.range, grant.range, "cut to the grant");
    let act = world.log().await.pop().unwrap().act;
    assert_eq!((act.action, act.range), (Action::PassSearch, Some(grant.range)));
    assert!(act.detail.contains("gate-2") && act.detail.contains("京A12345"), "{}", act.detail);
    let one = world.trust.search(&who, Some(grant.id), scope(&["gate-2"]), world.now).await.unwrap();
    assert_eq!(one.cameras, [camera("gate-2")]);
    assert_eq!(world.log().await.pop().unwrap().act.camera, Some(camera("gate-2")));
    assert_eq!(
        code(world.trust.search(&who, Some(grant.id), scope(&["far-1"]), world.now).await),
        "grant_scope"
    );
    assert_eq!(code(world.trust.search(&who, None, scope(&[]), world.now).await), "grant_missing");
    let refused =
        world.log().await.into_iter().filter(|entry| entry.act.action == Action::LookRefused).count();
    assert_eq!(refused, 2);
    let operator = world.somebody("otto", Role::Operator).await;
    assert_eq!(
        code(world.trust.search(&operator, Some(grant.id), scope(&[]), world.now).await),
        "role_forbids"
    );
}

#[tokio::test]
async fn unknown_cameras_are_named_and_double_ones_count_once() {
    let world = World::without_footage().await;
    let who = world.somebody("ines", Role::Investigator).await;
    world.case("C-1", &[&who]).await;
    let ask = async |cameras: &[&str]| {
        world.trust.open_grant(&who, world.request(GroundKind::Case, "C-1", cameras), world.now).await
    };
    assert!(ask(&["gate-1", "gaet-2"]).await.unwrap_err().to_string().contains("gaet-2"));
    assert_eq!(ask(&["gate-1", "gate-1"]).await.unwrap().cameras, [camera("gate-1")]);
}

#[tokio::test]
async fn a_reference_in_another_notation_is_the_same_ground() {
    let world = World::without_footage().await;
    let (who, _, patrol) = world.on_patrol().await;
    let shouted = format!("  {}  ", patrol.id.to_string().to_uppercase());
    let request = GrantRequest { from: None, ..world.request(GroundKind::Patrol, &shouted, &["gate-1"]) };
    let grant = world.trust.open_grant(&who, request, world.now).await.unwrap();
    assert_eq!(grant.ground.reference, patrol.id.to_string());
    world.records.end_patrol(patrol.id, world.now + Duration::from_secs(1)).await.unwrap();
    assert!(world.trust.grants(&who, None, 10, world.now).await.unwrap().items.is_empty(), "ended with it");
}

#[test]
fn long_lists_of_cameras_are_entered_by_number_and_hash() {
    let cameras: Vec<CameraId> = (0..21).rev().map(|n| format!("c-{n:02}").parse().unwrap()).collect();
    let told = named_or_counted(&cameras);
    assert!(told.starts_with("21 cameras, sha256 "), "{told}");
    let mut sorted = cameras.clone();
    sorted.sort();
    assert_eq!(named_or_counted(&sorted), told, "the order does not matter");
    assert_eq!(named_or_counted(&cameras[..2]), "cameras c-20 c-19");
}

#[test]
fn distances_are_good_enough_for_a_street() {
    let place = |lat, lon| Position { lat, lon, bearing_deg: 0.0, fov_deg: 1.0, range_m: 1.0 };
    let found = metres(&place(31.0, 121.0), &place(31.0, 121.001));
    assert!((found - 95.3).abs() < 0.5, "{found}");
}
