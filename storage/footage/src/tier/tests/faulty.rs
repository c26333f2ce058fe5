//! A store in memory that fails, tears and lies when told.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream::BoxStream};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
    memory::InMemory, path::Path,
};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

/// What goes wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing.
    #[default]
    None,
    /// This call fails, and only it.
    FailCall(u64),
    /// All calls from this one on fail.
    DeadFrom(u64),
    /// The store stores one flipped bit in this many of the objects given to it.
    Corrupt { puts: u64 },
    /// The same, but it loses the end.
    Truncate { puts: u64 },
    /// The answer to every write is lost, and the write is not.
    LoseAnswers,
    /// It has no way to create only what is absent.
    NoConditions,
}

#[derive(Debug, Default)]
struct State {
    fault: Fault,
    calls: u64,
    requests: Vec<(Path, Range<u64>)>,
    gate: Option<Arc<Semaphore>>,
    /// The same for everything.
    gate_all: Option<Arc<Semaphore>>,
}

/// See the module's words.
#[derive(Debug, Default)]
pub(super) struct Faulty {
    pub(super) memory: InMemory,
    state: Mutex<State>,
    bytes_put: AtomicU64,
}

impl std::fmt::Display for Faulty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Faulty")
    }
}

fn refused() -> Error {
    Error::Generic { store: "faulty", source: "the wire is cut".into() }
}

impl Faulty {
    pub(super) fn set(&self, fault: Fault) {
        let mut state = self.state.lock();
        state.fault = fault;
        state.calls = 0;
    }

    pub(super) fn calls(&self) -> u64 {
        self.state.lock().calls
    }

    pub(super) fn bytes_put(&self) -> u64 {
        self.bytes_put.load(Ordering::Relaxed)
    }

    /// Ranges asked for since the last time.
    pub(super) fn requests(&self) -> Vec<(Path, Range<u64>)> {
        std::mem::take(&mut self.state.lock().requests)
    }

    /// From now on ranges are answered only as permits are added.
    pub(super) fn gate(&self) -> Arc<Semaphore> {
        let gate = Arc::new(Semaphore::new(0));
        self.state.lock().gate = Some(Arc::clone(&gate));
        gate
    }

    /// From now on every read is answered only as permits are added.
    pub(super) fn gate_all(&self) -> Arc<Semaphore> {
        let gate = Arc::new(Semaphore::new(0));
        self.state.lock().gate_all = Some(Arc::clone(&gate));
        gate
    }

    /// Loses an object.
    pub(super) async fn drop_object(&self, name: &str) {
        self.memory.delete(&Path::from(name)).await.unwrap();
    }

    fn call(&self) -> Result<Fault> {
        let mut state = self.state.lock();
        let call = state.calls;
        state.calls += 1;
        match state.fault {
            Fault::FailCall(n) if n == call => Err(refused()),
            Fault::DeadFrom(n) if n <= call => Err(refused()),
            fault => Ok(fault),
        }
    }

    /// What the store makes of a payload.
    fn keep(&self, payload: PutPayload) -> PutPayload {
        let mut bytes = Bytes::from(payload).to_vec();
        match &mut self.state.lock().fault {
            Fault::Corrupt { puts } if *puts > 0 => {
                *puts -= 1;
                let middle = bytes.len() / 2;
                bytes[middle] ^= 0x40;
            }
            Fault::Truncate { puts } if *puts > 0 => {
                *puts -= 1;
                bytes.pop();
            }
            _ => {}
        }
        bytes.into()
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, at: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let fault = self.call()?;
        if fault == Fault::NoConditions && options.mode == object_store::PutMode::Create {
            let (operation, implementer) = ("create".to_owned(), "Faulty".to_owned());
            return Err(Error::NotImplemented { operation, implementer });
        }
        self.bytes_put.fetch_add(payload.content_length() as u64, Ordering::Relaxed);
        let put = self.memory.put_opts(at, self.keep(payload), options).await?;
        if fault == Fault::LoseAnswers { Err(refused()) } else { Ok(put) }
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.memory.put_multipart_opts(at, options).await
    }

    async fn get_opts(&self, at: &Path, options: GetOptions) -> Result<GetResult> {
        self.call()?;
        let ranged = options.range.is_some();
        let (gate, gate_all) = {
            let state = self.state.lock();
            (state.gate.clone(), state.gate_all.clone())
        };
        if let Some(gate) = gate_all {
            gate.acquire().await.map_err(|_| refused())?.forget();
        }
        let mut got = self.memory.get_opts(at, options).await?;
        if ranged {
            self.state.lock().requests.push((at.clone(), got.range.clone()));
            if let Some(gate) = gate {
                gate.acquire().await.map_err(|_| refused())?.forget();
            }
        }
        // In pieces of an awkward size, as they come over a wire.
        let GetResultPayload::Stream(stream) = got.payload else { return Err(refused()) };
        let pieces = stream.flat_map(|piece| {
            let piece = piece.unwrap();
            let cuts: Vec<_> = piece.chunks(1013).map(|cut| Ok(piece.slice_ref(cut))).collect();
            futures_util::stream::iter(cuts)
        });
        got.payload = GetResultPayload::Stream(pieces.boxed());
        Ok(got)
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        match self.call() {
            Ok(_) => self.memory.delete_stream(paths),
            Err(error) => futures_util::stream::iter([Err(error)]).boxed(),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.call() {
            Ok(_) => self.memory.list(prefix),
            Err(error) => futures_util::stream::iter([Err(error)]).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.call()?;
        self.memory.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.memory.copy_opts(from, to, options).await
    }
}
