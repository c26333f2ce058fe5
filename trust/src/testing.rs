//! What the tests share: a small world of cameras with footage, people, grounds, and an audit store that can fail.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use sightline_footage::{Footage, Keep, KeyProvider, Seams, TailWriter};
use sightline_model::{
    CameraId, TimeRange, Timestamp,
    account::{Account, Role},
    audit::{Act, Entry},
    camera::{Camera, CameraKind, Position},
    grant::{Case, Grant, Ground, GroundKind},
    id::AccountId,
    media::{AccessUnit, Codec, GopStart, ParameterSets, Policy, RunId, StreamKey},
    patrol::{Layout, Patrol},
    region::{Region, RegionLevel},
    tail::TailItem,
};
use sightline_records::{Records, Session};
use uuid::Uuid;

use crate::{
    Accounts, Caller, Config, Error, GrantRequest, Trust,
    audit::{AuditLog, Store},
    metrics::Metrics,
};

/// Length of the made-up GOPs.
pub(crate) const GOP: Duration = Duration::from_secs(2);
/// Footage that each camera has before the tests' "now".
pub(crate) const RECORDED: Duration = Duration::from_secs(3600);

/// An audit store that refuses while it is told to.
struct Flaky {
    records: Records,
    fails: Arc<AtomicBool>,
}

impl Store for Flaky {
    fn append(&self, acts: Vec<Act>) -> Pin<Box<dyn Future<Output = Result<Vec<Entry>, Error>> + Send + '_>> {
        if self.fails.load(Ordering::SeqCst) {
            let why = "the test's disk is full".to_owned();
            return Box::pin(async { Err(Error::AuditUnavailable { why }) });
        }
        self.records.append(acts)
    }
}

/// Cameras `gate-1` to `gate-3` in `town-a` (below `city`), `far-1` in `town-b`; one account a role; case `C-1`.
pub(crate) struct World {
    pub(crate) trust: Trust,
    pub(crate) records: Records,
    pub(crate) footage: Footage,
    pub(crate) now: Timestamp,
    pub(crate) audit_fails: Arc<AtomicBool>,
    pub(crate) dir: tempfile::TempDir,
}

pub(crate) fn camera(id: &str) -> CameraId {
    id.parse().unwrap()
}

impl World {
    /// Without footage: fast.
    pub(crate) async fn without_footage() -> Self {
        Self::with(Seams::default()).await
    }

    /// Without footage; what is recorded into it is encrypted.
    pub(crate) async fn encrypted(keys: Arc<dyn KeyProvider>) -> Self {
        Self::with(Seams { keys: Some(keys), ..Seams::default() }).await
    }

    async fn with(seams: Seams) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("records.sqlite");
        let config = sightline_records::Config { path, ..sightline_records::Config::default() };
        let records = Records::open(&config).await.unwrap();
        // Whole GOPs since the epoch, so that tests can name them.
        let now = Timestamp::from_secs(Timestamp::now().0 / 4_000_000 * 4);
        let config = sightline_footage::Config {
            dir: dir.path().join("footage"),
            min_free_bytes: 0,
            ..sightline_footage::Config::default()
        };
        let (footage, _) = Footage::open(config, seams, now).unwrap();
        let audit_fails = Arc::new(AtomicBool::new(false));
        let metrics = Arc::new(Metrics::default());
        let store = Flaky { records: records.clone(), fails: Arc::clone(&audit_fails) };
        let audit = AuditLog::start(store, Arc::clone(&metrics));
        let accounts = Accounts::with_audit(Config::default(), records.clone(), audit, metrics);
        let trust = Trust::over(accounts, footage.clone());
        let world = Self { trust, records, footage, now, audit_fails, dir };
        world.register().await;
        world
    }

    /// With an hour of footage of every camera.
    pub(crate) async fn new() -> Self {
        let world = Self::without_footage().await;
        for id in ["gate-1", "gate-2", "gate-3", "far-1"] {
            let mut writer = world.footage.writer(StreamKey::main(camera(id)), Keep::Recorded).unwrap();
            let gops = RECORDED.as_secs() / GOP.as_secs();
            for number in 0..u32::try_from(gops).unwrap() {
                push(&mut writer, world.now - RECORDED + GOP * number, number);
            }
        }
        world.footage.flush().await.unwrap();
        world
    }

    async fn register(&self) {
        for (id, parent, level) in [
            ("city", None, RegionLevel::City),
            ("town-a", Some("city"), RegionLevel::Town),
            ("town-b", Some("city"), RegionLevel::Town),
        ] {
            let parent = parent.map(|id: &str| id.parse().unwrap());
            let region = Region { id: id.parse().unwrap(), parent, level, name: id.into() };
            self.records.upsert_region(&region).await.unwrap();
        }
        for (id, region, lat) in [
            ("gate-1", "town-a", 31.0),
            ("gate-2", "town-a", 31.001),
            ("gate-3", "town-a", 31.1),
            ("far-1", "town-b", 32.0),
        ] {
            self.records.insert_camera(&registered(id, region, lat), self.now).await.unwrap();
        }
    }

    /// Somebody of a role, signed in.
    pub(crate) async fn somebody(&self, name: &str, role: Role) -> Caller {
        let account = Account {
            id: AccountId(Uuid::now_v7()),
            name: name.into(),
            role,
            unit: "desk".into(),
            service: false,
            disabled_at: None,
            created_at: self.now,
        };
        self.records.create_account(&account, None).await.unwrap();
        let session = Session {
            token_hash: format!("hash of {name}"),
            account: account.id,
            csrf: "csrf".into(),
            created_at: self.now,
            last_seen_at: self.now,
            expires_at: self.now + Duration::from_secs(12 * 3600),
        };
        self.records.insert_session(&session).await.unwrap();
        Caller { account, session: Some(session), service_token: None }
    }

    pub(crate) async fn case(&self, number: &str, members: &[&Caller]) {
        let case = Case {
            number: number.into(),
            title: "A stolen car".into(),
            members: members.iter().map(|caller| caller.account.id).collect(),
            opened_at: self.now - RECORDED,
            ends_at: self.now + Duration::from_secs(86_400),
            closed_at: None,
        };
        self.records.create_case(&case).await.unwrap();
    }

    /// An investigator with a case of the last half hour at `gate-1`.
    pub(crate) async fn investigator(&self) -> (Caller, Grant) {
        let who = self.somebody("ines", Role::Investigator).await;
        self.case("C-1", &[&who]).await;
        let grant =
            self.trust.open_grant(&who, self.request(GroundKind::Case, "C-1", &["gate-1"]), self.now).await;
        (who, grant.unwrap())
    }

    /// An operator on patrol of `gate-1` and `gate-2`.
    pub(crate) async fn on_patrol(&self) -> (Caller, Grant, Patrol) {
        let who = self.somebody("otto", Role::Operator).await;
        let patrol = Patrol {
            id: sightline_model::id::PatrolId(Uuid::now_v7()),
            plan: None,
            account: who.account.id,
            cameras: vec![camera("gate-1"), camera("gate-2")],
            layout: Layout::Four,
            dwell_s: 5,
            started_at: self.now,
            ended_at: None,
        };
        self.records.start_patrol(&patrol).await.unwrap();
        let request = GrantRequest {
            from: None,
            to: None,
            ..self.request(GroundKind::Patrol, &patrol.id.to_string(), &[])
        };
        (who.clone(), self.trust.open_grant(&who, request, self.now).await.unwrap(), patrol)
    }

    /// The last half hour.
    pub(crate) fn request(&self, kind: GroundKind, reference: &str, cameras: &[&str]) -> GrantRequest {
        GrantRequest {
            ground: Ground { kind, reference: reference.into() },
            cameras: cameras.iter().map(|id| camera(id)).collect(),
            regions: Vec::new(),
            from: Some(self.now - RECORDED / 2),
            to: Some(self.now),
            reason: "looking for the stolen car".into(),
        }
    }

    /// Some seconds before now.
    pub(crate) fn ago(&self, seconds: u64) -> Timestamp {
        self.now - Duration::from_secs(seconds)
    }

    pub(crate) fn past(&self, from: u64, to: u64) -> Option<TimeRange> {
        TimeRange::new(self.ago(from), self.ago(to))
    }

    /// The whole log, oldest first.
    pub(crate) async fn log(&self) -> Vec<Entry> {
        self.records.audit_after(0, 1000).await.unwrap()
    }

    pub(crate) fn fail_audit(&self, fails: bool) {
        self.audit_fails.store(fails, Ordering::SeqCst);
    }
}

fn registered(id: &str, region: &str, lat: f64) -> Camera {
    Camera {
        id: camera(id),
        name: id.into(),
        region: region.parse().unwrap(),
        kind: CameraKind::Street,
        position: Some(Position { lat, lon: 121.0, bearing_deg: 0.0, fov_deg: 90.0, range_m: 60.0 }),
        tags: Vec::new(),
        main_url: "rtsp://192.0.2.1/main".into(),
        sub_url: None,
        credentials: None,
        policy: Policy::Full,
        enabled: true,
        revision: 0,
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
    }
}

/// One GOP of three frames.
pub(crate) fn push(writer: &mut TailWriter, at: Timestamp, number: u32) {
    let params = ParameterSets {
        codec: Codec::H264,
        width: 1920,
        height: 1080,
        rfc6381: "avc1.64001E".into(),
        decoder_config: Bytes::from_static(&[1; 8]),
    };
    let ticks = u32::try_from(GOP.as_secs() * 90_000).unwrap();
    writer.push(TailItem::Begin(GopStart {
        run: RunId(1),
        number,
        part: 0,
        at,
        camera_clock: None,
        media_90k: i64::from(number) * i64::from(ticks),
        policy: Policy::Full,
        params: Arc::new(params),
    }));
    for frame in 0..3_u8 {
        let pts_90k = i32::from(frame) * i32::try_from(ticks / 3).unwrap();
        let data = Bytes::from(vec![frame; 32]);
        writer.push(TailItem::Unit(AccessUnit { pts_90k, key: frame == 0, data }));
    }
    writer.push(TailItem::End { duration_90k: ticks });
}
