//! Signing in and out, sessions, service tokens, making accounts.

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
use uuid::Uuid;

use crate::{Config, Error, audit::AuditLog, secret, throttle::Throttle};

/// Longest name, unit or label in characters.
const MAX_TEXT_CHARS: usize = 64;
/// A session's last use is noted at most this often, so that reading does not become writing.
const TOUCH_EVERY_S: u64 = 30;

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account.
    pub account: Account,
    /// The session; `None` for a service token.
    pub session: Option<Session>,
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
    throttle: Mutex<Throttle>,
}

impl Accounts {
    /// Accounts over `records`. Must be called on a tokio runtime: the audit writer is a task.
    #[must_use]
    pub fn new(config: Config, records: Records) -> Self {
        let audit = AuditLog::start(records.clone());
        Self::with_audit(config, records, audit)
    }

    pub(crate) fn with_audit(config: Config, records: Records, audit: AuditLog) -> Self {
        Self { inner: Arc::new(Inner { config, records, audit, throttle: Mutex::default() }) }
    }

    pub(crate) fn records(&self) -> &Records {
        &self.inner.records
    }

    pub(crate) fn audit(&self) -> &AuditLog {
        &self.inner.audit
    }

    async fn record(&self, act: Act) -> Result<(), Error> {
        self.inner.audit.enter(act).await.map(drop)
    }

    /// Signs a person in by name and password.
    ///
    /// # Errors
    /// [`Error::BadCredentials`] without telling which of the two is wrong; [`Error::Throttled`] after many failures.
    pub async fn sign_in(&self, name: &str, password: &str, now: Timestamp) -> Result<SignedIn, Error> {
        let key = name.trim().to_lowercase();
        if let Some(wait) = self.inner.throttle.lock().wait(&key, now) {
            return Err(Error::Throttled { wait });
        }
        let found = self.records().account_by_name(name).await?;
        let usable = found.filter(|(account, _)| account.disabled_at.is_none() && !account.service);
        let hash = usable.as_ref().and_then(|(_, hash)| hash.clone());
        let matches = secret::password_matches(password.to_owned(), hash).await?;
        let Some((account, _)) = usable.filter(|_| matches) else {
            self.inner.throttle.lock().failed(&key, now);
            // The name goes in as it was typed, cut: it may be a password typed into the wrong field, so no more than a hint.
            let hint: String = name.chars().take(3).collect();
            self.record(act(None, Action::SignInRefused, format!("name beginning with {hint:?}"), now))
                .await?;
            return Err(Error::BadCredentials);
        };
        self.inner.throttle.lock().succeeded(&key);
        let (token, csrf) = (secret::token(), secret::token());
        let expires_at = now + self.inner.config.session_longest;
        let session = Session {
            token_hash: secret::token_hash(&token),
            account: account.id,
            csrf: csrf.clone(),
            created_at: now,
            last_seen_at: now,
            expires_at,
        };
        self.record(act(Some(account.id), Action::SignIn, String::new(), now)).await?;
        self.records().insert_session(&session).await?;
        self.records().sweep_sessions(now, now - self.inner.config.session_idle).await?;
        Ok(SignedIn { token, csrf, account, expires_at })
    }

    /// Ends the caller's session.
    ///
    /// # Errors
    /// When the records fail.
    pub async fn sign_out(&self, caller: &Caller, now: Timestamp) -> Result<(), Error> {
        if let Some(session) = &caller.session {
            self.record(act(Some(caller.account.id), Action::SignOut, String::new(), now)).await?;
            self.records().delete_session(&session.token_hash).await?;
        }
        Ok(())
    }

    /// Who holds this session token.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`] when there is no such session or it has ended.
    pub async fn caller_by_session(&self, token: &str, now: Timestamp) -> Result<Caller, Error> {
        let (session, account) = self.live_session(&secret::token_hash(token), now).await?;
        if now.duration_since(session.last_seen_at).as_secs() >= TOUCH_EVERY_S {
            self.records().touch_session(&session.token_hash, now).await?;
        }
        Ok(Caller { account, session: Some(session) })
    }

    /// Which service holds this bearer token.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`] when there is no such token or it has ended.
    pub async fn caller_by_bearer(&self, token: &str, now: Timestamp) -> Result<Caller, Error> {
        let (found, account) =
            self.records().service_token(&secret::token_hash(token)).await?.ok_or(Error::NotSignedIn)?;
        let ended = found.revoked_at.is_some() || found.expires_at.is_some_and(|at| at <= now);
        if ended || account.disabled_at.is_some() {
            return Err(Error::NotSignedIn);
        }
        Ok(Caller { account, session: None })
    }

    async fn live_session(&self, token_hash: &str, now: Timestamp) -> Result<(Session, Account), Error> {
        let (session, account) = self.records().session(token_hash).await?.ok_or(Error::NotSignedIn)?;
        let idle = now.duration_since(session.last_seen_at) >= self.inner.config.session_idle;
        if idle || session.expires_at <= now || account.disabled_at.is_some() {
            return Err(Error::NotSignedIn);
        }
        Ok((session, account))
    }

    /// Whether the caller could still act now: for looks that last. Watching counts as using the session.
    pub(crate) async fn still_signed_in(&self, caller: &Caller, now: Timestamp) -> Result<(), Error> {
        match &caller.session {
            Some(session) => {
                let (session, _) = self.live_session(&session.token_hash, now).await?;
                if now.duration_since(session.last_seen_at).as_secs() >= TOUCH_EVERY_S {
                    self.records().touch_session(&session.token_hash, now).await?;
                }
            }
            None => {
                let account = self.records().account(caller.account.id).await?;
                if account.disabled_at.is_some() {
                    return Err(Error::NotSignedIn);
                }
            }
        }
        Ok(())
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
        self.records().create_account(&account, hash.as_deref()).await?;
        let detail = format!("made {} as {}", account.id, account.role.as_str());
        self.record(act(by.map(|by| by.account.id), Action::AccountChanged, detail, now)).await?;
        Ok(account)
    }

    /// Sets a new password; the account's sessions end.
    ///
    /// # Errors
    /// When the password is weak or the caller may not.
    pub async fn set_password(
        &self,
        by: Option<&Caller>,
        account: &Account,
        password: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        if let Some(by) = by.filter(|by| by.account.id != account.id) {
            require(by, Right::EditAccounts)?;
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
        self.records().insert_service_token(&stored, &secret::token_hash(&token)).await?;
        let detail = format!("made token {} for {}", stored.id, account.id);
        self.record(act(by.map(|by| by.account.id), Action::AccountChanged, detail, now)).await?;
        Ok(token)
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

fn act(account: Option<AccountId>, action: Action, detail: String, at: Timestamp) -> Act {
    Act { at, account, action, grant: None, ground: None, camera: None, range: None, detail }
}
