//! What each RTSP method does (RFC 2326 section 10), and what is checked before.

use std::net::SocketAddr;

use sightline_model::{CameraId, media::StreamKind};

use super::{
    connection::{Connection, Outcome},
    metrics,
    session::{Session, Target, Transport},
};
use crate::{
    Fault, Refusal,
    rtsp::{
        auth::{self, Expected, Verdict},
        message::{Request, Response, Status},
        sdp,
        transport::{self, Wanted},
    },
};

const METHODS: &str = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN";

impl Connection {
    pub(super) fn handle(&mut self, request: &Request) -> Outcome {
        if request.version != "RTSP/1.0" {
            return refuse(Status::VERSION_NOT_SUPPORTED);
        }
        if let Some(feature) = request.header("Require") {
            let response = Response::new(Status::OPTION_NOT_SUPPORTED).with("Unsupported", feature);
            return Outcome::Answer(response);
        }
        if request.method == "OPTIONS" && request.uri == "*" {
            return options();
        }
        let Some(target) = self.target(&request.uri) else { return refuse(Status::NOT_FOUND) };
        metrics::add(&target.camera.counters.requests_total, 1);
        if let Some(outcome) = by_fault(target.camera.fault()) {
            return outcome;
        }
        if request.method == "OPTIONS" {
            return options();
        }
        if let Err(response) = self.authenticate(request, &target) {
            return Outcome::Answer(response);
        }
        match request.method.as_str() {
            "DESCRIBE" => self.describe(request, &target),
            "SETUP" => self.set_up(request, target),
            "PLAY" => self.play(request),
            "PAUSE" => self.pause(request),
            "GET_PARAMETER" | "SET_PARAMETER" => self.keep_alive(request),
            "TEARDOWN" => self.tear_down(request),
            "ANNOUNCE" | "RECORD" | "REDIRECT" => {
                Outcome::Answer(Response::new(Status::METHOD_NOT_ALLOWED).with("Allow", METHODS))
            }
            _ => refuse(Status::NOT_IMPLEMENTED),
        }
    }

    /// The stream that a URL names: `rtsp://host:port/{camera}/{stream}`, with or without the track behind it.
    fn target(&self, uri: &str) -> Option<Target> {
        let path = uri.strip_prefix("rtsp://")?.split_once('/')?.1;
        let path = path.split_once('?').map_or(path, |(path, _query)| path);
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        let camera: CameraId = parts.next()?.parse().ok()?;
        let stream: StreamKind = parts.next()?.parse().ok()?;
        let track_is_known = parts.next().is_none_or(|track| track == sdp::TRACK);
        let camera = self.shared.cameras.get(&camera)?.clone();
        camera.track(stream)?;
        (track_is_known && parts.next().is_none()).then_some(Target { camera, stream })
    }

    fn authenticate(&self, request: &Request, target: &Target) -> Result<(), Response> {
        let counters = &target.camera.counters;
        let now = self.shared.epoch.elapsed();
        let realm = "Simulated camera";
        let locked = target.camera.fault() == Some(Fault::Unauthorized);
        let verdict = match &target.camera.credentials {
            None if !locked => Verdict::Granted,
            None => Verdict::Denied,
            Some((user, password)) => {
                let expected = Expected { realm, user, password, method: &request.method, uri: &request.uri };
                auth::check(request.header("Authorization"), &expected, &self.shared.nonces, now)
            }
        };
        let verdict = if locked && verdict != Verdict::Missing { Verdict::Denied } else { verdict };
        match verdict {
            Verdict::Granted => return Ok(()),
            Verdict::Denied => metrics::add(&counters.denied_total, 1),
            Verdict::Missing | Verdict::Stale => metrics::add(&counters.unauthorized_total, 1),
        }
        let challenge = auth::challenge(realm, &self.shared.nonces.make(now), verdict == Verdict::Stale);
        Err(Response::new(Status::UNAUTHORIZED).with("WWW-Authenticate", challenge))
    }

    fn describe(&self, request: &Request, target: &Target) -> Outcome {
        let takes_sdp =
            |accept: &str| ["application/sdp", "application/*", "*/*"].iter().any(|t| accept.contains(t));
        if !request.header("Accept").is_none_or(takes_sdp) {
            return refuse(Status::NOT_ACCEPTABLE);
        }
        let uri = request.uri.split_once('?').map_or(request.uri.as_str(), |(uri, _query)| uri);
        let base = format!("{}/", uri.trim_end_matches('/'));
        let track = target.track();
        let reel = track.reel(target.camera.fault());
        let number = u64::try_from(track.index).unwrap_or(0) + 1;
        let body = sdp::describe(reel, self.local.ip(), number);
        Outcome::Answer(
            Response::new(Status::OK).with("Content-Base", base).with_body("application/sdp", body),
        )
    }

    fn set_up(&mut self, request: &Request, target: Target) -> Outcome {
        if self.session.as_ref().is_some_and(|session| session.playing) {
            return refuse(Status::INVALID_STATE);
        }
        if request.header("Session").is_some_and(|given| !self.is_session(given)) {
            return refuse(Status::SESSION_NOT_FOUND);
        }
        let Some(wanted) = request.header("Transport").and_then(transport::choose) else {
            return refuse(Status::UNSUPPORTED_TRANSPORT);
        };
        // Media goes to the peer of this connection and nowhere else, whatever `destination` says.
        let to_peer = |port| SocketAddr::new(self.peer.ip(), port);
        let (chosen, text) = match wanted {
            Wanted::Interleaved { channel } => {
                let text = format!("RTP/AVP/TCP;unicast;interleaved={channel}-{}", channel + 1);
                (Transport::Interleaved { channel }, text)
            }
            Wanted::Udp { rtp_port, rtcp_port } => {
                let server = self.shared.udp.rtp_port;
                let text = format!(
                    "RTP/AVP;unicast;client_port={rtp_port}-{rtcp_port};server_port={server}-{}",
                    server + 1
                );
                (Transport::Udp { rtp: to_peer(rtp_port), rtcp: to_peer(rtcp_port) }, text)
            }
        };
        let session = Session::new(self.shared.clone(), target, chosen, self.liveness.clone());
        let text = format!("{text};ssrc={:08X};mode=\"PLAY\"", session.ssrc);
        let id = self.session_header(&session);
        self.session = Some(session);
        Outcome::Answer(Response::new(Status::OK).with("Transport", text).with("Session", id))
    }

    fn play(&mut self, request: &Request) -> Outcome {
        let Some(session) = self.session_of(request) else { return refuse(Status::SESSION_NOT_FOUND) };
        let response = Response::new(Status::OK).with("Session", self.session_header(session));
        if session.playing {
            // A second PLAY changes nothing: it is a keep-alive of some clients.
            return Outcome::Answer(response);
        }
        let beginning = session.beginning();
        let base = request.uri.trim_end_matches('/');
        let base = base.strip_suffix(sdp::TRACK).map_or(base, |base| base.trim_end_matches('/'));
        let info =
            format!("url={base}/{};seq={};rtptime={}", sdp::TRACK, beginning.sequence, beginning.rtp_time);
        Outcome::Play(response.with("Range", "npt=now-").with("RTP-Info", info), beginning)
    }

    fn pause(&mut self, request: &Request) -> Outcome {
        let Some(session) = self.session_of(request) else { return refuse(Status::SESSION_NOT_FOUND) };
        let header = self.session_header(session);
        if let Some(session) = &mut self.session {
            session.pause();
        }
        Outcome::Answer(Response::new(Status::OK).with("Session", header))
    }

    fn keep_alive(&self, request: &Request) -> Outcome {
        match self.session_of(request) {
            Some(session) => {
                Outcome::Answer(Response::new(Status::OK).with("Session", self.session_header(session)))
            }
            None if request.header("Session").is_none() => Outcome::Answer(Response::new(Status::OK)),
            None => refuse(Status::SESSION_NOT_FOUND),
        }
    }

    fn tear_down(&mut self, request: &Request) -> Outcome {
        if self.session_of(request).is_none() {
            return refuse(Status::SESSION_NOT_FOUND);
        }
        self.session = None;
        Outcome::Answer(Response::new(Status::OK))
    }

    fn session_of(&self, request: &Request) -> Option<&Session> {
        let given = request.header("Session")?;
        self.session.as_ref().filter(|_| self.is_session(given))
    }

    fn is_session(&self, given: &str) -> bool {
        let id = given.split_once(';').map_or(given, |(id, _parameters)| id).trim();
        self.session.as_ref().is_some_and(|session| session.id == id)
    }

    fn session_header(&self, session: &Session) -> String {
        format!("{};timeout={}", session.id, self.shared.config.session_timeout.as_secs())
    }
}

/// What a fault makes of every request to its camera.
fn by_fault(fault: Option<Fault>) -> Option<Outcome> {
    match fault? {
        Fault::Mute => Some(Outcome::Silence),
        Fault::Refuse(Refusal::Close) => Some(Outcome::Close),
        Fault::Refuse(Refusal::ServiceUnavailable) => Some(refuse(Status::SERVICE_UNAVAILABLE)),
        Fault::Refuse(Refusal::SessionNotFound) => Some(refuse(Status::SESSION_NOT_FOUND)),
        _ => None,
    }
}

fn options() -> Outcome {
    Outcome::Answer(Response::new(Status::OK).with("Public", METHODS))
}

fn refuse(status: Status) -> Outcome {
    Outcome::Answer(Response::new(status))
}
