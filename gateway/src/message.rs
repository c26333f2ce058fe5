//! What goes out over MQTT. Notes and names of the people at the desk do not.

use base64::Engine as _;
use schemars::JsonSchema;
use serde::Serialize;
use sightline_model::{
    CameraId, RegionId, Timestamp,
    alert::{Alert, AlertSource, AlertState, Severity},
    camera::Position,
    id::AlertId,
};

use crate::refusal::{Reason, Refusal};

/// Longest part of a refused payload that is told of, in bytes.
const MAX_TOLD_BYTES: usize = 4096;

/// Payload of `alert/{id}`. Retained until the alert is closed; then the topic is cleared by an empty payload.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct AlertMessage<'a> {
    /// Its id.
    pub id: AlertId,
    /// Where it stands. Nothing is `confirmed` before a person has confirmed it.
    pub state: AlertState,
    /// What brought it up.
    pub source: &'a AlertSource,
    /// How much it matters.
    pub severity: Severity,
    /// One line.
    pub title: &'a str,
    /// When the thing happened.
    pub occurred_at: Timestamp,
    /// When the alert was raised.
    pub raised_at: Timestamp,
    /// The camera that saw it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub camera: Option<CameraId>,
    /// The region it happened in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<RegionId>,
    /// Where it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// How often the same thing came again while it was open.
    pub repeats: u32,
    /// Grows with each move of a person.
    pub revision: i64,
}

impl<'a> From<&'a Alert> for AlertMessage<'a> {
    fn from(alert: &'a Alert) -> Self {
        Self {
            id: alert.id,
            state: alert.state,
            source: &alert.source,
            severity: alert.severity,
            title: &alert.title,
            occurred_at: alert.occurred_at,
            raised_at: alert.raised_at,
            camera: alert.camera,
            region: alert.region,
            position: alert.position,
            repeats: alert.repeats,
            revision: alert.revision,
        }
    }
}

/// Payload of `node/{node}/state`. Retained; the broker itself publishes `offline` when the node is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NodeState {
    /// The node.
    pub node: String,
    /// Whether it is there.
    pub state: NodeReach,
    /// Since when; absent in what the broker publishes for a node that is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// Whether a node is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NodeReach {
    /// It is connected and takes events.
    Online,
    /// It is not.
    Offline,
}

/// Payload of `rejected/{topic}`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Rejected {
    /// Why, from a closed list.
    pub reason: Reason,
    /// The field, as in `plate.raw`; empty for the whole payload.
    pub path: String,
    /// What is wrong and what would be right.
    pub detail: String,
    /// When it was refused.
    pub at: Timestamp,
    /// Length of the payload.
    pub payload_bytes: usize,
    /// The payload's JSON text without its person fields, cut to 4096 bytes; absent when it was not JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// The first 4096 bytes in Base64 when the payload was not JSON; absent when it was too large.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload_base64: Option<String>,
}

impl Rejected {
    pub(crate) fn new(refusal: Refusal, payload: &[u8], payload_bytes: usize, at: Timestamp) -> Self {
        let Refusal { reason, path, detail, payload: json } = refusal;
        let text = json.map(|json| cut(json.to_string()));
        let raw = payload.get(..payload.len().min(MAX_TOLD_BYTES)).unwrap_or_default();
        let encode = || base64::engine::general_purpose::STANDARD.encode(raw);
        let payload_base64 = (text.is_none() && reason != Reason::TooLarge).then(encode);
        Self { reason, path, detail, at, payload_bytes, payload: text, payload_base64 }
    }
}

fn cut(mut text: String) -> String {
    if text.len() > MAX_TOLD_BYTES {
        let end = (0..=MAX_TOLD_BYTES).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
    }
    text
}

/// JSON bytes. Only plain data gets here, which always has a JSON form.
pub(crate) fn to_bytes(value: &impl Serialize) -> bytes::Bytes {
    serde_json::to_vec(value).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_json_as_text_and_bytes_as_base64() {
        let json = serde_json::json!({ "id": "京".repeat(3000) });
        let refusal = |payload| Refusal { payload, ..Refusal::new(Reason::OutOfRange, "id", "too long") };
        let told = Rejected::new(refusal(Some(json)), b"", 9000, Timestamp(0));
        assert!(told.payload.as_ref().unwrap().len() <= MAX_TOLD_BYTES && told.payload_base64.is_none());
        let told = Rejected::new(refusal(None), &[0xff; 9000], 9000, Timestamp(0));
        assert_eq!(
            (told.payload, told.payload_base64.unwrap().len()),
            (None, MAX_TOLD_BYTES.div_ceil(3) * 4)
        );
    }
}
