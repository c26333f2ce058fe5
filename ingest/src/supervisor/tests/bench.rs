use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use parking_lot::Mutex;
use sightline_model::{
    Timestamp,
    camera::StreamState,
    gap::GapReason,
    media::{Codec, GopStart, ParameterSets, Policy, StreamKey, StreamKind},
    tail::TailItem,
};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    Append, Clock, Config, Failure, Sink, Supervisor, Target,
    replay::{self, Step},
};

pub(super) const WALL: Timestamp = Timestamp(1_795_000_000_000_000);

/// What every stream appended.
#[derive(Clone, Default)]
pub(super) struct Tape(Arc<Mutex<BTreeMap<StreamKey, Vec<TailItem>>>>);

impl Sink for Tape {
    fn open(&self, key: StreamKey) -> Append {
        let tape = self.clone();
        Box::new(move |item| tape.0.lock().entry(key).or_default().push(item))
    }
}

impl Tape {
    pub(super) fn of(&self, key: StreamKey) -> Vec<TailItem> {
        self.0.lock().get(&key).cloned().unwrap_or_default()
    }

    pub(super) fn starts(&self, key: StreamKey) -> Vec<GopStart> {
        let begin = |item| if let TailItem::Begin(start) = item { Some(start) } else { None };
        self.of(key).into_iter().filter_map(begin).collect()
    }

    /// Reasons of absence with the seconds since the start.
    pub(super) fn gaps(&self, key: StreamKey) -> Vec<(f64, GapReason)> {
        let gap = |item| match item {
            TailItem::Absent { since, reason } => Some((secs(since), reason)),
            _ => None,
        };
        self.of(key).into_iter().filter_map(gap).collect()
    }
}

/// Seconds since the start of the test, to the hundredth.
pub(super) fn secs(at: Timestamp) -> f64 {
    let hundredths = at.micros_since(WALL).div_euclid(10_000);
    f64::from(i32::try_from(hundredths).unwrap()) / 100.0
}

/// A supervisor with scripted cameras.
pub(super) struct Bench {
    pub(super) supervisor: Supervisor,
    pub(super) tape: Tape,
    pub(super) cancel: CancellationToken,
    started: Instant,
}

impl Bench {
    pub(super) fn new(script: impl Fn(&Target, u32) -> Vec<Step> + Send + Sync + 'static) -> Self {
        Self::with_config(Config::default(), script)
    }

    pub(super) fn with_config(
        config: Config,
        script: impl Fn(&Target, u32) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        let (tape, cancel, clock) = (Tape::default(), CancellationToken::new(), Clock::following(WALL));
        let sources = replay::sources(Arc::new(script), clock);
        let sink = Arc::new(tape.clone());
        let supervisor = Supervisor::start_with(config, sink, cancel.clone(), sources, clock);
        Self { supervisor, tape, cancel, started: Instant::now() }
    }

    pub(super) fn state(&self, key: StreamKey) -> Option<StreamState> {
        self.supervisor.states().borrow().get(&key).cloned()
    }

    pub(super) fn streaming(&self, key: StreamKey) -> bool {
        matches!(self.state(key), Some(StreamState::Streaming { .. }))
    }

    /// Reason, detail and attempts of a waiting stream.
    pub(super) fn waiting(&self, key: StreamKey) -> Option<(GapReason, String, u32)> {
        match self.state(key)? {
            StreamState::Waiting { reason, detail, attempts, .. } => Some((reason, detail, attempts)),
            _ => None,
        }
    }

    /// Lets simulated time pass until `condition` holds.
    pub(super) async fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(3600);
        while !condition(self) {
            assert!(Instant::now() < deadline, "never came: {what}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Lets simulated time pass until `after` from the start.
    pub(super) async fn at(&self, after: Duration) {
        tokio::time::sleep_until(self.started + after).await;
    }
}

pub(super) fn key(camera: &str) -> StreamKey {
    StreamKey::main(camera.parse().unwrap())
}

pub(super) fn sub(camera: &str) -> StreamKey {
    StreamKey { stream: StreamKind::Sub, ..key(camera) }
}

pub(super) fn target(key: StreamKey) -> Target {
    Target {
        key,
        url: format!("rtsp://10.0.0.1/{key}"),
        credentials: None,
        policy: Policy::Full,
        always: key.stream == StreamKind::Main,
    }
}

pub(super) fn failure(reason: GapReason) -> Step {
    Step::End(Failure::new(reason, format!("scripted: {}", reason.as_str())))
}

/// The handshake.
pub(super) fn hello() -> Vec<Step> {
    let params = ParameterSets {
        codec: Codec::H264,
        width: 640,
        height: 360,
        rfc6381: "avc1.64001E".into(),
        decoder_config: Bytes::from_static(b"avcC"),
    };
    vec![Step::Wait(Duration::from_millis(50)), Step::Play, Step::Params(params)]
}

/// `seconds` of video with a GOP a second at 10 frames a second, from media time `from` in seconds.
pub(super) fn video(from: u32, seconds: u32) -> Vec<Step> {
    (0..seconds * 10)
        .flat_map(|frame| {
            let rtp = (from * 10 + frame).wrapping_mul(9_000);
            let unit = Step::Unit { rtp, key: frame % 10 == 0, lost: 0, data: Bytes::from_static(b"unit") };
            [unit, Step::Wait(Duration::from_millis(100))]
        })
        .collect()
}

/// A camera that plays for `seconds`.
pub(super) fn plays(seconds: u32) -> Vec<Step> {
    [hello(), video(0, seconds)].concat()
}
