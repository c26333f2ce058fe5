//! What an independent reader says of a file: ffprobe.

use serde_json::Value;

#[derive(Debug)]
pub(crate) struct Probed {
    pub(crate) codec: String,
    pub(crate) frames: u64,
    pub(crate) duration_s: f64,
    pub(crate) width: u64,
    /// What ffprobe complains of; empty for a clean file.
    pub(crate) complaints: String,
}

/// Reads every frame of `input` (a file or an address).
pub(crate) async fn ffprobe(input: &str, headers: &str) -> Probed {
    let mut command = tokio::process::Command::new("ffprobe");
    command.args(["-v", "warning", "-count_frames", "-show_streams", "-show_format", "-of", "json"]);
    if !headers.is_empty() {
        command.args(["-headers", headers, "-allowed_extensions", "ALL"]);
    }
    let output = command.arg(input).output().await.expect("ffprobe is installed");
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{complaints}");
    let read: Value = serde_json::from_slice(&output.stdout).unwrap();
    let stream = &read["streams"][0];
    let number = |value: &Value| value.as_str().and_then(|text| text.parse::<f64>().ok()).unwrap_or(f64::NAN);
    Probed {
        codec: stream["codec_name"].as_str().unwrap().to_owned(),
        frames: stream["nb_read_frames"].as_str().unwrap().parse().unwrap(),
        duration_s: number(&read["format"]["duration"]),
        width: stream["width"].as_u64().unwrap(),
        complaints,
    }
}
