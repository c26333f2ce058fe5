//! Makes the records of a batch, all but their headers: copies media into aligned memory, encrypts, checks and hashes.
//! Nothing here knows the place a record will have, so it can run ahead of the disk.

use std::sync::Arc;

use sightline_model::{
    gap::Gap,
    media::{Gop, ParameterSets, StreamKey},
};

use super::{Job, LaneKey, buffer::Buffer};
use crate::{
    crypt::{CameraHour, KeyError, KeyProvider, new_nonce, seal_in_place},
    format::{
        ALIGN,
        merkle::{Hash, payload_hash},
        payload::{encode_gap, encode_unit_table, gop_record_bytes, kept},
        record::{Kind, RECORD_HEADER_BYTES, RecordHeader},
    },
    tail::chunk::{Piece, Work},
};

const HEADER: usize = RECORD_HEADER_BYTES as usize;

/// A record whose payload stands in the batch's buffer, with room for the header in front.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) job: Job,
    /// Where in the buffer the room for its header begins.
    pub(crate) at: usize,
    /// Complete but for the place: segment, number, parameter sets, piece before.
    pub(crate) header: RecordHeader,
    pub(crate) payload_hash: Hash,
    /// The parameter sets that it needs in its segment.
    pub(crate) params: Option<Arc<ParameterSets>>,
}

/// Records of one lane that will be written at once.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) lane: LaneKey,
    pub(crate) records: Vec<Prepared>,
    pub(crate) buffer: Buffer,
}

impl Batch {
    pub(crate) fn gops(&self) -> u64 {
        self.records.iter().filter(|record| record.job.is_gop()).count() as u64
    }

    pub(crate) fn into_jobs(self) -> impl Iterator<Item = Job> {
        self.records.into_iter().map(|record| record.job)
    }
}

/// Jobs that could not be prepared, and why.
#[derive(Debug)]
pub(crate) struct Unprepared {
    pub(crate) jobs: Vec<Job>,
    pub(crate) error: KeyError,
}

/// Makes one batch of `jobs` in `buffer`. After an error the jobs are as they were.
pub(crate) fn prepare(
    lane: LaneKey,
    jobs: Vec<Job>,
    mut buffer: Buffer,
    keys: Option<&dyn KeyProvider>,
) -> Result<Batch, Unprepared> {
    buffer.reset(jobs.iter().map(Job::record_bytes).sum());
    let mut records: Vec<Prepared> = Vec::with_capacity(jobs.len());
    let mut jobs = jobs.into_iter();
    while let Some(job) = jobs.next() {
        match record(&job, &mut buffer, keys) {
            Ok((at, header, payload_hash, params)) => {
                records.push(Prepared { job, at, header, payload_hash, params });
            }
            Err(error) => {
                let done = records.into_iter().map(|record| record.job);
                let jobs = done.chain([job]).chain(jobs).collect();
                return Err(Unprepared { jobs, error });
            }
        }
    }
    Ok(Batch { lane, records, buffer })
}

type Made = (usize, RecordHeader, Hash, Option<Arc<ParameterSets>>);

fn record(job: &Job, buffer: &mut Buffer, keys: Option<&dyn KeyProvider>) -> Result<Made, KeyError> {
    let at = buffer.len();
    let out = buffer.out();
    out.resize(out.len() + HEADER, 0);
    let key = job.tail.key;
    let (mut header, params) = match &job.work {
        Work::Gop(piece) => (gop(key, piece, out), Some(Arc::clone(&piece.gop.start.params))),
        Work::Gap(gap) => (gap_header(key, gap, out), None),
    };
    if let (Some(keys), Kind::Gop) = (keys, header.kind) {
        encrypt(&mut header, buffer, at + HEADER, keys)?;
    }
    let payload = buffer.behind(at + HEADER);
    header.payload_crc = crate::format::crc::crc32c(payload);
    header.total_bytes = u32::try_from(HEADER + payload.len()).unwrap_or(u32::MAX);
    let hash = payload_hash(payload);
    buffer.pad(ALIGN as usize);
    Ok((at, header, hash, params))
}

fn gop(key: StreamKey, piece: &Piece, out: &mut Vec<u8>) -> RecordHeader {
    let gop: &Gop = &piece.gop;
    let units = kept(gop);
    encode_unit_table(&units, out);
    units.iter().for_each(|unit| out.extend_from_slice(&unit.data));
    let media_bytes: usize = units.iter().map(|unit| unit.data.len()).sum();
    RecordHeader {
        run: gop.start.run,
        number: gop.start.number,
        part: gop.start.part,
        policy: gop.start.policy,
        joined: piece.joined,
        duration_90k: gop.duration_90k,
        media_90k: gop.start.media_90k,
        camera_clock: gop.start.camera_clock,
        units: u32::try_from(units.len()).unwrap_or(u32::MAX),
        media_bytes: u32::try_from(media_bytes).unwrap_or(u32::MAX),
        ..RecordHeader::new(Kind::Gop, key, gop.start.at)
    }
}

fn gap_header(key: StreamKey, gap: &Gap, out: &mut Vec<u8>) -> RecordHeader {
    encode_gap(gap, out);
    RecordHeader::new(Kind::Gap, key, gap.from)
}

fn encrypt(
    header: &mut RecordHeader,
    buffer: &mut Buffer,
    payload_at: usize,
    keys: &dyn KeyProvider,
) -> Result<(), KeyError> {
    let (key_id, key) = keys.current(CameraHour::of(header.key.camera, header.start))?;
    (header.key_id, header.nonce) = (key_id, new_nonce()?);
    let tag = seal_in_place(&key, header.nonce, &header.aad(), buffer.behind_mut(payload_at))?;
    buffer.out().extend_from_slice(&tag);
    Ok(())
}

impl Job {
    /// What its record will take, padding included.
    fn record_bytes(&self) -> usize {
        let bytes = match &self.work {
            Work::Gop(piece) => {
                let units = kept(&piece.gop);
                let media: u64 = units.iter().map(|unit| unit.data.len() as u64).sum();
                gop_record_bytes(u32::try_from(units.len()).unwrap_or(u32::MAX), media, true)
            }
            Work::Gap(_) => RECORD_HEADER_BYTES + ALIGN * 2,
        };
        usize::try_from(bytes.next_multiple_of(ALIGN)).unwrap_or(usize::MAX)
    }
}
