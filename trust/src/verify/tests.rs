use sightline_model::audit::{Act, Action};

use super::*;
use crate::testing::World;

async fn log_of(length: usize) -> World {
    let world = World::without_footage().await;
    for n in 0..length {
        let act = Act {
            at: world.now,
            account: None,
            action: Action::CameraChanged,
            grant: None,
            ground: None,
            camera: None,
            range: None,
            detail: format!("line one\nof act {n}"),
        };
        world.trust.record(act).await.unwrap();
    }
    world
}

#[tokio::test]
async fn a_log_that_was_only_appended_to_holds() {
    let world = log_of(7).await;
    let verified = world.trust.verify_chain().await.unwrap();
    assert_eq!(verified.entries, 7);
    let log = world.log().await;
    assert_eq!(verified.head, log[6].hash);
    assert_eq!(log[0].act.detail, "line one of act 0", "an entry is one line");
    let known = Head { seq: 4, hash: log[3].hash.clone() };
    assert_eq!(verify_against(&world.records, &known, |_| ()).await.unwrap(), verified);
}

#[tokio::test]
async fn a_log_that_was_cut_off_or_written_anew_is_found_by_a_noted_entry() {
    let world = log_of(3).await;
    let noted = |seq, hash: &str| Head { seq, hash: hash.to_owned() };
    let cut = verify_against(&world.records, &noted(5, "aa"), |_| ()).await.unwrap_err();
    assert!(matches!(cut, Error::Broken(Broken::Truncated { found: 3, expected: 5 })), "{cut}");
    let other = log_of(3).await.trust.verify_chain().await.unwrap();
    let anew = verify_against(&world.records, &noted(3, &"0".repeat(64)), |_| ()).await.unwrap_err();
    assert!(matches!(anew, Error::Broken(Broken::Replaced { seq: 3 })), "{anew}");
    assert_eq!(other.entries, 3);
}

#[tokio::test]
async fn writers_at_once_make_one_chain() {
    let world = log_of(0).await;
    let writers = (0..50).map(|n| {
        let trust = world.trust.clone();
        let act = Act {
            at: world.now,
            account: None,
            action: Action::SignOut,
            grant: None,
            ground: None,
            camera: None,
            range: None,
            detail: n.to_string(),
        };
        tokio::spawn(async move { trust.record(act).await.unwrap() })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(world.trust.verify_chain().await.unwrap().entries, 50);
}
