//! Questions to a store: the answers come from memory where they can, and else from a thread that may block.

use std::{collections::VecDeque, sync::Arc};

use sightline_model::{
    TimeRange, Timestamp,
    media::{Gop, StreamKey},
};

use crate::{
    Error, Footage,
    query::{Identity, Miss, Query},
    types::{Direction, FootageItem, GopEntry, Timeline},
};

impl Footage {
    /// Spans and gaps that tile `range`, from the first footage to `now`.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn timeline(
        &self,
        key: StreamKey,
        range: TimeRange,
        now: Timestamp,
    ) -> Result<Timeline, Error> {
        self.ask(key, move |query| query.timeline(range, now)).await
    }

    /// GOPs and parts that overlap `range`, at most `limit`, by start and then by run. For a range that may hold many, see
    /// [`Footage::stream`].
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn entries(
        &self,
        key: StreamKey,
        range: TimeRange,
        limit: usize,
    ) -> Result<Vec<GopEntry>, Error> {
        self.ask(key, move |query| query.entries(range, None, limit)).await
    }

    /// Everything in `range` one after the other: GOPs by start and run, and the gaps between them, up to `now`. Holds no more
    /// than a page in memory.
    #[must_use]
    pub fn stream(&self, key: StreamKey, range: TimeRange, now: Timestamp) -> FootageStream {
        FootageStream { footage: self.clone(), key, now, page: VecDeque::new(), rest: Some((range, None)) }
    }

    /// The GOP with the key frame for `at`: the one that covers it, else the last one before it, else the first after.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn nearest(&self, key: StreamKey, at: Timestamp) -> Result<Option<GopEntry>, Error> {
        self.ask(key, move |query| query.nearest(at)).await
    }

    /// The same for many streams at once, each at the place of its key.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn nearest_many(
        &self,
        keys: &[StreamKey],
        at: Timestamp,
    ) -> Result<Vec<Option<GopEntry>>, Error> {
        let mut found = Vec::with_capacity(keys.len());
        let mut missed = Vec::new();
        for (place, key) in keys.iter().enumerate() {
            let query = Query { shared: self.shared(), key: *key, io: false };
            match query.nearest(at) {
                Ok(entry) => found.push(entry),
                Err(Miss::Error(error)) => return Err(error),
                Err(Miss::Io) => {
                    found.push(None);
                    missed.push((place, *key));
                }
            }
        }
        if missed.is_empty() {
            return Ok(found);
        }
        let shared = Arc::clone(self.shared());
        let looked_up = tokio::task::spawn_blocking(move || {
            let nearest = |(place, key)| Ok((place, Query { shared: &shared, key, io: true }.nearest(at)?));
            missed.into_iter().map(nearest).collect::<Result<Vec<_>, Miss>>()
        });
        for (place, entry) in answer(looked_up.await)? {
            if let Some(slot) = found.get_mut(place) {
                *slot = entry;
            }
        }
        Ok(found)
    }

    /// The next GOP that starts after `at`, or the last one that starts before it: from one key frame to its neighbour.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn step(
        &self,
        key: StreamKey,
        at: Timestamp,
        direction: Direction,
    ) -> Result<Option<GopEntry>, Error> {
        self.ask(key, move |query| query.step(at, direction)).await
    }

    /// The newest complete GOP that begins with a key frame, from the ring if it is there.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn latest(&self, key: StreamKey) -> Result<Option<GopEntry>, Error> {
        self.ask(key, |query| query.latest()).await
    }

    /// The media of an entry, checksums verified.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or is no longer there.
    pub async fn read(&self, entry: &GopEntry) -> Result<Arc<Gop>, Error> {
        let entry = *entry;
        self.ask(entry.key, move |query| query.read(&entry)).await
    }

    /// Answers from memory if it can, and on a thread that may block if not.
    async fn ask<T: Send + 'static>(
        &self,
        key: StreamKey,
        question: impl Fn(&Query<'_>) -> Result<T, Miss> + Send + 'static,
    ) -> Result<T, Error> {
        match question(&Query { shared: self.shared(), key, io: false }) {
            Ok(answer) => return Ok(answer),
            Err(Miss::Error(error)) => return Err(error),
            Err(Miss::Io) => {}
        }
        let shared = Arc::clone(self.shared());
        answer(tokio::task::spawn_blocking(move || question(&Query { shared: &shared, key, io: true })).await)
    }
}

/// What a blocking thread answered.
fn answer<T>(answered: Result<Result<T, Miss>, tokio::task::JoinError>) -> Result<T, Error> {
    match answered {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(Miss::Error(error))) => Err(error),
        // Cut off because the runtime is going down.
        Ok(Err(Miss::Io)) | Err(_) => Err(Error::Stopped),
    }
}

/// What a range holds, one after the other; see [`Footage::stream`].
#[derive(Debug)]
pub struct FootageStream {
    footage: Footage,
    key: StreamKey,
    now: Timestamp,
    page: VecDeque<FootageItem>,
    /// What has not been looked at, and the last GOP that was given.
    rest: Option<(TimeRange, Option<Identity>)>,
}

impl FootageStream {
    /// The next item; `None` at the end.
    ///
    /// # Errors
    /// When the index cannot be read. Asked again it goes on where it was.
    pub async fn next(&mut self) -> Result<Option<FootageItem>, Error> {
        while self.page.is_empty() {
            let Some((range, after)) = self.rest else { return Ok(None) };
            let now = self.now;
            let page = self.footage.ask(self.key, move |query| query.page(range, after, now)).await?;
            self.rest = page.rest.map(|(range, last)| (range, Some(last)));
            self.page = page.items.into();
        }
        Ok(self.page.pop_front())
    }
}
