use crate::{
    Error, Session,
    testing::{account, at, open},
};

use super::*;

#[tokio::test]
async fn a_name_is_unique_but_for_case() {
    let records = open().await;
    let ann = account(&records, "Ann", Role::Operator).await;
    let (found, hash) = records.account_by_name(" aNN ").await.unwrap().unwrap();
    assert_eq!((found, hash.as_deref()), (ann.clone(), Some("$argon2id$hash")));
    assert_eq!(records.account_by_name("bob").await.unwrap(), None);
    let again = Account { id: AccountId(uuid::Uuid::now_v7()), name: "ANN".into(), ..ann };
    assert!(matches!(records.create_account(&again, None).await, Err(Error::Exists { .. })));
    assert!(matches!(records.account(again.id).await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn a_disabled_account_loses_its_sessions_at_once() {
    let records = open().await;
    let ann = account(&records, "ann", Role::Operator).await;
    let session = Session {
        token_hash: "h".into(),
        account: ann.id,
        csrf: "c".into(),
        created_at: at(1),
        last_seen_at: at(1),
        expires_at: at(100),
    };
    records.insert_session(&session).await.unwrap();
    records.disable_account(ann.id, at(5)).await.unwrap();
    records.disable_account(ann.id, at(9)).await.unwrap();
    assert_eq!(records.session("h").await.unwrap(), None);
    assert_eq!(records.account(ann.id).await.unwrap().disabled_at, Some(at(5)));
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let records = open().await;
    let first = account(&records, "root", Role::Admin).await;
    let error = records.disable_account(first.id, at(1)).await.unwrap_err().to_string();
    assert!(error.contains("last administrator"), "{error}");
    let second = account(&records, "root2", Role::Admin).await;
    records.disable_account(first.id, at(1)).await.unwrap();
    assert!(records.disable_account(second.id, at(1)).await.is_err());
}

#[tokio::test]
async fn a_new_password_ends_sessions() {
    let records = open().await;
    let ann = account(&records, "ann", Role::Operator).await;
    records.set_password_hash(ann.id, "new").await.unwrap();
    assert_eq!(records.account_by_name("ann").await.unwrap().unwrap().1.as_deref(), Some("new"));
    let nobody = AccountId(uuid::Uuid::now_v7());
    assert!(matches!(records.set_password_hash(nobody, "x").await, Err(Error::NotFound { .. })));
}
