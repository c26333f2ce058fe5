//! Why a message was refused.

/// The reason, from a closed list: a label of metrics and the `reason` in `rejected/…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The topic is none of ours, or its last level cannot be a source.
    BadTopic,
    /// The payload is longer than a message may be.
    TooLarge,
    /// The payload is not JSON.
    NotJson,
    /// A field is missing or has the wrong type or an unknown value.
    WrongShape,
    /// A field is too long, too short or out of its range.
    OutOfRange,
    /// The time is too far in the future: the source's clock is wrong.
    FromFuture,
    /// The time is so long ago that the event would be removed at once.
    TooOld,
}

impl Reason {
    /// Every reason.
    pub(crate) const ALL: [Self; 7] = [
        Self::BadTopic,
        Self::TooLarge,
        Self::NotJson,
        Self::WrongShape,
        Self::OutOfRange,
        Self::FromFuture,
        Self::TooOld,
    ];

    /// The name in messages and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadTopic => "bad_topic",
            Self::TooLarge => "too_large",
            Self::NotJson => "not_json",
            Self::WrongShape => "wrong_shape",
            Self::OutOfRange => "out_of_range",
            Self::FromFuture => "from_future",
            Self::TooOld => "too_old",
        }
    }
}

/// A message that cannot be used, and what its sender should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) reason: Reason,
    /// The field, as in `plate.raw`; empty for the whole payload.
    pub(crate) path: String,
    /// What is wrong and what would be right.
    pub(crate) detail: String,
    /// The payload without its person fields, when it was JSON.
    pub(crate) payload: Option<serde_json::Value>,
}

impl Refusal {
    pub(crate) fn new(reason: Reason, path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { reason, path: path.into(), detail: detail.into(), payload: None }
    }
}
