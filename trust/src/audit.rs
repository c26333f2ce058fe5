//! The audit log's writer: gathers the acts of concurrent callers, chains them and makes them durable together. A caller goes on
//! only when its own entry is on disk; if it cannot be written, the caller is told so and releases nothing.

use std::{future::Future, pin::Pin, sync::Arc};

use sha2::{Digest, Sha256};
use sightline_model::audit::{Act, Entry};
use sightline_records::{Records, audit::AuditHead};
use tokio::sync::{mpsc, oneshot};

use crate::{
    Error,
    chain::{self, Head},
    metrics::Metrics,
};

/// Acts waiting for the disk; beyond it callers wait.
const QUEUE: usize = 1024;
/// Most acts made durable at once.
const BATCH: usize = 256;
/// Most names written out in one detail.
pub(crate) const MOST_WRITTEN: usize = 20;
/// Longest detail in characters: an entry is a line, not a document.
const DETAIL_CHARS: usize = 1000;

/// Where entries go. The second implementation is the failing store of the tests: "no log, no look" is a promise.
pub(crate) trait Store: Send + Sync + 'static {
    /// Chains `acts` behind the last entry and makes them durable, all or none.
    fn append(&self, acts: Vec<Act>) -> Pin<Box<dyn Future<Output = Result<Vec<Entry>, Error>> + Send + '_>>;
}

impl Store for Records {
    fn append(&self, acts: Vec<Act>) -> Pin<Box<dyn Future<Output = Result<Vec<Entry>, Error>> + Send + '_>> {
        Box::pin(async move {
            // Linked inside the write: another process (the command line) may have appended since.
            let link =
                |last: &AuditHead, act| chain::link(&Head { seq: last.seq, hash: last.hash.clone() }, act);
            Ok(self.append_audit(acts, link).await?)
        })
    }
}

type Waiting = (Act, oneshot::Sender<Result<Entry, Arc<Error>>>);

/// Handle on the writer. Its task ends when the last handle is gone.
#[derive(Debug, Clone)]
pub(crate) struct AuditLog {
    queue: mpsc::Sender<Waiting>,
    metrics: Arc<Metrics>,
}

impl AuditLog {
    /// Starts the writer on the current tokio runtime.
    pub(crate) fn start(store: impl Store, metrics: Arc<Metrics>) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(write(store, waiting));
        Self { queue, metrics }
    }

    /// Enters `act` and waits until it is durable. Line breaks and other control characters in its detail become spaces.
    pub(crate) async fn enter(&self, mut act: Act) -> Result<Entry, Error> {
        act.detail = one_line(&act.detail);
        let entered = self.queued(act).await;
        match &entered {
            Ok(_) => self.metrics.audit_entries.add(1),
            Err(_) => self.metrics.audit_failures.add(1),
        }
        entered
    }

    async fn queued(&self, act: Act) -> Result<Entry, Error> {
        let (answer, entered) = oneshot::channel();
        let gone = || Error::AuditUnavailable { why: "its writer has stopped".to_owned() };
        self.queue.send((act, answer)).await.map_err(|_| gone())?;
        let written = entered.await.map_err(|_| gone())?;
        written.map_err(|error| Error::AuditUnavailable { why: error.to_string() })
    }
}

fn one_line(text: &str) -> String {
    text.chars().take(DETAIL_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Some things by name; many as their number and the SHA-256 of their names, sorted, each followed by a line feed.
pub(crate) fn named_or_counted<T: AsRef<str>>(what: &str, names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<T> = names.into_iter().collect();
    let mut names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    if names.len() <= MOST_WRITTEN {
        return format!("{what} {}", names.join(" "));
    }
    names.sort_unstable();
    let mut list = Sha256::new();
    for name in &names {
        list.update(name.as_bytes());
        list.update(b"\n");
    }
    format!("{} {what}, sha256 {}", names.len(), chain::hex(&list.finalize()))
}

async fn write(store: impl Store, mut waiting: mpsc::Receiver<Waiting>) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        let (acts, answers): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        match store.append(acts).await {
            Ok(entries) => {
                for (entry, answer) in entries.into_iter().zip(answers) {
                    // A caller that went away has its entry all the same: better one look too many in the log.
                    let _ = answer.send(Ok(entry));
                }
            }
            Err(error) => {
                tracing::error!(%error, "The audit log cannot be written, so nothing is released.");
                let error = Arc::new(error);
                for answer in answers {
                    let _ = answer.send(Err(Arc::clone(&error)));
                }
            }
        }
    }
}
