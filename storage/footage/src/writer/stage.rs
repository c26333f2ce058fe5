//! Encodes a batch of work into records: pure, and without copying media.

use std::{collections::HashMap, io::IoSlice, ops::Range, sync::Arc};

use bytes::Bytes;
use sightline_model::{
    gap::Gap,
    media::{Gop, ParameterSets, StreamKey},
};

use crate::{
    format::{
        align,
        block::Entry,
        merkle::{Hash, LeafHasher},
        payload::{encode_gap, encode_params, encode_unit_table, gop_record_bytes, kept},
        record::{Kind, RECORD_HEADER_BYTES, RecordHeader},
    },
    index::builder::{Added, SegmentBuilder},
    tail::chunk::{Piece, Work},
};

#[derive(Debug)]
enum Slice {
    /// Headers, tables and padding, in the batch's own memory.
    Own(Range<usize>),
    /// Media, as the source gave it.
    Media(Bytes),
}

/// Records ready to be written at the end of a segment. Nothing is part of the segment until [`Staged::commit`].
#[derive(Debug)]
pub(crate) struct Staged {
    segment: u64,
    /// Where in the file the next record goes.
    at: u64,
    seq: u32,
    own: Vec<u8>,
    /// From where on `own` is not in a slice yet.
    own_from: usize,
    slices: Vec<Slice>,
    leaves: Vec<Hash>,
    added: Vec<(StreamKey, Added)>,
    first_params: u32,
    params: Vec<Arc<ParameterSets>>,
    params_ids: HashMap<Arc<ParameterSets>, u32>,
}

/// What became part of a segment.
#[derive(Debug)]
pub(crate) struct Committed {
    pub(crate) added: Vec<(StreamKey, Added)>,
    pub(crate) params: Vec<Arc<ParameterSets>>,
}

impl Staged {
    /// An empty batch for the end, at `at`, of the segment that `builder` describes.
    pub(crate) fn new(builder: &SegmentBuilder, segment: u64, at: u64) -> Self {
        Self {
            segment,
            at,
            seq: builder.next_seq(),
            own: Vec::new(),
            own_from: 0,
            slices: Vec::new(),
            leaves: Vec::new(),
            added: Vec::new(),
            first_params: builder.params.next_id(),
            params: Vec::new(),
            params_ids: HashMap::new(),
        }
    }

    /// Adds one record, and the parameter sets it needs if the segment does not have them.
    pub(crate) fn push(&mut self, builder: &SegmentBuilder, key: StreamKey, work: &Work) {
        match work {
            Work::Gop(piece) => {
                let params = self.params(builder, key, &piece.gop);
                self.gop(key, piece, params);
            }
            Work::Gap(gap) => self.gap(key, gap),
        }
    }

    fn params(&mut self, builder: &SegmentBuilder, key: StreamKey, gop: &Gop) -> u32 {
        let params = &gop.start.params;
        if let Some(id) = builder.params.id(params).or_else(|| self.params_ids.get(params).copied()) {
            return id;
        }
        let id = self.first_params + u32::try_from(self.params.len()).unwrap_or(u32::MAX);
        let mut payload = Vec::new();
        encode_params(params, &mut payload);
        let header = RecordHeader { params: id, ..RecordHeader::new(Kind::Params, key, gop.start.at) };
        self.record(header, &payload, &[]);
        self.params.push(Arc::clone(params));
        self.params_ids.insert(Arc::clone(params), id);
        id
    }

    fn gop(&mut self, key: StreamKey, piece: &Piece, params: u32) {
        let gop = &piece.gop;
        let units = kept(gop);
        let media: Vec<Bytes> = units.iter().map(|unit| unit.data.clone()).collect();
        let media_bytes: usize = media.iter().map(Bytes::len).sum();
        let mut table = Vec::with_capacity(units.len() * 8);
        encode_unit_table(&units, &mut table);
        let header = RecordHeader {
            run: gop.start.run,
            number: gop.start.number,
            part: gop.start.part,
            policy: gop.start.policy,
            joined: piece.joined,
            duration_90k: gop.duration_90k,
            media_90k: gop.start.media_90k,
            camera_clock: gop.start.camera_clock,
            params,
            units: u32::try_from(units.len()).unwrap_or(u32::MAX),
            media_bytes: u32::try_from(media_bytes).unwrap_or(u32::MAX),
            ..RecordHeader::new(Kind::Gop, key, gop.start.at)
        };
        let offset = self.at;
        let header = self.record(header, &table, &media);
        debug_assert_eq!(
            gop_record_bytes(header.units, u64::from(header.media_bytes)),
            u64::from(header.total_bytes)
        );
        self.added.push((key, Added::Gop(Entry::from_header(&header, offset))));
    }

    fn gap(&mut self, key: StreamKey, gap: &Gap) {
        let mut payload = Vec::new();
        encode_gap(gap, &mut payload);
        self.record(RecordHeader::new(Kind::Gap, key, gap.from), &payload, &[]);
        self.added.push((key, Added::Gap(*gap)));
    }

    fn record(&mut self, mut header: RecordHeader, table: &[u8], media: &[Bytes]) -> RecordHeader {
        let mut crc = crc32c::crc32c(table);
        let mut total = RECORD_HEADER_BYTES + table.len() as u64;
        for bytes in media {
            crc = crc32c::crc32c_append(crc, bytes);
            total += bytes.len() as u64;
        }
        header.segment = self.segment;
        header.seq = self.seq;
        header.payload_crc = crc;
        header.total_bytes = u32::try_from(total).unwrap_or(u32::MAX);
        let from = self.own.len();
        header.encode(&mut self.own);
        self.own.extend_from_slice(table);
        let mut leaf = LeafHasher::new();
        leaf.update(self.own.get(from..).unwrap_or_default());
        if !media.is_empty() {
            self.cut_own();
        }
        for bytes in media {
            leaf.update(bytes);
            self.slices.push(Slice::Media(bytes.clone()));
        }
        let padding = usize::try_from(align(total) - total).unwrap_or(0);
        self.own.resize(self.own.len() + padding, 0);
        self.leaves.push(leaf.finish());
        self.seq += 1;
        self.at += align(total);
        header
    }

    fn cut_own(&mut self) {
        if self.own_from < self.own.len() {
            self.slices.push(Slice::Own(self.own_from..self.own.len()));
            self.own_from = self.own.len();
        }
    }

    /// Where the segment ends once this is written.
    pub(crate) fn end(&self) -> u64 {
        self.at
    }

    /// Everything to write, in order.
    pub(crate) fn slices(&mut self) -> Vec<IoSlice<'_>> {
        self.cut_own();
        self.slices
            .iter()
            .map(|slice| match slice {
                Slice::Own(range) => IoSlice::new(self.own.get(range.clone()).unwrap_or_default()),
                Slice::Media(bytes) => IoSlice::new(bytes),
            })
            .collect()
    }

    /// The records are written: they are part of the segment now.
    pub(crate) fn commit(self, builder: &mut SegmentBuilder) -> Committed {
        for leaf in self.leaves {
            builder.record(leaf);
        }
        for params in &self.params {
            builder.params.push(Arc::clone(params));
        }
        for (key, added) in &self.added {
            builder.add(*key, added);
        }
        Committed { added: self.added, params: self.params }
    }
}
