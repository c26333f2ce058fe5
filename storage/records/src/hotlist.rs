//! The hotlist: proposed by one account, approved by another, withdrawn by either side; it ends with its case.

use sightline_model::{
    RegionId, Timestamp,
    hotlist::{HotlistEntry, HotlistReason},
    id::{AccountId, HotlistId},
    page::Page,
    plate,
};
use sqlx::QueryBuilder;

use crate::{
    Error, Records,
    db::{Engine, Row, Write},
    page,
    row::Cells,
};

/// The longest an entry may apply before it has to be proposed anew.
pub const MAX_VALIDITY_DAYS: i64 = 366;

/// An entry to propose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHotlistEntry {
    /// The plate, in any notation.
    pub plate: String,
    /// Why.
    pub reason: HotlistReason,
    /// The authority: the number of an open case.
    pub case: String,
    /// Where it applies, with all below; `None` for everywhere.
    pub region: Option<RegionId>,
    /// First instant it applies.
    pub valid_from: Timestamp,
    /// First instant it no longer applies.
    pub valid_to: Timestamp,
}

impl Records {
    /// Proposes an entry. It does not match before another account approves it.
    ///
    /// # Errors
    /// When the plate or the time cannot be used, the case is not open or the region not known.
    pub async fn propose_hotlist(
        &self,
        new: &NewHotlistEntry,
        author: AccountId,
        now: Timestamp,
    ) -> Result<HotlistEntry, Error> {
        let refuse = |why: String| Error::invalid("hotlist entry", &new.plate, why);
        let plate = plate::normalise(&new.plate)
            .ok_or_else(|| refuse(format!("a plate has 1 to {} letters and digits", plate::MAX_CHARS)))?;
        let days = new.valid_to.micros_since(new.valid_from) / 86_400_000_000;
        if new.valid_from >= new.valid_to || new.valid_to <= now || days > MAX_VALIDITY_DAYS {
            let why = format!(
                "its time {} to {} must end in the future and after its start, within {MAX_VALIDITY_DAYS} days",
                new.valid_from, new.valid_to
            );
            return Err(refuse(why));
        }
        let mut write = self.write().await?;
        require_open_case(&mut write, new, now).await?;
        let row = sqlx::query(
            "INSERT INTO hotlist (id, plate, reason, case_number, region, author, valid_from, valid_to, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING *",
        )
        .bind(uuid::Uuid::now_v7().to_string())
        .bind(plate)
        .bind(new.reason.as_str())
        .bind(&new.case)
        .bind(new.region.as_ref().map(RegionId::as_str))
        .bind(author.to_string())
        .bind(new.valid_from.0)
        .bind(new.valid_to.0)
        .bind(now.0)
        .fetch_one(&mut *write)
        .await
        .map_err(|error| match error.as_database_error() {
            Some(cause) if cause.is_foreign_key_violation() => {
                let region = new.region.map(|region| region.to_string()).unwrap_or_default();
                Error::not_found("region", region)
            }
            _ => Error::Database(error),
        })?;
        commit_change(write, &row).await
    }

    /// Approves an entry: a different account than its author's.
    ///
    /// # Errors
    /// When there is no such entry, the approver is its author, or it is approved or withdrawn already.
    pub async fn approve_hotlist(
        &self,
        id: HotlistId,
        approver: AccountId,
        now: Timestamp,
    ) -> Result<HotlistEntry, Error> {
        let mut write = self.write().await?;
        let entry = entry_in(&mut write, id).await?;
        let why = if entry.author == approver {
            "it must be approved by another account than its author's"
        } else if entry.withdrawn_at.is_some() {
            "it was withdrawn: propose it anew"
        } else if entry.approver.is_some() {
            "it is approved already"
        } else if entry.valid_to <= now {
            "its time is over: propose it anew"
        } else {
            ""
        };
        if !why.is_empty() {
            return Err(Error::invalid("hotlist entry", id, why));
        }
        let row = sqlx::query("UPDATE hotlist SET approver = $2, approved_at = $3 WHERE id = $1 RETURNING *")
            .bind(id.to_string())
            .bind(approver.to_string())
            .bind(now.0)
            .fetch_one(&mut *write)
            .await?;
        commit_change(write, &row).await
    }

    /// Withdraws an entry: it stops matching at once. Withdrawing it again changes nothing.
    ///
    /// # Errors
    /// When there is no such entry.
    pub async fn withdraw_hotlist(
        &self,
        id: HotlistId,
        by: AccountId,
        now: Timestamp,
    ) -> Result<HotlistEntry, Error> {
        let mut write = self.write().await?;
        let row = sqlx::query(
            "UPDATE hotlist SET withdrawn_by = COALESCE(withdrawn_by, $2), \
             withdrawn_at = COALESCE(withdrawn_at, $3) WHERE id = $1 RETURNING *",
        )
        .bind(id.to_string())
        .bind(by.to_string())
        .bind(now.0)
        .fetch_optional(&mut *write)
        .await?
        .ok_or_else(|| Error::not_found("hotlist entry", id))?;
        commit_change(write, &row).await
    }

    /// One entry.
    ///
    /// # Errors
    /// When there is none.
    pub async fn hotlist_entry(&self, id: HotlistId) -> Result<HotlistEntry, Error> {
        let row = sqlx::query("SELECT * FROM hotlist WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(self.readers())
            .await?
            .ok_or_else(|| Error::not_found("hotlist entry", id))?;
        read_entry(&row)
    }

    /// All entries, newest first, also those that are proposed, withdrawn or over.
    ///
    /// # Errors
    /// When the cursor is not of this list, or the database fails.
    pub async fn hotlist(&self, cursor: Option<&str>, limit: usize) -> Result<Page<HotlistEntry>, Error> {
        let mut query: QueryBuilder<Engine> = QueryBuilder::new("SELECT * FROM hotlist WHERE TRUE");
        if let Some(before) = page::read_one::<HotlistId>(cursor)? {
            query.push(" AND id < ").push_bind(before.to_string());
        }
        query.push(" ORDER BY id DESC LIMIT ").push_bind(page::limit_plus_one(limit));
        let rows = query.build().fetch_all(self.readers()).await?;
        let entries = rows.iter().map(read_entry).collect::<Result<Vec<_>, _>>()?;
        Ok(page::cut(entries, limit, |entry| entry.id.to_string()))
    }

    /// Every entry that applies at `now` or later: approved, not withdrawn, not over, its case open.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn active_hotlist(&self, now: Timestamp) -> Result<Vec<HotlistEntry>, Error> {
        let rows = sqlx::query(
            "SELECT hotlist.* FROM hotlist JOIN cases ON cases.number = hotlist.case_number \
             WHERE approver IS NOT NULL AND withdrawn_at IS NULL AND valid_to > $1 \
             AND cases.closed_at IS NULL AND cases.ends_at > $1",
        )
        .bind(now.0)
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(read_entry).collect()
    }

    /// The version of the hotlist: another one than before means that it changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hotlist_version(&self) -> Result<i64, Error> {
        let row = sqlx::query("SELECT value FROM counters WHERE name = 'hotlist'")
            .fetch_one(self.readers())
            .await?;
        Cells::new(&row, "counter").int("value")
    }
}

/// Whether an entry may raise an alert at this instant; asked in the transaction that raises it.
pub(crate) async fn still_applies(write: &mut Write, id: HotlistId, now: Timestamp) -> Result<bool, Error> {
    let row = sqlx::query(
        "SELECT 1 FROM hotlist JOIN cases ON cases.number = hotlist.case_number WHERE hotlist.id = $1 \
         AND approver IS NOT NULL AND withdrawn_at IS NULL AND valid_from <= $2 AND valid_to > $2 \
         AND cases.closed_at IS NULL AND cases.ends_at > $2",
    )
    .bind(id.to_string())
    .bind(now.0)
    .fetch_optional(&mut **write)
    .await?;
    Ok(row.is_some())
}

async fn require_open_case(write: &mut Write, new: &NewHotlistEntry, now: Timestamp) -> Result<(), Error> {
    let row = sqlx::query("SELECT ends_at, closed_at FROM cases WHERE number = $1")
        .bind(&new.case)
        .fetch_optional(&mut **write)
        .await?
        .ok_or_else(|| Error::not_found("case", &new.case))?;
    let cells = Cells::new(&row, "case");
    let ends_at = cells.at("ends_at")?;
    if cells.at_opt("closed_at")?.is_some() || ends_at <= now {
        let why = format!("case {} is closed: name an open one", new.case);
        return Err(Error::invalid("hotlist entry", &new.plate, why));
    }
    if new.valid_to > ends_at {
        let why = format!("case {} ends {ends_at}: the entry may not outlast it", new.case);
        return Err(Error::invalid("hotlist entry", &new.plate, why));
    }
    Ok(())
}

async fn entry_in(write: &mut Write, id: HotlistId) -> Result<HotlistEntry, Error> {
    let row = sqlx::query("SELECT * FROM hotlist WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(&mut **write)
        .await?
        .ok_or_else(|| Error::not_found("hotlist entry", id))?;
    read_entry(&row)
}

async fn commit_change(mut write: Write, row: &Row) -> Result<HotlistEntry, Error> {
    let entry = read_entry(row)?;
    sqlx::query("UPDATE counters SET value = value + 1 WHERE name = 'hotlist'").execute(&mut *write).await?;
    write.commit().await?;
    Ok(entry)
}

fn read_entry(row: &Row) -> Result<HotlistEntry, Error> {
    let cells = Cells::new(row, "hotlist entry");
    Ok(HotlistEntry {
        id: cells.parsed("id")?,
        plate: cells.text("plate")?,
        reason: cells.named("reason")?,
        case: cells.text("case_number")?,
        region: cells.parsed_opt("region")?,
        author: cells.parsed("author")?,
        approver: cells.parsed_opt("approver")?,
        valid_from: cells.at("valid_from")?,
        valid_to: cells.at("valid_to")?,
        withdrawn_at: cells.at_opt("withdrawn_at")?,
        created_at: cells.at("created_at")?,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sightline_model::grant::Case;
    use uuid::Uuid;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000_000);

    async fn store() -> (tempfile::TempDir, Records) {
        let dir = tempfile::tempdir().unwrap();
        let config = crate::Config { path: dir.path().join("records.sqlite"), ..Default::default() };
        let records = Records::open(&config).await.unwrap();
        let case = Case {
            number: "C-1".to_owned(),
            title: "Stolen vehicles".to_owned(),
            members: Vec::new(),
            opened_at: NOW,
            ends_at: NOW + Duration::from_secs(1000),
            closed_at: None,
        };
        records.create_case(&case).await.unwrap();
        (dir, records)
    }

    fn new() -> NewHotlistEntry {
        NewHotlistEntry {
            plate: "京a·12345".to_owned(),
            reason: HotlistReason::Stolen,
            case: "C-1".to_owned(),
            region: None,
            valid_from: NOW,
            valid_to: NOW + Duration::from_secs(500),
        }
    }

    fn account(n: u128) -> AccountId {
        AccountId(Uuid::from_u128(n))
    }

    #[tokio::test]
    async fn an_entry_needs_a_second_person_and_ends_when_withdrawn() {
        let (_dir, records) = store().await;
        let entry = records.propose_hotlist(&new(), account(1), NOW).await.unwrap();
        assert_eq!((entry.plate.as_str(), entry.approver), ("京A12345", None));
        assert!(records.active_hotlist(NOW).await.unwrap().is_empty());
        let own = records.approve_hotlist(entry.id, account(1), NOW).await.unwrap_err();
        assert!(own.to_string().contains("another account"), "{own}");
        let version = records.hotlist_version().await.unwrap();
        let approved = records.approve_hotlist(entry.id, account(2), NOW).await.unwrap();
        assert_ne!(records.hotlist_version().await.unwrap(), version);
        assert_eq!(records.active_hotlist(NOW).await.unwrap(), [approved]);
        assert!(records.approve_hotlist(entry.id, account(3), NOW).await.is_err(), "approved once");
        let over = NOW + Duration::from_secs(500);
        assert!(records.active_hotlist(over).await.unwrap().is_empty(), "its time is over");
        let withdrawn = records.withdraw_hotlist(entry.id, account(1), NOW).await.unwrap();
        let again = records.withdraw_hotlist(entry.id, account(2), over).await.unwrap();
        assert_eq!((withdrawn.withdrawn_at, again.withdrawn_at), (Some(NOW), Some(NOW)));
        assert!(records.active_hotlist(NOW).await.unwrap().is_empty());
        assert_eq!(records.hotlist(None, 10).await.unwrap().items.len(), 1, "it stays on the record");
    }

    #[tokio::test]
    async fn an_entry_ends_with_its_case() {
        let (_dir, records) = store().await;
        let entry = records.propose_hotlist(&new(), account(1), NOW).await.unwrap();
        records.approve_hotlist(entry.id, account(2), NOW).await.unwrap();
        let mut write = records.write().await.unwrap();
        assert!(still_applies(&mut write, entry.id, NOW).await.unwrap());
        drop(write);
        records.close_case("C-1", NOW).await.unwrap();
        assert!(records.active_hotlist(NOW).await.unwrap().is_empty());
        let mut write = records.write().await.unwrap();
        assert!(!still_applies(&mut write, entry.id, NOW).await.unwrap());
    }

    #[tokio::test]
    async fn what_cannot_stand_is_refused_with_the_way_out() {
        let (_dir, records) = store().await;
        type Change = fn(&mut NewHotlistEntry);
        let cases: [(Change, &str); 6] = [
            (|new| new.plate = "???".to_owned(), "letters and digits"),
            (|new| new.case = "C-2".to_owned(), "there is no case"),
            (|new| new.region = "nowhere".parse().ok(), "there is no region"),
            (|new| new.valid_to = NOW, "end in the future"),
            (|new| new.valid_to = NOW + Duration::from_secs(2000), "may not outlast it"),
            (|new| new.valid_to = NOW + Duration::from_secs(400 * 86_400), "366 days"),
        ];
        for (change, why) in cases {
            let mut new = new();
            change(&mut new);
            let error = records.propose_hotlist(&new, account(1), NOW).await.unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
    }
}
