use uuid::Uuid;

use super::*;
use crate::testing::{at, open};

fn act(n: i64) -> Act {
    Act {
        at: at(n),
        account: Some(AccountId(Uuid::from_u128(n.unsigned_abs().into()))),
        action: if n % 2 == 0 { Action::Still } else { Action::LookRefused },
        grant: Some(GrantId(Uuid::from_u128(7))),
        ground: Some(Ground { kind: GroundKind::Case, reference: "C-1".into() }),
        camera: Some("gate-1".parse().unwrap()),
        range: Some(TimeRange { from: at(n), to: at(n + 1) }),
        detail: format!("detail {n}"),
    }
}

/// A chain that is none, but numbers as it should.
fn chain(head: &AuditHead, act: Act) -> Entry {
    let (seq, prev_hash) = (head.seq + 1, head.hash.clone());
    Entry { seq, act, prev_hash, hash: format!("{seq:064x}") }
}

#[tokio::test]
async fn entries_are_numbered_without_holes_however_many_write() {
    let records = open().await;
    assert_eq!(records.audit_head().await.unwrap(), AuditHead::default());
    let mut writers = tokio::task::JoinSet::new();
    for n in 0..20 {
        let records = records.records.clone();
        writers.spawn(async move { records.append_audit(vec![act(n), act(n + 100)], chain).await });
    }
    while let Some(written) = writers.join_next().await {
        assert_eq!(written.unwrap().unwrap().len(), 2);
    }
    let entries = records.audit_after(0, 100).await.unwrap();
    assert_eq!(entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), (1..=40).collect::<Vec<_>>());
    assert!(entries.windows(2).all(|pair| pair[1].prev_hash == pair[0].hash));
    assert_eq!(records.audit_head().await.unwrap().seq, 40);
    assert_eq!(records.audit_after(38, 100).await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_entry_comes_back_as_it_was_and_can_be_found() {
    let records = open().await;
    let bare = Act { account: None, grant: None, ground: None, camera: None, range: None, ..act(2) };
    let acts = vec![act(0), act(1), bare];
    let entries = records.append_audit(acts, chain).await.unwrap();
    assert_eq!(records.audit_after(0, 10).await.unwrap(), entries);
    let found = |filter: AuditFilter| {
        let records = &records;
        async move {
            let page = records.audit_entries(&filter, None, 10).await.unwrap();
            page.items.iter().map(|entry| entry.seq).collect::<Vec<_>>()
        }
    };
    let all = AuditFilter::default();
    assert_eq!(found(all.clone()).await, [3, 2, 1]);
    assert_eq!(found(AuditFilter { action: Some(Action::LookRefused), ..all.clone() }).await, [2]);
    assert_eq!(found(AuditFilter { camera: Some("gate-1".parse().unwrap()), ..all.clone() }).await, [2, 1]);
    assert_eq!(found(AuditFilter { account: Some(AccountId(Uuid::from_u128(1))), ..all.clone() }).await, [2]);
    assert_eq!(found(AuditFilter { entered: TimeRange::new(at(1), at(2)), ..all.clone() }).await, [2]);
    let first = records.audit_entries(&all, None, 2).await.unwrap();
    assert_eq!(first.next.as_deref(), Some("2"));
    assert_eq!(records.audit_entries(&all, Some("2"), 2).await.unwrap().items[0].seq, 1);
}

#[tokio::test]
async fn nothing_is_kept_of_a_write_that_does_not_follow() {
    let records = open().await;
    let skips = |head: &AuditHead, act: Act| {
        let entry = chain(head, act);
        if entry.seq == 2 { Entry { seq: 5, ..entry } } else { entry }
    };
    let error = records.append_audit(vec![act(0), act(1)], skips).await.unwrap_err();
    assert!(matches!(error, Error::Invalid { .. }), "{error}");
    assert_eq!(records.audit_head().await.unwrap().seq, 0);
}

#[tokio::test]
async fn the_database_itself_refuses_to_change_the_log() {
    let records = open().await;
    records.append_audit(vec![act(0)], chain).await.unwrap();
    for sql in ["UPDATE audit SET detail = 'x'", "DELETE FROM audit"] {
        let error = sqlx::query(sql).execute(records.writer()).await.unwrap_err().to_string();
        assert!(error.contains("append-only"), "{error}");
    }
}
