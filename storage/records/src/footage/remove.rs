//! Taking segments out, and everything at once for a rebuild.

use std::collections::BTreeMap;

use sqlx::{QueryBuilder, Row as _};

use super::{
    NodeNo,
    keys::{RowKey, decode},
};
use crate::{
    Error, Records,
    db::{Engine, Write},
};

/// Rows in one statement.
const ROWS_A_STATEMENT: usize = 500;
/// Keys in one statement. They are listed with OR, which SQLite looks up one by one; a list behind IN makes it go through the
/// whole table.
const KEYS_A_STATEMENT: usize = 200;

impl Records {
    /// Takes segments of a node out of the catalogue, all or none. Those that are not there are passed over.
    ///
    /// # Errors
    /// When the database fails or is damaged.
    pub async fn remove_footage(&self, node: NodeNo, ids: &[u64]) -> Result<(), Error> {
        let mut write = self.write().await?;
        remove_in(&mut write, node, ids).await?;
        Ok(write.commit().await?)
    }

    /// Takes everything of a node out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn clear_footage(&self, node: NodeNo) -> Result<(), Error> {
        let mut write = self.write().await?;
        for statement in [
            "DELETE FROM footage_parts WHERE stream IN (SELECT no FROM footage_streams WHERE node = $1)",
            "DELETE FROM footage_keys WHERE segment IN (SELECT no FROM footage_segments WHERE node = $1)",
            "DELETE FROM footage_segments WHERE node = $1",
            // The numbers stay with their streams: a reader may still know them.
            "UPDATE footage_streams SET parts = 0, far = 0, gops = 0, gaps = 0, bytes = 0, until = 0, longest = 0, \
             gop_segment = NULL, last_gop_end = NULL, known_segment = NULL, known_until = NULL WHERE node = $1",
        ] {
            sqlx::query(statement).bind(node.0).execute(&mut *write).await?;
        }
        Ok(write.commit().await?)
    }
}

/// What some removed rows take from the sums of their stream.
#[derive(Default)]
struct Taken {
    parts: i64,
    far: i64,
    gops: i64,
    gaps: i64,
    bytes: i64,
}

pub(super) async fn remove_in(write: &mut Write, node: NodeNo, ids: &[u64]) -> Result<(), Error> {
    let mut taken: BTreeMap<i64, Taken> = BTreeMap::new();
    for ids in ids.chunks(ROWS_A_STATEMENT) {
        let found = numbers_and_keys(write, node, ids).await?;
        let rows: Vec<(RowKey, i64)> =
            found.iter().flat_map(|(no, keys)| keys.iter().map(|key| (*key, *no))).collect();
        for rows in rows.chunks(KEYS_A_STATEMENT) {
            delete_parts(write, rows, &mut taken).await?;
        }
        for table in
            ["DELETE FROM footage_keys WHERE segment IN (", "DELETE FROM footage_segments WHERE no IN ("]
        {
            let mut query: QueryBuilder<Engine> = QueryBuilder::new(table);
            let mut list = query.separated(", ");
            for (no, _) in &found {
                list.push_bind(*no);
            }
            query.push(")");
            query.build().persistent(false).execute(&mut **write).await?;
        }
    }
    let taken: Vec<(i64, Taken)> = taken.into_iter().collect();
    for taken in taken.chunks(ROWS_A_STATEMENT) {
        take_from_sums(write, taken).await?;
    }
    find_ends(write, node).await
}

async fn numbers_and_keys(
    write: &mut Write,
    node: NodeNo,
    ids: &[u64],
) -> Result<Vec<(i64, Vec<RowKey>)>, Error> {
    let mut query: QueryBuilder<Engine> = QueryBuilder::new(
        "SELECT s.no, k.keys FROM footage_segments s JOIN footage_keys k ON k.segment = s.no WHERE s.node = ",
    );
    query.push_bind(node.0).push(" AND s.id IN (");
    let mut list = query.separated(", ");
    for id in ids {
        list.push_bind(id.cast_signed());
    }
    query.push(")");
    let rows = query.build().persistent(false).fetch_all(&mut **write).await?;
    rows.iter()
        .map(|row| {
            let no: i64 = row.try_get(0)?;
            let keys = decode(row.try_get(1)?).ok_or_else(|| Error::Damaged {
                what: "footage",
                column: "keys",
                value: no.to_string(),
                why: "not a list of keys; run `sightline footage check --rebuild`".to_owned(),
            })?;
            Ok((no, keys))
        })
        .collect()
}

/// A statement that deletes `rows`, which are at least one.
fn delete(rows: &[(RowKey, i64)], prefix: &'static str) -> QueryBuilder<Engine> {
    let mut query: QueryBuilder<Engine> = QueryBuilder::new(prefix);
    query.push("DELETE FROM footage_parts WHERE ");
    let mut any = query.separated(" OR ");
    for (key, segment) in rows {
        any.push("(stream = ").push_bind_unseparated(key.stream);
        any.push_unseparated(" AND far = ").push_bind_unseparated(i64::from(key.far));
        any.push_unseparated(" AND start = ").push_bind_unseparated(key.start);
        any.push_unseparated(" AND segment = ").push_bind_unseparated(*segment).push_unseparated(")");
    }
    query.push(" RETURNING stream, far, gops, gaps, bytes");
    query
}

async fn delete_parts(
    write: &mut Write,
    rows: &[(RowKey, i64)],
    taken: &mut BTreeMap<i64, Taken>,
) -> Result<(), Error> {
    let mut query = delete(rows, "");
    for row in query.build().persistent(false).fetch_all(&mut **write).await? {
        let sum = taken.entry(row.try_get(0)?).or_default();
        sum.parts += 1;
        sum.far += row.try_get::<i64, _>(1)?;
        sum.gops += row.try_get::<i64, _>(2)?;
        sum.gaps += row.try_get::<i64, _>(3)?;
        sum.bytes += row.try_get::<i64, _>(4)?;
    }
    Ok(())
}

async fn take_from_sums(write: &mut Write, taken: &[(i64, Taken)]) -> Result<(), Error> {
    let mut query: QueryBuilder<Engine> =
        QueryBuilder::new("WITH taken (no, parts, far, gops, gaps, bytes) AS (");
    query.push_values(taken, |mut row, (stream, sum)| {
        row.push_bind(*stream).push_bind(sum.parts).push_bind(sum.far);
        row.push_bind(sum.gops).push_bind(sum.gaps).push_bind(sum.bytes);
    });
    query.push(
        ") UPDATE footage_streams SET parts = footage_streams.parts - taken.parts, \
         far = footage_streams.far - taken.far, gops = footage_streams.gops - taken.gops, \
         gaps = footage_streams.gaps - taken.gaps, bytes = footage_streams.bytes - taken.bytes \
         FROM taken WHERE footage_streams.no = taken.no",
    );
    query.build().persistent(false).execute(&mut **write).await?;
    Ok(())
}

/// Where the segment that told a stream's end is gone, the newest that is left tells it.
async fn find_ends(write: &mut Write, node: NodeNo) -> Result<(), Error> {
    for (segment, end, early) in
        [("gop_segment", "last_gop_end", "gop_early"), ("known_segment", "known_until", "known_early")]
    {
        let sql = format!(
            "UPDATE footage_streams SET ({segment}, {end}) = \
             (SELECT s.id, p.start + p.length - p.{early} FROM footage_parts p \
              JOIN footage_segments s ON s.no = p.segment \
              WHERE p.stream = footage_streams.no AND p.{early} IS NOT NULL ORDER BY s.id DESC LIMIT 1) \
             WHERE node = $1 AND {segment} IS NOT NULL AND NOT EXISTS \
             (SELECT 1 FROM footage_segments s WHERE s.node = $1 AND s.id = footage_streams.{segment})"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql)).bind(node.0).execute(&mut **write).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn rows_are_deleted_by_their_keys_and_not_by_a_scan() {
        let records = crate::testing::open().await;
        let key = |start| (RowKey { stream: 1, far: false, start }, 7);
        let rows: Vec<_> = (0..200).map(key).collect();
        let mut query = delete(&rows, "EXPLAIN QUERY PLAN ");
        let plan = query.build().fetch_all(records.readers()).await.unwrap();
        let steps: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
        assert!(steps.iter().any(|step| step.starts_with("SEARCH")), "{steps:?}");
        assert!(!steps.iter().any(|step| step.starts_with("SCAN")), "{steps:?}");
    }
}
