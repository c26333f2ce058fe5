//! Signing in and out, and who holds a session or a token.

use sightline_model::{Timestamp, account::Account, audit::Action};
use sightline_records::sessions::{ServiceToken, Session};

use crate::{
    Accounts, Caller, Error, SignedIn,
    accounts::{MAX_TEXT_CHARS, act},
    secret,
};

/// A session's last use is noted at most this often, so that reading does not become writing.
const TOUCH_EVERY_S: u64 = 30;

impl Accounts {
    /// Signs a person in by name and password.
    ///
    /// # Errors
    /// [`Error::BadCredentials`] without telling which of the two is wrong; [`Error::Throttled`] after many failures.
    pub async fn sign_in(&self, name: &str, password: &str, now: Timestamp) -> Result<SignedIn, Error> {
        self.sign_in_from(name, password, None, now).await
    }

    /// The same for a request from a known network address, whose failures are counted too.
    ///
    /// # Errors
    /// As [`Accounts::sign_in`].
    pub async fn sign_in_from(
        &self,
        name: &str,
        password: &str,
        address: Option<&str>,
        now: Timestamp,
    ) -> Result<SignedIn, Error> {
        let account = self.prove(name, password, address, now).await?;
        self.begin_session(account, now).await
    }

    /// The account of a name, if this is its password. Takes as long for names that do not exist.
    pub(crate) async fn prove(
        &self,
        name: &str,
        password: &str,
        address: Option<&str>,
        now: Timestamp,
    ) -> Result<Account, Error> {
        // No account has a longer name: what comes behind only costs memory.
        let key: String = name.trim().to_lowercase().chars().take(MAX_TEXT_CHARS + 1).collect();
        self.attempt(&key, address, now)?;
        let found = self.records().account_by_name(&key).await?;
        let usable = found.filter(|(account, _)| account.disabled_at.is_none() && !account.service);
        let hash = usable.as_ref().and_then(|(_, hash)| hash.clone());
        // Argon2 takes memory by design: a flood of sign-ins waits here instead of taking all of it.
        let turn = self.hashing().acquire().await;
        let matches = secret::password_matches(password.to_owned(), hash).await?;
        drop(turn);
        let Some((account, _)) = usable.filter(|_| matches) else {
            self.counters().sign_ins_failed.add(1);
            self.enter_failure(&key, now).await;
            return Err(Error::BadCredentials);
        };
        self.names().lock().forgive(&key);
        if let Some(address) = address {
            self.addresses().lock().take_back(address);
        }
        Ok(account)
    }

    /// Counts the attempt before the password is looked at, so that many at once do not all slip through.
    fn attempt(&self, key: &str, address: Option<&str>, now: Timestamp) -> Result<(), Error> {
        let refused = match address {
            Some(address) => self
                .addresses()
                .lock()
                .attempt(address, now)
                .or_else(|| self.names().lock().attempt(key, now)),
            None => self.names().lock().attempt(key, now),
        };
        match refused {
            Some(wait) => {
                self.counters().sign_ins_throttled.add(1);
                Err(Error::Throttled { wait })
            }
            None => Ok(()),
        }
    }

    async fn begin_session(&self, account: Account, now: Timestamp) -> Result<SignedIn, Error> {
        let (token, csrf) = (secret::token(), secret::token());
        let expires_at = now + self.config().session_longest;
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
        self.records().sweep_sessions(now, now - self.config().session_idle).await?;
        self.counters().sign_ins.add(1);
        Ok(SignedIn { token, csrf, account, expires_at })
    }

    /// Enters a failed sign-in, unless many were entered this minute: guessing must not flood the log. It stays refused
    /// when it cannot be entered, and the answer stays the same.
    async fn enter_failure(&self, key: &str, now: Timestamp) {
        let Some(left_out) = self.failures().lock().spend((), now) else { return };
        // The name may be a password that was typed into the wrong field: no more than a hint of it goes in.
        let hint: String = key.chars().take(3).collect();
        let mut detail = format!("name beginning with {hint:?}");
        if left_out > 0 {
            detail.push_str(&format!(" ({left_out} more failures before this one were not entered)"));
        }
        if let Err(error) = self.record(act(None, Action::SignInRefused, detail, now)).await {
            tracing::error!(%error, "A failed sign-in could not be entered in the audit log.");
        }
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
        self.touch(&session, now).await?;
        Ok(Caller { account, session: Some(session), service_token: None })
    }

    /// Which service holds this bearer token.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`] when there is no such token or it has ended.
    pub async fn caller_by_bearer(&self, token: &str, now: Timestamp) -> Result<Caller, Error> {
        let (found, account) =
            self.records().service_token(&secret::token_hash(token)).await?.ok_or(Error::NotSignedIn)?;
        if has_ended(&found, now) || account.disabled_at.is_some() {
            return Err(Error::NotSignedIn);
        }
        Ok(Caller { account, session: None, service_token: Some(found.id) })
    }

    async fn live_session(&self, token_hash: &str, now: Timestamp) -> Result<(Session, Account), Error> {
        let (session, account) = self.records().session(token_hash).await?.ok_or(Error::NotSignedIn)?;
        let idle = now.duration_since(session.last_seen_at) >= self.config().session_idle;
        if idle || session.expires_at <= now || account.disabled_at.is_some() {
            return Err(Error::NotSignedIn);
        }
        Ok((session, account))
    }

    /// The account as it is now, if the caller could still act: for looks that last. Watching counts as using the
    /// session.
    pub(crate) async fn still_signed_in(&self, caller: &Caller, now: Timestamp) -> Result<Account, Error> {
        if let Some(session) = &caller.session {
            let (session, account) = self.live_session(&session.token_hash, now).await?;
            self.touch(&session, now).await?;
            return Ok(account);
        }
        let account = self.records().account(caller.account.id).await?;
        let tokens = self.records().service_tokens_of(account.id).await?;
        let token = tokens.iter().find(|token| Some(token.id) == caller.service_token);
        if account.disabled_at.is_some() || token.is_none_or(|token| has_ended(token, now)) {
            return Err(Error::NotSignedIn);
        }
        Ok(account)
    }

    async fn touch(&self, session: &Session, now: Timestamp) -> Result<(), Error> {
        if now.duration_since(session.last_seen_at).as_secs() >= TOUCH_EVERY_S {
            self.records().touch_session(&session.token_hash, now).await?;
        }
        Ok(())
    }
}

fn has_ended(token: &ServiceToken, now: Timestamp) -> bool {
    token.revoked_at.is_some() || token.expires_at.is_some_and(|at| at <= now)
}
