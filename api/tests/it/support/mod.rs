//! A whole site in a temporary folder, and clients that speak HTTP to it.

pub(crate) mod client;
pub(crate) mod clip;
pub(crate) mod probe;

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use sightline_api::{Api, Config, Parts};
use sightline_footage::{Footage, Keep, Seams, TailWriter};
use sightline_gateway::Gateway;
use sightline_model::{
    CameraId, Timestamp,
    account::Role,
    camera::{Camera, CameraKind, Credentials, Position, StreamState},
    grant::Case,
    media::{Policy, StreamKey, StreamKind},
    region::{Region, RegionLevel},
};
use sightline_picture::Pictures;
use sightline_records::Records;
use sightline_trust::{NewAccount, Trust, random_password};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub(crate) use client::Client;

/// Nothing here takes longer, even on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A running site with three cameras (`gate-1` with a sub-stream, `gate-2`, `bus-1`), one account of each role, and the case
/// `CASE-1` of the investigator.
pub(crate) struct Site {
    pub(crate) records: Records,
    pub(crate) footage: Footage,
    pub(crate) trust: Trust,
    pub(crate) api: Api,
    pub(crate) states: watch::Sender<Arc<BTreeMap<StreamKey, StreamState>>>,
    pub(crate) addr: SocketAddr,
    passwords: BTreeMap<&'static str, String>,
    cancel: CancellationToken,
    _dir: tempfile::TempDir,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl Site {
    pub(crate) async fn start() -> Self {
        Self::start_with(sightline_footage::Config::default().tail_bytes).await
    }

    /// With rings of this size.
    pub(crate) async fn start_with(tail_bytes: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let now = Timestamp::now();
        let cancel = CancellationToken::new();
        let config =
            sightline_records::Config { path: dir.path().join("records.sqlite"), ..Default::default() };
        let records = Records::open(&config).await.unwrap();
        let footage_config = sightline_footage::Config {
            dir: dir.path().join("footage"),
            sync_interval: Duration::from_millis(20),
            min_free_bytes: 0,
            tail_bytes,
            ..Default::default()
        };
        let footage =
            tokio::task::spawn_blocking(move || Footage::open(footage_config, Seams::default(), now))
                .await
                .unwrap()
                .unwrap()
                .0;
        let trust = Trust::new(Default::default(), records.clone(), footage.clone());
        let broker = sightline_gateway::Broker::Embedded {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            username: None,
            password_file: None,
        };
        let config = sightline_gateway::Config { broker, ..Default::default() };
        let gateway = Gateway::start(config, records.clone(), cancel.clone()).await.unwrap();
        let pictures = Pictures::start(sightline_picture::Config {
            program: worker(),
            args: vec!["picture-worker".into()],
            workers: 1,
            ..Default::default()
        })
        .unwrap();
        let passwords = people(&trust, &records, now).await;
        registry(&records, now).await;
        let (states, seen) = watch::channel(Arc::default());
        let api = Api::start(Parts {
            trust: trust.clone(),
            records: records.clone(),
            footage: footage.clone(),
            gateway,
            pictures,
            states: seen,
            config: Config::default(),
            node: "test".to_owned(),
            version: "0.0.0-test".to_owned(),
            cancel: cancel.clone(),
        });
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (router, stopped) = (api.router(), cancel.clone());
        tokio::spawn(async move {
            sightline_api::serve(listener, router, stopped).await.unwrap();
        });
        Self { records, footage, trust, api, states, addr, passwords, cancel, _dir: dir }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    pub(crate) fn password(&self, name: &str) -> &str {
        &self.passwords[name]
    }

    /// A client with the session of the account of this name.
    pub(crate) async fn sign_in(&self, name: &str) -> Client {
        Client::sign_in(self, name).await
    }

    pub(crate) fn writer(&self, camera: &str) -> TailWriter {
        self.footage.writer(StreamKey::main(id(camera)), Keep::Recorded).unwrap()
    }

    /// Writes whole GOPs of a clip and waits until they are on disk.
    pub(crate) async fn record(&self, camera: &str, items: Vec<sightline_model::tail::TailItem>) {
        let mut writer = self.writer(camera);
        for item in items {
            writer.push(item);
        }
        self.footage.flush().await.unwrap();
    }

    /// Says that ingest is pulling a camera.
    pub(crate) fn streaming(&self, camera: &str, stream: StreamKind) {
        self.states.send_modify(|states| {
            let key = StreamKey { camera: id(camera), stream };
            Arc::make_mut(states).insert(key, StreamState::Streaming { since: Timestamp::now() });
        });
    }

    pub(crate) fn stop(&self) {
        self.cancel.cancel();
    }
}

pub(crate) fn id(camera: &str) -> CameraId {
    camera.parse().unwrap()
}

/// The worker beside this test's own binary.
fn worker() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let beside = std::fs::read_dir(own.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    let is_worker = |path: &PathBuf| {
        path.extension().is_none()
            && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("picture_worker-"))
    };
    let newest = beside.filter(is_worker).max_by_key(|path| path.metadata().unwrap().modified().unwrap());
    newest.expect("the target picture_worker is built with the tests")
}

async fn people(trust: &Trust, records: &Records, now: Timestamp) -> BTreeMap<&'static str, String> {
    let mut passwords = BTreeMap::new();
    let people = [
        ("olga", Role::Operator, "desk"),
        ("ivan", Role::Investigator, "crime"),
        ("ines", Role::Integrator, "works"),
        ("sun", Role::Supervisor, "lead"),
        ("auma", Role::Auditor, "audit"),
        ("ada", Role::Admin, "it"),
        ("near", Role::Supervisor, "crime"),
    ];
    for (name, role, unit) in people {
        let password = random_password();
        let new = NewAccount { name: name.into(), role, unit: unit.into(), password: Some(password.clone()) };
        let account = trust.accounts().create_account(None, new, now).await.unwrap();
        if role == Role::Investigator {
            let case = Case {
                number: "CASE-1".into(),
                title: "A case".into(),
                members: vec![account.id],
                opened_at: now,
                ends_at: now + Duration::from_secs(86_400),
                closed_at: None,
            };
            records.create_case(&case).await.unwrap();
        }
        passwords.insert(name, password);
    }
    passwords
}

async fn registry(records: &Records, now: Timestamp) {
    let region = |id: &str, parent: Option<&str>, level, name: &str| Region {
        id: id.parse().unwrap(),
        parent: parent.map(|parent| parent.parse().unwrap()),
        level,
        name: name.into(),
    };
    records.upsert_region(&region("city", None, RegionLevel::City, "City")).await.unwrap();
    records.upsert_region(&region("north", Some("city"), RegionLevel::District, "North")).await.unwrap();
    records.upsert_region(&region("south", Some("city"), RegionLevel::District, "South")).await.unwrap();
    for (camera, region, tag, sub) in [
        ("gate-1", "north", "gate", true),
        ("gate-2", "north", "gate", false),
        ("bus-1", "south", "bus", false),
    ] {
        let camera = Camera {
            id: id(camera),
            name: camera.to_uppercase(),
            region: region.parse().unwrap(),
            kind: CameraKind::Street,
            position: Some(Position {
                lat: 30.0,
                lon: 120.0,
                bearing_deg: 0.0,
                fov_deg: 90.0,
                range_m: 60.0,
            }),
            tags: vec![tag.into()],
            main_url: format!("rtsp://10.0.0.1/{camera}"),
            sub_url: sub.then(|| format!("rtsp://10.0.0.1/{camera}/sub")),
            credentials: Some(Credentials { user: "admin".into(), password: "hunter2-secret".into() }),
            policy: Policy::Full,
            enabled: true,
            revision: 1,
            created_at: now,
            updated_at: now,
        };
        records.insert_camera(&camera, now).await.unwrap();
    }
}

/// Asks again until the answer fits.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(tokio::time::Instant::now() < deadline, "waited too long for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
