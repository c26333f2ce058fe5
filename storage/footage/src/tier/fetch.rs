//! One request for neighbouring pages of a remote segment. Each page is handed out as soon as it is whole.

use std::{collections::VecDeque, ops::Range, sync::Arc};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use object_store::{GetOptions, GetRange, ObjectStore};
use tokio::{sync::OwnedSemaphorePermit, time::timeout};

use super::{
    cache::Loading,
    inner::{Inner, PATIENCE},
    manifest::Manifest,
    names::{self, Piece},
    problem::TierProblem,
};
use crate::metrics::Counters;

/// Pages to load, and those who wait for them. Every page added is settled, whatever happens.
pub(crate) struct Fetch {
    inner: Arc<Inner>,
    manifest: Arc<Manifest>,
    /// Number of the first page that is not settled.
    first: u64,
    waiting: VecDeque<Arc<Loading>>,
}

impl Fetch {
    pub(crate) fn new(inner: &Arc<Inner>, manifest: &Arc<Manifest>) -> Self {
        Self { inner: Arc::clone(inner), manifest: Arc::clone(manifest), first: 0, waiting: VecDeque::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether `page` is a neighbour of what was added last.
    pub(crate) fn takes(&self, page: u64) -> bool {
        self.is_empty() || self.first + self.waiting.len() as u64 == page
    }

    pub(crate) fn add(&mut self, page: u64, loading: Arc<Loading>) {
        if self.is_empty() {
            self.first = page;
        }
        self.waiting.push_back(loading);
    }

    /// Sends the request, if there is anything to ask for.
    pub(crate) fn start(self, permit: Option<OwnedSemaphorePermit>) {
        if self.is_empty() {
            return;
        }
        let inner = Arc::clone(&self.inner);
        inner.spawn(async move {
            let _permit = permit;
            self.run().await;
        });
    }

    async fn run(mut self) {
        if let Err(problem) = self.load().await {
            while !self.is_empty() {
                self.settle(Err(problem.clone()));
            }
        }
    }

    fn settle(&mut self, answer: Result<Bytes, TierProblem>) {
        if let Some(loading) = self.waiting.pop_front() {
            self.inner.pages.settle((self.manifest.segment, self.first), &loading, answer);
            self.first += 1;
        }
    }

    async fn load(&mut self) -> Result<(), TierProblem> {
        let page_bytes = self.inner.options.page_bytes;
        let mut at = self.first * page_bytes;
        let end = (at + page_bytes * self.waiting.len() as u64).min(self.manifest.bytes);
        let mut page = BytesMut::new();
        while at < end {
            let number = at / self.manifest.chunk_bytes;
            let chunk_from = number * self.manifest.chunk_bytes;
            let to = end.min(chunk_from + self.manifest.chunk_bytes);
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            self.chunk(number, at - chunk_from..to - chunk_from, &mut page).await?;
            at = to;
        }
        if !page.is_empty() {
            self.settle(Ok(page.split().freeze()));
        }
        Ok(())
    }

    /// Reads a range of one chunk, and settles every page that becomes whole.
    async fn chunk(
        &mut self,
        number: u32,
        range: Range<u64>,
        page: &mut BytesMut,
    ) -> Result<(), TierProblem> {
        let at = names::object(&self.inner.node, self.manifest.segment, Piece::Chunk(number));
        let options = GetOptions { range: Some(GetRange::Bounded(range.clone())), ..GetOptions::default() };
        Counters::add(&self.inner.counters.requests, 1);
        let got = timeout(PATIENCE, self.inner.objects.get_opts(&at, options)).await.map_err(silent)??;
        let wrong =
            || TierProblem::Damaged { what: format!("chunk {number} is shorter than its manifest says") };
        if got.range != range {
            return Err(wrong());
        }
        let page_bytes = usize::try_from(self.inner.options.page_bytes).unwrap_or(usize::MAX);
        let mut left = range.end - range.start;
        let mut stream = got.into_stream();
        while let Some(piece) = timeout(PATIENCE, stream.next()).await.map_err(silent)? {
            let mut piece = piece?;
            Counters::add(&self.inner.counters.bytes_read, piece.len() as u64);
            left = left.checked_sub(piece.len() as u64).ok_or_else(wrong)?;
            while !piece.is_empty() {
                page.reserve(page_bytes - page.len());
                page.extend_from_slice(&piece.split_to(piece.len().min(page_bytes - page.len())));
                if page.len() == page_bytes {
                    self.settle(Ok(page.split().freeze()));
                }
            }
        }
        if left == 0 { Ok(()) } else { Err(wrong()) }
    }
}

fn silent(_: tokio::time::error::Elapsed) -> TierProblem {
    TierProblem::Unreachable { detail: format!("nothing came for {} s", PATIENCE.as_secs()) }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        while !self.is_empty() {
            let detail = "the request was given up".to_owned();
            self.settle(Err(TierProblem::Unreachable { detail }));
        }
    }
}
