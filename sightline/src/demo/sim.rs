//! Simulated devices: cameras on an RTSP server, passes and alarms at the broker.

use std::{net::SocketAddr, time::Duration};

use sightline_model::{CameraId, event::alarm::Place};
use sightline_sim::{CameraSim, CameraSpec, Clip, events};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::warn;

use super::city;

/// User name of every simulated camera; the password is random.
pub(crate) const CAMERA_USER: &str = "sightline";
/// Every so many-th camera sends H.265 in its main stream.
const H265_EVERY: usize = 5;
/// How far apart the cameras' pictures are in the loop of the same street.
const APART: Duration = Duration::from_millis(7_900);

/// Starts the cameras of `places` on a free port.
pub(crate) async fn start_cameras(
    places: &[city::Place],
    password: &str,
    cancel: CancellationToken,
) -> Result<CameraSim, sightline_sim::Error> {
    let specs = places.iter().enumerate().map(|(index, place)| CameraSpec {
        main: if index % H265_EVERY == H265_EVERY - 1 { Clip::StreetH265 } else { Clip::StreetH264 },
        offset: APART * u32::try_from(index).unwrap_or(0),
        credentials: Some((CAMERA_USER.to_owned(), password.to_owned())),
        ..CameraSpec::new(place.id)
    });
    CameraSim::start(SocketAddr::from(([127, 0, 0, 1], 0)), specs.collect(), cancel).await
}

/// Publishes passes, telemetry, alarms and device status until cancelled.
pub(crate) fn start_events(
    (host, port): (&str, u16),
    prefix: &str,
    cameras: Vec<CameraId>,
    hotlisted: &str,
    tasks: &TaskTracker,
    cancel: CancellationToken,
) {
    let (lat, lon) = city::CENTRE;
    let config = events::Config {
        prefix: prefix.to_owned(),
        hotlisted: vec![hotlisted.to_owned()],
        centre: Place { lat, lon },
        seed: rand::random(),
        ..events::Config::new(host, port, cameras)
    };
    tasks.spawn(async move {
        if let Err(error) = events::run(config, cancel).await {
            warn!(%error, "The simulated events have stopped.");
        }
    });
}
