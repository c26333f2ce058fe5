//! Live video over a WebSocket: text frames say what is coming, binary frames are fMP4.

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use axum::{
    extract::{
        FromRequestParts, State,
        ws::{CloseFrame, Message as Frame, WebSocket, WebSocketUpgrade},
    },
    http::{HeaderMap, header, request::Parts},
    response::Response,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sightline_model::{
    CameraId, Timestamp,
    id::GrantId,
    media::{StreamKey, StreamKind},
};
use sightline_trust::{LiveLook, LiveStep, Look, LookKind};
use tokio::time::{Instant, interval_at, timeout};

use crate::{
    Api,
    extract::{PathId, QueryOf, SignedIn},
    fmp4,
    layers::measure::Up,
    media::live_mux::{LiveMux, Message},
    problem::{Error, Refusal, cut},
};

/// A held frame goes out when its successor is this late.
const HOLD: Duration = Duration::from_millis(250);

/// A client that takes nothing for this long is gone.
const STUCK: Duration = Duration::from_secs(10);

const PING: Duration = Duration::from_secs(20);

/// Close codes of RFC 6455 section 7.4.1.
const CLOSE_GOING_AWAY: u16 = 1001;
const CLOSE_POLICY: u16 = 1008;

/// Which stream.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, Default, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Choice {
    /// The small one if the camera has one.
    #[default]
    Auto,
    /// The full picture.
    Main,
    /// The small picture.
    Sub,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// The grant to look under; its time must contain now.
    #[param(value_type = Option<String>)]
    grant: Option<GrantId>,
    /// `auto` (default), `main` or `sub`.
    #[serde(default)]
    #[param(inline)]
    stream: Choice,
}

/// A WebSocket handshake from the console's own pages, or from a program.
pub(crate) struct Handshake(WebSocketUpgrade);

impl FromRequestParts<Api> for Handshake {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Error> {
        check_origin(&parts.headers)?;
        match WebSocketUpgrade::from_request_parts(parts, api).await {
            Ok(upgrade) => Ok(Self(upgrade)),
            Err(refused) => Err(Refusal::Upgrade { why: cut(&refused.body_text(), 128) }.into()),
        }
    }
}

/// Browsers send a page's cookies with a WebSocket from any site, and say which site it is.
fn check_origin(headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = text(header::ORIGIN) else { return Ok(()) };
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    if Some(host) == text(header::HOST) {
        return Ok(());
    }
    Err(Refusal::Origin { origin: cut(origin, 64) })
}

/// Live video (WebSocket).
///
/// Text frames: `{"type":"init","codec","width","height","stream"}` before the binary init segment;
/// `{"type":"time","at","decode_time_90k"}` about once a GOP; `{"type":"absent","since","reason"}` while there is no
/// footage; `{"type":"lagged","missed"}` when the client was too slow and goes on at a key frame;
/// `{"type":"ended","code","detail"}` before the close. Every other binary frame is one fragment (`moof`, `mdat`).
#[utoipa::path(get, path = "/footage/{camera}/live", tag = "footage",
    params(("camera" = String, Path, description = "Camera id"), Wanted),
    responses((status = SWITCHING_PROTOCOLS, description = "The stream begins")))]
pub(crate) async fn live(
    State(api): State<Api>,
    who: SignedIn,
    PathId(camera): PathId<CameraId>,
    QueryOf(wanted): QueryOf<Wanted>,
    Handshake(upgrade): Handshake,
) -> Result<Response, Error> {
    let most = api.config().live_viewers;
    if api.metrics_inner().viewers() >= u64::try_from(most).unwrap_or(u64::MAX) {
        return Err(Refusal::TooManyViewers { most }.into());
    }
    let stream = choose(&api, camera, wanted.stream).await?;
    let look = Look { camera, stream, kind: LookKind::Live, range: None };
    let permit = api.trust().look(&who.caller, wanted.grant, look, Timestamp::now()).await?;
    let reader = permit.live()?;
    let most = api.config().live_buffer_bytes;
    let key = StreamKey { camera, stream };
    Ok(upgrade
        .write_buffer_size(0)
        .max_write_buffer_size(most)
        .max_message_size(16 << 10)
        .on_upgrade(move |socket| Viewer::new(api, socket, key).run(reader)))
}

async fn choose(api: &Api, camera: CameraId, choice: Choice) -> Result<StreamKind, Error> {
    let has_sub = match api.records().camera(camera).await {
        Ok(camera) => camera.sub_url.is_some(),
        // Whether there is such a camera is told by the door, after it has asked for the ground.
        Err(sightline_records::Error::NotFound { .. }) => false,
        Err(error) => return Err(error.into()),
    };
    match choice {
        Choice::Main => Ok(StreamKind::Main),
        Choice::Auto if has_sub => Ok(StreamKind::Sub),
        Choice::Auto => Ok(StreamKind::Main),
        Choice::Sub if has_sub => Ok(StreamKind::Sub),
        Choice::Sub => {
            Err(Refusal::field("stream", format!("{camera} has no sub-stream: use main or auto")).into())
        }
    }
}

struct Viewer {
    api: Api,
    socket: WebSocket,
    key: StreamKey,
    mux: LiveMux,
    _up: Up,
}

enum Action {
    Step(LiveStep),
    Flush,
    Ping,
    Heard,
    ClientGone,
    Stop,
}

/// Why a viewer's stream is over.
enum Over {
    /// The client went away or takes nothing.
    Gone,
    Ended {
        code: String,
        detail: String,
        close: u16,
    },
}

impl Viewer {
    fn new(api: Api, socket: WebSocket, key: StreamKey) -> Self {
        let up = Up::new(&api, |metrics| &metrics.live_viewers);
        Self { api, socket, key, mux: LiveMux::default(), _up: up }
    }

    async fn run(mut self, mut reader: LiveLook) {
        let mut ping = interval_at(Instant::now() + PING, PING);
        let over = loop {
            let action = self.select(&mut reader, &mut ping).await;
            if let Err(over) = self.apply(action).await {
                break over;
            }
        };
        if let Over::Ended { code, detail, close } = over {
            let last = json!({ "type": "ended", "code": code, "detail": detail });
            let _ = self.send(Frame::text(last.to_string())).await;
            let frame = CloseFrame { code: close, reason: code.into() };
            let _ = self.send(Frame::Close(Some(frame))).await;
        }
    }

    async fn select(&mut self, reader: &mut LiveLook, ping: &mut tokio::time::Interval) -> Action {
        let holds = self.mux.holds();
        tokio::select! {
            () = self.api.cancel().cancelled() => Action::Stop,
            heard = self.socket.recv() => match heard {
                Some(Ok(Frame::Close(_)) | Err(_)) | None => Action::ClientGone,
                Some(Ok(_)) => Action::Heard,
            },
            step = reader.next() => Action::Step(step),
            () = tokio::time::sleep(HOLD), if holds => Action::Flush,
            _ = ping.tick() => Action::Ping,
        }
    }

    async fn apply(&mut self, action: Action) -> Result<(), Over> {
        match action {
            Action::Step(LiveStep::Item(item)) => {
                let messages = self.mux.push(item);
                self.send_all(messages).await
            }
            Action::Flush => {
                let messages = self.mux.flush();
                self.send_all(messages).await
            }
            Action::Step(LiveStep::Ended(error)) => {
                let problem = Error::from(error).problem();
                Err(Over::Ended {
                    code: problem.code.to_owned(),
                    detail: problem.detail,
                    close: CLOSE_POLICY,
                })
            }
            Action::Ping => self.send(Frame::Ping(bytes::Bytes::new())).await,
            Action::Heard => Ok(()),
            Action::ClientGone => Err(Over::Gone),
            Action::Stop => Err(Over::Ended {
                code: "stopping".to_owned(),
                detail: "the program is stopping".to_owned(),
                close: CLOSE_GOING_AWAY,
            }),
        }
    }

    async fn send_all(&mut self, messages: Vec<Message>) -> Result<(), Over> {
        for message in messages {
            match message {
                Message::Init(params) => {
                    let head = json!({
                        "type": "init", "codec": params.rfc6381, "width": params.width, "height": params.height,
                        "stream": self.key.stream,
                    });
                    self.send(Frame::text(head.to_string())).await?;
                    self.send(Frame::Binary(fmp4::init_segment(&params))).await?;
                }
                Message::Time { at, decode_time_90k } => {
                    let time = json!({ "type": "time", "at": at, "decode_time_90k": decode_time_90k });
                    self.send(Frame::text(time.to_string())).await?;
                }
                Message::Media(bytes) => {
                    self.api.count_media(bytes.len());
                    self.send(Frame::Binary(bytes)).await?;
                }
                Message::Absent { since, reason } => {
                    let absent = json!({ "type": "absent", "since": since, "reason": reason });
                    self.send(Frame::text(absent.to_string())).await?;
                }
                Message::Lagged { missed } => {
                    self.api.metrics_inner().live_lagged_total.fetch_add(1, Relaxed);
                    self.send(Frame::text(json!({ "type": "lagged", "missed": missed }).to_string())).await?;
                }
            }
        }
        Ok(())
    }

    /// Waits until the client takes it. Meanwhile nothing is read from the ring, whose lag result then says what was
    /// missed: no queue grows for a slow client.
    async fn send(&mut self, frame: Frame) -> Result<(), Over> {
        match timeout(STUCK, self.socket.send(frame)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Over::Gone),
            Err(_) => {
                tracing::debug!(key = %self.key, "a live viewer takes nothing and is let go");
                Err(Over::Gone)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn pages_of_other_sites_are_refused_and_programs_are_not() {
        let check = |origin: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("sightline.test:8443"));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            check_origin(&headers).is_ok()
        };
        assert!(check(None) && check(Some("https://sightline.test:8443")));
        assert!(!check(Some("https://evil.test")) && !check(Some("null")));
    }
}
