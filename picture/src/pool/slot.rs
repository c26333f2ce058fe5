//! One place for a worker process: starts it, feeds it, replaces it.
//!
//! ```text
//!            hello               job               reply
//! Starting ---------> Up(idle) -------> Up(busy) --------> Up(idle)
//!    ^  | no hello      | ended            | ended or hung
//!    |  v               v                  v
//!   Down(reason) <------+            Starting, and the same job once more if the process ended
//!    back-off                        (a hung one is not tried again)
//! ```

use std::sync::{Arc, atomic::Ordering::Relaxed};

use tokio_util::sync::CancellationToken;

use super::{
    Job, Pool, SlotState, pause,
    process::{End, Process},
};
use crate::{Error, backoff::Backoff, cache::Outcome, wire::Reply};

/// A job that has cost a process its life already.
struct Survivor {
    job: Job,
    reason: String,
}

/// How the time with one process ended.
enum Shift {
    /// The pool is stopping.
    Over,
    /// The process ended while it had nothing to do.
    DiedIdle(String),
    /// The process is gone over a job.
    DiedBusy(Option<Survivor>),
}

/// Runs slot `number` until `cancel`.
pub(crate) async fn run(pool: Arc<Pool>, number: usize, cancel: CancellationToken) {
    let mut backoff = Backoff::default();
    let mut survivor = None;
    let mut first = true;
    loop {
        if !first {
            pool.metrics.restarts.fetch_add(1, Relaxed);
        }
        first = false;
        pool.set_slot(number, SlotState::Starting);
        let started = tokio::select! {
            () = cancel.cancelled() => return,
            started = Process::start(&pool.config, number) => started,
        };
        let shift = match started {
            Ok(process) => {
                tracing::debug!(worker = number, decoders = %process.hello.decoders, "picture worker is up");
                pool.set_slot(number, SlotState::Up);
                serve(&pool, process, survivor.take(), &mut backoff, &cancel).await
            }
            Err(reason) => {
                give_up(&pool, survivor.take(), &reason);
                Shift::DiedIdle(reason)
            }
        };
        match shift {
            Shift::Over => return,
            // Restarts over jobs are paced by the jobs: a key frame that kills gets no third try for a while.
            Shift::DiedBusy(next) => survivor = next,
            Shift::DiedIdle(reason) => {
                let wait = backoff.failed();
                tracing::warn!(
                    worker = number,
                    wait_ms = wait.as_millis(),
                    "picture worker {number} is down: {reason}"
                );
                if !wait.is_zero() {
                    pool.set_slot(number, SlotState::Down(reason));
                }
                tokio::select! { () = cancel.cancelled() => return, () = pause(wait) => {} }
            }
        }
    }
}

/// Feeds one process until it ends.
async fn serve(
    pool: &Pool,
    mut process: Process,
    mut survivor: Option<Survivor>,
    backoff: &mut Backoff,
    cancel: &CancellationToken,
) -> Shift {
    loop {
        let (job, before) = match survivor.take() {
            Some(survivor) if !pool.wanted(&survivor.job.key) => {
                let reason = survivor.reason.clone();
                give_up(pool, Some(survivor), &reason);
                continue;
            }
            Some(Survivor { job, reason }) => (job, Some(reason)),
            None => tokio::select! {
                () = cancel.cancelled() => { process.finish().await; return Shift::Over; }
                reason = process.died() => return Shift::DiedIdle(reason),
                job = pool.next_job() => (job, None),
            },
        };
        let asked = tokio::select! {
            () = cancel.cancelled() => { process.finish().await; return Shift::Over; }
            asked = process.ask(job.request.clone(), pool.config.timeout) => asked,
        };
        match asked {
            Ok(reply) => {
                backoff.worked();
                pool.finish(job.key, outcome(pool, reply));
            }
            Err(end) => return over(pool, process, job, before, end).await,
        }
    }
}

/// No second try: nobody wants it any more, or there is no process for it.
fn give_up(pool: &Pool, survivor: Option<Survivor>, reason: &str) {
    if let Some(Survivor { job, .. }) = survivor {
        pool.finish(job.key, Err(Error::Unavailable { reason: reason.to_owned() }));
    }
}

/// The process is of no more use: buries it and decides about the job.
async fn over(pool: &Pool, process: Process, job: Job, before: Option<String>, end: End) -> Shift {
    let stream = job.key.stream;
    let status = process.bury().await;
    match end {
        End::Hung => {
            let after = pool.config.timeout;
            tracing::warn!(%stream, at = %job.key.at, "decoding a key frame of {stream} took longer than {after:?}: worker replaced");
            pool.finish(job.key, Err(Error::Timeout { after }));
            Shift::DiedBusy(None)
        }
        End::Died(reason) => {
            let reason = format!("{reason}, {status}");
            tracing::warn!(%stream, at = %job.key.at, "picture worker died over a key frame of {stream}: {reason}");
            if before.is_some() {
                pool.finish(job.key, Err(Error::WorkerDied { reason }));
                return Shift::DiedBusy(None);
            }
            Shift::DiedBusy(Some(Survivor { job, reason }))
        }
    }
}

fn outcome(pool: &Pool, reply: Reply) -> Outcome {
    let picture = reply.outcome.map_err(Error::from)?;
    pool.metrics.decoded(picture.decode, picture.encode);
    Ok(picture.jpeg)
}
