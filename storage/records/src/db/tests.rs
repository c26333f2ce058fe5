use super::*;
use crate::{
    Records,
    testing::{at, camera, open, small_tree},
};

#[tokio::test]
async fn opening_again_finds_everything_and_changes_nothing() {
    let first = open().await;
    small_tree(&first).await;
    first.insert_camera(&camera("gate-1", "north"), at(1)).await.unwrap();
    let version = *first.registry_version().borrow();
    first.close().await;
    assert!(first.ping().await.is_err());
    for _ in 0..2 {
        let again = Records::open(&first.config).await.unwrap();
        again.ping().await.unwrap();
        assert_eq!(again.all_cameras().await.unwrap().len(), 1);
        assert_eq!(*again.registry_version().borrow(), version);
        again.close().await;
    }
}

#[tokio::test]
async fn a_database_of_a_later_version_is_refused_by_number() {
    let records = open().await;
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9000, 'later', TRUE, X'00', 0)",
    )
    .execute(records.writer())
    .await
    .unwrap();
    let error = Records::open(&records.config).await.unwrap_err();
    assert!(matches!(error, Error::Newer { found: 9000, .. }), "{error}");
    assert!(error.to_string().contains("start the newer version"), "{error}");
}

#[tokio::test]
async fn a_database_of_another_build_is_refused() {
    let records = open().await;
    sqlx::query("UPDATE _sqlx_migrations SET checksum = X'00' WHERE version = 1")
        .execute(records.writer())
        .await
        .unwrap();
    let error = Records::open(&records.config).await.unwrap_err();
    assert!(matches!(error, Error::Foreign { version: 1, .. }), "{error}");
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let missing = Config { path: dir.path().join("no/such/records.sqlite"), ..Config::default() };
    let error = Records::open(&missing).await.unwrap_err().to_string();
    assert!(error.contains("no/such") && error.contains("folder exists"), "{error}");
    let foreign = Config { path: dir.path().join("notes.txt"), ..Config::default() };
    std::fs::write(&foreign.path, "dear diary ".repeat(1000)).unwrap();
    assert!(Records::open(&foreign).await.is_err());
    assert!(std::fs::read_to_string(&foreign.path).unwrap().starts_with("dear diary"), "left as it was");
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let records = open().await;
    small_tree(&records).await;
    for ending in ["", "-wal", "-shm"] {
        let path = format!("{}{ending}", records.config.path.display());
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{path}");
    }
}

#[tokio::test]
async fn two_processes_starting_at_once_both_get_an_up_to_date_schema() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config { path: dir.path().join("records.sqlite"), ..Config::default() };
    let (first, second) = tokio::join!(Records::open(&config), Records::open(&config));
    first.unwrap().ping().await.unwrap();
    second.unwrap().ping().await.unwrap();
}

#[tokio::test]
async fn an_interrupted_write_leaves_nothing_and_blocks_nobody() {
    let records = open().await;
    small_tree(&records).await;
    let mut write = records.write().await.unwrap();
    sqlx::query("DELETE FROM counters").execute(&mut *write).await.unwrap();
    drop(write);
    records.insert_camera(&camera("gate-1", "north"), at(1)).await.unwrap();
}
