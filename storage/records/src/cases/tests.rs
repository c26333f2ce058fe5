use sightline_model::{
    TimeRange,
    account::Role,
    grant::{Grant, Ground, GroundKind},
    id::GrantId,
};
use uuid::Uuid;

use super::*;
use crate::testing::{account, at, open};

fn case(number: &str, members: Vec<AccountId>, opened: i64) -> Case {
    Case {
        number: number.into(),
        title: "Hit and run".into(),
        members,
        opened_at: at(opened),
        ends_at: at(opened + 1000),
        closed_at: None,
    }
}

#[tokio::test]
async fn a_case_knows_its_members() {
    let records = open().await;
    let ann = account(&records, "ann", Role::Investigator).await;
    let bob = account(&records, "bob", Role::Investigator).await;
    let first = case("C-1", vec![ann.id], 0);
    records.create_case(&first).await.unwrap();
    records.create_case(&case("C-2", vec![], 10)).await.unwrap();
    assert_eq!(records.case("C-1").await.unwrap(), first);
    assert!(matches!(records.create_case(&first).await, Err(Error::Exists { .. })));
    records.set_case_members("C-2", &[bob.id, ann.id, bob.id]).await.unwrap();
    let of_ann: Vec<_> = records.cases_of(ann.id).await.unwrap().into_iter().map(|c| c.number).collect();
    assert_eq!(of_ann, ["C-2", "C-1"], "the newest first");
    assert_eq!(records.cases().await.unwrap().len(), 2);
    let ghost = AccountId(Uuid::now_v7());
    assert!(matches!(records.set_case_members("C-1", &[ghost]).await, Err(Error::NotFound { .. })));
    assert_eq!(records.case("C-1").await.unwrap().members, [ann.id], "a failed change leaves nothing");
    assert!(matches!(records.set_case_members("C-3", &[]).await, Err(Error::NotFound { .. })));
    let backwards = Case { ends_at: at(-1), ..case("C-4", vec![], 0) };
    assert!(matches!(records.create_case(&backwards).await, Err(Error::Invalid { .. })));
}

#[tokio::test]
async fn closing_a_case_ends_its_grants() {
    let records = open().await;
    let ann = account(&records, "ann", Role::Investigator).await;
    records.create_case(&case("C-1", vec![ann.id], 0)).await.unwrap();
    let grant = Grant {
        id: GrantId(Uuid::now_v7()),
        account: ann.id,
        ground: Ground { kind: GroundKind::Case, reference: "C-1".into() },
        reason: "plate check".into(),
        cameras: vec![],
        regions: vec![],
        range: TimeRange { from: at(0), to: at(10) },
        created_at: at(1),
        expires_at: at(100),
        ended_at: None,
    };
    records.insert_grant(&grant).await.unwrap();
    records.close_case("C-1", at(5)).await.unwrap();
    records.close_case("C-1", at(7)).await.unwrap();
    assert_eq!(records.case("C-1").await.unwrap().closed_at, Some(at(5)));
    assert_eq!(records.grant(grant.id).await.unwrap().ended_at, Some(at(5)));
    assert!(matches!(records.close_case("C-9", at(5)).await, Err(Error::NotFound { .. })));
}
