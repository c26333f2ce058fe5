use std::time::Duration;

use proptest::prelude::*;
use sightline_model::{account::Role, audit::Entry, grant::GroundKind};

use super::*;
use crate::testing::{RECORDED, World, camera};

fn look(camera_id: &str, kind: LookKind, range: Option<TimeRange>) -> Look {
    Look { camera: camera(camera_id), stream: StreamKind::Main, kind, range }
}

fn code<T>(result: Result<T, Error>) -> &'static str {
    result.map_or_else(|error| error.code(), |_| "shown")
}

#[tokio::test]
async fn a_look_is_entered_before_anything_is_shown() {
    let world = World::new().await;
    let (who, grant) = world.investigator().await;
    let asked = world.past(60, 20);
    let permit = world
        .trust
        .look(&who, Some(grant.id), look("gate-1", LookKind::Playback, asked), world.now)
        .await
        .unwrap();
    let entry = world.log().await.pop().unwrap();
    assert_eq!(
        (entry.act.action, entry.act.range, entry.act.grant),
        (Action::Playback, asked, Some(grant.id))
    );
    assert_eq!((entry.act.account, entry.act.camera), (Some(who.account.id), Some(camera("gate-1"))));
    let entries = permit.entries(world.past(RECORDED.as_secs(), 0).unwrap(), 10_000).await.unwrap();
    assert_eq!(entries.len(), 20, "the permit's forty seconds, whatever is asked of it");
    assert_eq!(permit.read(&entries[0]).await.unwrap().units.len(), 3);
    let beyond = world.footage.nearest(permit.key(), world.ago(100)).await.unwrap().unwrap();
    assert_eq!(code(permit.read(&beyond).await), "grant_scope");
    let other =
        world.footage.nearest(StreamKey::main(camera("gate-2")), world.ago(30)).await.unwrap().unwrap();
    assert_eq!(code(permit.read(&other).await), "grant_scope", "another camera's footage");
}

#[tokio::test]
async fn without_an_entry_nothing_is_shown() {
    let world = World::new().await;
    let (who, grant) = world.investigator().await;
    world.fail_audit(true);
    for (kind, range) in [
        (LookKind::Timeline, world.past(60, 20)),
        (LookKind::Still, world.past(60, 59)),
        (LookKind::Playback, world.past(60, 20)),
    ] {
        let refused = world.trust.look(&who, Some(grant.id), look("gate-1", kind, range), world.now).await;
        assert_eq!(code(refused), "audit_unavailable", "{kind:?}");
    }
    let request = world.request(GroundKind::Case, "C-1", &["gate-1"]);
    assert_eq!(code(world.trust.open_grant(&who, request, world.now).await), "audit_unavailable");
    let scope = crate::PassScope { cameras: vec![], range: world.past(60, 0).unwrap(), what: "all".into() };
    assert_eq!(code(world.trust.search(&who, Some(grant.id), scope, world.now).await), "audit_unavailable");
    assert_eq!(world.records.grants_of(who.account.id, None, None, 10).await.unwrap().items.len(), 1);
    assert_eq!(world.trust.metrics().audit_failures, 5);
    world.fail_audit(false);
    let shown = world.trust.look(
        &who,
        Some(grant.id),
        look("gate-1", LookKind::Still, world.past(60, 59)),
        world.now,
    );
    assert_eq!(code(shown.await), "shown", "the disk is back");
}

#[tokio::test]
async fn each_way_of_looking_shows_no_more_than_its_entry_says() {
    let world = World::new().await;
    let (who, grant) = world.investigator().await;
    let permit = async |kind, range| {
        world.trust.look(&who, Some(grant.id), look("gate-1", kind, range), world.now).await.unwrap()
    };
    let timeline = permit(LookKind::Timeline, world.past(7200, 0)).await;
    assert_eq!(timeline.range(), Some(grant.range), "cut to the grant");
    assert_eq!(timeline.timeline(world.now).await.unwrap().spans[0].range, grant.range);
    let entries = timeline.entries(grant.range, 10).await.unwrap();
    assert_eq!(code(timeline.read(&entries[0]).await), "internal", "a timeline shows no picture");
    assert_eq!(code(timeline.live()), "internal");

    let still = permit(LookKind::Still, world.past(61, 60)).await;
    let entry = *still.still().unwrap();
    assert_eq!(entry.start, world.ago(62), "the GOP that covers the asked instant");
    assert_eq!(still.read(&entry).await.unwrap().units.len(), 1, "the key frame alone");
    let entered = world.log().await.pop().unwrap().act;
    assert_eq!(entered.action, Action::Still);
    assert!(entered.range.unwrap().covers(&TimeRange { from: entry.start, to: entry.end }));

    let playback = permit(LookKind::Playback, world.past(60, 20)).await;
    assert_eq!(code(playback.live()), "internal");
    let outside = look("gate-1", LookKind::Playback, world.past(2000, 1000));
    assert_eq!(code(world.trust.look(&who, Some(grant.id), outside, world.now).await), "grant_scope");
}

#[tokio::test]
async fn a_still_beyond_the_footage_or_the_grant_is_no_picture_and_no_entry() {
    let world = World::new().await;
    let (who, grant, _) = world.on_patrol().await;
    let before = world.log().await.len();
    // Ten minutes later: the newest picture of the camera lies outside of what a patrol shows by then.
    let later = world.now + Duration::from_secs(900);
    let stale =
        world.trust.look(&who, Some(grant.id), look("gate-1", LookKind::Still, None), later).await.unwrap();
    assert!(stale.still().is_none() && stale.range().is_none());
    let entry = world.footage.latest(stale.key()).await.unwrap().unwrap();
    assert_eq!(code(stale.read(&entry).await), "grant_scope");
    assert_eq!(world.log().await.len(), before);
    let fresh = world
        .trust
        .look(&who, Some(grant.id), look("gate-1", LookKind::Still, None), world.now)
        .await
        .unwrap();
    assert_eq!(fresh.still().unwrap().start, world.ago(2));
    assert_eq!(world.log().await.len(), before + 1);
}

#[tokio::test]
async fn refusals_are_entered_with_what_was_wrong() {
    let world = World::new().await;
    let (who, grant) = world.investigator().await;
    let other = world.somebody("iris", Role::Investigator).await;
    let inside = look("gate-1", LookKind::Still, world.past(60, 59));
    let cases = [
        (&who, None, inside, "grant_missing"),
        (&who, Some(GrantId(uuid::Uuid::now_v7())), inside, "grant_foreign"),
        (&other, Some(grant.id), inside, "grant_foreign"),
        (&who, Some(grant.id), look("gate-2", LookKind::Still, world.past(60, 59)), "grant_scope"),
        (&who, Some(grant.id), look("gate-1", LookKind::Live, None), "grant_scope"),
        (&who, Some(grant.id), look("gate-1", LookKind::Playback, world.past(3000, 2900)), "grant_scope"),
    ];
    for (caller, grant, look, expected) in cases {
        let now = world.now;
        let refused = world.trust.look(caller, grant, look, now).await;
        let error = refused.unwrap_err();
        assert_eq!(error.code(), expected);
        assert!(!error.remedy().is_empty());
    }
    let entered: Vec<Act> = world.log().await.into_iter().map(|entry| entry.act).collect();
    let refused: Vec<&Act> = entered.iter().filter(|act| act.action == Action::LookRefused).collect();
    // The last two are the same refusal of the same camera within a minute: one entry.
    assert_eq!(refused.len(), 5, "{refused:?}");
    assert!(refused[0].detail.starts_with("grant_missing: "), "{}", refused[0].detail);
    assert_eq!(world.trust.metrics().looks_refused, 6);
    let later = world.now + Duration::from_secs(61);
    let again = world.trust.look(&who, None, inside, later).await;
    assert_eq!(code(again), "grant_missing");
    assert_eq!(world.log().await.last().unwrap().act.at, later);
}

#[tokio::test]
async fn a_grant_shows_nothing_once_its_ground_is_closed() {
    let world = World::new().await;
    let (who, grant) = world.investigator().await;
    let inside = look("gate-1", LookKind::Still, world.past(60, 59));
    let ask = async |now| code(world.trust.look(&who, Some(grant.id), inside, now).await);
    assert_eq!(ask(world.now).await, "shown");
    world.records.set_case_members("C-1", &[]).await.unwrap();
    assert_eq!(ask(world.now).await, "ground_closed", "no longer a member");
    world.records.set_case_members("C-1", &[who.account.id]).await.unwrap();
    assert_eq!(ask(world.now).await, "shown");
    assert_eq!(ask(grant.expires_at).await, "grant_expired");
    world.records.close_case("C-1", world.now).await.unwrap();
    assert_eq!(ask(world.now).await, "grant_ended");
}

#[tokio::test]
async fn looks_of_one_minute_inside_one_entry_share_it() {
    let world = World::new().await;
    let (who, grant) = world.investigator().await;
    let before = world.log().await.len();
    let ask = async |kind, range, now| {
        world.trust.look(&who, Some(grant.id), look("gate-1", kind, range), now).await.unwrap();
        world.log().await.len() - before
    };
    let now = world.now;
    assert_eq!(ask(LookKind::Playback, world.past(600, 60), now).await, 1);
    assert_eq!(ask(LookKind::Playback, world.past(500, 100), now).await, 1);
    assert_eq!(ask(LookKind::Playback, world.past(601, 60), now).await, 2, "a second more is a new entry");
    assert_eq!(ask(LookKind::Timeline, world.past(500, 100), now).await, 3, "so is another way of looking");
    assert_eq!(ask(LookKind::Playback, world.past(500, 100), now + Duration::from_secs(60)).await, 4);
    assert_eq!(world.trust.metrics().looks_covered, 1);
}

/// What a step of the property test asks for.
#[derive(Debug, Clone)]
struct Step {
    kind: LookKind,
    camera: &'static str,
    from: u64,
    length: u64,
    pause: u64,
    audit_fails: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let kind = prop_oneof![Just(LookKind::Timeline), Just(LookKind::Still), Just(LookKind::Playback)];
    let camera = prop_oneof![4 => Just("gate-1"), 1 => Just("gate-2")];
    let step = (kind, camera, 0_u64..2200, 1_u64..600, 0_u64..40, prop::bool::weighted(0.25)).prop_map(
        |(kind, camera, from, length, pause, audit_fails)| Step {
            kind,
            camera,
            from,
            length,
            pause,
            audit_fails,
        },
    );
    prop::collection::vec(step, 1..25)
}

/// The promise itself, checked against the log as an auditor would read it.
fn is_covered(log: &[Entry], caller: &Caller, look: &Look, opened: TimeRange, now: Timestamp) -> bool {
    log.iter().map(|entry| &entry.act).any(|act| {
        act.account == Some(caller.account.id)
            && act.camera == Some(look.camera)
            && act.action == look.kind.action()
            && act.range.is_some_and(|range| range.covers(&opened))
            && act.at <= now
            && now.duration_since(act.at) < Duration::from_secs(60)
    })
}

async fn nothing_without_an_entry(world: &World, who: &Caller, grant: &Grant, steps: Vec<Step>) {
    let mut now = world.now;
    for step in steps {
        now = now + Duration::from_secs(step.pause);
        world.fail_audit(step.audit_fails);
        let range = world.past(step.from + step.length, step.from);
        let asked = look(step.camera, step.kind, range);
        let before = world.log().await;
        let result = world.trust.look(who, Some(grant.id), asked, now).await;
        let log = world.log().await;
        match result {
            Ok(permit) => {
                let Some(opened) = permit.range() else { continue };
                assert!(
                    is_covered(&log, who, &asked, opened, now),
                    "{step:?} opened {opened:?} without an entry"
                );
                for entry in permit.entries(opened, 5).await.unwrap() {
                    let overlaps = entry.start < grant.range.to && grant.range.from < entry.end;
                    assert!(overlaps, "{entry:?} lies outside of the grant");
                }
            }
            Err(Error::AuditUnavailable { .. }) => {
                assert!(step.audit_fails);
                assert_eq!(log.len(), before.len());
            }
            Err(Error::Refused(_)) => {}
            Err(error) => panic!("{step:?}: {error}"),
        }
    }
    world.fail_audit(false);
}

#[test]
fn no_look_is_ever_released_without_an_entry_that_covers_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (world, (who, grant)) = runtime.block_on(async {
        let world = World::new().await;
        let found = world.investigator().await;
        (world, found)
    });
    proptest!(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() }, |(steps in steps())| {
        // A world of its own for each round would take most of the time: what the log says of earlier rounds lies a
        // minute back once the memory of entered looks is emptied.
        *world.trust.looks().lock() = crate::looks::Looks::default();
        runtime.block_on(nothing_without_an_entry(&world, &who, &grant, steps));
    });
    runtime.block_on(async { crate::verify(&world.records, |_| ()).await.unwrap() });
}
