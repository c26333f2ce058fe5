//! The one table from every part's errors to a code, and through it to a status.

use super::{
    Error, Refusal,
    catalogue::{Code, named},
};

/// How an error is answered.
pub(super) struct Row {
    pub(super) code: Code,
    /// The way out when the error knows a better one than its code.
    pub(super) remedy: Option<String>,
}

pub(super) fn row(error: &Error) -> Row {
    match error {
        Error::Trust(error) => trust(error),
        Error::Records(error) => plain(records(error)),
        Error::Footage(error) => plain(footage(error)),
        Error::Gateway(error) => plain(gateway(error)),
        Error::Picture(error) => plain(picture(error)),
        Error::Refused(refusal) => plain(refused(refusal)),
    }
}

fn plain(name: &str) -> Row {
    Row { code: named(name), remedy: None }
}

fn trust(error: &sightline_trust::Error) -> Row {
    use sightline_trust::Error as E;
    match error {
        E::Records(error) => plain(records(error)),
        E::Footage(error) => plain(footage(error)),
        // Its codes are the catalogue's: a test holds that.
        other => Row { code: named(other.code()), remedy: Some(other.remedy().to_owned()) },
    }
}

fn records(error: &sightline_records::Error) -> &'static str {
    use sightline_records::Error as E;
    match error {
        E::NotFound { .. } => "not_found",
        E::Exists { .. } => "exists",
        E::Conflict { .. } => "conflict",
        E::InUse { .. } => "in_use",
        E::Invalid { .. } => "invalid",
        E::Cursor { .. } => "bad_cursor",
        E::Damaged { .. } => "internal",
        E::Open { .. } | E::Newer { .. } | E::Foreign { .. } | E::Migrate { .. } | E::Database(_) => {
            "records_unavailable"
        }
    }
}

fn footage(error: &sightline_footage::Error) -> &'static str {
    use sightline_footage::{Error as E, KeyError};
    match error {
        E::Gone { .. } => "no_footage",
        E::Key(KeyError::Destroyed { .. }) => "footage_destroyed",
        E::Key(KeyError::Unknown { .. } | KeyError::Unavailable { .. }) => "keys_unavailable",
        E::Damaged { .. } | E::Config { .. } | E::Version { .. } | E::WriterBusy { .. } => "internal",
        E::Io { .. } | E::Locked { .. } | E::DiskFull { .. } | E::NotWriting { .. } | E::Tier { .. } => {
            "footage_unavailable"
        }
        E::Catalogue(error) => records(error),
        E::Stopped => "stopping",
    }
}

fn gateway(error: &sightline_gateway::Error) -> &'static str {
    use sightline_gateway::Error as E;
    match error {
        E::Move { .. } => "not_possible",
        E::Note { .. } => "invalid",
        E::Records(error) => records(error),
        _ => "internal",
    }
}

fn picture(error: &sightline_picture::Error) -> &'static str {
    use sightline_picture::Error as E;
    match error {
        E::NoKeyFrame { .. }
        | E::TooLarge { .. }
        | E::Undecodable { .. }
        | E::Timeout { .. }
        | E::WorkerDied { .. } => "undecodable",
        E::Busy { .. } | E::Waited { .. } | E::Unavailable { .. } | E::NoDecoder { .. } => {
            "picture_unavailable"
        }
        E::Stopping => "stopping",
        E::Config { .. } => "internal",
    }
}

fn refused(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Json { .. } | Refusal::Cut { .. } => "bad_json",
        Refusal::Query { .. } => "bad_query",
        Refusal::Path { .. } => "bad_path",
        Refusal::Field { .. } => "invalid",
        Refusal::ContentType { .. } => "wrong_type",
        Refusal::TooLarge { .. } => "body_too_large",
        Refusal::NotSignedIn => "not_signed_in",
        Refusal::Csrf { .. } => "csrf",
        Refusal::Origin { .. } => "origin_refused",
        Refusal::Upgrade { .. } => "upgrade_needed",
        Refusal::Route { .. } => "route_unknown",
        Refusal::Method { .. } => "method_unknown",
        Refusal::TooManyViewers { .. } => "too_many_viewers",
        Refusal::NoFootage { .. } => "no_footage",
        Refusal::NotYours { .. } => "not_yours",
        Refusal::Ended { .. } => "ended",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sightline_trust::{Error as Trust, Refusal as Look};

    use super::*;

    #[test]
    fn the_door_s_codes_are_the_catalogue_s() {
        let range = sightline_model::TimeRange {
            from: sightline_model::Timestamp(0),
            to: sightline_model::Timestamp(1),
        };
        let errors = [
            (Trust::NotSignedIn, 401),
            (Trust::BadCredentials, 401),
            (Trust::Throttled { wait: Duration::from_secs(1) }, 429),
            (Trust::Csrf, 403),
            (Trust::WeakPassword { why: String::new() }, 400),
            (Trust::SecondPerson { what: "", why: "" }, 403),
            (Trust::AuditUnavailable { why: String::new() }, 503),
            (sightline_trust::keys::KeyFileError::ReadOnly { path: "/keys".into() }.into(), 503),
            (Look::GrantMissing.into(), 403),
            (Look::GrantForeign.into(), 403),
            (Look::GrantExpired { at: range.from }.into(), 403),
            (Look::GrantEnded { at: range.from }.into(), 403),
            (Look::TimeOutside { granted: range }.into(), 403),
            (Look::ReasonMissing.into(), 400),
        ];
        for (error, status) in errors {
            let (code, remedy) = (error.code(), error.remedy());
            let problem = Error::from(error).problem();
            assert_eq!((problem.code, problem.status), (code, status));
            assert_eq!(problem.remedy, remedy, "the door knows the way out best");
        }
    }

    #[test]
    fn destroyed_footage_is_told_from_keys_that_are_missing() {
        use sightline_footage::{CameraHour, KeyError, KeyId};

        let of = CameraHour { camera: "gate-1".parse().unwrap(), hour: 494_000 };
        let problem = |error: KeyError| Error::from(sightline_footage::Error::Key(error)).problem();
        let destroyed = problem(KeyError::Destroyed { id: KeyId(1), of });
        assert_eq!((destroyed.status, destroyed.code), (410, "footage_destroyed"));
        assert!(destroyed.detail.contains("gate-1 in the hour from 2026-05-10"), "{}", destroyed.detail);
        for missing in
            [KeyError::Unknown { id: KeyId(1), of }, KeyError::Unavailable { detail: "/secret".into() }]
        {
            let missing = problem(missing);
            assert_eq!((missing.status, missing.code), (503, "keys_unavailable"));
            assert!(!missing.detail.contains("secret"), "{}", missing.detail);
        }
    }

    #[test]
    fn what_went_wrong_inside_is_not_told() {
        let path = std::path::PathBuf::from("/var/lib/secret");
        let error = sightline_footage::Error::NotWriting { path, detail: "EIO".into() };
        let problem = Error::from(error).problem();
        assert_eq!((problem.status, problem.code), (503, "footage_unavailable"));
        assert!(!problem.detail.contains("secret"), "{}", problem.detail);
    }
}
