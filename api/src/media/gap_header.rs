//! Gaps as response headers: a player that only knows the file still learns what is missing.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use sightline_model::gap::Gap;

/// Number of gaps in the answer.
pub(crate) const COUNT: HeaderName = HeaderName::from_static("x-gaps");
/// The gaps: `from/to/reason`, parted by commas.
pub(crate) const LIST: HeaderName = HeaderName::from_static("x-gap-list");

/// Most gaps named in the list; the count stays true. Keeps the header under 8 kB.
const MOST_NAMED: usize = 80;

pub(crate) fn write(headers: &mut HeaderMap, gaps: &[Gap]) {
    headers.insert(COUNT, HeaderValue::from(gaps.len()));
    let named: Vec<_> = gaps
        .iter()
        .take(MOST_NAMED)
        .map(|gap| format!("{}/{}/{}", gap.from, gap.to, gap.reason.as_str()))
        .collect();
    if let Ok(list) = HeaderValue::from_str(&named.join(", ")) {
        headers.insert(LIST, list);
    }
}

#[cfg(test)]
mod tests {
    use sightline_model::{Timestamp, gap::GapReason};

    use super::*;

    #[test]
    fn gaps_are_counted_all_and_named_up_to_a_limit() {
        let gap =
            Gap { from: Timestamp::from_secs(0), to: Timestamp::from_secs(2), reason: GapReason::Stalled };
        let mut headers = HeaderMap::new();
        write(&mut headers, &[gap]);
        assert_eq!(headers[COUNT], "1");
        assert_eq!(headers[LIST], "1970-01-01T00:00:00Z/1970-01-01T00:00:02Z/stalled");
        write(&mut headers, &vec![gap; 1000]);
        assert_eq!(headers[COUNT], "1000");
        assert!(headers[LIST].len() < 8000);
    }
}
