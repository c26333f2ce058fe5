//! What can go wrong in the simulator.

use std::{io, net::SocketAddr};

use sightline_model::CameraId;

/// What can go wrong in the simulator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address could not be listened on.
    #[error("the simulated cameras cannot listen on {address}: {source}; choose another address or port 0")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// No pair of neighbouring UDP ports was free.
    #[error("no even UDP port with a free neighbour was found on {address}: {source}; free some ports")]
    UdpPorts {
        /// The address.
        address: SocketAddr,
        /// What the system said last.
        source: io::Error,
    },
    /// Two cameras have one id.
    #[error("camera {camera} is given twice; give each simulated camera its own id")]
    DuplicateCamera {
        /// The id.
        camera: CameraId,
    },
    /// There is no such camera.
    #[error("there is no simulated camera {camera}; use the id of one given at start")]
    UnknownCamera {
        /// The id.
        camera: CameraId,
    },
    /// A clip cannot be served.
    #[error(
        "the clip cannot be served: {problem}; give an Annex B stream that begins with parameter sets and a key frame"
    )]
    Clip {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Events cannot be made from this configuration.
    #[error("simulated events cannot start: {problem}")]
    Events {
        /// What is wrong, and the way out.
        problem: &'static str,
    },
}
