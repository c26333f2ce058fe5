//! Accounts. The password hash never leaves in an [`Account`]; only sign-in asks for it.

use sightline_model::{
    Timestamp,
    account::{Account, Role},
    id::AccountId,
};

use crate::{Error, Records, db::Row, row::Cells};

const WHAT: &str = "account";

pub(crate) fn account(row: &Row) -> Result<Account, Error> {
    let cells = Cells::new(row, WHAT);
    Ok(Account {
        id: AccountId(cells.parsed("id")?),
        name: cells.text("name")?,
        role: cells.parsed("role")?,
        unit: cells.text("unit")?,
        service: cells.flag("service")?,
        disabled_at: cells.at_opt("disabled_at")?,
        created_at: cells.at("created_at")?,
    })
}

/// The form in which names are compared: two names must differ by more than case.
fn key(name: &str) -> String {
    name.trim().to_lowercase()
}

impl Records {
    /// Stores a new account, with its password hash when it signs in by password.
    ///
    /// # Errors
    /// [`Error::Exists`] when the name is taken (case does not count), or when the database fails.
    pub async fn create_account(&self, account: &Account, password_hash: Option<&str>) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO accounts (id, name, name_key, role, unit, service, password_hash, disabled_at, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(account.id.to_string())
        .bind(account.name.trim())
        .bind(key(&account.name))
        .bind(account.role.as_str())
        .bind(&account.unit)
        .bind(account.service)
        .bind(password_hash)
        .bind(account.disabled_at.map(|at| at.0))
        .bind(account.created_at.0)
        .execute(self.writer())
        .await
        .map_err(Error::on_insert(WHAT, &account.name))?;
        Ok(())
    }

    /// The account of a name, with its password hash; `None` when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account_by_name(&self, name: &str) -> Result<Option<(Account, Option<String>)>, Error> {
        let row = sqlx::query("SELECT * FROM accounts WHERE name_key = $1")
            .bind(key(name))
            .fetch_optional(self.readers())
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some((account(&row)?, Cells::new(&row, WHAT).text_opt("password_hash")?)))
    }

    /// One account.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the database fails.
    pub async fn account(&self, id: AccountId) -> Result<Account, Error> {
        let row = sqlx::query("SELECT * FROM accounts WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(self.readers())
            .await?;
        row.as_ref().map(account).transpose()?.ok_or_else(|| Error::not_found(WHAT, id))
    }

    /// Every account, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accounts(&self) -> Result<Vec<Account>, Error> {
        let rows = sqlx::query("SELECT * FROM accounts ORDER BY name_key").fetch_all(self.readers()).await?;
        rows.iter().map(account).collect()
    }

    /// Sets a new password hash and ends all sessions of the account.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the database fails.
    pub async fn set_password_hash(&self, id: AccountId, password_hash: &str) -> Result<(), Error> {
        let mut write = self.write().await?;
        let done = sqlx::query("UPDATE accounts SET password_hash = $2 WHERE id = $1")
            .bind(id.to_string())
            .bind(password_hash)
            .execute(&mut *write)
            .await?;
        if done.rows_affected() == 0 {
            return Err(Error::not_found(WHAT, id));
        }
        sqlx::query("DELETE FROM sessions WHERE account = $1")
            .bind(id.to_string())
            .execute(&mut *write)
            .await?;
        Ok(write.commit().await?)
    }

    /// Switches an account off: its sessions and grants end and its tokens are revoked in the same write.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for the last administrator.
    pub async fn disable_account(&self, id: AccountId, now: Timestamp) -> Result<(), Error> {
        let mut write = self.write().await?;
        let row = sqlx::query("SELECT * FROM accounts WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&mut *write)
            .await?;
        let account = row.as_ref().map(account).transpose()?.ok_or_else(|| Error::not_found(WHAT, id))?;
        if account.role == Role::Admin {
            let others: i64 = sqlx::query_scalar(
                "SELECT COUNT(*) FROM accounts WHERE role = 'admin' AND disabled_at IS NULL AND id <> $1",
            )
            .bind(id.to_string())
            .fetch_one(&mut *write)
            .await?;
            if others == 0 {
                let why = "it is the last administrator: make another one first";
                return Err(Error::invalid(WHAT, &account.name, why));
            }
        }
        for sql in [
            "UPDATE accounts SET disabled_at = COALESCE(disabled_at, $2) WHERE id = $1",
            "UPDATE service_tokens SET revoked_at = COALESCE(revoked_at, $2) WHERE account = $1",
            "UPDATE grants SET ended_at = COALESCE(ended_at, $2) WHERE account = $1",
            "DELETE FROM sessions WHERE account = $1 AND $2 = $2",
        ] {
            sqlx::query(sql).bind(id.to_string()).bind(now.0).execute(&mut *write).await?;
        }
        Ok(write.commit().await?)
    }
}

#[cfg(test)]
mod tests;
