use sightline_model::{account::Role, patrol::Selection};

use super::*;
use crate::testing::{account, at, open};

fn cameras(names: &[&str]) -> Vec<CameraId> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn patrol(account: AccountId, plan: Option<PlanId>, names: &[&str], started: i64) -> Patrol {
    Patrol {
        id: PatrolId(Uuid::now_v7()),
        plan,
        account,
        cameras: cameras(names),
        layout: Layout::Four,
        dwell_s: 10,
        started_at: at(started),
        ended_at: None,
    }
}

fn proof(camera: &str, seen: i64, with_picture: bool) -> Seen {
    Seen {
        camera: camera.parse().unwrap(),
        shown_at: at(seen - 10),
        seen_at: at(seen),
        frame_at: with_picture.then(|| at(seen - 1)),
    }
}

#[tokio::test]
async fn a_plan_comes_back_and_its_patrols_outlive_it() {
    let records = open().await;
    let ann = account(&records, "ann", Role::Supervisor).await;
    let plan = Plan {
        id: PlanId(Uuid::now_v7()),
        name: "Schools in the morning".into(),
        selection: Selection {
            tags: vec!["school".into()],
            unseen_for_s: Some(3600),
            ..Selection::default()
        },
        layout: Layout::Nine,
        dwell_s: 15,
        author: ann.id,
        created_at: at(1),
    };
    records.create_plan(&plan).await.unwrap();
    assert_eq!(records.plan(plan.id).await.unwrap(), plan);
    assert_eq!(records.plans().await.unwrap(), std::slice::from_ref(&plan));
    let patrol = patrol(ann.id, Some(plan.id), &["a"], 2);
    records.start_patrol(&patrol).await.unwrap();
    records.delete_plan(plan.id).await.unwrap();
    assert_eq!(records.patrol(patrol.id).await.unwrap(), Patrol { plan: None, ..patrol });
    assert!(matches!(records.plan(plan.id).await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn proofs_are_for_cameras_of_a_running_patrol_only() {
    let records = open().await;
    let ann = account(&records, "ann", Role::Operator).await;
    let round = patrol(ann.id, None, &["c", "a", "b"], 0);
    records.start_patrol(&round).await.unwrap();
    assert_eq!(records.patrol(round.id).await.unwrap().cameras, cameras(&["c", "a", "b"]), "order kept");
    let stranger = [proof("a", 20, true), proof("x", 20, true)];
    assert!(matches!(records.mark_seen(round.id, &stranger).await, Err(Error::Invalid { .. })));
    assert_eq!(records.seen(round.id).await.unwrap(), [], "all or none");
    records.mark_seen(round.id, &[proof("a", 20, false), proof("b", 21, true)]).await.unwrap();
    records.mark_seen(round.id, &[proof("a", 30, true), proof("b", 31, true)]).await.unwrap();
    let seen = records.seen(round.id).await.unwrap();
    assert_eq!(seen, [proof("b", 21, true), proof("a", 30, true)]);
    let finding = |camera: &str| Finding { camera: camera.parse().unwrap(), at: at(33), text: "dark".into() };
    records.add_finding(round.id, &finding("b")).await.unwrap();
    records.add_finding(round.id, &finding("b")).await.unwrap();
    assert!(records.add_finding(round.id, &finding("x")).await.is_err());
    assert_eq!(records.findings(round.id).await.unwrap().len(), 2);
    assert_eq!(records.end_patrol(round.id, at(40)).await.unwrap().ended_at, Some(at(40)));
    assert_eq!(records.end_patrol(round.id, at(50)).await.unwrap().ended_at, Some(at(40)));
    let late = records.mark_seen(round.id, &[proof("c", 41, true)]).await.unwrap_err().to_string();
    assert!(late.contains("it ended at"), "{late}");
    assert!(records.add_finding(round.id, &finding("b")).await.is_err());
}

#[tokio::test]
async fn a_patrol_needs_cameras_each_once() {
    let records = open().await;
    let ann = account(&records, "ann", Role::Operator).await;
    for names in [&[][..], &["a", "a"]] {
        let round = patrol(ann.id, None, names, 0);
        assert!(matches!(records.start_patrol(&round).await, Err(Error::Invalid { .. })));
        assert!(matches!(records.patrol(round.id).await, Err(Error::NotFound { .. })));
    }
}

#[tokio::test]
async fn last_seen_counts_pictures_on_any_patrol() {
    let records = open().await;
    let ann = account(&records, "ann", Role::Operator).await;
    for (started, proofs) in [
        (0, [proof("a", 10, true), proof("b", 10, true)]),
        (20, [proof("a", 30, true), proof("b", 30, false)]),
    ] {
        let round = patrol(ann.id, None, &["a", "b", "c"], started);
        records.start_patrol(&round).await.unwrap();
        records.mark_seen(round.id, &proofs).await.unwrap();
    }
    let last = records.last_seen_of(&cameras(&["a", "b", "c"])).await.unwrap();
    assert_eq!(last, BTreeMap::from([("a".parse().unwrap(), at(30)), ("b".parse().unwrap(), at(10))]));
    let many: Vec<CameraId> = (0..1200).map(|n| format!("m-{n}").parse().unwrap()).collect();
    assert!(records.last_seen_of(&many).await.unwrap().is_empty());
}

#[tokio::test]
async fn patrols_are_listed_the_newest_first() {
    let records = open().await;
    let ann = account(&records, "ann", Role::Operator).await;
    let bob = account(&records, "bob", Role::Operator).await;
    for n in 0..5 {
        let round = patrol(if n == 4 { bob.id } else { ann.id }, None, &["a"], n);
        records.start_patrol(&round).await.unwrap();
        if n < 2 {
            records.end_patrol(round.id, at(n + 1)).await.unwrap();
        }
    }
    let running = PatrolFilter { account: Some(ann.id), running: Some(true), plan: None };
    let page = records.patrols(running, None, 10).await.unwrap();
    assert_eq!(page.items.iter().map(|p| p.started_at).collect::<Vec<_>>(), [at(3), at(2)]);
    let first = records.patrols(PatrolFilter::default(), None, 3).await.unwrap();
    let second = records.patrols(PatrolFilter::default(), first.next.as_deref(), 3).await.unwrap();
    assert_eq!(second.items.iter().map(|p| p.started_at).collect::<Vec<_>>(), [at(1), at(0)]);
    assert_eq!(second.next, None);
}
