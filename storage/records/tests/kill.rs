//! A writer is killed without warning: what it was told is stored must be there, and the log must have no hole.
//!
//! The test starts its own program again as the writer (the ignored test below) and kills it.

use std::{
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Command, Stdio},
};

use sightline_model::{
    Timestamp,
    audit::{Act, Action, Entry},
};
use sightline_records::{AuditHead, Config, Records};

const PATH_VARIABLE: &str = "SIGHTLINE_TEST_RECORDS";

fn config(path: PathBuf) -> Config {
    Config { path, ..Config::default() }
}

fn act(n: u64) -> Act {
    Act {
        at: Timestamp::from_secs(1_795_000_000),
        account: None,
        action: Action::SignInRefused,
        grant: None,
        ground: None,
        camera: None,
        range: None,
        detail: format!("act {n}"),
    }
}

fn chain(head: &AuditHead, act: Act) -> Entry {
    let (seq, prev_hash) = (head.seq + 1, head.hash.clone());
    Entry { seq, act, prev_hash, hash: format!("{seq:064x}") }
}

/// Appends until it is killed, and says after each append what is stored.
#[tokio::test]
#[ignore = "the writer that the other test starts and kills"]
async fn writer() {
    let Some(path) = std::env::var_os(PATH_VARIABLE) else { return };
    let records = Records::open(&config(path.into())).await.unwrap();
    let mut told = std::io::stdout();
    for n in 0.. {
        let entries = records.append_audit(vec![act(n), act(n)], chain).await.unwrap();
        writeln!(told, "stored {}", entries.last().unwrap().seq).unwrap();
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    let mut stored = 0;
    // The first round is killed at its very first sign of life, so that it may hit the schema steps as well.
    for acknowledged in [0, 25, 40] {
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "writer", "--ignored", "--nocapture"])
            .env(PATH_VARIABLE, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(writer.stdout.take().unwrap()).lines();
        let mut seen = 0;
        let mut killed = false;
        for line in lines.map_while(Result::ok) {
            if let Some(seq) = line.split("stored ").nth(1).and_then(|seq| seq.parse::<u64>().ok()) {
                (stored, seen) = (seq, seen + 1);
            }
            if seen >= acknowledged && !killed {
                writer.kill().unwrap();
                killed = true;
            }
        }
        writer.wait().unwrap();
        let records = Records::open(&config(path.clone())).await.unwrap();
        let head = records.audit_head().await.unwrap();
        assert!(head.seq >= stored, "{stored} was acknowledged, {} is there", head.seq);
        assert_eq!(head.seq % 2, 0, "a write of two entries is kept as a whole or not at all");
        let mut last = AuditHead::default();
        while last.seq < head.seq {
            for entry in records.audit_after(last.seq, 1000).await.unwrap() {
                assert_eq!((entry.seq, &entry.prev_hash), (last.seq + 1, &last.hash));
                last = AuditHead { seq: entry.seq, hash: entry.hash };
            }
        }
        stored = head.seq;
        records.close().await;
    }
    assert!(stored >= 2 * 65);
}
