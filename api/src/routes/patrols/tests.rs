use sightline_model::id::AccountId;

use super::*;

fn patrol(cameras: &[&str], layout: Layout) -> Patrol {
    Patrol {
        id: PatrolId(Uuid::nil()),
        plan: None,
        account: AccountId(Uuid::nil()),
        cameras: cameras.iter().map(|id| id.parse().unwrap()).collect(),
        layout,
        dwell_s: 10,
        started_at: Timestamp::from_secs(100),
        ended_at: None,
    }
}

fn claim(camera: &str, shown_s: i64) -> SeenCamera {
    let shown_at = Timestamp::from_secs(shown_s);
    SeenCamera { camera: camera.parse().unwrap(), shown_at, frame_at: Some(shown_at) }
}

#[test]
fn a_round_walks_view_by_view_and_comes_back_to_what_was_left_out() {
    let patrol = patrol(&["a", "b", "c", "d", "e"], Layout::Four);
    let after = |seen: &[&str]| {
        let (view, index, views) = next_view(&patrol, &seen.iter().map(|id| id.parse().unwrap()).collect());
        (view.iter().map(CameraId::to_string).collect::<Vec<_>>().concat(), index, views)
    };
    assert_eq!(after(&[]), ("abcd".into(), 0, 2));
    assert_eq!(after(&["a", "b", "c", "d"]), ("e".into(), 1, 2));
    assert_eq!(after(&["a", "b", "c", "e"]), ("abcd".into(), 0, 2));
    assert_eq!(after(&["a", "b", "c", "d", "e"]), (String::new(), 2, 2));
}

#[test]
fn a_view_counts_only_after_its_dwell_and_inside_the_patrol() {
    let patrol = patrol(&["a"], Layout::One);
    let at =
        |camera: &str, shown_s, now_s| prove(&patrol, &claim(camera, shown_s), Timestamp::from_secs(now_s));
    assert!(at("a", 110, 120).is_ok());
    let refusal = |result: Result<Seen, Refusal>| result.unwrap_err().to_string();
    assert!(refusal(at("a", 110, 115)).contains("looked at for 10 s"));
    assert!(refusal(at("a", 50, 120)).contains("the patrol's start"));
    assert!(refusal(at("a", 130, 120)).contains("now"));
    assert!(refusal(at("b", 110, 120)).contains("not on this patrol"));
}

#[test]
fn a_camera_without_a_picture_is_no_coverage() {
    let dark =
        Seen { camera: "b".parse().unwrap(), shown_at: Timestamp(0), seen_at: Timestamp(0), frame_at: None };
    let bright = Seen { camera: "a".parse().unwrap(), frame_at: Some(Timestamp(0)), ..dark.clone() };
    let report = covered(patrol(&["a", "b"], Layout::One), vec![dark, bright], vec![]);
    assert_eq!((report.seen, report.total, report.coverage), (1, 2, 0.5));
    assert_eq!(report.missed, ["b".parse::<CameraId>().unwrap()]);
}
