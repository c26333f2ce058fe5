//! What changes, as it changes: server-sent events.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue},
    response::{
        IntoResponse, Response,
        sse::{Event as Frame, KeepAlive, Sse},
    },
};
use futures_util::stream::{self, Stream};
use sightline_model::{Timestamp, account::Right};
use tokio::sync::broadcast;

use crate::{
    Api,
    extract::{Credential, SignedIn},
    hub::Event,
    layers::measure::Up,
    problem::Error,
};

/// How often it is asked whether the session still holds.
const RECHECK: Duration = Duration::from_secs(30);

const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What changes, live.
///
/// `hello` `{version,resumed}` comes first: with `resumed: false` the client reads its lists again. Then `alert` (an alert)
/// and `camera` `{id,state}`. A client that comes back with `Last-Event-ID` gets what it missed.
#[utoipa::path(get, path = "/events", tag = "system",
    responses((status = OK, content_type = "text/event-stream", body = String)))]
pub(crate) async fn events(
    State(api): State<Api>,
    who: SignedIn,
    headers: HeaderMap,
) -> Result<Response, Error> {
    api.trust().require(&who.caller, Right::SeeState)?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| seq_of(&api, id));
    let joined = api.hub().join(last);
    let hello = serde_json::json!({ "version": api.version(), "resumed": joined.resumed });
    let reader = Reader {
        first: Some(Frame::default().event("hello").data(hello.to_string()).retry(Duration::from_secs(2))),
        missed: joined.missed.into(),
        live: joined.live,
        recheck: tokio::time::interval_at(tokio::time::Instant::now() + RECHECK, RECHECK),
        role: who.caller.account.role,
        credential: who.credential,
        _up: Up::new(&api, |metrics| &metrics.event_streams),
        api,
    };
    let mut response =
        Sse::new(follow(reader)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    // A proxy in front must not gather events before it passes them on.
    response
        .headers_mut()
        .insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

struct Reader {
    api: Api,
    first: Option<Frame>,
    missed: VecDeque<Arc<Event>>,
    live: broadcast::Receiver<Arc<Event>>,
    recheck: tokio::time::Interval,
    role: sightline_model::account::Role,
    credential: Credential,
    _up: Up,
}

fn follow(reader: Reader) -> impl Stream<Item = Result<Frame, Infallible>> {
    stream::unfold(reader, |mut reader| async move {
        let frame = reader.next().await?;
        Some((Ok(frame), reader))
    })
}

impl Reader {
    /// The next frame; `None` ends the stream, and the client comes back with the number it has.
    async fn next(&mut self) -> Option<Frame> {
        if let Some(hello) = self.first.take() {
            return Some(hello);
        }
        loop {
            let event = match self.missed.pop_front() {
                Some(event) => event,
                None => self.wait().await?,
            };
            if self.role.may(event.right) {
                let id = format!("{}-{}", life(&self.api), event.seq);
                return Some(Frame::default().id(id).event(event.name).data(&event.data));
            }
        }
    }

    async fn wait(&mut self) -> Option<Arc<Event>> {
        let api = self.api.clone();
        loop {
            tokio::select! {
                () = api.cancel().cancelled() => return None,
                // A client that is too slow is let go: it comes back with the number it has.
                event = self.live.recv() => return event.ok(),
                _ = self.recheck.tick() => {
                    self.credential.caller(&api, Timestamp::now()).await.ok()?;
                }
            }
        }
    }
}

/// Numbers start anew with the program, so they carry when it started.
fn life(api: &Api) -> i64 {
    api.started_at().0
}

fn seq_of(api: &Api, id: &str) -> Option<u64> {
    let (of, seq) = id.split_once('-')?;
    (of == life(api).to_string()).then(|| seq.parse().ok())?
}
