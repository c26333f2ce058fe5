//! Putting sealed segments in.

use std::collections::BTreeMap;

use sightline_model::{
    Timestamp,
    media::{StreamKey, StreamKind},
};
use sqlx::{QueryBuilder, Row as _};

use super::{
    NodeNo, Part, Sealed, StreamNo,
    keys::{RowKey, encode},
    remove::remove_in,
};
use crate::{
    Error, Records,
    db::{Engine, Write},
};

/// Rows in one statement: SQLite takes 32,766 values.
const ROWS_A_STATEMENT: usize = 500;

/// How the kind of a stream is stored.
pub(super) fn kind_code(kind: StreamKind) -> i64 {
    match kind {
        StreamKind::Main => 1,
        StreamKind::Sub => 2,
    }
}

impl Records {
    /// The number of the node `name`; it gets one when it has none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn footage_node(&self, name: &str) -> Result<NodeNo, Error> {
        let mut write = self.write().await?;
        sqlx::query("INSERT INTO footage_nodes (name) VALUES ($1) ON CONFLICT (name) DO NOTHING")
            .bind(name)
            .execute(&mut *write)
            .await?;
        let row = sqlx::query("SELECT no FROM footage_nodes WHERE name = $1")
            .bind(name)
            .fetch_one(&mut *write)
            .await?;
        write.commit().await?;
        Ok(NodeNo(row.try_get(0)?))
    }

    /// Puts `sealed` into the catalogue, all or nothing. A segment that is there with the same contents stays as it is; one
    /// that is there with other contents is replaced. Returns the numbers of the streams in what is new.
    ///
    /// # Errors
    /// When the database fails; nothing of it is kept then.
    pub async fn insert_footage(
        &self,
        node: NodeNo,
        sealed: &[Sealed],
    ) -> Result<BTreeMap<StreamKey, StreamNo>, Error> {
        let mut wanted: BTreeMap<u64, &Sealed> = sealed.iter().map(|one| (one.segment.id, one)).collect();
        let mut write = self.write().await?;
        let changed = keep_new(&mut write, node, &mut wanted).await?;
        if !changed.is_empty() {
            remove_in(&mut write, node, &changed).await?;
        }
        let new: Vec<&Sealed> = wanted.into_values().collect();
        let mut numbers = BTreeMap::new();
        if !new.is_empty() {
            numbers = upsert_streams(&mut write, node, &new).await?;
            let segments = insert_segments(&mut write, node, &new).await?;
            insert_parts(&mut write, &new, &numbers, &segments).await?;
        }
        write.commit().await?;
        Ok(numbers)
    }
}

/// Drops from `wanted` what is there as it is; returns what is there and different.
async fn keep_new(
    write: &mut Write,
    node: NodeNo,
    wanted: &mut BTreeMap<u64, &Sealed>,
) -> Result<Vec<u64>, Error> {
    let ids: Vec<u64> = wanted.keys().copied().collect();
    let mut changed = Vec::new();
    for ids in ids.chunks(ROWS_A_STATEMENT) {
        let mut query: QueryBuilder<Engine> = QueryBuilder::new(
            "SELECT id, disk, bytes, sealed_at, merkle_root FROM footage_segments WHERE node = ",
        );
        query.push_bind(node.0).push(" AND id IN (");
        let mut list = query.separated(", ");
        for id in ids {
            list.push_bind(id.cast_signed());
        }
        query.push(")");
        for row in query.build().persistent(false).fetch_all(&mut **write).await? {
            let id = row.try_get::<i64, _>(0)?.cast_unsigned();
            let Some(Sealed { segment, .. }) = wanted.get(&id) else { continue };
            let same = row.try_get::<i64, _>(1)? == i64::from(segment.disk)
                && row.try_get::<i64, _>(2)?.cast_unsigned() == segment.bytes
                && row.try_get::<i64, _>(3)? == segment.sealed_at.0
                && row.try_get::<Vec<u8>, _>(4)? == segment.merkle_root;
            if same {
                wanted.remove(&id);
            } else {
                changed.push(id);
            }
        }
    }
    Ok(changed)
}

/// What some new rows add to the sums of their stream.
#[derive(Default)]
struct Added {
    parts: i64,
    far: i64,
    gops: i64,
    gaps: i64,
    bytes: i64,
    until: Option<i64>,
    longest: i64,
    last_gop: Option<(u64, i64)>,
    known: Option<(u64, i64)>,
}

impl Added {
    fn add(&mut self, segment: u64, part: &Part) {
        let part = part.clamped();
        let (from, to) = part.hull();
        self.parts += 1;
        self.far += i64::from(part.is_far());
        self.gops += i64::from(part.gops);
        self.gaps += i64::from(part.gaps);
        self.bytes = self.bytes.saturating_add(part.bytes.cast_signed());
        self.until = self.until.max(Some(to.0));
        if !part.is_far() {
            self.longest = self.longest.max(to.0 - from.0);
        }
        let ends = |at: Option<Timestamp>| at.map(|at| (segment, at.0));
        self.last_gop = self.last_gop.max(ends(part.last_gop_end));
        self.known = self.known.max(ends(part.known_until));
    }
}

/// Adds to the sums of every stream; returns the streams' numbers.
async fn upsert_streams(
    write: &mut Write,
    node: NodeNo,
    new: &[&Sealed],
) -> Result<BTreeMap<StreamKey, StreamNo>, Error> {
    let mut sums: BTreeMap<StreamKey, Added> = BTreeMap::new();
    for (segment, (key, part)) in
        new.iter().flat_map(|one| one.parts.iter().map(|part| (one.segment.id, part)))
    {
        sums.entry(*key).or_default().add(segment, part);
    }
    let sums: Vec<(StreamKey, Added)> = sums.into_iter().collect();
    let mut numbers = BTreeMap::new();
    for sums in sums.chunks(ROWS_A_STATEMENT) {
        let mut query: QueryBuilder<Engine> = QueryBuilder::new(
            "INSERT INTO footage_streams (node, camera, kind, parts, far, gops, gaps, bytes, until, longest, \
             gop_segment, last_gop_end, known_segment, known_until) ",
        );
        query.push_values(sums, |mut row, (key, sum)| {
            row.push_bind(node.0).push_bind(key.camera.as_str()).push_bind(kind_code(key.stream));
            row.push_bind(sum.parts).push_bind(sum.far).push_bind(sum.gops).push_bind(sum.gaps);
            row.push_bind(sum.bytes).push_bind(sum.until.unwrap_or_default()).push_bind(sum.longest);
            for (segment, at) in [sum.last_gop.unzip(), sum.known.unzip()] {
                row.push_bind(segment.map(u64::cast_signed)).push_bind(at);
            }
        });
        query.push(MERGE_SUMS);
        let rows = query.build().persistent(false).fetch_all(&mut **write).await?;
        if rows.len() != sums.len() {
            return Err(Error::invalid("footage", "catalogue", "not every stream was given a number"));
        }
        let camera = |row: &crate::db::Row| -> Result<_, Error> {
            Ok(((row.try_get::<String, _>(1)?, row.try_get::<i64, _>(2)?), row.try_get::<i64, _>(0)?))
        };
        let found = rows.iter().map(camera).collect::<Result<BTreeMap<_, _>, _>>()?;
        for (key, _) in sums {
            if let Some(no) = found.get(&(key.camera.as_str().to_owned(), kind_code(key.stream))) {
                numbers.insert(*key, StreamNo(*no));
            }
        }
    }
    Ok(numbers)
}

/// Adds what is new to the sums that are there. A later segment's end overrides an earlier one's.
const MERGE_SUMS: &str = " ON CONFLICT (node, camera, kind) DO UPDATE SET \
    parts = footage_streams.parts + excluded.parts, \
    far = footage_streams.far + excluded.far, \
    gops = footage_streams.gops + excluded.gops, \
    gaps = footage_streams.gaps + excluded.gaps, \
    bytes = footage_streams.bytes + excluded.bytes, \
    until = CASE WHEN excluded.until > footage_streams.until OR footage_streams.parts = 0 \
        THEN excluded.until ELSE footage_streams.until END, \
    longest = CASE WHEN excluded.longest > footage_streams.longest OR footage_streams.parts = 0 \
        THEN excluded.longest ELSE footage_streams.longest END, \
    last_gop_end = CASE WHEN excluded.gop_segment >= COALESCE(footage_streams.gop_segment, 0) \
        THEN excluded.last_gop_end ELSE footage_streams.last_gop_end END, \
    gop_segment = CASE WHEN excluded.gop_segment >= COALESCE(footage_streams.gop_segment, 0) \
        THEN excluded.gop_segment ELSE footage_streams.gop_segment END, \
    known_until = CASE WHEN excluded.known_segment >= COALESCE(footage_streams.known_segment, 0) \
        THEN excluded.known_until ELSE footage_streams.known_until END, \
    known_segment = CASE WHEN excluded.known_segment >= COALESCE(footage_streams.known_segment, 0) \
        THEN excluded.known_segment ELSE footage_streams.known_segment END \
    RETURNING no, camera, kind";

/// Inserts the segments; returns their numbers.
async fn insert_segments(
    write: &mut Write,
    node: NodeNo,
    new: &[&Sealed],
) -> Result<BTreeMap<u64, i64>, Error> {
    let mut numbers = BTreeMap::new();
    for new in new.chunks(ROWS_A_STATEMENT) {
        let mut query: QueryBuilder<Engine> = QueryBuilder::new(
            "INSERT INTO footage_segments (node, id, disk, class, lane, place, bytes, records_end, gops, gaps, \
             streams, created, sealed_at, first, last, merkle_root) ",
        );
        query.push_values(new, |mut row, Sealed { segment, .. }| {
            row.push_bind(node.0).push_bind(segment.id.cast_signed()).push_bind(i64::from(segment.disk));
            row.push_bind(i64::from(segment.class)).push_bind(i64::from(segment.lane));
            row.push_bind(segment.place.code()).push_bind(segment.bytes.cast_signed());
            row.push_bind(segment.records_end.cast_signed()).push_bind(segment.gops.cast_signed());
            row.push_bind(segment.gaps.cast_signed()).push_bind(segment.streams.cast_signed());
            row.push_bind(segment.created.0).push_bind(segment.sealed_at.0);
            let (first, last) = segment.footage.map(|hull| (hull.0.0, hull.1.0)).unzip();
            row.push_bind(first).push_bind(last).push_bind(segment.merkle_root.to_vec());
        });
        query.push(" RETURNING id, no");
        for row in query.build().persistent(false).fetch_all(&mut **write).await? {
            numbers.insert(row.try_get::<i64, _>(0)?.cast_unsigned(), row.try_get(1)?);
        }
    }
    Ok(numbers)
}

async fn insert_parts(
    write: &mut Write,
    new: &[&Sealed],
    streams: &BTreeMap<StreamKey, StreamNo>,
    segments: &BTreeMap<u64, i64>,
) -> Result<(), Error> {
    let mut lists = Vec::with_capacity(new.len());
    let mut rows = Vec::new();
    for one in new {
        let segment = segments.get(&one.segment.id).copied().unwrap_or_default();
        let mut keys = Vec::with_capacity(one.parts.len());
        for (key, part) in &one.parts {
            let part = part.clamped();
            let stream = streams.get(key).map_or(0, |no| no.0);
            let key = RowKey { stream, far: part.is_far(), start: part.hull().0.0 };
            keys.push(key);
            rows.push(NewRow { key, segment, records_end: one.segment.records_end, part });
        }
        lists.push((segment, encode(&mut keys)));
    }
    for lists in lists.chunks(ROWS_A_STATEMENT) {
        let mut query: QueryBuilder<Engine> = QueryBuilder::new("INSERT INTO footage_keys (segment, keys) ");
        query.push_values(lists, |mut row, (segment, keys)| {
            row.push_bind(*segment).push_bind(keys.as_slice());
        });
        query.build().persistent(false).execute(&mut **write).await?;
    }
    // In the order of the tree: neighbours lie on the same pages.
    rows.sort_unstable_by_key(|row| (row.key, row.segment));
    insert_rows(write, &rows).await
}

/// A row of `footage_parts` to be.
struct NewRow {
    key: RowKey,
    segment: i64,
    records_end: u64,
    part: Part,
}

async fn insert_rows(write: &mut Write, rows: &[NewRow]) -> Result<(), Error> {
    for rows in rows.chunks(ROWS_A_STATEMENT) {
        let mut query: QueryBuilder<Engine> = QueryBuilder::new(
            "INSERT INTO footage_parts (stream, far, start, segment, length, lead, trail, gap_lead, gap_length, \
             gop_early, known_early, gops, gaps, bytes, block_at, block_bytes, block_crc) ",
        );
        query.push_values(rows, |mut row, NewRow { key, segment, records_end, part }| {
            let (from, to) = part.hull();
            row.push_bind(key.stream).push_bind(i64::from(key.far)).push_bind(key.start).push_bind(*segment);
            row.push_bind(to.0 - from.0);
            row.push_bind(part.footage.map(|footage| footage.0.0 - from.0));
            row.push_bind(part.footage.map(|footage| to.0 - footage.1.0));
            row.push_bind(part.missing.map(|missing| missing.0.0 - from.0));
            row.push_bind(part.missing.map(|missing| missing.1.0 - missing.0.0));
            row.push_bind(part.last_gop_end.map(|end| to.0 - end.0));
            row.push_bind(part.known_until.map(|end| to.0 - end.0));
            row.push_bind(i64::from(part.gops)).push_bind(i64::from(part.gaps));
            row.push_bind(part.bytes.cast_signed());
            row.push_bind(part.block_offset.wrapping_sub(*records_end).cast_signed());
            row.push_bind(i64::from(part.block_bytes)).push_bind(part.block_crc.cast_signed());
        });
        query.build().persistent(false).execute(&mut **write).await?;
    }
    Ok(())
}
