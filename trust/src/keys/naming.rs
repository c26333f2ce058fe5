//! Days and the names of their files.

use sightline_model::Timestamp;

const DAY_S: i64 = 86_400;
const SUFFIX: &str = ".keys";

/// `2026-11-22.keys`.
pub(super) fn file_name(day: u32) -> String {
    format!("{}{SUFFIX}", date(day))
}

/// A day as it is written: `2026-11-22`.
pub(super) fn date(day: u32) -> String {
    let midnight = Timestamp::from_secs(i64::from(day) * DAY_S).to_string();
    midnight.split('T').next().unwrap_or_default().to_owned()
}

/// The day of a file's name, if it is one.
pub(super) fn day_of(name: &str) -> Option<u32> {
    let midnight: Timestamp = format!("{}T00:00:00Z", name.strip_suffix(SUFFIX)?).parse().ok()?;
    let day = u32::try_from(midnight.0 / (DAY_S * 1_000_000)).ok()?;
    (file_name(day) == name).then_some(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_dates() {
        assert_eq!(file_name(20_779), "2026-11-22.keys");
        for day in [0, 1, 20_779, (1 << 20) - 1] {
            assert_eq!(day_of(&file_name(day)), Some(day));
        }
        for name in ["2026-11-22.keys.new", "2026-1-2.keys", "x.keys", ".keys", "LOCK", "1960-01-01.keys"] {
            assert_eq!(day_of(name), None, "{name}");
        }
    }
}
