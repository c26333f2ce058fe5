//! The region tree. A child's level is below its parent's, which also rules out cycles.

use std::collections::BTreeSet;

use sightline_model::{
    RegionId,
    region::{Region, RegionLevel},
};

use crate::{Error, Records, db::Row, row::Cells};

const WHAT: &str = "region";
const LEVELS: [RegionLevel; 5] = [
    RegionLevel::Province,
    RegionLevel::City,
    RegionLevel::District,
    RegionLevel::Town,
    RegionLevel::Community,
];

fn depth(level: RegionLevel) -> i64 {
    LEVELS.iter().zip(0..).find(|(known, _)| **known == level).map_or(0, |(_, depth)| depth)
}

fn level(cells: &Cells<'_>) -> Result<RegionLevel, Error> {
    let depth: usize = cells.number("depth")?;
    LEVELS.get(depth).copied().ok_or_else(|| cells.damaged("depth", depth, "use 0 to 4"))
}

fn region(row: &Row) -> Result<Region, Error> {
    let cells = Cells::new(row, WHAT);
    Ok(Region {
        id: cells.parsed("id")?,
        parent: cells.parsed_opt("parent")?,
        level: level(&cells)?,
        name: cells.text("name")?,
    })
}

fn ids(rows: &[Row]) -> Result<Vec<RegionId>, Error> {
    rows.iter().map(|row| Cells::new(row, WHAT).parsed("id")).collect()
}

impl Records {
    /// The whole tree, the widest level first, then by id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn regions(&self) -> Result<Vec<Region>, Error> {
        let rows = sqlx::query("SELECT * FROM regions ORDER BY depth, id").fetch_all(self.readers()).await?;
        rows.iter().map(region).collect()
    }

    /// One region.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the database fails.
    pub async fn region(&self, id: RegionId) -> Result<Region, Error> {
        let row = sqlx::query("SELECT * FROM regions WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(self.readers())
            .await?;
        row.as_ref().map(region).transpose()?.ok_or_else(|| Error::not_found(WHAT, id))
    }

    /// Stores a region, new or changed. It may move under another parent as long as levels stay in order.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the parent is missing or a level is out of order.
    pub async fn upsert_region(&self, region: &Region) -> Result<(), Error> {
        let own = depth(region.level);
        let mut write = self.write().await?;
        if let Some(parent) = region.parent {
            let above: Option<i64> = sqlx::query_scalar("SELECT depth FROM regions WHERE id = $1")
                .bind(parent.as_str())
                .fetch_optional(&mut *write)
                .await?;
            match above {
                None => {
                    let why = format!("its parent {parent} is not registered: register that first");
                    return Err(Error::invalid(WHAT, region.id, why));
                }
                Some(above) if above >= own => {
                    let why = format!(
                        "its level {:?} is not below its parent's ({parent}): order is {LEVELS:?}",
                        region.level
                    );
                    return Err(Error::invalid(WHAT, region.id, why));
                }
                Some(_) => {}
            }
        }
        let below: Option<i64> = sqlx::query_scalar("SELECT MIN(depth) FROM regions WHERE parent = $1")
            .bind(region.id.as_str())
            .fetch_one(&mut *write)
            .await?;
        if below.is_some_and(|below| below <= own) {
            let why =
                format!("its level {:?} is not above that of its children: move them first", region.level);
            return Err(Error::invalid(WHAT, region.id, why));
        }
        sqlx::query(
            "INSERT INTO regions (id, parent, depth, name) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (id) DO UPDATE SET parent = excluded.parent, depth = excluded.depth, name = excluded.name",
        )
        .bind(region.id.as_str())
        .bind(region.parent.as_ref().map(RegionId::as_str))
        .bind(own)
        .bind(&region.name)
        .execute(&mut *write)
        .await?;
        self.commit_registry(write).await
    }

    /// Removes a region that nothing stands in.
    ///
    /// # Errors
    /// [`Error::InUse`] while it has children or cameras, [`Error::NotFound`] when it is not there.
    pub async fn delete_region(&self, id: RegionId) -> Result<(), Error> {
        let mut write = self.write().await?;
        for (sql, by) in [
            ("SELECT COUNT(*) FROM regions WHERE parent = $1", "region(s) below it"),
            ("SELECT COUNT(*) FROM cameras WHERE region = $1", "camera(s)"),
        ] {
            let count: i64 = sqlx::query_scalar(sql).bind(id.as_str()).fetch_one(&mut *write).await?;
            if count > 0 {
                return Err(Error::InUse { what: WHAT, id: id.to_string(), by: format!("{count} {by}") });
            }
        }
        let gone = sqlx::query("DELETE FROM regions WHERE id = $1")
            .bind(id.as_str())
            .execute(&mut *write)
            .await
            .map_err(|error| match error.as_database_error() {
                Some(cause) if cause.is_foreign_key_violation() => {
                    Error::InUse { what: WHAT, id: id.to_string(), by: "other records".to_owned() }
                }
                _ => Error::Database(error),
            })?;
        if gone.rows_affected() == 0 {
            return Err(Error::not_found(WHAT, id));
        }
        self.commit_registry(write).await
    }

    /// A region and all below it, the widest first.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the database fails.
    pub async fn region_with_descendants(&self, id: RegionId) -> Result<Vec<RegionId>, Error> {
        let rows = sqlx::query(
            "WITH RECURSIVE below (id, depth) AS ( \
                 SELECT id, depth FROM regions WHERE id = $1 \
                 UNION SELECT r.id, r.depth FROM regions r JOIN below b ON r.parent = b.id) \
             SELECT id FROM below ORDER BY depth, id",
        )
        .bind(id.as_str())
        .fetch_all(self.readers())
        .await?;
        if rows.is_empty() {
            return Err(Error::not_found(WHAT, id));
        }
        ids(&rows)
    }

    /// The union of some regions' subtrees.
    ///
    /// # Errors
    /// [`Error::NotFound`] naming the first that is not there, or when the database fails.
    pub async fn regions_with_descendants(&self, roots: &[RegionId]) -> Result<BTreeSet<RegionId>, Error> {
        let mut all = BTreeSet::new();
        for root in roots {
            all.extend(self.region_with_descendants(*root).await?);
        }
        Ok(all)
    }

    /// A region and those above it, from itself upwards. Empty when it is not there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn region_with_ancestors(&self, id: RegionId) -> Result<Vec<RegionId>, Error> {
        let rows = sqlx::query(
            "WITH RECURSIVE above (id, parent, depth) AS ( \
                 SELECT id, parent, depth FROM regions WHERE id = $1 \
                 UNION SELECT r.id, r.parent, r.depth FROM regions r JOIN above a ON r.id = a.parent) \
             SELECT id FROM above ORDER BY depth DESC",
        )
        .bind(id.as_str())
        .fetch_all(self.readers())
        .await?;
        ids(&rows)
    }
}

#[cfg(test)]
mod tests;
