//! Lists and sums: segments, streams, classes.
//!
//! They go over whole tables and are asked for seldom, so each is on a connection that is closed again: its cache of pages is
//! given back.

use sightline_model::{
    CameraId, Timestamp,
    media::{StreamKey, StreamKind},
};
use sqlx::{QueryBuilder, Row as _};

use super::{ClassTotal, NodeNo, Place, Segment, Stream, StreamNo};
use crate::{
    Error, Records,
    db::{Engine, Row},
    row::Cells,
};

/// Rows in one statement.
const ROWS_A_STATEMENT: usize = 500;

/// A segment as far as opening a store needs it: to compare with the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Its number on its node.
    pub id: u64,
    /// Which of the node's disks it lies on.
    pub disk: u8,
    /// Where it can be read.
    pub place: Place,
    /// Size of the file.
    pub bytes: u64,
}

impl Records {
    /// Segments of a node in the order of their ids, those behind `after`, at most `limit`.
    ///
    /// # Errors
    /// When the database fails or is damaged.
    pub async fn footage_segments(
        &self,
        node: NodeNo,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Segment>, Error> {
        let rows = sqlx::query(
            "SELECT id, disk, class, lane, place, bytes, records_end, gops, gaps, streams, created, sealed_at, first, \
             last, merkle_root FROM footage_segments WHERE node = $1 AND id > $2 ORDER BY id LIMIT $3",
        )
        .bind(node.0)
        .bind(after.map_or(-1, u64::cast_signed))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&mut self.footage_connection().await?)
        .await?;
        rows.iter().map(read_segment).collect()
    }

    /// Ids and sizes of all segments of a node, in the order of ids.
    ///
    /// # Errors
    /// When the database fails or is damaged.
    pub async fn known_footage(&self, node: NodeNo) -> Result<Vec<Known>, Error> {
        // A row through the driver costs more than the row itself: a thousand of them come as one text.
        let rows = sqlx::query(
            "SELECT group_concat(id || ' ' || disk || ' ' || place || ' ' || bytes, ' ') FROM \
             (SELECT id, disk, place, bytes, row_number() OVER (ORDER BY id) / 1000 AS lot FROM footage_segments \
              WHERE node = $1) GROUP BY lot ORDER BY lot",
        )
        .bind(node.0)
        .fetch_all(&mut self.footage_connection().await?)
        .await?;
        let mut known = Vec::new();
        for row in rows {
            let text: String = row.try_get(0)?;
            let mut numbers = text.split_ascii_whitespace();
            while let Some(id) = numbers.next() {
                let one = read_known(id, &mut numbers).ok_or_else(|| Error::Damaged {
                    what: "footage",
                    column: "id, disk, place, bytes",
                    value: id.to_owned(),
                    why: "a number is out of range; run `sightline footage check --rebuild`".to_owned(),
                })?;
                known.push(one);
            }
        }
        Ok(known)
    }

    /// Every stream of a node that has rows, with the sums over them.
    ///
    /// # Errors
    /// When the database fails or is damaged.
    pub async fn footage_streams(&self, node: NodeNo) -> Result<Vec<Stream>, Error> {
        let sql = format!(
            "SELECT t.*, {}, {} FROM footage_streams t WHERE t.node = $1 AND t.parts > 0 ORDER BY t.camera, t.kind",
            first_footage(0),
            first_footage(1)
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(node.0)
            .fetch_all(&mut self.footage_connection().await?)
            .await?;
        rows.iter().map(read_stream).collect()
    }

    /// The sums over each retention class of a node.
    ///
    /// # Errors
    /// When the database fails or is damaged.
    pub async fn footage_classes(&self, node: NodeNo) -> Result<Vec<ClassTotal>, Error> {
        let rows = sqlx::query(
            "SELECT class, COUNT(*) AS segments, SUM(bytes) AS bytes, SUM(gops) AS gops, \
             SUM(CASE WHEN place = 2 THEN 0 ELSE bytes END) AS local_bytes \
             FROM footage_segments WHERE node = $1 GROUP BY class ORDER BY class",
        )
        .bind(node.0)
        .fetch_all(&mut self.footage_connection().await?)
        .await?;
        rows.iter()
            .map(|row| {
                let cells = Cells::new(row, "footage");
                Ok(ClassTotal {
                    class: cells.number("class")?,
                    segments: cells.number("segments")?,
                    bytes: cells.number("bytes")?,
                    local_bytes: cells.number("local_bytes")?,
                    gops: cells.number("gops")?,
                })
            })
            .collect()
    }

    /// Notes where segments can be read from now on. Those that are not there are passed over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_footage_place(&self, node: NodeNo, ids: &[u64], place: Place) -> Result<(), Error> {
        let mut write = self.write().await?;
        for ids in ids.chunks(ROWS_A_STATEMENT) {
            let mut query: QueryBuilder<Engine> = QueryBuilder::new("UPDATE footage_segments SET place = ");
            query.push_bind(place.code()).push(" WHERE node = ").push_bind(node.0).push(" AND id IN (");
            let mut list = query.separated(", ");
            for id in ids {
                list.push_bind(id.cast_signed());
            }
            query.push(")");
            query.build().persistent(false).execute(&mut *write).await?;
        }
        Ok(write.commit().await?)
    }
}

/// The earliest start of footage among a stream's near or far rows: no row that starts after the footage of the first one
/// can hold an earlier one.
fn first_footage(far: u8) -> String {
    format!(
        "(SELECT MIN(p.start + p.lead) FROM footage_parts p WHERE p.stream = t.no AND p.far = {far} \
         AND p.lead IS NOT NULL AND p.start <= (SELECT q.start + q.lead FROM footage_parts q \
         WHERE q.stream = t.no AND q.far = {far} AND q.lead IS NOT NULL ORDER BY q.start LIMIT 1)) AS first_{far}"
    )
}

fn read_known<'t>(id: &str, rest: &mut impl Iterator<Item = &'t str>) -> Option<Known> {
    Some(Known {
        id: id.parse().ok()?,
        disk: rest.next()?.parse().ok()?,
        place: Place::from_code(rest.next()?.parse().ok()?)?,
        bytes: rest.next()?.parse().ok()?,
    })
}

fn read_segment(row: &Row) -> Result<Segment, Error> {
    let cells = Cells::new(row, "footage");
    let place = cells.int("place")?;
    let root: Vec<u8> = row.try_get("merkle_root")?;
    Ok(Segment {
        id: cells.number("id")?,
        disk: cells.number("disk")?,
        class: cells.number("class")?,
        lane: cells.number("lane")?,
        place: Place::from_code(place).ok_or_else(|| cells.damaged("place", place, "no such place"))?,
        bytes: cells.number("bytes")?,
        records_end: cells.number("records_end")?,
        gops: cells.number("gops")?,
        gaps: cells.number("gaps")?,
        streams: cells.number("streams")?,
        created: cells.at("created")?,
        sealed_at: cells.at("sealed_at")?,
        footage: cells.at_opt("first")?.zip(cells.at_opt("last")?),
        merkle_root: root
            .try_into()
            .map_err(|root: Vec<u8>| cells.damaged("merkle_root", root.len(), "not 32 bytes"))?,
    })
}

fn read_stream(row: &Row) -> Result<Stream, Error> {
    let cells = Cells::new(row, "footage");
    let camera: CameraId = cells.parsed("camera")?;
    let stream = match cells.int("kind")? {
        1 => StreamKind::Main,
        2 => StreamKind::Sub,
        other => return Err(cells.damaged("kind", other, "no such stream")),
    };
    let firsts: [Option<Timestamp>; 2] = [cells.at_opt("first_0")?, cells.at_opt("first_1")?];
    Ok(Stream {
        no: StreamNo(cells.int("no")?),
        key: StreamKey { camera, stream },
        parts: cells.number("parts")?,
        far: cells.number("far")?,
        gops: cells.number("gops")?,
        gaps: cells.number("gaps")?,
        bytes: cells.number("bytes")?,
        until: cells.at("until")?,
        longest_us: cells.int("longest")?,
        first: firsts.into_iter().flatten().min(),
        last_gop_end: cells.at_opt("last_gop_end")?,
        known_until: cells.at_opt("known_until")?,
    })
}
