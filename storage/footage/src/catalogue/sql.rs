//! The catalogue in the records database.

use std::{collections::HashMap, future::Future};

use parking_lot::{Mutex, RwLock};
use sightline_model::{Timestamp, media::StreamKey};
use sightline_records::{
    Records,
    footage::{NodeNo, Reader, StreamNo},
};
use tokio::runtime::Handle;

use super::{Catalogue, ClassTotal, Hull, Known, PartPlace, Place, Sealed, SealedSegment, StreamTotal};
use crate::Error;

/// Connections for look-ups that are kept open.
const KEPT_READERS: usize = 4;

/// A node's rows in the records database.
#[derive(Debug)]
pub struct SqlCatalogue {
    records: Records,
    runtime: Handle,
    node: NodeNo,
    /// Streams that have a number. A number never changes, so this only grows.
    numbers: RwLock<HashMap<StreamKey, StreamNo>>,
    readers: Mutex<Vec<Reader>>,
}

impl SqlCatalogue {
    /// The rows of the node `node`. Later calls run on the runtime that this is called on, which must outlive the value, and
    /// must come from other threads than its own.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open(records: Records, node: &str) -> Result<Self, Error> {
        let number = records.footage_node(node).await?;
        let streams = records.footage_streams(number).await?;
        Ok(Self {
            records,
            runtime: Handle::current(),
            node: number,
            numbers: RwLock::new(streams.into_iter().map(|stream| (stream.key, stream.no)).collect()),
            readers: Mutex::default(),
        })
    }

    fn wait<T>(&self, answer: impl Future<Output = Result<T, sightline_records::Error>>) -> Result<T, Error> {
        Ok(self.runtime.block_on(answer)?)
    }

    /// Asks on a connection of its own. After an error the connection is given up.
    fn look_up(
        &self,
        key: StreamKey,
        question: impl AsyncFnOnce(&mut Reader, StreamNo) -> Result<Vec<PartPlace>, sightline_records::Error>,
    ) -> Result<Vec<PartPlace>, Error> {
        let Some(number) = self.numbers.read().get(&key).copied() else { return Ok(Vec::new()) };
        let free = self.readers.lock().pop();
        let (reader, found) = self.wait(async {
            let mut reader = match free {
                Some(reader) => reader,
                None => self.records.footage_reader().await?,
            };
            let found = question(&mut reader, number).await?;
            Ok((reader, found))
        })?;
        let mut readers = self.readers.lock();
        if readers.len() < KEPT_READERS {
            readers.push(reader);
        }
        Ok(found)
    }
}

impl Catalogue for SqlCatalogue {
    fn known(&self) -> Result<Vec<Known>, Error> {
        self.wait(self.records.known_footage(self.node))
    }

    fn segments(&self, after: Option<u64>, limit: usize) -> Result<Vec<SealedSegment>, Error> {
        self.wait(self.records.footage_segments(self.node, after, limit))
    }

    fn streams(&self) -> Result<Vec<StreamTotal>, Error> {
        let streams = self.wait(self.records.footage_streams(self.node))?;
        self.numbers.write().extend(streams.iter().map(|stream| (stream.key, stream.no)));
        Ok(streams)
    }

    fn classes(&self) -> Result<Vec<ClassTotal>, Error> {
        self.wait(self.records.footage_classes(self.node))
    }

    fn insert(&self, sealed: &[Sealed]) -> Result<(), Error> {
        let numbers = self.wait(self.records.insert_footage(self.node, sealed))?;
        self.numbers.write().extend(numbers);
        Ok(())
    }

    fn remove(&self, ids: &[u64]) -> Result<(), Error> {
        self.wait(self.records.remove_footage(self.node, ids))
    }

    fn clear(&self) -> Result<(), Error> {
        self.wait(self.records.clear_footage(self.node))
    }

    fn set_place(&self, ids: &[u64], place: Place) -> Result<(), Error> {
        self.wait(self.records.set_footage_place(self.node, ids, place))
    }

    fn near(
        &self,
        key: StreamKey,
        starts: Hull,
        after: Option<&PartPlace>,
        limit: usize,
    ) -> Result<Vec<PartPlace>, Error> {
        self.look_up(key, async |reader, stream| reader.near(stream, starts, after, limit).await)
    }

    fn before(&self, key: StreamKey, at: Timestamp, limit: usize) -> Result<Vec<PartPlace>, Error> {
        self.look_up(key, async |reader, stream| reader.before(stream, at, limit).await)
    }

    fn after(&self, key: StreamKey, at: Timestamp, limit: usize) -> Result<Vec<PartPlace>, Error> {
        self.look_up(key, async |reader, stream| reader.after(stream, at, limit).await)
    }

    fn far(&self, key: StreamKey) -> Result<Vec<PartPlace>, Error> {
        self.look_up(key, async |reader, stream| reader.far(stream).await)
    }
}
