//! Workers that die, hang or talk nonsense. Most are shell scripts around the real worker.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a panic in a test is its failure report"
)]

mod common;

use std::{fs, os::unix::process::ExitStatusExt, path::Path, process::Stdio, time::Duration};

use common::{WORKER, config, errors, gop, street, until};
use sightline_picture::{Config, Error, Pictures, Size};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A pool of one worker that runs `script` under sh, with `$WORKER` and the folder `$D` at hand.
fn scripted(folder: &Path, script: &str) -> Config {
    let script = format!("WORKER='{WORKER}'\nD='{}'\n{script}", folder.display());
    Config { program: "/bin/sh".into(), args: vec!["-c".into(), script.into()], ..config(1) }
}

/// Says what a worker says, then does nothing at all. The shell keeps stdout open.
const HANG: &str = r#""$WORKER" </dev/null; cat >/dev/null; exit"#;

async fn still(pictures: &Pictures, at: i64) -> Result<usize, Error> {
    pictures.still(street(), &gop("bframes-h264", at), Size::Original).await.map(|jpeg| jpeg.len())
}

#[tokio::test]
async fn a_worker_killed_over_a_request_is_replaced_and_the_request_tried_again() {
    let folder = TempDir::new().unwrap();
    // The first one takes a few bytes of the request and is killed; the second one is real.
    let script = r#"
        if [ -e "$D/second" ]; then exec "$WORKER"; fi
        touch "$D/second"
        "$WORKER" </dev/null
        head -c 100 >/dev/null
        kill -9 $$"#;
    let pictures = Pictures::start(scripted(folder.path(), script)).unwrap();
    assert!(still(&pictures, 1).await.is_ok());
    assert_eq!(pictures.metrics().restarts, 1);
    pictures.shutdown().await;
}

#[tokio::test]
async fn a_key_frame_that_kills_two_workers_gets_an_error_and_no_third() {
    let folder = TempDir::new().unwrap();
    let script = r#"
        echo >>"$D/starts"
        "$WORKER" </dev/null
        head -c 100 >/dev/null
        kill -9 $$"#;
    let pictures = Pictures::start(scripted(folder.path(), script)).unwrap();
    let error = still(&pictures, 1).await.unwrap_err();
    assert!(matches!(&error, Error::WorkerDied { reason } if reason.contains("signal: 9")), "{error}");
    until(&pictures, "a new worker", |metrics| metrics.workers_up == 1).await;
    assert_eq!(still(&pictures, 1).await, Err(error), "answered from memory");
    assert_eq!(fs::read_to_string(folder.path().join("starts")).unwrap().len(), 3);
    pictures.shutdown().await;
}

#[tokio::test]
async fn a_real_worker_killed_while_idle_is_replaced() {
    let folder = TempDir::new().unwrap();
    let pictures = Pictures::start(scripted(folder.path(), r#"echo $$ >"$D/pid"; exec "$WORKER""#)).unwrap();
    still(&pictures, 1).await.unwrap();
    let pid = fs::read_to_string(folder.path().join("pid")).unwrap();
    let killed = tokio::process::Command::new("kill").args(["-9", pid.trim()]).status().await.unwrap();
    assert!(killed.success());
    until(&pictures, "a restart", |metrics| metrics.restarts == 1).await;
    still(&pictures, 2).await.unwrap();
    pictures.shutdown().await;
}

#[tokio::test]
async fn a_hung_worker_is_killed_and_the_next_request_works() {
    let folder = TempDir::new().unwrap();
    let script = format!("if [ -e \"$D/second\" ]; then exec \"$WORKER\"; fi\ntouch \"$D/second\"\n{HANG}");
    let limit = Duration::from_secs(3);
    let pictures = Pictures::start(Config { timeout: limit, ..scripted(folder.path(), &script) }).unwrap();
    assert_eq!(still(&pictures, 1).await, Err(Error::Timeout { after: limit }));
    still(&pictures, 2).await.unwrap();
    let metrics = pictures.metrics();
    assert_eq!((metrics.restarts, errors(&metrics, "timeout")), (1, 1));
    pictures.shutdown().await;
}

#[tokio::test]
async fn a_full_queue_is_busy_and_whoever_goes_away_costs_nothing() {
    let folder = TempDir::new().unwrap();
    let config = Config { queue: 2, ..scripted(folder.path(), HANG) };
    let pictures = Pictures::start(config).unwrap();
    let ask = |at: i64| {
        let pictures = pictures.clone();
        tokio::spawn(async move { still(&pictures, at).await })
    };
    let first = ask(1);
    until(&pictures, "the first in work", |now| now.workers_up == 1 && now.requests == 1 && now.queued == 0)
        .await;
    let waiting = [ask(2), ask(3)];
    until(&pictures, "two in the queue", |now| now.queued == 2).await;
    assert_eq!(still(&pictures, 4).await, Err(Error::Busy { waiting: 2 }));
    // An equal request joins the one that waits: no place in the queue is needed.
    let joined = ask(3);
    until(&pictures, "a fifth request", |now| now.joined == 1).await;
    pictures.shutdown().await;
    for asked in [first, joined].into_iter().chain(waiting) {
        assert_eq!(asked.await.unwrap(), Err(Error::Stopping));
    }
}

#[tokio::test]
async fn without_a_worker_the_answer_comes_at_once_and_says_why() {
    let missing = Config { program: "/nonexistent/sightline".into(), ..config(2) };
    let pictures = Pictures::start(missing).unwrap();
    until(&pictures, "two failed starts of each", |now| now.restarts >= 4).await;
    // At once when both are down; if one is just trying again, when that try has failed.
    let error = still(&pictures, 1).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("/nonexistent/sightline"), "{error}");
    pictures.shutdown().await;
}

#[tokio::test]
async fn another_program_is_not_taken_for_a_worker() {
    let folder = TempDir::new().unwrap();
    let pictures = Pictures::start(scripted(folder.path(), "echo hello world; exec cat")).unwrap();
    let error = still(&pictures, 1).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    pictures.shutdown().await;
}

#[tokio::test]
async fn max_wait_bounds_the_whole() {
    let folder = TempDir::new().unwrap();
    let limit = Duration::from_millis(300);
    let config =
        Config { timeout: limit, max_wait: limit, ..scripted(folder.path(), "cat >/dev/null; exit") };
    let pictures = Pictures::start(config).unwrap();
    assert_eq!(still(&pictures, 1).await, Err(Error::Waited { after: limit }));
    pictures.shutdown().await;
}

/// The worker alone, by hand.
async fn worker(input: &[u8]) -> (std::process::ExitStatus, Vec<u8>, String) {
    let mut child = tokio::process::Command::new(WORKER)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input).await.unwrap();
    drop(stdin);
    let (mut said, mut complaints) = (Vec::new(), String::new());
    child.stdout.take().unwrap().read_to_end(&mut said).await.unwrap();
    child.stderr.take().unwrap().read_to_string(&mut complaints).await.unwrap();
    (child.wait().await.unwrap(), said, complaints)
}

#[tokio::test]
async fn a_worker_ends_with_its_stdin() {
    let (status, said, complaints) = worker(b"").await;
    assert!(status.success() && complaints.is_empty(), "{status} {complaints}");
    assert_eq!(&said[4..10], b"SLPW\x00\x01");
    assert!(String::from_utf8_lossy(&said).contains("avdec_h264"), "GStreamer's libav plugins are installed");
}

#[tokio::test]
async fn a_worker_whose_stdin_is_no_parent_says_so_and_ends() {
    for input in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\x00\x00\x00\x05abcde", b"\x00\x00\x00\x09abc"] {
        let (status, _, complaints) = worker(input).await;
        assert_eq!((status.code(), status.signal()), (Some(1), None), "{complaints}");
        assert!(!complaints.is_empty());
    }
}
