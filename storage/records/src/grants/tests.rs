use sightline_model::account::Role;

use super::*;
use crate::testing::{account, at, open};

fn grant(account: AccountId, reference: &str, created: i64) -> Grant {
    Grant {
        id: GrantId(Uuid::now_v7()),
        account,
        ground: Ground { kind: GroundKind::Alert, reference: reference.into() },
        reason: "compare the plate".into(),
        cameras: vec!["gate-1".parse().unwrap()],
        regions: vec!["north".parse().unwrap()],
        range: TimeRange { from: at(0), to: at(60) },
        created_at: at(created),
        expires_at: at(created + 100),
        ended_at: None,
    }
}

#[tokio::test]
async fn a_grant_comes_back_as_it_was_made_and_ends_once() {
    let records = open().await;
    let ann = account(&records, "ann", Role::Operator).await;
    let given = grant(ann.id, "a", 1);
    records.insert_grant(&given).await.unwrap();
    assert_eq!(records.grant(given.id).await.unwrap(), given);
    assert_eq!(records.end_grant(given.id, at(5)).await.unwrap().ended_at, Some(at(5)));
    assert_eq!(records.end_grant(given.id, at(9)).await.unwrap().ended_at, Some(at(5)));
    let missing = GrantId(Uuid::now_v7());
    assert!(matches!(records.end_grant(missing, at(9)).await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn lists_show_what_is_in_force_page_by_page() {
    let records = open().await;
    let ann = account(&records, "ann", Role::Operator).await;
    let bob = account(&records, "bob", Role::Operator).await;
    for n in 0..5 {
        records.insert_grant(&grant(ann.id, if n == 4 { "b" } else { "a" }, n / 2)).await.unwrap();
    }
    records.insert_grant(&grant(bob.id, "b", 1)).await.unwrap();
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = records.grants_of(ann.id, None, cursor.as_deref(), 2).await.unwrap();
        seen.extend(page.items.iter().map(|grant| (grant.created_at, grant.id)));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "the newest first, none twice: {seen:?}");
    assert_eq!(records.end_grants_of_ground(GroundKind::Alert, "b", at(5)).await.unwrap().len(), 2);
    assert_eq!(records.end_grants_of_ground(GroundKind::Alert, "b", at(6)).await.unwrap(), []);
    let active = |now| records.grants_of(ann.id, Some(at(now)), None, 10);
    assert_eq!(active(10).await.unwrap().items.len(), 4);
    assert_eq!(active(100).await.unwrap().items.len(), 2, "an end is the first instant outside");
}
