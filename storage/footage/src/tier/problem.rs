//! What an object store's errors mean, in words that say the way out.

use std::{error::Error as StdError, io};

use object_store::client::{HttpError, HttpErrorKind};

/// Longest text that is taken over from a store.
const DETAIL_CHARS: usize = 200;

/// Why a tier could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TierProblem {
    /// There is no such bucket or folder.
    #[error("the bucket or folder does not exist: create it (or mount it), or correct footage.tier.url")]
    NoBucket,
    /// The object is not there.
    #[error("it is not there: somebody removed it from the store, or it was never sent whole")]
    Missing,
    /// The store knows us and says no, or does not know us.
    #[error(
        "access is denied ({detail}): check footage.tier.access_key_id and secret_key_file, and that the key may read, \
         write, list and delete there"
    )]
    Denied {
        /// What the store said.
        detail: String,
    },
    /// No answer.
    #[error("no answer ({detail}): check footage.tier.endpoint and the network; it is tried again by itself")]
    Unreachable {
        /// What happened.
        detail: String,
    },
    /// The store answered with something else.
    #[error("the store refuses: {detail}")]
    Refused {
        /// What the store said.
        detail: String,
    },
    /// Stored bytes do not match their checksum or make no sense.
    #[error("{what}; the local copy is kept where there is one")]
    Damaged {
        /// What does not fit.
        what: String,
    },
    /// It was written by a later program.
    #[error("it has manifest version {found}, this program reads up to {supported}: use a newer program")]
    Version {
        /// Its version.
        found: u16,
        /// The newest version that can be read.
        supported: u16,
    },
    /// The store holds other bytes under the same name.
    #[error(
        "the store already holds other footage under this name: give every node a name of its own (node.name), and run \
         `sightline footage check` in case the local file has changed"
    )]
    Conflict,
    /// Too many readers are waiting for the store.
    #[error("too many reads are waiting for the store: try again in a moment")]
    Busy,
}

impl TierProblem {
    /// Whether it is about one segment, and others may still go.
    pub(crate) fn is_of_the_segment(&self) -> bool {
        matches!(self, Self::Missing | Self::Damaged { .. } | Self::Version { .. } | Self::Conflict)
    }
}

impl From<object_store::Error> for TierProblem {
    fn from(error: object_store::Error) -> Self {
        use object_store::Error as E;
        let text = error.to_string();
        match &error {
            // A listing is refused with another error than a reading.
            _ if text.contains("NoSuchBucket") => Self::NoBucket,
            E::NotFound { .. } => Self::Missing,
            E::PermissionDenied { .. } | E::Unauthenticated { .. } => Self::Denied { detail: brief(&text) },
            _ if text.contains("status code: 403") || text.contains("status code: 401") => {
                Self::Denied { detail: brief(&text) }
            }
            _ => other(&error, &text),
        }
    }
}

/// Tells by the causes underneath, as deep as they go.
fn other(error: &object_store::Error, text: &str) -> TierProblem {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    let mut last = text.to_owned();
    while let Some(inner) = cause {
        last = inner.to_string();
        if let Some(http) = inner.downcast_ref::<HttpError>() {
            let kind = match http.kind() {
                HttpErrorKind::Connect => "it could not be connected to",
                HttpErrorKind::Timeout => "it took too long",
                _ => "the connection broke",
            };
            return TierProblem::Unreachable { detail: format!("{kind}: {}", deepest(http)) };
        }
        match inner.downcast_ref::<io::Error>().map(io::Error::kind) {
            Some(io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) => {
                return TierProblem::Denied { detail: brief(&last) };
            }
            Some(io::ErrorKind::NotFound) => return TierProblem::NoBucket,
            _ => {}
        }
        cause = inner.source();
    }
    // A cause without a code of its own says more than the frame around it.
    let detail = if text.contains("<Code>") { brief(text) } else { brief(&last) };
    TierProblem::Refused { detail }
}

fn deepest(error: &dyn StdError) -> String {
    let mut error = error;
    while let Some(inner) = error.source() {
        error = inner;
    }
    brief(&error.to_string())
}

/// The code and the message of an S3 answer, or the text itself, cut.
fn brief(text: &str) -> String {
    let inside = |tag: &str| {
        let (_, rest) = text.split_once(&format!("<{tag}>"))?;
        rest.split_once(&format!("</{tag}>")).map(|(inside, _)| inside)
    };
    let words = match (inside("Code"), inside("Message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        _ => text.to_owned(),
    };
    words.chars().take(DETAIL_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_cut_to_what_it_says() {
        let body = "Error performing PUT http://h/b/k in 1ms - Server returned non-2xx status code: 403: <?xml?><Error>\
                    <Code>SignatureDoesNotMatch</Code><Message>Check your key.</Message><StringToSign>long</StringToSign></Error>";
        assert_eq!(brief(body), "SignatureDoesNotMatch: Check your key.");
        assert_eq!(brief(&"x".repeat(1000)).len(), DETAIL_CHARS);
        let refused = object_store::Error::PermissionDenied { path: "k".to_owned(), source: body.into() };
        let problem = TierProblem::from(refused).to_string();
        assert!(problem.contains("Check your key") && !problem.contains("StringToSign"), "{problem}");
    }

    #[test]
    fn a_missing_bucket_is_told_from_a_missing_object() {
        let missing = |body: &str| {
            TierProblem::from(object_store::Error::NotFound { path: "k".to_owned(), source: body.into() })
        };
        assert_eq!(missing("404: <Code>NoSuchBucket</Code>"), TierProblem::NoBucket);
        assert_eq!(missing("404: <Code>NoSuchKey</Code>"), TierProblem::Missing);
    }

    #[test]
    fn causes_of_a_folder_are_told_apart() {
        let generic = |kind: io::ErrorKind| {
            let source = Box::new(io::Error::new(kind, "os"));
            TierProblem::from(object_store::Error::Generic { store: "local", source })
        };
        assert!(matches!(generic(io::ErrorKind::PermissionDenied), TierProblem::Denied { .. }));
        assert!(matches!(generic(io::ErrorKind::StorageFull), TierProblem::Refused { .. }));
        assert_eq!(generic(io::ErrorKind::NotFound), TierProblem::NoBucket);
    }
}
