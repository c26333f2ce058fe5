//! `kill -9` of a gateway in a process of its own, under load, again and again: what mosquitto acknowledged is stored,
//! once, and every hit is counted once.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use sightline_model::{TimeRange, Timestamp};
use sightline_records::{Records, passes::PassQuery};

use crate::world::{Client, Mosquitto, Store, external, open, pass, until};

const DIR: &str = "SIGHTLINE_TEST_KILL_DIR";
const PORT: &str = "SIGHTLINE_TEST_KILL_PORT";

/// Every tenth pass is of a listed vehicle.
const EVENTS: usize = 6000;

/// How often the gateway is killed: `SIGHTLINE_TEST_KILLS=50` for the long run.
fn kills() -> usize {
    std::env::var("SIGHTLINE_TEST_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(6)
}

/// The gateway that is killed; run by the test below in a process of its own.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the victim of the test below"]
async fn victim() {
    let (Ok(dir), Ok(port)) = (std::env::var(DIR), std::env::var(PORT)) else { return };
    let records = open(Path::new(&dir)).await;
    let _gateway = crate::world::start(external(port.parse().unwrap()), &records).await;
    std::future::pending::<()>().await;
}

fn spawn(dir: &Path, port: u16) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::victim", "--ignored", "--nocapture"])
        .env(DIR, dir)
        .env(PORT, port.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

async fn stored(records: &Records) -> Vec<String> {
    let now = Timestamp::now();
    let day = Duration::from_secs(86_400);
    let range = TimeRange::new(now - day, now + day).unwrap();
    let query = PassQuery { range, cameras: None, plate: None, look_alike: false };
    let (mut ids, mut cursor) = (Vec::new(), None);
    loop {
        let page = records.passes(&query, cursor.as_deref(), 1000).await.unwrap();
        ids.extend(page.items.into_iter().map(|stored| stored.pass.id));
        cursor = page.next;
        if cursor.is_none() {
            return ids;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_gateway_loses_nothing_and_stores_nothing_twice() {
    let store = Store::new().await;
    store.list("A1", None).await;
    let mosquitto = Mosquitto::start();
    let mut victim = spawn(store.dir.path(), mosquitto.port);
    // Only with its subscription in place does the broker keep anything for it.
    let watcher = Client::connect(mosquitto.addr(), "watcher", Some("sightline/v1/node/+/state")).await;
    watcher.wait("the victim is online", |seen| seen.json()["state"] == "online").await;

    let toll = Client::connect(mosquitto.addr(), "toll", None).await;
    let per_kill = EVENTS / kills();
    for n in 0..EVENTS {
        let plate = if n % 10 == 0 { "A1" } else { "B2" };
        toll.send("pass/toll", pass(&format!("p{n}"), plate).to_string()).await;
        if n % per_kill == per_kill / 2 {
            // In the middle of work: some of the events of this round are stored, some are not.
            let before = stored(&store.records).await.len();
            until("it takes events", async || (stored(&store.records).await.len() > before).then_some(()))
                .await;
            victim.kill().unwrap();
            victim.wait().unwrap();
            victim = spawn(store.dir.path(), mosquitto.port);
        }
    }
    until("mosquitto acknowledged all", async || (toll.acked() == EVENTS).then_some(())).await;
    until("all are stored", async || (stored(&store.records).await.len() == EVENTS).then_some(())).await;
    victim.kill().unwrap();
    victim.wait().unwrap();

    let mut ids = stored(&store.records).await;
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), EVENTS, "each is there, once");
    let alerts = store.records.alerts(&Default::default(), None, 10).await.unwrap().items;
    let [alert] = alerts.as_slice() else { panic!("{} alerts for one vehicle", alerts.len()) };
    assert_eq!(alert.repeats as usize, EVENTS / 10 - 1, "every hit counted once");
}
