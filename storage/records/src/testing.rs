//! What the tests of this crate share: a database in a folder of its own, and things to put into it.

use std::ops::Deref;

use sightline_model::{
    RegionId, Timestamp,
    account::{Account, Role},
    camera::{Camera, CameraKind},
    id::AccountId,
    media::Policy,
    region::{Region, RegionLevel},
};
use uuid::Uuid;

use crate::{Config, Records};

/// Records in a folder that goes with them.
pub(crate) struct TestRecords {
    pub(crate) records: Records,
    pub(crate) config: Config,
    _dir: tempfile::TempDir,
}

impl Deref for TestRecords {
    type Target = Records;
    fn deref(&self) -> &Records {
        &self.records
    }
}

pub(crate) async fn open() -> TestRecords {
    let dir = tempfile::tempdir().unwrap();
    let config = Config { path: dir.path().join("records.sqlite"), ..Config::default() };
    TestRecords { records: Records::open(&config).await.unwrap(), config, _dir: dir }
}

/// An instant that many seconds into the tests' day.
pub(crate) fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_795_000_000 + secs)
}

pub(crate) fn region(id: &str, parent: Option<&str>, level: RegionLevel) -> Region {
    let parent: Option<RegionId> = parent.map(|text| text.parse().unwrap());
    Region { id: id.parse().unwrap(), parent, level, name: id.to_uppercase() }
}

/// city > (north > north-1), (south)
pub(crate) async fn small_tree(records: &Records) {
    for region in [
        region("city", None, RegionLevel::City),
        region("north", Some("city"), RegionLevel::District),
        region("south", Some("city"), RegionLevel::District),
        region("north-1", Some("north"), RegionLevel::Community),
    ] {
        records.upsert_region(&region).await.unwrap();
    }
}

pub(crate) fn camera(id: &str, region: &str) -> Camera {
    Camera {
        id: id.parse().unwrap(),
        name: format!("Camera {id}"),
        region: region.parse().unwrap(),
        kind: CameraKind::Street,
        position: None,
        tags: Vec::new(),
        main_url: format!("rtsp://192.0.2.1/{id}/main"),
        sub_url: None,
        credentials: None,
        policy: Policy::Full,
        enabled: true,
        revision: 0,
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
    }
}

pub(crate) async fn account(records: &Records, name: &str, role: Role) -> Account {
    let account = Account {
        id: AccountId(Uuid::now_v7()),
        name: name.to_owned(),
        role,
        unit: "desk".to_owned(),
        service: false,
        disabled_at: None,
        created_at: at(0),
    };
    records.create_account(&account, Some("$argon2id$hash")).await.unwrap();
    account
}
