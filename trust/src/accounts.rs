//! Accounts of people and services: making them, switching them off, their passwords and tokens.

use std::sync::Arc;

use parking_lot::Mutex;
use sightline_model::{
    Timestamp,
    account::{Account, Right, Role},
    audit::{Act, Action},
    id::AccountId,
};
use sightline_records::{
    Records,
    sessions::{ServiceToken, Session},
};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::{Config, Error, audit::AuditLog, looks::Budget, metrics::Metrics, secret, throttle::Throttle};

/// Longest name, unit or label in characters.
pub(crate) const MAX_TEXT_CHARS: usize = 64;
/// Passwords hashed at once: each takes 19 MiB and a core.
const HASHING: usize = 2;
/// Failed sign-ins entered in a minute.
const FAILURES_ENTERED: u32 = 30;

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account.
    pub account: Account,
    /// The session; `None` for a service token.
    pub session: Option<Session>,
    /// The service token's id; `None` for a session.
    pub service_token: Option<Uuid>,
}

/// What signing in gives: the token goes into the cookie and nowhere else.
#[derive(Clone)]
pub struct SignedIn {
    /// The session's token.
    pub token: String,
    /// What writes with the cookie must repeat.
    pub csrf: String,
    /// Who it is.
    pub account: Account,
    /// When the session ends at the latest.
    pub expires_at: Timestamp,
}

/// An account to be made.
#[derive(Clone)]
pub struct NewAccount {
    /// Sign-in name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The unit the person belongs to.
    pub unit: String,
    /// The password; `None` for a service account.
    pub password: Option<String>,
}

/// Accounts, sessions and tokens. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Accounts {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: Config,
    records: Records,
    audit: AuditLog,
    names: Mutex<Throttle>,
    addresses: Mutex<Throttle>,
    failures: Mutex<Budget<()>>,
    hashing: Semaphore,
    metrics: Arc<Metrics>,
}

impl Accounts {
    /// Accounts over `records`. Must be called on a tokio runtime: the audit writer is a task.
    #[must_use]
    pub fn new(config: Config, records: Records) -> Self {
        let metrics = Arc::new(Metrics::default());
        let audit = AuditLog::start(records.clone(), Arc::clone(&metrics));
        Self::with_audit(config, records, audit, metrics)
    }

    pub(crate) fn with_audit(
        config: Config,
        records: Records,
        audit: AuditLog,
        metrics: Arc<Metrics>,
    ) -> Self {
        let inner = Inner {
            config,
            records,
            audit,
            names: Mutex::new(Throttle::for_names()),
            addresses: Mutex::new(Throttle::for_addresses()),
            failures: Mutex::new(Budget::new(FAILURES_ENTERED)),
            hashing: Semaphore::new(HASHING),
            metrics,
        };
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn config(&self) -> &Config {
        &self.inner.config
    }

    pub(crate) fn records(&self) -> &Records {
        &self.inner.records
    }

    pub(crate) fn audit(&self) -> &AuditLog {
        &self.inner.audit
    }

    pub(crate) fn counters(&self) -> &Metrics {
        &self.inner.metrics
    }

    pub(crate) fn names(&self) -> &Mutex<Throttle> {
        &self.inner.names
    }

    pub(crate) fn addresses(&self) -> &Mutex<Throttle> {
        &self.inner.addresses
    }

    pub(crate) fn failures(&self) -> &Mutex<Budget<()>> {
        &self.inner.failures
    }

    pub(crate) fn hashing(&self) -> &Semaphore {
        &self.inner.hashing
    }

    pub(crate) async fn record(&self, act: Act) -> Result<(), Error> {
        self.inner.audit.enter(act).await.map(drop)
    }

    /// Makes an account. `by` is `None` on the command line, whose user owns the database anyway.
    ///
    /// # Errors
    /// When the name is taken or unusable, the password is weak, or the caller may not.
    pub async fn create_account(
        &self,
        by: Option<&Caller>,
        new: NewAccount,
        now: Timestamp,
    ) -> Result<Account, Error> {
        if let Some(by) = by {
            require(by, Right::EditAccounts)?;
        }
        let name = text("name", &new.name)?;
        let unit = text("unit", &new.unit)?;
        let hash = match &new.password {
            Some(password) => {
                secret::check_password(&name, password)?;
                Some(secret::hash_password(password.clone()).await?)
            }
            None => None,
        };
        let account = Account {
            id: AccountId(Uuid::now_v7()),
            name,
            role: new.role,
            unit,
            service: hash.is_none(),
            disabled_at: None,
            created_at: now,
        };
        // Entered first: no account exists that the log does not know. A name that is taken is told before that.
        if self.records().account_by_name(&account.name).await?.is_some() {
            return Err(sightline_records::Error::Exists { what: "account", id: account.name }.into());
        }
        let detail = format!("made {} as {} of unit {:?}", account.id, account.role.as_str(), account.unit);
        self.record(act(by.map(|by| by.account.id), Action::AccountChanged, detail, now)).await?;
        self.records().create_account(&account, hash.as_deref()).await?;
        Ok(account)
    }

    /// Sets a new password; the account's sessions end. For an admin, or the command line; people change their own with
    /// [`Accounts::change_password`], which asks for the old one.
    ///
    /// # Errors
    /// When the password is weak, the account is a service's, or the caller may not.
    pub async fn set_password(
        &self,
        by: Option<&Caller>,
        account: &Account,
        password: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        if let Some(by) = by {
            require(by, Right::EditAccounts)?;
        }
        if account.service {
            let way_out = "services sign in by token: make one for it";
            return Err(Error::Invalid { field: "account", value: account.name.clone(), way_out });
        }
        secret::check_password(&account.name, password)?;
        let hash = secret::hash_password(password.to_owned()).await?;
        self.record(act(
            by.map(|by| by.account.id),
            Action::AccountChanged,
            format!("new password for {}", account.id),
            now,
        ))
        .await?;
        Ok(self.records().set_password_hash(account.id, &hash).await?)
    }

    /// Changes the caller's own password; all sessions of the account end. A wrong old password counts as a failed
    /// sign-in.
    ///
    /// # Errors
    /// [`Error::BadCredentials`], [`Error::Throttled`], or when the new password is weak.
    pub async fn change_password(
        &self,
        caller: &Caller,
        old: &str,
        new: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let account = &caller.account;
        secret::check_password(&account.name, new)?;
        self.prove(&account.name, old, None, now).await?;
        let hash = secret::hash_password(new.to_owned()).await?;
        let detail = "changed the own password".to_owned();
        self.record(act(Some(account.id), Action::AccountChanged, detail, now)).await?;
        Ok(self.records().set_password_hash(account.id, &hash).await?)
    }

    /// Makes a bearer token for a service account. It is returned once and kept as a hash.
    ///
    /// # Errors
    /// When the account is a person's, or the caller may not.
    pub async fn create_service_token(
        &self,
        by: Option<&Caller>,
        account: &Account,
        label: &str,
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<String, Error> {
        if let Some(by) = by {
            require(by, Right::EditAccounts)?;
        }
        if !account.service {
            let way_out = "name a service account: people sign in by password";
            return Err(Error::Invalid { field: "account", value: account.name.clone(), way_out });
        }
        let token = secret::token();
        let stored = ServiceToken {
            id: Uuid::now_v7(),
            account: account.id,
            label: text("label", label)?,
            created_at: now,
            expires_at,
            revoked_at: None,
        };
        let detail = format!("made token {} for {}", stored.id, account.id);
        self.record(act(by.map(|by| by.account.id), Action::AccountChanged, detail, now)).await?;
        self.records().insert_service_token(&stored, &secret::token_hash(&token)).await?;
        Ok(token)
    }

    /// Revokes a service token at once.
    ///
    /// # Errors
    /// When there is no such token, or the caller may not.
    pub async fn revoke_service_token(
        &self,
        by: Option<&Caller>,
        token: Uuid,
        now: Timestamp,
    ) -> Result<(), Error> {
        if let Some(by) = by {
            require(by, Right::EditAccounts)?;
        }
        let detail = format!("revoked token {token}");
        self.record(act(by.map(|by| by.account.id), Action::AccountChanged, detail, now)).await?;
        Ok(self.records().revoke_service_token(token, now).await?)
    }

    /// Switches an account off: sessions, tokens and grants end with it.
    ///
    /// # Errors
    /// When it is the last administrator, is not there, or the caller may not.
    pub async fn disable_account(
        &self,
        by: Option<&Caller>,
        account: AccountId,
        now: Timestamp,
    ) -> Result<(), Error> {
        if let Some(by) = by {
            require(by, Right::EditAccounts)?;
        }
        let detail = format!("switched off {account}");
        self.record(act(by.map(|by| by.account.id), Action::AccountChanged, detail, now)).await?;
        Ok(self.records().disable_account(account, now).await?)
    }
}

/// Refuses what the caller's role may not do.
pub(crate) fn require(caller: &Caller, right: Right) -> Result<(), Error> {
    let role = caller.account.role;
    if role.may(right) { Ok(()) } else { Err(Error::RoleForbids { role, right }) }
}

/// Trimmed text of 1 to 64 characters without control characters.
fn text(field: &'static str, value: &str) -> Result<String, Error> {
    let trimmed = value.trim();
    let usable =
        (1..=MAX_TEXT_CHARS).contains(&trimmed.chars().count()) && !trimmed.chars().any(char::is_control);
    if usable {
        return Ok(trimmed.to_owned());
    }
    let value = value.chars().take(64).collect();
    Err(Error::Invalid { field, value, way_out: "use 1 to 64 characters without control characters" })
}

pub(crate) fn act(account: Option<AccountId>, action: Action, detail: String, at: Timestamp) -> Act {
    Act { at, account, action, grant: None, ground: None, camera: None, range: None, detail }
}

#[cfg(test)]
mod tests;
