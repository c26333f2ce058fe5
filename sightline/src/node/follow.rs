//! News from one part to another: the registry's cameras become ingest's targets, live readers become demand, ingest's
//! states are published.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use sightline_footage::Footage;
use sightline_gateway::Gateway;
use sightline_ingest::{States, Supervisor, Target};
use sightline_model::{
    CameraId, Timestamp,
    camera::{Camera, StreamState},
    media::{StreamKey, StreamKind},
};
use sightline_records::Records;
use tokio::{sync::watch, time::MissedTickBehavior};
use tracing::warn;

use crate::commands::hold_of;

/// How often another process's changes of the registry (the command line's) are looked for.
const POLL: Duration = Duration::from_secs(2);

/// The streams that the registry wants.
pub(super) async fn targets(records: &Records) -> Result<Vec<Target>, sightline_records::Error> {
    Ok(records.all_cameras().await?.iter().filter(|camera| camera.enabled).flat_map(streams).collect())
}

/// A camera's main stream always, its sub-stream while somebody reads it.
fn streams(camera: &Camera) -> impl Iterator<Item = Target> + use<> {
    let target = |stream, url: &str| Target {
        key: StreamKey { camera: camera.id, stream },
        url: url.to_owned(),
        credentials: camera.credentials.clone(),
        policy: match stream {
            StreamKind::Main => camera.policy,
            StreamKind::Sub => sightline_model::media::Policy::Full,
        },
        always: stream == StreamKind::Main,
    };
    let main = target(StreamKind::Main, &camera.main_url);
    let sub = camera.sub_url.as_deref().map(|url| target(StreamKind::Sub, url));
    std::iter::once(main).chain(sub)
}

/// Keeps ingest's targets as the registry has them.
pub(super) async fn registry(records: Records, ingest: Arc<Supervisor>) {
    let mut version = records.registry_version();
    let mut poll = tokio::time::interval(POLL);
    poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            changed = version.changed() => {
                if changed.is_err() {
                    return;
                }
                match targets(&records).await {
                    Ok(targets) => ingest.set_targets(targets),
                    Err(error) => warn!(%error, "The registry cannot be read; cameras run on as they are."),
                }
            }
            _ = poll.tick() => {
                if let Err(error) = records.poll_registry().await {
                    warn!(%error, "The registry cannot be read; cameras run on as they are.");
                }
            }
        }
    }
}

/// Keeps what the footage policies have to know as the records have it: the class and the owner of each camera, and what is
/// held. Until the holds could be read once, the store deletes nothing.
pub(super) async fn footage_policies(records: Records, footage: Footage) {
    let mut version = records.registry_version();
    version.mark_changed();
    let mut poll = tokio::time::interval(POLL);
    poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let told = tokio::select! {
            changed = version.changed() => match changed {
                Ok(()) => set_cameras(&records, &footage).await,
                Err(_) => return,
            },
            _ = poll.tick() => set_holds(&records, &footage).await,
        };
        if let Err(error) = told {
            warn!(%error, "Holds or cameras cannot be read; footage policies go by what they were.");
        }
    }
}

async fn set_cameras(records: &Records, footage: &Footage) -> Result<(), sightline_records::Error> {
    let cameras = records.all_cameras().await?;
    for camera in &cameras {
        let class = footage.policies().class_of(camera.kind);
        for stream in [StreamKind::Main, StreamKind::Sub] {
            footage.set_class(StreamKey { camera: camera.id, stream }, class);
        }
    }
    footage.set_owners(cameras.iter().map(|camera| (camera.id, camera.region)).collect());
    Ok(())
}

async fn set_holds(records: &Records, footage: &Footage) -> Result<(), sightline_records::Error> {
    let holds = records.holds(Timestamp::now()).await?;
    footage.set_holds(holds.into_iter().map(hold_of).collect());
    Ok(())
}

/// Tells ingest which streams have readers.
pub(super) async fn demand(mut wanted: watch::Receiver<Arc<BTreeSet<StreamKey>>>, ingest: Arc<Supervisor>) {
    loop {
        let streams = Arc::clone(&wanted.borrow_and_update());
        ingest.set_demand(streams);
        if wanted.changed().await.is_err() {
            return;
        }
    }
}

/// Publishes the state of each camera's main stream when it changes.
pub(super) async fn camera_states(mut states: watch::Receiver<States>, gateway: Gateway) {
    let mut published: BTreeMap<CameraId, StreamState> = BTreeMap::new();
    loop {
        let now = Arc::clone(&states.borrow_and_update());
        for (key, state) in now.iter().filter(|(key, _)| key.stream == StreamKind::Main) {
            if published.get(&key.camera) != Some(state) {
                gateway.publish_camera_state(key.camera, &serde_json::json!(state));
                published.insert(key.camera, state.clone());
            }
        }
        if states.changed().await.is_err() {
            return;
        }
    }
}
