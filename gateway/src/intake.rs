//! From the queue to disk, and only then to the acknowledgement and to the desk.
//!
//! Order of every batch: read -> match -> one transaction of events and the alerts they raise -> acknowledge ->
//! publish. What was acknowledged is on disk together with its alerts; what the broker has not heard of from us comes
//! again and is a duplicate then.

use std::{sync::Arc, time::Duration};

use sightline_model::Timestamp;
use sightline_records::{Records, alerts::Raised, events::StoredBatch};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use crate::{
    backoff::Backoff,
    batch::{Context, Sorted},
    decode::Ages,
    desk::Desk,
    link::Out,
    list::List,
    message::to_bytes,
    metrics::{Metrics, count},
    mqtt::{Ack, Message},
    topics::Topics,
};

/// Longest pause between two attempts to store a batch.
const RETRY_MAX: Duration = Duration::from_secs(5);

/// The intake and what it is wired to.
#[derive(Debug)]
pub(crate) struct Intake {
    pub(crate) records: Records,
    pub(crate) desk: Arc<Desk>,
    pub(crate) out: Arc<Out>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) topics: Topics,
    pub(crate) ages: Ages,
    pub(crate) batch_messages: usize,
    pub(crate) list: List,
    pub(crate) messages: mpsc::Receiver<Message>,
    pub(crate) acks: mpsc::UnboundedSender<Vec<Ack>>,
}

impl Intake {
    /// Runs until cancelled, and finishes the batch at hand.
    pub(crate) async fn run(mut self, cancel: CancellationToken) {
        let mut waiting = Vec::with_capacity(self.batch_messages);
        loop {
            let got = tokio::select! {
                () = cancel.cancelled() => return,
                got = self.messages.recv_many(&mut waiting, self.batch_messages) => got,
            };
            if got == 0 || !self.take(std::mem::take(&mut waiting), &cancel).await {
                return;
            }
        }
    }

    /// Takes one batch. False when cancelled before it was stored: nothing of it is acknowledged then.
    async fn take(&mut self, messages: Vec<Message>, cancel: &CancellationToken) -> bool {
        let now = Timestamp::now();
        // An old list would miss what it does not know yet, so the batch waits for the new one.
        let mut backoff = Backoff::new(RETRY_MAX);
        while let Err(error) = self.list.refresh(now).await {
            tracing::error!(%error, "The hotlist cannot be read; events wait");
            if !pause(&mut backoff, cancel).await {
                return false;
            }
        }
        let List { matcher, places, .. } = &self.list;
        let context = Context { topics: &self.topics, ages: &self.ages, matcher, places, now };
        let mut sorted = Sorted::new(messages, context, &self.metrics);
        let Some(stored) = self.store(&sorted, now, cancel).await else { return false };
        // Only from here on the broker may forget them. The link is gone only when all stops.
        self.acks.send(std::mem::take(&mut sorted.acks)).ok();
        for change in sorted.settle(&stored, &self.metrics) {
            self.desk.tell(change);
        }
        for raised in &stored.alerts {
            let (counter, change) = match raised {
                Raised::New(change) => (&self.metrics.alerts_raised, change),
                Raised::Joined(change) => (&self.metrics.alerts_joined, change),
            };
            count(counter, 1);
            self.desk.changed(change);
        }
        for (topic, rejected) in sorted.rejected {
            let (reason, path, detail) = (rejected.reason.as_str(), &rejected.path, &rejected.detail);
            tracing::debug!(%topic, reason, %path, %detail, "A message was refused");
            if self.out.with(|outbox| outbox.event(topic, to_bytes(&rejected))) {
                count(&self.metrics.rejections_dropped, 1);
            }
        }
        true
    }

    /// Stores the events of a batch, however long it takes: meanwhile the queue fills and the broker waits.
    async fn store(
        &self,
        sorted: &Sorted,
        now: Timestamp,
        cancel: &CancellationToken,
    ) -> Option<StoredBatch> {
        if sorted.events == Default::default() {
            return Some(StoredBatch::default());
        }
        let mut backoff = Backoff::new(RETRY_MAX);
        loop {
            let began = Instant::now();
            match self.records.store_events(&sorted.events, now).await {
                Ok(stored) => {
                    self.metrics.persisted(began.elapsed());
                    return Some(stored);
                }
                Err(error) => {
                    count(&self.metrics.persist_failures, 1);
                    tracing::error!(%error, "Events cannot be stored; they wait, unacknowledged");
                }
            }
            if !pause(&mut backoff, cancel).await {
                return None;
            }
        }
    }
}

async fn pause(backoff: &mut Backoff, cancel: &CancellationToken) -> bool {
    tokio::select! {
        () = cancel.cancelled() => false,
        () = sleep(backoff.next(rand::random())) => true,
    }
}
