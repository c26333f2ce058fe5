use sightline_model::account::Role;

use super::*;
use crate::testing::{account, at, open};

fn session(account: AccountId, token_hash: &str, last_seen: i64, expires: i64) -> Session {
    Session {
        token_hash: token_hash.into(),
        account,
        csrf: "csrf-value".into(),
        created_at: at(0),
        last_seen_at: at(last_seen),
        expires_at: at(expires),
    }
}

#[tokio::test]
async fn a_session_is_found_by_its_hash_and_touched_forward_only() {
    let records = open().await;
    let ann = account(&records, "ann", Role::Operator).await;
    let given = session(ann.id, "h1", 10, 100);
    records.insert_session(&given).await.unwrap();
    assert_eq!(records.session("h1").await.unwrap(), Some((given.clone(), ann)));
    assert!(!format!("{given:?}").contains("csrf-value"));
    records.touch_session("h1", at(20)).await.unwrap();
    records.touch_session("h1", at(15)).await.unwrap();
    assert_eq!(records.session("h1").await.unwrap().unwrap().0.last_seen_at, at(20));
    records.delete_session("h1").await.unwrap();
    assert_eq!(records.session("h1").await.unwrap(), None);
}

#[tokio::test]
async fn sessions_that_are_over_are_swept() {
    let records = open().await;
    let ann = account(&records, "ann", Role::Operator).await;
    for (hash, last_seen, expires) in [("over", 50, 60), ("idle", 10, 100), ("live", 50, 100)] {
        records.insert_session(&session(ann.id, hash, last_seen, expires)).await.unwrap();
    }
    assert_eq!(records.sweep_sessions(at(60), at(40)).await.unwrap(), 2);
    assert!(records.session("live").await.unwrap().is_some());
}

#[tokio::test]
async fn a_service_token_is_revoked_once() {
    let records = open().await;
    let service = account(&records, "exporter", Role::Auditor).await;
    let token = ServiceToken {
        id: Uuid::now_v7(),
        account: service.id,
        label: "siem".into(),
        created_at: at(0),
        expires_at: None,
        revoked_at: None,
    };
    records.insert_service_token(&token, "hash").await.unwrap();
    assert_eq!(records.service_token("hash").await.unwrap(), Some((token.clone(), service)));
    assert_eq!(records.service_token("other").await.unwrap(), None);
    records.revoke_service_token(token.id, at(5)).await.unwrap();
    records.revoke_service_token(token.id, at(9)).await.unwrap();
    assert_eq!(records.service_tokens_of(token.account).await.unwrap()[0].revoked_at, Some(at(5)));
    assert!(records.revoke_service_token(Uuid::now_v7(), at(5)).await.is_err());
}
