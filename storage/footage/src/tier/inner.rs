//! One tier: the store, where in it this node's segments lie, and the threads that talk to it.

use std::{
    fs, io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt, local::LocalFileSystem, path::Path};
use parking_lot::Mutex;
use tokio::{runtime::Runtime, sync::Semaphore};

use super::{
    TierMetrics,
    cache::Pages,
    manifest::{self, Manifest, ManifestError},
    names::{self, Piece},
    pace::RateLimit,
    problem::TierProblem,
};
use crate::Error;

/// Reads that may wait for the store at once. More are refused, so that a dead store cannot take the threads that reads of
/// the local disk need.
const MOST_WAITING: usize = 64;
/// Read-aheads on their way at once.
const MOST_AHEAD: usize = 4;
/// How often somebody who waits looks whether the store is to stop.
const LOOK_UP: Duration = Duration::from_millis(50);
/// When even a slow store has answered.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What has been moved since the tier was opened.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) segments_sent: AtomicU64,
    pub(crate) bytes_sent: AtomicU64,
    pub(crate) bytes_verified: AtomicU64,
    pub(crate) chunks_sent_again: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) bytes_read: AtomicU64,
}

impl Counters {
    pub(crate) fn snapshot(&self) -> TierMetrics {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        TierMetrics {
            segments_sent: get(&self.segments_sent),
            bytes_sent: get(&self.bytes_sent),
            bytes_verified: get(&self.bytes_verified),
            chunks_sent_again: get(&self.chunks_sent_again),
            requests: get(&self.requests),
            bytes_read: get(&self.bytes_read),
        }
    }
}

/// The tier's own threads: nothing that records or answers from the local disk shares them.
#[derive(Debug)]
struct Threads(Option<Runtime>);

impl Drop for Threads {
    fn drop(&mut self) {
        // Without waiting: whoever drops this may not block.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// How a tier works, beside where it is.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) node: String,
    pub(crate) chunk_bytes: u64,
    pub(crate) page_bytes: u64,
    pub(crate) cache_bytes: usize,
    pub(crate) rate_bytes_per_s: Option<u64>,
    /// Whether objects carry attributes.
    pub(crate) attributes: bool,
    /// The folder that the store is, when it is one.
    pub(crate) folder: Option<Arc<LocalFileSystem>>,
}

/// See the module's words.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) objects: Arc<dyn ObjectStore>,
    /// Everything of all nodes.
    pub(crate) root: Path,
    /// Everything of this node.
    pub(crate) node: Path,
    /// The store, for people.
    pub(crate) label: String,
    pub(crate) options: Options,
    pub(crate) pages: Pages,
    pub(crate) ahead: Arc<Semaphore>,
    pub(crate) counters: Counters,
    limit: Mutex<RateLimit>,
    /// Reads that wait for the store.
    pub(crate) waiting: AtomicUsize,
    threads: Threads,
}

/// The right to wait for the store.
pub(crate) struct Turn<'a>(&'a AtomicUsize);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Inner {
    pub(crate) fn new(
        objects: Arc<dyn ObjectStore>,
        root: Path,
        label: String,
        options: Options,
    ) -> Result<Arc<Self>, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("footage-tier")
            .enable_all()
            .build()
            .map_err(Error::io("start the threads of", &label))?;
        Ok(Arc::new(Self {
            node: root.clone().join(options.node.as_str()),
            root,
            objects,
            label,
            pages: Pages::new(options.cache_bytes),
            ahead: Arc::new(Semaphore::new(MOST_AHEAD)),
            counters: Counters::default(),
            limit: Mutex::new(RateLimit::new(options.rate_bytes_per_s)),
            waiting: AtomicUsize::new(0),
            threads: Threads(Some(runtime)),
            options,
        }))
    }

    /// Runs `work` on the tier's threads.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.threads.0 {
            runtime.spawn(work);
        }
    }

    /// Runs `work` on the tier's threads and blocks until it is done.
    pub(crate) fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let (done, answer) = mpsc::sync_channel(1);
        self.spawn(async move {
            // Nobody may be waiting any more.
            let _ = done.send(work.await);
        });
        answer.recv().unwrap_or(Err(Error::Stopped))
    }

    /// As [`Inner::wait`]; the work is dropped as soon as `stop` is set.
    pub(crate) fn wait_unless<T: Send + 'static>(
        &self,
        stop: &AtomicBool,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let (done, answer) = mpsc::sync_channel(1);
        let Some(runtime) = &self.threads.0 else { return Err(Error::Stopped) };
        let task = runtime.spawn(async move {
            // Nobody may be waiting any more.
            let _ = done.send(work.await);
        });
        loop {
            match answer.recv_timeout(LOOK_UP) {
                Ok(answer) => return answer,
                Err(mpsc::RecvTimeoutError::Timeout) if !stop.load(Ordering::Acquire) => {}
                Err(_) => {
                    task.abort();
                    return Err(Error::Stopped);
                }
            }
        }
    }

    /// The right to wait for the store, if not too many do.
    pub(crate) fn turn(&self) -> Result<Turn<'_>, TierProblem> {
        let turn = Turn(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::AcqRel) < MOST_WAITING {
            Ok(turn)
        } else {
            Err(TierProblem::Busy)
        }
    }

    /// Waits until so many bytes may be moved.
    pub(crate) async fn pace(&self, bytes: u64) {
        let wait = self.limit.lock().take(bytes, Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// A closure for `map_err` that adds what was tried and on what.
    pub(crate) fn failed<P: Into<TierProblem>>(
        &self,
        action: &'static str,
        what: impl Into<String>,
    ) -> impl FnOnce(P) -> Error {
        let (what, store) = (what.into(), self.label.clone());
        move |problem| Error::Tier { action, what, store, problem: problem.into() }
    }

    /// A segment, for people.
    pub(crate) fn name(&self, segment: u64) -> String {
        format!("segment {segment:016x} of node {}", self.options.node)
    }

    /// The bytes of a small object.
    pub(crate) async fn small(&self, at: &Path) -> Result<Bytes, TierProblem> {
        let read = async { self.objects.get(at).await?.bytes().await };
        match tokio::time::timeout(PATIENCE, read).await {
            Ok(bytes) => Ok(bytes?),
            Err(_) => {
                Err(TierProblem::Unreachable { detail: format!("nothing came for {} s", PATIENCE.as_secs()) })
            }
        }
    }

    /// The manifest of a segment below `node`; `None` when there is none.
    pub(crate) async fn manifest(&self, node: &Path, segment: u64) -> Result<Option<Manifest>, Error> {
        let what = format!("the manifest of segment {segment:016x} in {node}");
        let bytes = match self.small(&names::object(node, segment, Piece::Manifest)).await {
            Ok(bytes) => bytes,
            Err(TierProblem::Missing) => return Ok(None),
            Err(problem) => return Err(self.failed("read", what)(problem)),
        };
        let damaged = |what: &str| TierProblem::Damaged { what: what.to_owned() };
        let problem = match Manifest::decode(&bytes) {
            Ok(manifest) if manifest.segment == segment => return Ok(Some(manifest)),
            Ok(_) => damaged("it belongs to another segment"),
            Err(ManifestError::Bad(bad)) => damaged(bad),
            Err(ManifestError::Version(found)) => {
                TierProblem::Version { found, supported: manifest::VERSION }
            }
        };
        Err(self.failed("read", what)(problem))
    }

    /// Chunks of a segment of this node that the store has, with their sizes.
    pub(crate) async fn listed(&self, segment: u64) -> Result<Vec<(u32, u64)>, Error> {
        let folder = names::folder(&self.node, segment);
        let found: Vec<_> = self
            .objects
            .list(Some(&folder))
            .try_collect()
            .await
            .map_err(self.failed("list", self.name(segment)))?;
        let chunk = |meta: &object_store::ObjectMeta| match names::parse(&self.node, &meta.location) {
            Some((_, Piece::Chunk(number))) => Some((number, meta.size)),
            _ => None,
        };
        Ok(found.iter().filter_map(chunk).collect())
    }

    /// A folder keeps what a killed process was writing, under names that are no objects (`00003#1`). They go here.
    pub(crate) async fn tidy(&self, segment: u64) -> Result<(), Error> {
        let Some(folder) = self.options.folder.clone() else { return Ok(()) };
        let first = names::object(&self.node, segment, Piece::Chunk(0));
        let path = folder.path_to_filesystem(&first).map_err(self.failed("find", self.name(segment)))?;
        let tidied = tokio::task::spawn_blocking(move || remove_unfinished(path.parent().unwrap_or(&path)));
        let tidied = tidied.await.unwrap_or(Ok(()));
        tidied.map_err(Error::io("tidy up the tier's folder of", self.name(segment)))
    }
}

fn remove_unfinished(folder: &std::path::Path) -> io::Result<()> {
    let files = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        files => files?,
    };
    for file in files {
        let file = file?;
        if file.file_name().to_string_lossy().contains('#') {
            fs::remove_file(file.path())?;
        }
    }
    Ok(())
}
