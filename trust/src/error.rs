//! What can go wrong when somebody signs in, asks for a ground or looks.

use std::time::Duration;

use sightline_model::account::{Right, Role};

use crate::{chain::Broken, keys::KeyFileError, refusal::Refusal};

/// An error of accounts, grants or the log. `Display` says what happened, [`Error::remedy`] the way out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody is signed in, or the session has ended.
    #[error("nobody is signed in")]
    NotSignedIn,
    /// Name or password is wrong; it is not told which.
    #[error("name or password is wrong")]
    BadCredentials,
    /// Too many failures.
    #[error("too many failed sign-ins for this name; wait {} s", wait.as_secs().max(1))]
    Throttled {
        /// How long.
        wait: Duration,
    },
    /// A write with a session cookie came without its token against forged requests.
    #[error("the header X-CSRF-Token is missing or wrong")]
    Csrf,
    /// The role may not do this.
    #[error("a {role} may not do this ({right:?} is needed)", role = role.as_str())]
    RoleForbids {
        /// The role.
        role: Role,
        /// What is needed.
        right: Right,
    },
    /// A password that is easy to guess.
    #[error("the password cannot be used: {why}")]
    WeakPassword {
        /// Why.
        why: String,
    },
    /// Text that cannot be a name, unit or label.
    #[error("{field} cannot be {value:?}: {way_out}")]
    Invalid {
        /// Which field.
        field: &'static str,
        /// What was given, cut to 64 characters.
        value: String,
        /// What it may be.
        way_out: &'static str,
    },
    /// The second person is missing or not a second person.
    #[error("{what} needs a second person: {why}")]
    SecondPerson {
        /// What needs it.
        what: &'static str,
        /// Why this person does not count.
        why: &'static str,
    },
    /// A grant or look is refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The entry could not be written, so nothing is released.
    #[error("the audit log cannot be written ({why}), so nothing is shown")]
    AuditUnavailable {
        /// Why.
        why: String,
    },
    /// The chain does not hold.
    #[error("the audit log is broken: {0}")]
    Broken(#[from] Broken),
    /// Records.
    #[error(transparent)]
    Records(#[from] sightline_records::Error),
    /// Footage.
    #[error(transparent)]
    Footage(#[from] sightline_footage::Error),
    /// The keys of footage.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// Something that should not happen.
    #[error("could not {doing}: {why}")]
    Internal {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        why: String,
    },
}

impl Error {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotSignedIn => "not_signed_in",
            Self::BadCredentials => "bad_credentials",
            Self::Throttled { .. } => "throttled",
            Self::Csrf => "csrf",
            Self::RoleForbids { .. } => "role_forbids",
            Self::WeakPassword { .. } => "weak_password",
            Self::Invalid { .. } => "invalid",
            Self::SecondPerson { .. } => "second_person",
            Self::Refused(refusal) => refusal.code(),
            Self::AuditUnavailable { .. } => "audit_unavailable",
            Self::Broken(_) => "audit_broken",
            Self::Records(_) => "records",
            Self::Footage(_) => "footage",
            Self::Keys(_) => "keys_unavailable",
            Self::Internal { .. } => "internal",
        }
    }

    /// The way out.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::NotSignedIn => {
                "Sign in with POST /api/v1/session, or send a service token as Authorization: Bearer."
            }
            Self::BadCredentials => "Check both and try again; an admin can set a new password.",
            Self::Throttled { .. } => "Wait, then try again; if it was not you, tell an admin.",
            Self::Csrf => "Send the csrf value that signing in (or GET /api/v1/me) returned as X-CSRF-Token.",
            Self::RoleForbids { .. } => {
                "Ask somebody whose role may, or an admin for an account with that role."
            }
            Self::WeakPassword { .. } => "Choose a longer one, four random words for instance.",
            Self::Invalid { .. } => "Correct the field and send it again.",
            Self::SecondPerson { .. } => "Ask somebody else who may approve it.",
            Self::Refused(refusal) => refusal.remedy(),
            Self::AuditUnavailable { .. } => {
                "Tell ops: the records database or its disk is in trouble. Try again after that."
            }
            Self::Broken(_) => {
                "Keep everything as it is and tell the auditor: entries were changed outside of Sightline."
            }
            Self::Keys(_) => "Tell ops: the key folder or its disk is in trouble; nothing else is lost.",
            Self::Records(_) | Self::Footage(_) | Self::Internal { .. } => {
                "Try again; if it stays, tell ops."
            }
        }
    }
}
