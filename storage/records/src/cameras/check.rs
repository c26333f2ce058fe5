//! What a camera must be like to be stored. Pure.

use sightline_model::camera::{Camera, Position};

use crate::Error;

const WHAT: &str = "camera";
const MAX_NAME_CHARS: usize = 128;
const MAX_TAGS: usize = 32;
const MAX_TAG_CHARS: usize = 64;
const MAX_URL_BYTES: usize = 1024;

/// Brings tags and name into their one form, then refuses what breaks a rule.
pub(super) fn normalised(camera: &Camera) -> Result<Camera, Error> {
    let mut camera = camera.clone();
    camera.name = camera.name.trim().to_owned();
    camera.tags =
        camera.tags.iter().map(|tag| tag.trim().to_lowercase()).filter(|tag| !tag.is_empty()).collect();
    camera.tags.sort();
    camera.tags.dedup();
    match problem(&camera) {
        Some(why) => Err(Error::invalid(WHAT, camera.id, why)),
        None => Ok(camera),
    }
}

fn problem(camera: &Camera) -> Option<String> {
    let name_chars = camera.name.chars().count();
    if name_chars == 0 || name_chars > MAX_NAME_CHARS || camera.name.chars().any(char::is_control) {
        return Some(format!("its name must have 1 to {MAX_NAME_CHARS} printable characters"));
    }
    if camera.tags.len() > MAX_TAGS || camera.tags.iter().any(|tag| tag.chars().count() > MAX_TAG_CHARS) {
        return Some(format!("it may have at most {MAX_TAGS} tags of at most {MAX_TAG_CHARS} characters"));
    }
    address(&camera.main_url, "main_url")
        .or_else(|| camera.sub_url.as_deref().and_then(|url| address(url, "sub_url")))
        .or_else(|| camera.position.and_then(position))
}

/// Says what is wrong with an address, without repeating it: it might hold a password.
fn address(url: &str, field: &str) -> Option<String> {
    let lower = url.to_ascii_lowercase();
    let rest = lower.strip_prefix("rtsp://").or_else(|| lower.strip_prefix("rtsps://"));
    let Some(rest) = rest else {
        return Some(format!("{field} must begin with rtsp:// or rtsps://"));
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Some(format!(
            "{field} holds a user name: give it as credentials, which are kept out of lists and logs"
        ));
    }
    let plain = url.len() <= MAX_URL_BYTES && !url.chars().any(|c| c.is_control() || c.is_whitespace());
    if authority.is_empty() || !plain {
        return Some(format!(
            "{field} must name a host and have at most {MAX_URL_BYTES} bytes without spaces"
        ));
    }
    None
}

fn position(position: Position) -> Option<String> {
    let Position { lat, lon, bearing_deg, fov_deg, range_m } = position;
    let within = |value: f64, low: f64, high: f64| value.is_finite() && (low..=high).contains(&value);
    let rules = [
        (within(lat, -90.0, 90.0), "lat must lie between -90 and 90"),
        (within(lon, -180.0, 180.0), "lon must lie between -180 and 180"),
        (within(bearing_deg, 0.0, 360.0), "bearing_deg must lie between 0 and 360"),
        (within(fov_deg, 0.0, 360.0), "fov_deg must lie between 0 and 360"),
        (within(range_m, 0.0, 100_000.0), "range_m must lie between 0 and 100000"),
    ];
    rules.into_iter().find(|(holds, _)| !holds).map(|(_, why)| why.to_owned())
}
