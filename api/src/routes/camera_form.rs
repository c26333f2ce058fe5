//! What makes a camera valid: rules for its fields, shared by JSON and CSV. Pure.

use serde::{Deserialize, Deserializer};
use sightline_model::{
    CameraId, RegionId, Timestamp,
    camera::{Camera, CameraKind, Credentials, Position},
    media::Policy,
};
use url::Url;

use crate::problem::Refusal;

const NAME_CHARS: usize = 100;
const TAG_CHARS: usize = 32;
const MOST_TAGS: usize = 20;
const CREDENTIAL_CHARS: usize = 128;

/// User name and password for a camera.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CredentialsForm {
    user: String,
    password: String,
}

/// A camera to be registered.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCamera {
    /// Its code: 1 to 24 characters of a-z, 0-9 and `-`.
    pub(crate) id: CameraId,
    /// Name as people say it.
    pub(crate) name: String,
    /// The region it stands in.
    pub(crate) region: RegionId,
    /// Whose camera it is.
    #[serde(default)]
    pub(crate) kind: CameraKind,
    /// Where it stands.
    #[serde(default)]
    pub(crate) position: Option<Position>,
    /// Words to select it by.
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    /// RTSP address of the main stream, without user and password.
    pub(crate) main_url: String,
    /// RTSP address of the sub-stream.
    #[serde(default)]
    pub(crate) sub_url: Option<String>,
    /// How to sign in to it.
    #[serde(default)]
    pub(crate) credentials: Option<CredentialsForm>,
    /// What is kept of it.
    #[serde(default)]
    pub(crate) policy: Policy,
    /// Whether it is pulled at all.
    #[serde(default = "yes")]
    pub(crate) enabled: bool,
}

fn yes() -> bool {
    true
}

/// What is to be changed of a camera; what is absent stays.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CameraPatch {
    /// The revision that was read: the change is refused if somebody else was faster.
    pub(crate) revision: i64,
    name: Option<String>,
    region: Option<RegionId>,
    kind: Option<CameraKind>,
    /// `null` removes it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Position>)]
    position: Option<Option<Position>>,
    tags: Option<Vec<String>>,
    main_url: Option<String>,
    /// `null` removes it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    sub_url: Option<Option<String>>,
    /// `null` removes them.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<CredentialsForm>)]
    credentials: Option<Option<CredentialsForm>>,
    policy: Option<Policy>,
    enabled: Option<bool>,
}

/// Tells `null` from absent.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

impl NewCamera {
    /// The camera, if every rule holds.
    pub(crate) fn into_camera(self, now: Timestamp) -> Result<Camera, Refusal> {
        let camera = Camera {
            id: self.id,
            name: self.name,
            region: self.region,
            kind: self.kind,
            position: self.position,
            tags: self.tags,
            main_url: self.main_url,
            sub_url: self.sub_url,
            credentials: self.credentials.map(CredentialsForm::into),
            policy: self.policy,
            enabled: self.enabled,
            revision: 1,
            created_at: now,
            updated_at: now,
        };
        checked(camera)
    }
}

impl CameraPatch {
    /// The camera after the change, if every rule holds.
    pub(crate) fn apply(self, to: Camera) -> Result<Camera, Refusal> {
        let camera = Camera {
            name: self.name.unwrap_or(to.name),
            region: self.region.unwrap_or(to.region),
            kind: self.kind.unwrap_or(to.kind),
            position: self.position.unwrap_or(to.position),
            tags: self.tags.unwrap_or(to.tags),
            main_url: self.main_url.unwrap_or(to.main_url),
            sub_url: self.sub_url.unwrap_or(to.sub_url),
            credentials: self.credentials.map_or(to.credentials, |given| given.map(CredentialsForm::into)),
            policy: self.policy.unwrap_or(to.policy),
            enabled: self.enabled.unwrap_or(to.enabled),
            ..to
        };
        checked(camera)
    }
}

impl From<CredentialsForm> for Credentials {
    fn from(form: CredentialsForm) -> Self {
        Self { user: form.user, password: form.password }
    }
}

impl CredentialsForm {
    pub(crate) fn new(user: String, password: String) -> Self {
        Self { user, password }
    }
}

fn checked(mut camera: Camera) -> Result<Camera, Refusal> {
    camera.name = camera.name.trim().to_owned();
    if !(1..=NAME_CHARS).contains(&camera.name.chars().count()) {
        return Err(Refusal::field("name", format!("must have 1 to {NAME_CHARS} characters")));
    }
    camera.tags = tags(&camera.tags)?;
    stream_url("main_url", &camera.main_url)?;
    if let Some(url) = &camera.sub_url {
        stream_url("sub_url", url)?;
    }
    if let Some(position) = &camera.position {
        check_position(position)?;
    }
    if let Some(credentials) = &camera.credentials {
        let lengths = [credentials.user.chars().count(), credentials.password.chars().count()];
        if credentials.user.is_empty() || lengths.iter().any(|chars| *chars > CREDENTIAL_CHARS) {
            let why = format!(
                "user must not be empty, and neither may be longer than {CREDENTIAL_CHARS} characters"
            );
            return Err(Refusal::field("credentials", why));
        }
    }
    Ok(camera)
}

fn tags(given: &[String]) -> Result<Vec<String>, Refusal> {
    let mut tags: Vec<_> =
        given.iter().map(|tag| tag.trim().to_lowercase()).filter(|tag| !tag.is_empty()).collect();
    tags.sort_unstable();
    tags.dedup();
    if tags.len() > MOST_TAGS
        || tags.iter().any(|tag| tag.chars().count() > TAG_CHARS || tag.contains([',', ';']))
    {
        let why =
            format!("at most {MOST_TAGS} tags of at most {TAG_CHARS} characters, without comma or semicolon");
        return Err(Refusal::field("tags", why));
    }
    Ok(tags)
}

fn stream_url(field: &'static str, text: &str) -> Result<(), Refusal> {
    let url = Url::parse(text).map_err(|error| {
        Refusal::field(field, format!("is not a URL ({error}): write rtsp://host[:port]/path"))
    })?;
    if !matches!(url.scheme(), "rtsp" | "rtsps") {
        return Err(Refusal::field(
            field,
            format!("has the scheme {}: only rtsp and rtsps are pulled", url.scheme()),
        ));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(Refusal::field(field, "names no host: write rtsp://host[:port]/path"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        // The address is shown to others than the password: it must not carry it. The value is not repeated here.
        return Err(Refusal::field(field, "carries a user or password: give them as credentials"));
    }
    Ok(())
}

fn check_position(position: &Position) -> Result<(), Refusal> {
    let Position { lat, lon, bearing_deg, fov_deg, range_m } = position;
    let rules = [
        ((-90.0..=90.0).contains(lat), "position.lat", "must be from -90 to 90"),
        ((-180.0..=180.0).contains(lon), "position.lon", "must be from -180 to 180"),
        ((0.0..=360.0).contains(bearing_deg), "position.bearing_deg", "must be from 0 to 360"),
        ((1.0..=360.0).contains(fov_deg), "position.fov_deg", "must be from 1 to 360"),
        ((1.0..=10_000.0).contains(range_m), "position.range_m", "must be from 1 to 10000"),
    ];
    match rules.iter().find(|(holds, ..)| !holds) {
        Some((_, field, why)) => Err(Refusal::field(field, *why)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn camera(change: serde_json::Value) -> Result<Camera, Refusal> {
        let mut body =
            json!({ "id": "gate-1", "name": "Gate", "region": "north", "main_url": "rtsp://10.0.0.9/main" });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        serde_json::from_value::<NewCamera>(body).unwrap().into_camera(Timestamp::from_secs(0))
    }

    #[test]
    fn a_plain_camera_gets_the_defaults() {
        let camera = camera(json!({ "tags": ["Gate", " east", "gate"] })).unwrap();
        assert_eq!(camera.tags, ["east", "gate"]);
        assert!(camera.enabled && camera.policy == Policy::Full && camera.kind == CameraKind::Street);
    }

    #[test]
    fn a_bad_field_is_named_with_the_way_out() {
        let refusal = |change| camera(change).unwrap_err().to_string();
        assert!(refusal(json!({ "main_url": "http://10.0.0.9/" })).contains("only rtsp"));
        let secret = refusal(json!({ "main_url": "rtsp://admin:hunter2@10.0.0.9/" }));
        assert!(secret.contains("credentials") && !secret.contains("hunter2"), "{secret}");
        assert!(refusal(json!({ "position": { "lat": 91, "lon": 0 } })).contains("position.lat"));
        assert!(refusal(json!({ "name": " " })).contains("name"));
        assert!(refusal(json!({ "credentials": { "user": "", "password": "" } })).contains("credentials"));
    }

    #[test]
    fn a_patch_tells_null_from_absent() {
        let before = camera(
            json!({ "sub_url": "rtsp://10.0.0.9/sub", "credentials": { "user": "u", "password": "p" } }),
        );
        let before = before.unwrap();
        let patch =
            |body| serde_json::from_value::<CameraPatch>(body).unwrap().apply(before.clone()).unwrap();
        assert_eq!(patch(json!({ "revision": 1 })), before);
        let after = patch(json!({ "revision": 1, "sub_url": null, "name": "Other" }));
        assert_eq!((after.sub_url, after.name.as_str()), (None, "Other"));
        assert!(after.credentials.is_some());
    }
}
