//! HLS media playlists (RFC 8216, version 7 for fMP4 segments), as text.

use std::fmt::Write as _;

use sightline_model::Timestamp;

/// One segment: a GOP or a part of one.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    /// Where to get it.
    pub(crate) uri: String,
    /// Wall clock of its first frame.
    pub(crate) at: Timestamp,
    /// Its length in 1/90,000 s.
    pub(crate) duration_90k: u32,
    /// Whether something is missing before it, or another run begins.
    pub(crate) discontinuity: bool,
    /// Whether it begins with a key frame.
    pub(crate) independent: bool,
    /// Where its init segment is: written when it changes.
    pub(crate) init_uri: String,
}

/// A playlist of recorded footage: complete, so it ends with `EXT-X-ENDLIST`.
pub(crate) fn write(segments: &[Segment]) -> String {
    let longest_90k = segments.iter().map(|segment| segment.duration_90k).max().unwrap_or(90_000);
    let mut out = String::with_capacity(256 + segments.len() * 220);
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-TARGETDURATION:{}\n#EXT-X-MEDIA-SEQUENCE:0\n",
        longest_90k.div_ceil(90_000).max(1),
    );
    if segments.iter().all(|segment| segment.independent) {
        out.push_str("#EXT-X-INDEPENDENT-SEGMENTS\n");
    }
    let mut init = None;
    for segment in segments {
        if segment.discontinuity {
            out.push_str("#EXT-X-DISCONTINUITY\n");
        }
        if init != Some(&segment.init_uri) {
            let _ = writeln!(out, "#EXT-X-MAP:URI=\"{}\"", segment.init_uri);
            init = Some(&segment.init_uri);
        }
        let seconds = f64::from(segment.duration_90k) / 90_000.0;
        let _ =
            write!(out, "#EXT-X-PROGRAM-DATE-TIME:{}\n#EXTINF:{seconds:.5},\n{}\n", segment.at, segment.uri,);
    }
    out.push_str("#EXT-X-ENDLIST\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_and_discontinuities_stand_where_something_changes() {
        let segment = |n: i64, discontinuity, init: &str| Segment {
            uri: format!("segment.m4s?n={n}"),
            at: Timestamp::from_secs(n * 2),
            duration_90k: 180_000,
            discontinuity,
            independent: true,
            init_uri: init.to_owned(),
        };
        let text = write(&[segment(0, false, "a"), segment(1, false, "a"), segment(5, true, "b")]);
        assert_eq!(text.matches("#EXT-X-MAP").count(), 2);
        assert_eq!(text.matches("#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"b\"").count(), 1);
        assert_eq!(text.matches("#EXTINF:2.00000,").count(), 3);
        assert!(text.contains("#EXT-X-TARGETDURATION:2\n"));
        assert!(text.contains("#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:00:10Z\n"));
        assert!(text.ends_with("#EXT-X-ENDLIST\n"));
    }
}
