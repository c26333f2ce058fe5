//! Grants, as `trust` made them.

use sightline_model::{
    TimeRange, Timestamp,
    grant::{Grant, Ground, GroundKind},
    id::{AccountId, GrantId},
    page::Page,
};
use sqlx::QueryBuilder;
use uuid::Uuid;

use crate::{
    Error, Records,
    db::{Engine, Row},
    page,
    row::{Cells, json_of},
};

const WHAT: &str = "grant";

fn grant(row: &Row) -> Result<Grant, Error> {
    let cells = Cells::new(row, WHAT);
    let (from, to) = (cells.at("from_at")?, cells.at("to_at")?);
    Ok(Grant {
        id: GrantId(cells.parsed("id")?),
        account: AccountId(cells.parsed("account")?),
        ground: Ground { kind: cells.named("ground_kind")?, reference: cells.text("ground_ref")? },
        reason: cells.text("reason")?,
        cameras: cells.json("cameras")?,
        regions: cells.json("regions")?,
        range: TimeRange::new(from, to)
            .ok_or_else(|| cells.damaged("to_at", to, "it lies before from_at"))?,
        created_at: cells.at("created_at")?,
        expires_at: cells.at("expires_at")?,
        ended_at: cells.at_opt("ended_at")?,
    })
}

impl Records {
    /// Stores a new grant.
    ///
    /// # Errors
    /// [`Error::Exists`], or when the database fails.
    pub async fn insert_grant(&self, grant: &Grant) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO grants (id, account, ground_kind, ground_ref, reason, cameras, regions, from_at, to_at, \
                 created_at, expires_at, ended_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        )
        .bind(grant.id.to_string())
        .bind(grant.account.to_string())
        .bind(grant.ground.kind.as_str())
        .bind(&grant.ground.reference)
        .bind(&grant.reason)
        .bind(json_of(WHAT, &grant.cameras)?)
        .bind(json_of(WHAT, &grant.regions)?)
        .bind(grant.range.from.0)
        .bind(grant.range.to.0)
        .bind(grant.created_at.0)
        .bind(grant.expires_at.0)
        .bind(grant.ended_at.map(|at| at.0))
        .execute(self.writer())
        .await
        .map_err(Error::on_insert(WHAT, grant.id))?;
        Ok(())
    }

    /// One grant.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the database fails.
    pub async fn grant(&self, id: GrantId) -> Result<Grant, Error> {
        let row = sqlx::query("SELECT * FROM grants WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(self.readers())
            .await?;
        row.as_ref().map(grant).transpose()?.ok_or_else(|| Error::not_found(WHAT, id))
    }

    /// Ends a grant; a second time changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the database fails.
    pub async fn end_grant(&self, id: GrantId, now: Timestamp) -> Result<Grant, Error> {
        let row =
            sqlx::query("UPDATE grants SET ended_at = COALESCE(ended_at, $2) WHERE id = $1 RETURNING *")
                .bind(id.to_string())
                .bind(now.0)
                .fetch_optional(self.writer())
                .await?;
        row.as_ref().map(grant).transpose()?.ok_or_else(|| Error::not_found(WHAT, id))
    }

    /// Ends every grant on a ground that is gone; tells which were ended by it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_grants_of_ground(
        &self,
        kind: GroundKind,
        reference: &str,
        now: Timestamp,
    ) -> Result<Vec<GrantId>, Error> {
        let rows = sqlx::query(
            "UPDATE grants SET ended_at = $3 \
             WHERE ground_kind = $1 AND ground_ref = $2 AND ended_at IS NULL RETURNING id",
        )
        .bind(kind.as_str())
        .bind(reference)
        .bind(now.0)
        .fetch_all(self.writer())
        .await?;
        rows.iter().map(|row| Cells::new(row, WHAT).parsed("id").map(GrantId)).collect()
    }

    /// The grants of an account, the newest first; with `active_at`, only those in force then.
    ///
    /// # Errors
    /// [`Error::Cursor`], or when the database fails.
    pub async fn grants_of(
        &self,
        account: AccountId,
        active_at: Option<Timestamp>,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Grant>, Error> {
        let before: Option<(i64, Uuid)> = page::read_pair(cursor)?;
        let mut query = QueryBuilder::<Engine>::new("SELECT * FROM grants WHERE account = ");
        query.push_bind(account.to_string());
        if let Some(at) = active_at {
            query.push(" AND ended_at IS NULL AND expires_at > ").push_bind(at.0);
        }
        if let Some((at, id)) = before {
            query
                .push(" AND (created_at, id) < (")
                .push_bind(at)
                .push(", ")
                .push_bind(id.to_string())
                .push(")");
        }
        query.push(" ORDER BY created_at DESC, id DESC LIMIT ").push_bind(page::limit_plus_one(limit));
        let rows = query.build().fetch_all(self.readers()).await?;
        let grants = rows.iter().map(grant).collect::<Result<Vec<_>, _>>()?;
        Ok(page::cut(grants, limit, |grant| page::pair(grant.created_at.0, grant.id)))
    }
}

#[cfg(test)]
mod tests;
