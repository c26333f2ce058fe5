//! Sessions of people and tokens of services. Only the SHA-256 of a token is stored.

use std::fmt;

use sightline_model::{Timestamp, account::Account, id::AccountId};
use uuid::Uuid;

use crate::{Error, Records, accounts::account, row::Cells};

/// A signed-in session. `Debug` hides what would let somebody take it over.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the token, hexadecimal.
    pub token_hash: String,
    /// Whose it is.
    pub account: AccountId,
    /// What a write with the session's cookie must repeat.
    pub csrf: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_seen_at: Timestamp,
    /// When it ends, however busy.
    pub expires_at: Timestamp,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session(of {}, until {})", self.account, self.expires_at)
    }
}

/// A service's token, without the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceToken {
    /// Its id, for revoking.
    pub id: Uuid,
    /// The service's account.
    pub account: AccountId,
    /// What it is for.
    pub label: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

fn token(cells: &Cells<'_>) -> Result<ServiceToken, Error> {
    Ok(ServiceToken {
        id: cells.parsed("token_id")?,
        account: AccountId(cells.parsed("token_account")?),
        label: cells.text("token_label")?,
        created_at: cells.at("token_created_at")?,
        expires_at: cells.at_opt("token_expires_at")?,
        revoked_at: cells.at_opt("token_revoked_at")?,
    })
}

impl Records {
    /// Stores a new session.
    ///
    /// # Errors
    /// When the account is not there or the database fails.
    pub async fn insert_session(&self, session: &Session) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO sessions (token_hash, account, csrf, created_at, last_seen_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&session.token_hash)
        .bind(session.account.to_string())
        .bind(&session.csrf)
        .bind(session.created_at.0)
        .bind(session.last_seen_at.0)
        .bind(session.expires_at.0)
        .execute(self.writer())
        .await?;
        Ok(())
    }

    /// The session of a token's hash and its account; `None` when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session(&self, token_hash: &str) -> Result<Option<(Session, Account)>, Error> {
        let row = sqlx::query(
            "SELECT a.*, s.token_hash, s.csrf, s.created_at AS session_created_at, s.last_seen_at, \
                 s.expires_at AS session_expires_at \
             FROM sessions s JOIN accounts a ON a.id = s.account WHERE s.token_hash = $1",
        )
        .bind(token_hash)
        .fetch_optional(self.readers())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let (cells, account) = (Cells::new(&row, "session"), account(&row)?);
        let session = Session {
            token_hash: cells.text("token_hash")?,
            account: account.id,
            csrf: cells.text("csrf")?,
            created_at: cells.at("session_created_at")?,
            last_seen_at: cells.at("last_seen_at")?,
            expires_at: cells.at("session_expires_at")?,
        };
        Ok(Some((session, account)))
    }

    /// Notes that a session was used; never moves the time back.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn touch_session(&self, token_hash: &str, now: Timestamp) -> Result<(), Error> {
        sqlx::query("UPDATE sessions SET last_seen_at = $2 WHERE token_hash = $1 AND last_seen_at < $2")
            .bind(token_hash)
            .bind(now.0)
            .execute(self.writer())
            .await?;
        Ok(())
    }

    /// Ends a session. Nothing happens when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_session(&self, token_hash: &str) -> Result<(), Error> {
        sqlx::query("DELETE FROM sessions WHERE token_hash = $1")
            .bind(token_hash)
            .execute(self.writer())
            .await?;
        Ok(())
    }

    /// Removes sessions that are over: past their end, or last used before `idle_since`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep_sessions(&self, now: Timestamp, idle_since: Timestamp) -> Result<u64, Error> {
        let swept = sqlx::query("DELETE FROM sessions WHERE expires_at <= $1 OR last_seen_at < $2")
            .bind(now.0)
            .bind(idle_since.0)
            .execute(self.writer())
            .await?;
        Ok(swept.rows_affected())
    }

    /// Stores a new service token under its hash.
    ///
    /// # Errors
    /// When the account is not there or the database fails.
    pub async fn insert_service_token(&self, token: &ServiceToken, token_hash: &str) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO service_tokens (id, token_hash, account, label, created_at, expires_at, revoked_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(token.id.to_string())
        .bind(token_hash)
        .bind(token.account.to_string())
        .bind(&token.label)
        .bind(token.created_at.0)
        .bind(token.expires_at.map(|at| at.0))
        .bind(token.revoked_at.map(|at| at.0))
        .execute(self.writer())
        .await
        .map_err(Error::on_insert("service token", token.id))?;
        Ok(())
    }

    /// The service token of a hash and its account; `None` when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn service_token(&self, token_hash: &str) -> Result<Option<(ServiceToken, Account)>, Error> {
        let row = sqlx::query(
            "SELECT a.*, t.id AS token_id, t.account AS token_account, t.label AS token_label, \
                 t.created_at AS token_created_at, t.expires_at AS token_expires_at, \
                 t.revoked_at AS token_revoked_at \
             FROM service_tokens t JOIN accounts a ON a.id = t.account WHERE t.token_hash = $1",
        )
        .bind(token_hash)
        .fetch_optional(self.readers())
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some((token(&Cells::new(&row, "service token"))?, account(&row)?)))
    }

    /// The tokens of a service's account, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn service_tokens_of(&self, account: AccountId) -> Result<Vec<ServiceToken>, Error> {
        let rows = sqlx::query(
            "SELECT id AS token_id, account AS token_account, label AS token_label, \
                 created_at AS token_created_at, expires_at AS token_expires_at, revoked_at AS token_revoked_at \
             FROM service_tokens WHERE account = $1 ORDER BY created_at, id",
        )
        .bind(account.to_string())
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(|row| token(&Cells::new(row, "service token"))).collect()
    }

    /// Revokes a service token; a second time changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the database fails.
    pub async fn revoke_service_token(&self, id: Uuid, now: Timestamp) -> Result<(), Error> {
        let done =
            sqlx::query("UPDATE service_tokens SET revoked_at = COALESCE(revoked_at, $2) WHERE id = $1")
                .bind(id.to_string())
                .bind(now.0)
                .execute(self.writer())
                .await?;
        if done.rows_affected() == 0 { Err(Error::not_found("service token", id)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
