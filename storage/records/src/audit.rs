//! The audit log: appended under the one writer, so that numbers have no holes; never changed, never removed.
//! How entries are chained is `trust`'s business and comes in as a function.

use sightline_model::CameraId;
use sightline_model::{
    TimeRange, Timestamp,
    audit::{Act, Action, Entry},
    grant::{Ground, GroundKind},
    id::{AccountId, GrantId},
    page::Page,
};
use sqlx::{QueryBuilder, sqlite::SqliteConnection};

use crate::{
    Error, Records,
    db::{Engine, Row},
    page,
    row::{Cells, name_of},
};

const WHAT: &str = "audit entry";

/// Where the log ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditHead {
    /// Number of the last entry; 0 when there is none.
    pub seq: u64,
    /// Its hash; 64 zeros when there is none.
    pub hash: String,
}

impl Default for AuditHead {
    fn default() -> Self {
        Self { seq: 0, hash: "0".repeat(64) }
    }
}

/// Which entries a list takes; all given conditions must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditFilter {
    /// Of this account.
    pub account: Option<AccountId>,
    /// Under this grant.
    pub grant: Option<GrantId>,
    /// Of this camera.
    pub camera: Option<CameraId>,
    /// Of this kind.
    pub action: Option<Action>,
    /// Entered in this time.
    pub entered: Option<TimeRange>,
}

fn entry(row: &Row) -> Result<Entry, Error> {
    let cells = Cells::new(row, WHAT);
    let ground = match cells.text_opt("ground_kind")? {
        Some(_) => {
            let kind: GroundKind = cells.named("ground_kind")?;
            Some(Ground { kind, reference: cells.text("ground_ref")? })
        }
        None => None,
    };
    // Not TimeRange::new: a range that was tampered with must come out as it stands, for the hash to tell.
    let range = match (cells.at_opt("from_at")?, cells.at_opt("to_at")?) {
        (Some(from), Some(to)) => Some(TimeRange { from, to }),
        _ => None,
    };
    Ok(Entry {
        seq: cells.number("seq")?,
        act: Act {
            at: cells.at("at")?,
            account: cells.parsed_opt("account")?.map(AccountId),
            action: cells.named("action")?,
            grant: cells.parsed_opt("grant_id")?.map(GrantId),
            ground,
            camera: cells.parsed_opt("camera")?,
            range,
            detail: cells.text("detail")?,
        },
        prev_hash: cells.text("prev_hash")?,
        hash: cells.text("hash")?,
    })
}

async fn head(from: &mut SqliteConnection) -> Result<AuditHead, Error> {
    let row =
        sqlx::query("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetch_optional(from).await?;
    let Some(row) = row else { return Ok(AuditHead::default()) };
    let cells = Cells::new(&row, WHAT);
    Ok(AuditHead { seq: cells.number("seq")?, hash: cells.text("hash")? })
}

async fn insert(to: &mut SqliteConnection, entry: &Entry) -> Result<(), Error> {
    let act = &entry.act;
    let seq =
        i64::try_from(entry.seq).map_err(|_| Error::invalid(WHAT, entry.seq, "its number is too large"))?;
    sqlx::query(
        "INSERT INTO audit (seq, at, account, action, grant_id, ground_kind, ground_ref, camera, from_at, to_at, \
             detail, prev_hash, hash) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(seq)
    .bind(act.at.0)
    .bind(act.account.map(|id| id.to_string()))
    .bind(name_of(WHAT, &act.action)?)
    .bind(act.grant.map(|id| id.to_string()))
    .bind(act.ground.as_ref().map(|ground| ground.kind.as_str()))
    .bind(act.ground.as_ref().map(|ground| ground.reference.as_str()))
    .bind(act.camera.as_ref().map(CameraId::as_str))
    .bind(act.range.map(|range| range.from.0))
    .bind(act.range.map(|range| range.to.0))
    .bind(&act.detail)
    .bind(&entry.prev_hash)
    .bind(&entry.hash)
    .execute(to)
    .await?;
    Ok(())
}

impl Records {
    /// Appends acts as one write. `chain` makes the entry that follows a head; it must not skip a number.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `chain` makes an entry that does not follow; or when the database fails: then nothing
    /// is kept.
    pub async fn append_audit(
        &self,
        acts: Vec<Act>,
        chain: impl Fn(&AuditHead, Act) -> Entry + Send,
    ) -> Result<Vec<Entry>, Error> {
        let mut write = self.write().await?;
        let mut head = head(&mut write).await?;
        let mut entries = Vec::with_capacity(acts.len());
        for act in acts {
            let entry = chain(&head, act);
            if entry.seq != head.seq + 1 || entry.prev_hash != head.hash {
                let why = format!("it does not follow entry {}", head.seq);
                return Err(Error::invalid(WHAT, entry.seq, why));
            }
            insert(&mut write, &entry).await?;
            head = AuditHead { seq: entry.seq, hash: entry.hash.clone() };
            entries.push(entry);
        }
        write.commit().await?;
        Ok(entries)
    }

    /// Where the log ends.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_head(&self) -> Result<AuditHead, Error> {
        head(&mut *self.readers().acquire().await?).await
    }

    /// Entries that fit, the newest first.
    ///
    /// # Errors
    /// [`Error::Cursor`], or when the database fails.
    pub async fn audit_entries(
        &self,
        filter: &AuditFilter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Entry>, Error> {
        let before: Option<i64> = page::read_one(cursor)?;
        let mut query = QueryBuilder::<Engine>::new("SELECT * FROM audit WHERE 1 = 1");
        if let Some(account) = filter.account {
            query.push(" AND account = ").push_bind(account.to_string());
        }
        if let Some(grant) = filter.grant {
            query.push(" AND grant_id = ").push_bind(grant.to_string());
        }
        if let Some(camera) = filter.camera {
            query.push(" AND camera = ").push_bind(camera.to_string());
        }
        if let Some(action) = filter.action {
            query.push(" AND action = ").push_bind(name_of(WHAT, &action)?);
        }
        if let Some(TimeRange { from: Timestamp(from), to: Timestamp(to) }) = filter.entered {
            query.push(" AND at >= ").push_bind(from).push(" AND at < ").push_bind(to);
        }
        if let Some(before) = before {
            query.push(" AND seq < ").push_bind(before);
        }
        query.push(" ORDER BY seq DESC LIMIT ").push_bind(page::limit_plus_one(limit));
        let rows = query.build().fetch_all(self.readers()).await?;
        let entries = rows.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
        Ok(page::cut(entries, limit, |entry| entry.seq.to_string()))
    }

    /// Up to `limit` entries with numbers above `after`, oldest first: for walking the whole log.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_after(&self, after: u64, limit: usize) -> Result<Vec<Entry>, Error> {
        let rows = sqlx::query("SELECT * FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2")
            .bind(i64::try_from(after).unwrap_or(i64::MAX))
            .bind(page::limit_plus_one(limit) - 1)
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(entry).collect()
    }
}

#[cfg(test)]
mod tests;
