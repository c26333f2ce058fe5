//! What has to change so that what runs is what is wanted.

use std::{collections::BTreeMap, sync::Arc};

use sightline_model::media::StreamKey;

use crate::Target;

/// One step. Applying all of them makes `running` equal to `desired`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// Begin to run it.
    Start(Arc<Target>),
    /// It runs: take over the new settings. The stream itself knows which of them need a new session.
    Update(Arc<Target>),
    /// Let it go.
    Stop(StreamKey),
}

/// The steps from `running` to `desired`: stops first, so that what they free is there for the starts.
pub(crate) fn diff(
    desired: &BTreeMap<StreamKey, Arc<Target>>,
    running: &BTreeMap<StreamKey, Arc<Target>>,
) -> Vec<Change> {
    let stops = running.keys().filter(|key| !desired.contains_key(*key)).map(|key| Change::Stop(*key));
    let rest = desired.iter().filter_map(|(key, target)| match running.get(key) {
        None => Some(Change::Start(Arc::clone(target))),
        Some(now) if now != target => Some(Change::Update(Arc::clone(target))),
        Some(_) => None,
    });
    stops.chain(rest).collect()
}

/// Whether going from `old` to `new` needs a new session with the camera.
pub(crate) fn needs_new_session(old: &Target, new: &Target) -> bool {
    old.url != new.url || old.credentials != new.credentials
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sightline_model::{camera::Credentials, media::Policy};

    use super::*;

    fn target(camera: u8, url: u8, keyframes: bool, password: bool) -> Target {
        Target {
            key: StreamKey::main(format!("c{camera}").parse().unwrap()),
            url: format!("rtsp://10.0.0.1/{url}"),
            credentials: password.then(|| Credentials { user: "a".into(), password: "b".into() }),
            policy: if keyframes { Policy::Keyframes } else { Policy::Full },
            always: true,
        }
    }

    fn targets() -> impl Strategy<Value = BTreeMap<StreamKey, Arc<Target>>> {
        proptest::collection::vec((0_u8..8, 0_u8..2, any::<bool>(), any::<bool>()), 0..12).prop_map(|all| {
            all.into_iter().map(|(c, u, k, p)| target(c, u, k, p)).map(|t| (t.key, Arc::new(t))).collect()
        })
    }

    #[test]
    fn only_address_and_password_need_a_new_session() {
        let old = target(1, 1, false, false);
        assert!(!needs_new_session(&old, &target(1, 1, true, false)));
        assert!(!needs_new_session(&old, &Target { always: false, ..old.clone() }));
        assert!(needs_new_session(&old, &target(1, 2, false, false)));
        assert!(needs_new_session(&old, &target(1, 1, false, true)));
    }

    proptest! {
        #[test]
        fn applying_the_changes_gives_what_is_desired_and_touches_nothing_else(desired in targets(), running in targets()) {
            let changes = diff(&desired, &running);
            let mut result = running.clone();
            let mut started = false;
            for change in &changes {
                match change {
                    Change::Start(target) => {
                        started = true;
                        prop_assert!(result.insert(target.key, Arc::clone(target)).is_none());
                    }
                    Change::Update(target) => {
                        let old = result.insert(target.key, Arc::clone(target));
                        prop_assert!(old.is_some_and(|old| old != *target));
                    }
                    Change::Stop(key) => {
                        prop_assert!(!started, "a stop after a start");
                        prop_assert!(result.remove(key).is_some());
                    }
                }
            }
            prop_assert_eq!(&result, &desired);
            prop_assert!(diff(&desired, &result).is_empty());
        }
    }
}
