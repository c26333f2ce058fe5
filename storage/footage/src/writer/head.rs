//! Gives prepared records their place in a segment: fills their headers in.

use std::{collections::HashMap, sync::Arc};

use sightline_model::media::{ParameterSets, StreamKey};

use super::prepare::Batch;
use crate::{
    disk::PAGE_BYTES,
    format::{
        ALIGN, align,
        block::Entry,
        merkle::{Hash, leaf, payload_hash},
        payload::encode_params,
        record::{Before, Kind, RECORD_HEADER_BYTES, RecordHeader},
    },
    index::builder::{Added, SegmentBuilder},
    tail::chunk::Work,
};

/// Batches from this size on begin and end at pages, which costs less than 1% and lets them go past the page cache.
const PAGED_BYTES: usize = 512 << 10;
const HEADER: usize = RECORD_HEADER_BYTES as usize;

/// A batch with a place. Nothing is part of the segment until [`Headed::commit`].
#[derive(Debug)]
pub(crate) struct Headed {
    /// Records of parameter sets, to be written at `params_at` before the batch itself.
    pub(crate) params_bytes: Vec<u8>,
    pub(crate) params_at: u64,
    /// Where the batch goes.
    pub(crate) at: u64,
    /// Where the segment ends then.
    pub(crate) end: u64,
    leaves: Vec<Hash>,
    params: Vec<(Arc<ParameterSets>, u32)>,
    added: Vec<(StreamKey, Added)>,
}

/// Places `batch` at `end` of the segment that `builder` describes.
pub(crate) fn head(batch: &mut Batch, builder: &SegmentBuilder, segment: u64, end: u64) -> Headed {
    let mut headed = Headed {
        params_bytes: Vec::new(),
        params_at: end,
        at: end,
        end,
        leaves: Vec::new(),
        params: Vec::new(),
        added: Vec::new(),
    };
    let mut seq = builder.next_seq();
    let places = headed.params(batch, builder, segment, &mut seq);
    headed.at = align(end + headed.params_bytes.len() as u64);
    if batch.buffer.len() >= PAGED_BYTES {
        headed.at = headed.at.next_multiple_of(PAGE_BYTES);
        batch.buffer.pad(PAGE_BYTES as usize);
    }
    headed.end = headed.at + batch.buffer.len() as u64;
    headed.records(batch, builder, &places, segment, seq);
    headed
}

impl Headed {
    /// Makes records of the parameter sets that the segment does not have yet.
    fn params(
        &mut self,
        batch: &Batch,
        builder: &SegmentBuilder,
        segment: u64,
        seq: &mut u32,
    ) -> HashMap<Arc<ParameterSets>, u32> {
        let mut places: HashMap<Arc<ParameterSets>, u32> = HashMap::new();
        for record in &batch.records {
            let Some(params) = &record.params else { continue };
            if builder.params.contains_key(params) || places.contains_key(params) {
                continue;
            }
            let offset = self.params_at + self.params_bytes.len() as u64;
            let place = u32::try_from(offset / ALIGN).unwrap_or(u32::MAX);
            let mut payload = Vec::new();
            encode_params(params, &mut payload);
            let mut header = RecordHeader::new(Kind::Params, record.job.tail.key, record.header.start);
            (header.segment, header.params) = (segment, place);
            header.payload_crc = crate::format::crc::crc32c(&payload);
            header.total_bytes = u32::try_from(HEADER + payload.len()).unwrap_or(u32::MAX);
            // Twice: a whole segment of a camera hangs on them.
            for _ in 0..2 {
                header.seq = *seq;
                *seq += 1;
                let from = self.params_bytes.len();
                header.encode(&mut self.params_bytes);
                let head = self.params_bytes.get(from..).unwrap_or_default();
                self.leaves.push(leaf(head, &payload_hash(&payload)));
                self.params_bytes.extend_from_slice(&payload);
                self.params_bytes.resize(self.params_bytes.len().next_multiple_of(ALIGN as usize), 0);
            }
            places.insert(Arc::clone(params), place);
            self.params.push((Arc::clone(params), place));
        }
        places
    }

    fn records(
        &mut self,
        batch: &mut Batch,
        builder: &SegmentBuilder,
        places: &HashMap<Arc<ParameterSets>, u32>,
        segment: u64,
        mut seq: u32,
    ) {
        let mut last: HashMap<StreamKey, Entry> = HashMap::new();
        let mut bytes = Vec::with_capacity(HEADER);
        for record in &mut batch.records {
            let header = &mut record.header;
            let key = header.key;
            (header.segment, header.seq) = (segment, seq);
            header.params = record.params.as_ref().map_or(0, |params| {
                places.get(params).or_else(|| builder.params.get(params)).copied().unwrap_or(0)
            });
            let before = last.get(&key).or_else(|| builder.last(key));
            header.before = before
                .filter(|before| header.joined && goes_on(before, header))
                .map(|before| Before { offset: before.offset, total_bytes: before.record_bytes });
            bytes.clear();
            header.encode(&mut bytes);
            let room = batch.buffer.behind_mut(record.at);
            if let Some(room) = room.get_mut(..HEADER) {
                room.copy_from_slice(&bytes);
            }
            self.leaves.push(leaf(&bytes, &record.payload_hash));
            let added = match &record.job.work {
                Work::Gop(_) => Added::Gop(Entry::from_header(header, self.at + record.at as u64)),
                Work::Gap(gap) => Added::Gap(*gap),
            };
            if let Added::Gop(entry) = &added {
                let chain = last.get(&key).or_else(|| builder.last(key)).copied();
                let chain = chain.and_then(|mut chain| chain.join(entry).then_some(chain));
                last.insert(key, chain.unwrap_or(*entry));
            }
            self.added.push((key, added));
            seq += 1;
        }
    }

    /// The records are written: they are part of the segment now.
    pub(crate) fn commit(self, builder: &mut SegmentBuilder) -> Vec<(StreamKey, Added)> {
        self.leaves.into_iter().for_each(|leaf| builder.record(leaf));
        builder.params.extend(self.params);
        self.added.iter().for_each(|(key, added)| builder.add(*key, added));
        self.added
    }
}

/// Whether the record goes on where the chain that ends in `before` stops.
fn goes_on(before: &Entry, header: &RecordHeader) -> bool {
    (before.run, before.number) == (header.run, header.number)
        && Some(header.part) == before.part.checked_add(before.pieces)
}
