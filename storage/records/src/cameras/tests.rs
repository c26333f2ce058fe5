use sightline_model::RegionId;

use super::*;
use crate::testing::{at, camera, open, small_tree};

fn ids(cameras: &[Camera]) -> Vec<&str> {
    cameras.iter().map(|camera| camera.id.as_str()).collect()
}

#[tokio::test]
async fn a_camera_comes_back_as_it_was_stored() {
    let records = open().await;
    small_tree(&records).await;
    let mut given = camera("gate-1", "north-1");
    given.position =
        Some(Position { lat: 31.2, lon: 121.5, bearing_deg: 90.0, fov_deg: 70.0, range_m: 40.0 });
    given.tags = vec![" School ".into(), "gate".into(), "GATE".into(), String::new()];
    given.credentials = Some(Credentials { user: "admin".into(), password: "s3cret".into() });
    given.sub_url = Some("rtsp://192.0.2.1/sub".into());
    let stored = records.insert_camera(&given, at(1)).await.unwrap();
    assert_eq!((stored.revision, stored.created_at), (1, at(1)));
    assert_eq!(stored.tags, ["gate", "school"]);
    assert_eq!(records.camera(given.id).await.unwrap(), stored);
    assert!(!format!("{stored:?}").contains("s3cret"));
    assert!(matches!(records.insert_camera(&given, at(2)).await, Err(Error::Exists { .. })));
}

#[tokio::test]
async fn a_change_on_an_old_revision_is_refused() {
    let records = open().await;
    small_tree(&records).await;
    let mut first = records.insert_camera(&camera("gate-1", "north"), at(1)).await.unwrap();
    let mut second = first.clone();
    first.name = "First".into();
    second.name = "Second".into();
    let revision = first.revision;
    assert_eq!(records.update_camera(&first, revision, at(2)).await.unwrap().revision, 2);
    let error = records.update_camera(&second, revision, at(3)).await.unwrap_err();
    assert!(matches!(error, Error::Conflict { expected: 1, found: 2, .. }), "{error}");
    assert_eq!(records.camera(first.id).await.unwrap().name, "First");
    let missing = camera("gate-9", "north");
    assert!(matches!(records.update_camera(&missing, 1, at(3)).await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_by_name_and_without_secrets() {
    let records = open().await;
    small_tree(&records).await;
    let broken = |change: fn(&mut Camera)| {
        let mut camera = camera("gate-1", "north");
        change(&mut camera);
        camera
    };
    let cases = [
        (broken(|c| c.name = "  ".into()), "name"),
        (broken(|c| c.main_url = "http://192.0.2.1".into()), "main_url must begin with rtsp"),
        (broken(|c| c.main_url = "rtsp://u:s3cret@192.0.2.1/".into()), "as credentials"),
        (broken(|c| c.main_url = "rtsp:///main".into()), "name a host"),
        (broken(|c| c.sub_url = Some("rtsp://a b/".into())), "sub_url"),
        (broken(|c| c.region = "nowhere".parse().unwrap()), "region nowhere is not registered"),
        (
            broken(|c| {
                c.position =
                    Some(Position { lat: f64::NAN, lon: 0.0, bearing_deg: 0.0, fov_deg: 1.0, range_m: 1.0 });
            }),
            "lat must lie",
        ),
    ];
    for (camera, expected) in cases {
        let error = records.insert_camera(&camera, at(1)).await.unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains("s3cret"), "{error}");
    }
    assert_eq!(records.all_cameras().await.unwrap(), []);
}

#[tokio::test]
async fn filters_all_hold_together() {
    let records = open().await;
    small_tree(&records).await;
    for (id, region, tags, enabled) in [
        ("a", "north", vec!["gate"], true),
        ("b", "north-1", vec!["gate", "school"], true),
        ("c", "south", vec!["school"], false),
        ("d", "city", vec![], true),
    ] {
        let mut camera = camera(id, region);
        camera.tags = tags.into_iter().map(str::to_owned).collect();
        (camera.enabled, camera.name) = (enabled, format!("大门 100%_{id}"));
        records.insert_camera(&camera, at(1)).await.unwrap();
    }
    let region = |id: &str| -> Vec<RegionId> { vec![id.parse().unwrap()] };
    let all = CameraFilter::default();
    let cases = [
        (all.clone(), "a b c d"),
        (CameraFilter { regions: region("north"), ..all.clone() }, "a b"),
        (CameraFilter { regions: region("city"), ..all.clone() }, "a b c d"),
        (CameraFilter { regions: region("nowhere"), ..all.clone() }, ""),
        (CameraFilter { tags: vec!["Gate".into(), "school".into()], ..all.clone() }, "b"),
        (CameraFilter { q: Some("大门".into()), ..all.clone() }, "a b c d"),
        (CameraFilter { q: Some("100%_B".into()), ..all.clone() }, "b"),
        (CameraFilter { q: Some("1__%".into()), ..all.clone() }, ""),
        (CameraFilter { enabled: Some(false), ..all.clone() }, "c"),
        (CameraFilter { ids: Some(vec!["d".parse().unwrap(), "a".parse().unwrap()]), ..all.clone() }, "a d"),
        (CameraFilter { ids: Some(vec![]), ..all.clone() }, ""),
        (CameraFilter { regions: region("north"), tags: vec!["school".into()], ..all.clone() }, "b"),
    ];
    for (filter, expected) in cases {
        let page = records.cameras(&filter, None, 10).await.unwrap();
        assert_eq!(ids(&page.items).join(" "), expected, "{filter:?}");
    }
    let too_many = CameraFilter { ids: Some(vec!["a".parse().unwrap(); 30_001]), ..all };
    assert!(matches!(records.cameras(&too_many, None, 10).await, Err(Error::Invalid { .. })));
}

#[tokio::test]
async fn pages_neither_repeat_nor_hide_when_the_list_changes_between_them() {
    let records = open().await;
    small_tree(&records).await;
    let many: Vec<Camera> = (0..25).map(|n| camera(&format!("c-{n:02}"), "north")).collect();
    let outcomes = records.put_cameras(&many, at(1)).await.unwrap();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(Put::Created))));
    let all = CameraFilter::default();
    let first = records.cameras(&all, None, 10).await.unwrap();
    records.delete_camera("c-03".parse().unwrap()).await.unwrap();
    records.insert_camera(&camera("c-095", "north"), at(2)).await.unwrap();
    let second = records.cameras(&all, first.next.as_deref(), 10).await.unwrap();
    let third = records.cameras(&all, second.next.as_deref(), 10).await.unwrap();
    assert_eq!(ids(&first.items).last(), Some(&"c-09"));
    assert_eq!(ids(&second.items)[..2], ["c-095", "c-10"]);
    assert_eq!((third.items.len(), third.next), (6, None));
    assert!(matches!(records.cameras(&all, Some("' OR 1"), 10).await, Err(Error::Cursor { .. })));
}

#[tokio::test]
async fn an_import_keeps_credentials_and_leaves_out_what_is_wrong() {
    let records = open().await;
    small_tree(&records).await;
    let mut known = camera("known", "north");
    known.credentials = Some(Credentials { user: "u".into(), password: "p".into() });
    records.insert_camera(&known, at(1)).await.unwrap();
    let same = camera("known", "north");
    let mut moved = camera("known", "south");
    moved.name = "Moved".into();
    let wrong = camera("wrong", "nowhere");
    let outcomes = records.put_cameras(&[same, wrong, moved, camera("new", "south")], at(2)).await.unwrap();
    assert!(matches!(outcomes[0], Ok(Put::Unchanged)));
    assert!(matches!(outcomes[1], Err(Error::Invalid { .. })));
    assert!(matches!(outcomes[2], Ok(Put::Updated)));
    assert!(matches!(outcomes[3], Ok(Put::Created)));
    let known = records.camera(known.id).await.unwrap();
    assert_eq!((known.revision, known.name.as_str()), (2, "Moved"));
    assert!(known.credentials.is_some());
}

#[tokio::test]
async fn followers_of_the_registry_see_every_change_also_of_other_processes() {
    let records = open().await;
    let mut version = records.registry_version();
    small_tree(&records).await;
    version.changed().await.unwrap();
    let before = *version.borrow_and_update();
    let other = crate::Records::open(&records.config).await.unwrap();
    other.insert_camera(&camera("gate-1", "north"), at(1)).await.unwrap();
    assert!(!version.has_changed().unwrap());
    records.poll_registry().await.unwrap();
    assert!(version.has_changed().unwrap() && *version.borrow_and_update() == before + 1);
    records.delete_camera("gate-1".parse().unwrap()).await.unwrap();
    assert!(version.has_changed().unwrap());
    assert!(matches!(records.delete_camera("gate-1".parse().unwrap()).await, Err(Error::NotFound { .. })));
}

/// A city's registry. Run with `--release -- --ignored` for figures: `cargo test -p sightline-records city -- --ignored`.
#[tokio::test]
#[ignore = "takes seconds; for figures"]
async fn a_city_of_60_000_cameras() {
    let records = open().await;
    small_tree(&records).await;
    let many: Vec<Camera> = (0..60_000)
        .map(|n| {
            let mut camera = camera(&format!("c-{n:06}"), if n % 2 == 0 { "north-1" } else { "south" });
            camera.tags = vec![format!("tag-{}", n % 50), "street".into()];
            camera
        })
        .collect();
    let mut figures = Vec::new();
    let mut begin = std::time::Instant::now();
    let mut lap = |what: &'static str| {
        figures.push((what, begin.elapsed()));
        begin = std::time::Instant::now();
    };
    records.put_cameras(&many, at(1)).await.unwrap();
    lap("import");
    assert_eq!(records.all_cameras().await.unwrap().len(), 60_000);
    lap("all");
    let filter = CameraFilter {
        regions: vec!["north".parse().unwrap()],
        tags: vec!["tag-4".into()],
        q: Some("c-05".into()),
        ..CameraFilter::default()
    };
    assert_eq!(records.cameras(&filter, None, 100).await.unwrap().items.len(), 100);
    lap("a filtered page");
    let ids: Vec<CameraId> = many.iter().map(|camera| camera.id).collect();
    records.last_seen_of(&ids).await.unwrap();
    lap("last seen of all");
    std::io::Write::write_all(&mut std::io::stderr(), format!("{figures:?}\n").as_bytes()).unwrap();
}
