//! Registered cases (investigations) and their members.

use sightline_model::{Timestamp, grant::Case, id::AccountId};
use sqlx::sqlite::SqliteConnection;

use crate::{Error, Records, db::Row, row::Cells};

const WHAT: &str = "case";

fn case(row: &Row) -> Result<Case, Error> {
    let cells = Cells::new(row, WHAT);
    Ok(Case {
        number: cells.text("number")?,
        title: cells.text("title")?,
        members: Vec::new(),
        opened_at: cells.at("opened_at")?,
        ends_at: cells.at("ends_at")?,
        closed_at: cells.at_opt("closed_at")?,
    })
}

async fn with_members(from: &mut SqliteConnection, rows: &[Row]) -> Result<Vec<Case>, Error> {
    let mut cases = rows.iter().map(case).collect::<Result<Vec<_>, _>>()?;
    for case in &mut cases {
        let rows = sqlx::query("SELECT account FROM case_members WHERE case_number = $1 ORDER BY account")
            .bind(&case.number)
            .fetch_all(&mut *from)
            .await?;
        case.members = rows
            .iter()
            .map(|row| Cells::new(row, WHAT).parsed("account").map(AccountId))
            .collect::<Result<_, _>>()?;
    }
    Ok(cases)
}

async fn put_members(to: &mut SqliteConnection, number: &str, members: &[AccountId]) -> Result<(), Error> {
    sqlx::query("DELETE FROM case_members WHERE case_number = $1").bind(number).execute(&mut *to).await?;
    for member in members {
        sqlx::query("INSERT INTO case_members (case_number, account) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(number)
            .bind(member.to_string())
            .execute(&mut *to)
            .await
            .map_err(|error| match error.as_database_error() {
                Some(cause) if cause.is_foreign_key_violation() => Error::not_found("account", member),
                _ => Error::Database(error),
            })?;
    }
    Ok(())
}

impl Records {
    /// Registers a case.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::NotFound`] for a member without an account, [`Error::Invalid`] when it ends before
    /// it begins.
    pub async fn create_case(&self, case: &Case) -> Result<(), Error> {
        if case.ends_at <= case.opened_at {
            return Err(Error::invalid(WHAT, &case.number, "its end must lie after its opening"));
        }
        let mut write = self.write().await?;
        sqlx::query(
            "INSERT INTO cases (number, title, opened_at, ends_at, closed_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(&case.number)
        .bind(&case.title)
        .bind(case.opened_at.0)
        .bind(case.ends_at.0)
        .bind(case.closed_at.map(|at| at.0))
        .execute(&mut *write)
        .await
        .map_err(Error::on_insert(WHAT, &case.number))?;
        put_members(&mut write, &case.number, &case.members).await?;
        Ok(write.commit().await?)
    }

    /// One case.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the database fails.
    pub async fn case(&self, number: &str) -> Result<Case, Error> {
        let mut connection = self.readers().acquire().await?;
        let rows = sqlx::query("SELECT * FROM cases WHERE number = $1")
            .bind(number)
            .fetch_all(&mut *connection)
            .await?;
        with_members(&mut connection, &rows).await?.pop().ok_or_else(|| Error::not_found(WHAT, number))
    }

    /// Every case, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cases(&self) -> Result<Vec<Case>, Error> {
        let mut connection = self.readers().acquire().await?;
        let rows = sqlx::query("SELECT * FROM cases ORDER BY opened_at DESC, number")
            .fetch_all(&mut *connection)
            .await?;
        with_members(&mut connection, &rows).await
    }

    /// The cases that an account is a member of, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cases_of(&self, account: AccountId) -> Result<Vec<Case>, Error> {
        let mut connection = self.readers().acquire().await?;
        let rows = sqlx::query(
            "SELECT c.* FROM cases c JOIN case_members m ON m.case_number = c.number WHERE m.account = $1 \
             ORDER BY c.opened_at DESC, c.number",
        )
        .bind(account.to_string())
        .fetch_all(&mut *connection)
        .await?;
        with_members(&mut connection, &rows).await
    }

    /// Sets who may act under a case.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the case or a member, or when the database fails.
    pub async fn set_case_members(&self, number: &str, members: &[AccountId]) -> Result<(), Error> {
        let mut write = self.write().await?;
        let there: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM cases WHERE number = $1")
            .bind(number)
            .fetch_one(&mut *write)
            .await?;
        if there == 0 {
            return Err(Error::not_found(WHAT, number));
        }
        put_members(&mut write, number, members).await?;
        Ok(write.commit().await?)
    }

    /// Closes a case and ends the grants made under it; a second time changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the database fails.
    pub async fn close_case(&self, number: &str, now: Timestamp) -> Result<(), Error> {
        let mut write = self.write().await?;
        let done = sqlx::query("UPDATE cases SET closed_at = COALESCE(closed_at, $2) WHERE number = $1")
            .bind(number)
            .bind(now.0)
            .execute(&mut *write)
            .await?;
        if done.rows_affected() == 0 {
            return Err(Error::not_found(WHAT, number));
        }
        sqlx::query(
            "UPDATE grants SET ended_at = $2 WHERE ground_kind = 'case' AND ground_ref = $1 AND ended_at IS NULL",
        )
        .bind(number)
        .bind(now.0)
        .execute(&mut *write)
        .await?;
        Ok(write.commit().await?)
    }
}

#[cfg(test)]
mod tests;
