//! Identifiers. Cameras and regions carry short readable codes; everything made by Sightline carries a UUIDv7.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Longest code in bytes: long enough for a 20-digit GB/T 28181 code, short enough to stand in every record header.
pub const CODE_BYTES: usize = 24;

/// A code that cannot be a camera or region id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a valid id: use 1 to {CODE_BYTES} characters of a-z, 0-9 and '-', not starting with '-'"
)]
pub struct InvalidCode {
    /// What was given, cut to 64 characters.
    pub text: String,
}

/// The inline text behind [`CameraId`] and [`RegionId`]: `Copy`, ordered as text, zero-padded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Code([u8; CODE_BYTES]);

impl Code {
    fn parse(text: &str) -> Result<Self, InvalidCode> {
        let bytes = text.as_bytes();
        let valid = (1..=CODE_BYTES).contains(&bytes.len())
            && bytes.first() != Some(&b'-')
            && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-');
        if !valid {
            return Err(InvalidCode { text: text.chars().take(64).collect() });
        }
        let mut code = [0; CODE_BYTES];
        for (to, from) in code.iter_mut().zip(bytes) {
            *to = *from;
        }
        Ok(Self(code))
    }

    fn as_str(&self) -> &str {
        let end = self.0.iter().position(|b| *b == 0).unwrap_or(CODE_BYTES);
        // Only ASCII gets in, so neither step can fail.
        self.0.get(..end).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

macro_rules! code_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(Code);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }

            /// The id as it stands in binary formats: zero-padded ASCII.
            #[must_use]
            pub fn to_bytes(self) -> [u8; CODE_BYTES] {
                self.0.0
            }

            /// Reads the binary form back.
            ///
            /// # Errors
            /// When the bytes are not a zero-padded valid code.
            pub fn from_bytes(bytes: [u8; CODE_BYTES]) -> Result<Self, InvalidCode> {
                let id: Self = String::from_utf8_lossy(&bytes).trim_end_matches('\0').parse()?;
                if id.to_bytes() == bytes { Ok(id) } else { Err(InvalidCode { text: id.to_string() }) }
            }
        }

        impl FromStr for $name {
            type Err = InvalidCode;
            fn from_str(text: &str) -> Result<Self, InvalidCode> {
                Code::parse(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidCode;
            fn try_from(text: String) -> Result<Self, InvalidCode> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,23}$" })
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some("^[a-z0-9][a-z0-9-]{0,23}$"))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

code_id! {
    /// A camera, as a readable code that is also its key on disk, in topics and in URLs (`gate-3`, a GB/T 28181 code).
    CameraId
}
code_id! {
    /// A region of the registry's tree (`north-district`, a division code).
    RegionId
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "format": "uuid" })
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }
    };
}

uuid_id! {
    /// A person's or a service's account.
    AccountId
}
uuid_id! {
    /// A grant: who may look at what, why and until when.
    GrantId
}
uuid_id! {
    /// An alert on the duty desk.
    AlertId
}
uuid_id! {
    /// A patrol plan.
    PlanId
}
uuid_id! {
    /// One patrol session, run by one person.
    PatrolId
}
uuid_id! {
    /// One entry of the hotlist.
    HotlistId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_keeps_its_text_through_every_form() {
        for text in ["a", "gate-3", "34020000001320000001", "abcdefghijklmnopqrstuvwx"] {
            let id: CameraId = text.parse().unwrap();
            assert_eq!(id.as_str(), text);
            assert_eq!(CameraId::from_bytes(id.to_bytes()).unwrap(), id);
            assert_eq!(serde_json::to_string(&id).unwrap(), format!("{text:?}"));
        }
    }

    #[test]
    fn a_bad_code_is_refused_with_the_way_out() {
        for text in ["", "-a", "Gate", "a b", "abcdefghijklmnopqrstuvwxy", "../etc", "门"] {
            let error = text.parse::<CameraId>().unwrap_err();
            assert!(error.to_string().contains("use 1 to 24 characters"), "{error}");
        }
        let mut torn = "gate".parse::<CameraId>().unwrap().to_bytes();
        torn[10] = b'x';
        assert!(CameraId::from_bytes(torn).is_err(), "bytes behind the padding are damage, not text");
    }
}
