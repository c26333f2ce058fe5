//! Finding a stream's rows by time, quickly: on connections of their own, with prepared statements.

use sightline_model::Timestamp;
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqliteConnection};

use super::{Hull, Part, Place, StreamNo};
use crate::{Error, Records, db::Row};

/// A stream's part of a segment, and where that segment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartPlace {
    /// The segment's number on its node.
    pub segment: u64,
    /// Which of the node's disks it lies on.
    pub disk: u8,
    /// Where it can be read.
    pub place: Place,
    /// Start of footage and gaps: what parts are ordered by.
    pub start: Timestamp,
    /// Orders parts that start at the same time.
    pub order: i64,
    /// The part.
    pub part: Part,
}

macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT s.id, s.disk, s.place, s.records_end, p.start, p.segment, p.length, p.lead, p.trail, p.gap_lead, \
             p.gap_length, p.gop_early, p.known_early, p.gops, p.gaps, p.bytes, p.block_at, p.block_bytes, \
             p.block_crc FROM footage_parts p JOIN footage_segments s ON s.no = p.segment WHERE p.stream = $1 AND ",
            $condition
        )
    };
}

/// A connection for looking rows up. It waits for nobody else's questions.
#[derive(Debug)]
pub struct Reader {
    connection: SqliteConnection,
}

impl Records {
    /// A connection for looking footage up. Keep it: opening one takes far longer than a look-up.
    ///
    /// # Errors
    /// When the database cannot be opened.
    pub async fn footage_reader(&self) -> Result<Reader, Error> {
        Ok(Reader { connection: self.footage_connection().await? })
    }

    /// A connection of its own, for reading.
    pub(super) async fn footage_connection(&self) -> Result<SqliteConnection, Error> {
        let options = self.readers().connect_options();
        Ok(options.as_ref().clone().disable_statement_logging().connect().await?)
    }
}

impl Reader {
    /// Near parts of a stream whose hull starts from `from` on and before `to`, in the order of start and segment, those
    /// behind `after`, at most `limit`.
    ///
    /// # Errors
    /// When the database fails or is damaged.
    pub async fn near(
        &mut self,
        stream: StreamNo,
        (from, to): Hull,
        after: Option<&PartPlace>,
        limit: usize,
    ) -> Result<Vec<PartPlace>, Error> {
        let (start, segment) = after.map_or((from.0, -1), |part| (part.start.0, part.order));
        let query = sqlx::query(select!(
            "p.far = 0 AND p.start >= $2 AND (p.start, p.segment) > ($2, $3) AND p.start < $4 \
             ORDER BY p.start, p.segment LIMIT $5"
        ));
        let query = query.bind(stream.0).bind(start).bind(segment).bind(to.0);
        let query = query.bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = query.fetch_all(&mut self.connection).await?;
        rows.iter().map(read_part).collect()
    }

    /// The last near parts of a stream whose hull starts at or before `at`, the last one first, at most `limit`.
    ///
    /// # Errors
    /// When the database fails or is damaged.
    pub async fn before(
        &mut self,
        stream: StreamNo,
        at: Timestamp,
        limit: usize,
    ) -> Result<Vec<PartPlace>, Error> {
        let query = sqlx::query(select!(
            "p.far = 0 AND p.start <= $2 ORDER BY p.start DESC, p.segment DESC LIMIT $3"
        ));
        let query = query.bind(stream.0).bind(at.0).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = query.fetch_all(&mut self.connection).await?;
        rows.iter().map(read_part).collect()
    }

    /// The first near parts of a stream whose hull starts after `at`, at most `limit`.
    ///
    /// # Errors
    /// When the database fails or is damaged.
    pub async fn after(
        &mut self,
        stream: StreamNo,
        at: Timestamp,
        limit: usize,
    ) -> Result<Vec<PartPlace>, Error> {
        let query = sqlx::query(select!("p.far = 0 AND p.start > $2 ORDER BY p.start, p.segment LIMIT $3"));
        let query = query.bind(stream.0).bind(at.0).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = query.fetch_all(&mut self.connection).await?;
        rows.iter().map(read_part).collect()
    }

    /// All far parts of a stream.
    ///
    /// # Errors
    /// When the database fails or is damaged.
    pub async fn far(&mut self, stream: StreamNo) -> Result<Vec<PartPlace>, Error> {
        let query = sqlx::query(select!("p.far = 1 ORDER BY p.start, p.segment"));
        let rows = query.bind(stream.0).fetch_all(&mut self.connection).await?;
        rows.iter().map(read_part).collect()
    }

    /// Closes the connection.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn close(self) -> Result<(), Error> {
        Ok(self.connection.close().await?)
    }
}

fn read_part(row: &Row) -> Result<PartPlace, Error> {
    let int = |column: usize| -> Result<i64, Error> { Ok(row.try_get_unchecked(column)?) };
    let opt = |column: usize| -> Result<Option<i64>, Error> { Ok(row.try_get_unchecked(column)?) };
    let damaged = |column: &'static str, value: i64| Error::Damaged {
        what: "footage",
        column,
        value: value.to_string(),
        why: "out of range; run `sightline footage check --rebuild`".to_owned(),
    };
    let (start, length) = (int(4)?, int(6)?);
    let end = start.saturating_add(length);
    let footage =
        opt(7)?.zip(opt(8)?).map(|(lead, trail)| (start.saturating_add(lead), end.saturating_sub(trail)));
    let missing = opt(9)?.zip(opt(10)?).map(|(lead, length)| {
        let from = start.saturating_add(lead);
        (from, from.saturating_add(length))
    });
    let hull = |hull: (i64, i64)| (Timestamp(hull.0), Timestamp(hull.1));
    let early = |early: Option<i64>| early.map(|early| Timestamp(end.saturating_sub(early)));
    let part = Part {
        gops: u32::try_from(int(13)?).map_err(|_| damaged("gops", length))?,
        gaps: u32::try_from(int(14)?).map_err(|_| damaged("gaps", length))?,
        bytes: int(15)?.cast_unsigned(),
        footage: footage.map(hull),
        missing: missing.map(hull),
        last_gop_end: early(opt(11)?),
        known_until: early(opt(12)?),
        block_offset: int(3)?.wrapping_add(int(16)?).cast_unsigned(),
        block_bytes: u32::try_from(int(17)?).map_err(|_| damaged("block_bytes", length))?,
        block_crc: i32::try_from(int(18)?).map_err(|_| damaged("block_crc", length))?.cast_unsigned(),
    };
    let place = int(2)?;
    Ok(PartPlace {
        segment: int(0)?.cast_unsigned(),
        disk: u8::try_from(int(1)?).map_err(|_| damaged("disk", length))?,
        place: Place::from_code(place).ok_or_else(|| damaged("place", place))?,
        start: Timestamp(start),
        order: int(5)?,
        part,
    })
}
