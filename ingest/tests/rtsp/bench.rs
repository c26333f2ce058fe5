use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use sightline_ingest::{Append, Config, Sink, States, Supervisor, Target, Transport};
use sightline_model::{
    CameraId,
    camera::{Credentials, StreamState},
    gap::GapReason,
    media::{Codec, Gop, GopStart, Policy, StreamKey, StreamKind},
    tail::TailItem,
};
use sightline_sim::{CameraSim, CameraSpec, Clip};
use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;

/// Far longer than anything takes on a loaded machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// What every stream appended, and a bell that rings with each item.
#[derive(Clone)]
pub(crate) struct Tape {
    items: Arc<Mutex<BTreeMap<StreamKey, Vec<TailItem>>>>,
    bell: watch::Sender<()>,
}

impl Sink for Tape {
    fn open(&self, key: StreamKey) -> Append {
        let tape = self.clone();
        Box::new(move |item| {
            tape.items.lock().entry(key).or_default().push(item);
            tape.bell.send_replace(());
        })
    }
}

impl Tape {
    pub(crate) fn of(&self, key: StreamKey) -> Vec<TailItem> {
        self.items.lock().get(&key).cloned().unwrap_or_default()
    }

    /// The GOPs and parts that are complete.
    pub(crate) fn gops(&self, key: StreamKey) -> Vec<Gop> {
        let mut gops = Vec::new();
        let mut open: Option<(GopStart, Vec<_>)> = None;
        for item in self.of(key) {
            match (item, &mut open) {
                (TailItem::Begin(start), None) => open = Some((start, Vec::new())),
                (TailItem::Unit(unit), Some((_, units))) => units.push(unit),
                (TailItem::End { duration_90k }, Some(_)) => {
                    let (start, units) = open.take().unwrap();
                    gops.push(Gop { start, duration_90k, units });
                }
                (TailItem::Absent { .. }, None) => {}
                (item, open) => panic!("{item:?} after {open:?}"),
            }
        }
        gops
    }

    pub(crate) fn gaps(&self, key: StreamKey) -> Vec<GapReason> {
        let reason = |item| if let TailItem::Absent { reason, .. } = item { Some(reason) } else { None };
        self.of(key).into_iter().filter_map(reason).collect()
    }
}

/// Simulated cameras and the supervisor that pulls them.
pub(crate) struct Bench {
    pub(crate) sim: CameraSim,
    pub(crate) supervisor: Supervisor,
    pub(crate) tape: Tape,
}

impl Bench {
    pub(crate) async fn new(config: Config, cameras: Vec<CameraSpec>) -> Self {
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let sim = CameraSim::start(any_port, cameras, CancellationToken::new()).await.unwrap();
        let tape = Tape { items: Arc::default(), bell: watch::Sender::default() };
        let supervisor = Supervisor::start(config, Arc::new(tape.clone()), CancellationToken::new());
        Self { sim, supervisor, tape }
    }

    pub(crate) fn target(&self, key: StreamKey) -> Target {
        Target {
            key,
            url: self.sim.url(key.camera, key.stream),
            credentials: None,
            policy: Policy::Full,
            always: key.stream == StreamKind::Main,
        }
    }

    pub(crate) fn pull(&self, keys: &[StreamKey]) {
        self.supervisor.set_targets(keys.iter().map(|key| self.target(*key)).collect());
    }

    pub(crate) fn demand(&self, keys: &[StreamKey]) {
        self.supervisor.set_demand(Arc::new(keys.iter().copied().collect::<BTreeSet<_>>()));
    }

    /// Waits until the states are as wanted.
    pub(crate) async fn states(&self, what: &str, condition: impl FnMut(&States) -> bool) {
        let mut states = self.supervisor.states();
        let reached = timeout(DEADLINE, states.wait_for(condition)).await.is_ok();
        assert!(reached, "never came: {what}; {:?}", self.supervisor.states().borrow());
    }

    pub(crate) async fn streaming(&self, key: StreamKey) {
        let streams = |states: &States| matches!(states.get(&key), Some(StreamState::Streaming { .. }));
        self.states(&format!("{key} streams"), streams).await;
    }

    /// Waits until a stream waits for `reason`; gives the sentence.
    pub(crate) async fn waiting(&self, key: StreamKey, reason: GapReason) -> String {
        let mut sentence = String::new();
        self.states(&format!("{key} waits for {reason:?}"), |states| match states.get(&key) {
            Some(StreamState::Waiting { reason: why, detail, .. }) if *why == reason => {
                sentence.clone_from(detail);
                true
            }
            _ => false,
        })
        .await;
        sentence
    }

    /// Waits until what was appended is as wanted.
    pub(crate) async fn appended(&self, what: &str, mut condition: impl FnMut(&Tape) -> bool) {
        let mut bell = self.tape.bell.subscribe();
        let reached = timeout(DEADLINE, async {
            while !condition(&self.tape) {
                bell.changed().await.unwrap();
            }
        });
        assert!(reached.await.is_ok(), "never came: {what}; {:?}", self.supervisor.metrics());
    }

    pub(crate) async fn gops(&self, key: StreamKey, count: usize) -> Vec<Gop> {
        self.appended(&format!("{count} GOPs of {key}"), |tape| tape.gops(key).len() >= count).await;
        self.tape.gops(key)
    }
}

pub(crate) fn camera(name: &str) -> CameraId {
    name.parse().unwrap()
}

pub(crate) fn main_of(name: &str) -> StreamKey {
    StreamKey::main(camera(name))
}

pub(crate) fn sub_of(name: &str) -> StreamKey {
    StreamKey { stream: StreamKind::Sub, ..main_of(name) }
}

pub(crate) fn login(user: &str, password: &str) -> Credentials {
    Credentials { user: user.into(), password: password.into() }
}

/// Waits that suit a test.
pub(crate) fn quick() -> Config {
    Config {
        frame_timeout: Duration::from_secs(2),
        retry_min: Duration::from_millis(50),
        retry_max: Duration::from_millis(400),
        linger: Duration::from_millis(300),
        ..Config::default()
    }
}

pub(crate) fn quick_over(transport: Transport) -> Config {
    Config { transport, ..quick() }
}

/// The file behind a clip: an Annex B stream.
pub(crate) fn file(codec: Codec) -> &'static [u8] {
    match codec {
        Codec::H264 => include_bytes!("../../../sim/media/street.h264"),
        Codec::H265 => include_bytes!("../../../sim/media/street.h265"),
    }
}

/// A camera whose street runs ten times as fast: 100 frames a second and five GOPs.
pub(crate) fn fast(name: &str, codec: Codec) -> CameraSpec {
    let clip = Clip::from_annexb(codec, 100, file(codec)).unwrap();
    CameraSpec { main: clip.clone(), sub: Some(clip), ..CameraSpec::new(camera(name)) }
}
