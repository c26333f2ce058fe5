//! A live stream as fragments of single access units, as they come. Pure: items in, messages out.
//!
//! One unit is held back until the next one tells how long it lasts: players drop everything up to the next key frame
//! when a frame comes later than its predecessor's stated length allows. [`LiveMux::flush`] lets it go when the next one
//! is late (key-frame-only streams).
//!
//! Decode times rise strictly for the whole life of a viewer, over lag, gaps and runs.

use std::sync::Arc;

use bytes::Bytes;
use sightline_footage::LiveItem;
use sightline_model::{
    Timestamp,
    gap::GapReason,
    media::{AccessUnit, GopStart, ParameterSets, RunId, micros_to_ticks},
};

use crate::fmp4::{Fragment, Sample, fragment_timed};

/// Assumed length of a frame before two frames have been seen: 1/30 s.
const FIRST_STEP_90K: u64 = 3000;

/// What a viewer gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    /// What follows needs this init segment.
    Init(Arc<ParameterSets>),
    /// The frame at this decode time was seen at this time.
    Time { at: Timestamp, decode_time_90k: u64 },
    /// One fragment.
    Media(Bytes),
    /// No footage from here on.
    Absent { since: Timestamp, reason: GapReason },
    /// The viewer was too slow; it goes on at a key frame.
    Lagged { missed: u64 },
}

/// Where the stream stands.
#[derive(Debug, Default)]
pub(crate) struct LiveMux {
    sequence: u32,
    params: Option<Arc<ParameterSets>>,
    anchor: Option<Anchor>,
    gop: Option<OpenGop>,
    held: Option<Held>,
    /// First decode time that may still be given.
    free_90k: u64,
    /// First presentation time behind everything sent so far.
    end_90k: u64,
    /// How long the last frame lasted.
    last_90k: u64,
    /// Shortest distance between two frames of this run: what decode times go by when frames come out of order.
    step_90k: Option<u64>,
    /// Whether frames come in another order than they are shown.
    reordered: bool,
}

/// A point known on both the media clock and the viewer's time line.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    run: RunId,
    media_90k: i64,
    at: Timestamp,
    base_90k: u64,
}

#[derive(Debug)]
struct OpenGop {
    base_90k: u64,
    /// Presentation time of the first unit as the source counts it.
    origin_90k: Option<i64>,
    units: u64,
    /// Decoding began with this GOP: pictures shown before its key frame refer to what the viewer never got.
    fresh: bool,
}

#[derive(Debug)]
struct Held {
    unit: AccessUnit,
    decode_90k: u64,
    shown_90k: i64,
}

impl LiveMux {
    /// Takes the next item of the tail.
    pub(crate) fn push(&mut self, item: LiveItem) -> Vec<Message> {
        let mut out = Vec::new();
        match item {
            LiveItem::Begin(start) => self.begin(&start, &mut out),
            LiveItem::Unit(unit) => self.unit(unit, &mut out),
            LiveItem::End { duration_90k } => {
                let end = self.gop.as_ref().map(|gop| gop.base_90k.saturating_add(u64::from(duration_90k)));
                self.release(end, &mut out);
                // Of a stream of single key frames, the next one is let go before its own length is known.
                let units = self.gop.as_ref().map_or(0, |gop| gop.units);
                if let Some(usual) = u64::from(duration_90k).checked_div(units).filter(|usual| *usual > 0) {
                    self.last_90k = usual;
                }
            }
            LiveItem::Absent { since, reason } => {
                self.release(None, &mut out);
                self.gop = None;
                out.push(Message::Absent { since, reason });
            }
            LiveItem::Lagged { missed } => {
                self.held = None;
                self.gop = None;
                out.push(Message::Lagged { missed });
            }
        }
        out
    }

    /// Whether a unit waits for its successor.
    pub(crate) fn holds(&self) -> bool {
        self.held.is_some()
    }

    /// Lets the held unit go with the last known frame length.
    pub(crate) fn flush(&mut self) -> Vec<Message> {
        let mut out = Vec::new();
        self.release(None, &mut out);
        out
    }

    fn begin(&mut self, start: &GopStart, out: &mut Vec<Message>) {
        let base_90k = self.base_of(start);
        self.release(Some(base_90k), out);
        if self.params.as_ref() != Some(&start.params) {
            self.params = Some(Arc::clone(&start.params));
            out.push(Message::Init(Arc::clone(&start.params)));
        }
        let same_run = self.anchor.is_some_and(|anchor| anchor.run == start.run);
        let fresh = self.gop.is_none() || !same_run;
        if !same_run {
            self.reordered = false;
            self.step_90k = None;
        }
        if !same_run || start.part == 0 {
            self.anchor = Some(Anchor { run: start.run, media_90k: start.media_90k, at: start.at, base_90k });
        }
        if start.part == 0 {
            out.push(Message::Time { at: start.at, decode_time_90k: base_90k });
        }
        self.gop = Some(OpenGop { base_90k, origin_90k: None, units: 0, fresh });
    }

    /// Media clock inside a run, wall clock from one run to the next.
    fn base_of(&self, start: &GopStart) -> u64 {
        let Some(anchor) = self.anchor else { return 0 };
        if anchor.run == start.run {
            let after_90k = start.media_90k.saturating_sub(anchor.media_90k);
            return anchor.base_90k.saturating_add_signed(after_90k.max(0));
        }
        let after_90k = micros_to_ticks(start.at.micros_since(anchor.at));
        anchor.base_90k.saturating_add_signed(after_90k.max(0)).max(self.end_90k)
    }

    fn unit(&mut self, unit: AccessUnit, out: &mut Vec<Message>) {
        let Some(gop) = &mut self.gop else { return };
        let origin_90k = *gop.origin_90k.get_or_insert(i64::from(unit.pts_90k));
        let after_90k = i64::from(unit.pts_90k) - origin_90k;
        if gop.fresh && after_90k < 0 {
            return;
        }
        let base_90k = gop.base_90k;
        let shown_90k = i64::try_from(base_90k).unwrap_or(i64::MAX).saturating_add(after_90k);
        let index = gop.units;
        gop.units += 1;
        let gap_90k =
            self.held.as_ref().map(|held| held.shown_90k.abs_diff(shown_90k)).filter(|gap| *gap > 0);
        self.step_90k = [self.step_90k, gap_90k].into_iter().flatten().min();
        let in_order = u64::try_from(shown_90k).ok().filter(|shown| *shown >= self.free_90k);
        self.reordered |= in_order.is_none() && index > 0;
        let decode_90k = match in_order {
            Some(shown_90k) if !self.reordered => shown_90k,
            _ => {
                let step_90k = self.step_90k.unwrap_or(FIRST_STEP_90K);
                base_90k.saturating_add(index.saturating_mul(step_90k)).max(self.free_90k)
            }
        };
        self.release(Some(decode_90k), out);
        self.free_90k = decode_90k.saturating_add(1);
        self.held = Some(Held { unit, decode_90k, shown_90k });
    }

    /// Sends the held unit; it lasts until `next_90k`, or as long as the one before when that is not known.
    fn release(&mut self, next_90k: Option<u64>, out: &mut Vec<Message>) {
        let Some(held) = self.held.take() else { return };
        let known = next_90k.and_then(|next| next.checked_sub(held.decode_90k)).filter(|known| *known > 0);
        let usual = if self.last_90k == 0 { FIRST_STEP_90K } else { self.last_90k };
        let duration_90k = known.unwrap_or(usual);
        self.last_90k = duration_90k;
        let shown_end = u64::try_from(held.shown_90k).unwrap_or(0).saturating_add(duration_90k);
        self.end_90k = self.end_90k.max(shown_end);
        let duration_90k = u32::try_from(duration_90k).unwrap_or(u32::MAX);
        let offset = held.shown_90k.saturating_sub(i64::try_from(held.decode_90k).unwrap_or(i64::MAX));
        let sample = Sample {
            decode_90k: 0,
            duration_90k,
            composition_offset_90k: i32::try_from(offset).unwrap_or(0),
        };
        self.sequence = self.sequence.wrapping_add(1);
        let fragment = Fragment {
            sequence: self.sequence,
            base_decode_time_90k: held.decode_90k,
            duration_90k,
            sample_entry: 1,
            units: std::slice::from_ref(&held.unit),
        };
        out.push(Message::Media(fragment_timed(&fragment, &[sample])));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sightline_model::media::{Codec, Policy};

    use super::*;
    use crate::fmp4::parse;

    fn params(width: u16) -> Arc<ParameterSets> {
        let decoder_config = Bytes::from_static(&[1]);
        Arc::new(ParameterSets {
            codec: Codec::H264,
            width,
            height: 1,
            rfc6381: "avc1".into(),
            decoder_config,
        })
    }

    fn begin(run: u64, number: u32, at_ms: i64, media_90k: i64) -> LiveItem {
        LiveItem::Begin(Arc::new(GopStart {
            run: RunId(run),
            number,
            part: 0,
            at: Timestamp(at_ms * 1000),
            camera_clock: None,
            media_90k,
            policy: Policy::Full,
            params: params(1),
        }))
    }

    fn unit(pts_90k: i32) -> LiveItem {
        LiveItem::Unit(AccessUnit { pts_90k, key: pts_90k == 0, data: Bytes::from_static(b"unit") })
    }

    /// Decode time, duration and composition offset of every fragment.
    fn media(messages: &[Message]) -> Vec<(u64, u32, i32)> {
        messages
            .iter()
            .filter_map(|message| match message {
                Message::Media(bytes) => {
                    let read = parse::fragment(bytes);
                    Some((read.base_decode_time, read.samples[0].duration, read.samples[0].composition))
                }
                _ => None,
            })
            .collect()
    }

    fn run(items: Vec<LiveItem>) -> Vec<Message> {
        let mut mux = LiveMux::default();
        let mut out: Vec<_> = items.into_iter().flat_map(|item| mux.push(item)).collect();
        out.extend(mux.flush());
        out
    }

    #[test]
    fn init_and_time_come_before_media_and_every_frame_has_its_true_length() {
        let out = run(vec![
            begin(1, 0, 1000, 500),
            unit(0),
            unit(9000),
            LiveItem::End { duration_90k: 18_000 },
            begin(1, 1, 1200, 18_500),
            unit(0),
        ]);
        assert!(matches!(out[0], Message::Init(_)));
        assert_eq!(out[1], Message::Time { at: Timestamp(1_000_000), decode_time_90k: 0 });
        assert_eq!(media(&out), [(0, 9000, 0), (9000, 9000, 0), (18_000, 9000, 0)]);
        assert_eq!(out.iter().filter(|message| matches!(message, Message::Init(_))).count(), 1);
    }

    #[test]
    fn a_gap_takes_its_time_and_a_lag_resumes_at_a_key_frame() {
        let out = run(vec![
            begin(1, 0, 1000, 0),
            unit(0),
            LiveItem::Absent { since: Timestamp(1_100_000), reason: GapReason::Stalled },
            begin(2, 0, 11_000, 0),
            unit(0),
            LiveItem::Lagged { missed: 7 },
            begin(2, 3, 17_000, 540_000),
            unit(0),
        ]);
        assert_eq!(media(&out).iter().map(|m| m.0).collect::<Vec<_>>(), [0, 1_440_000]);
        assert!(out.contains(&Message::Lagged { missed: 7 }), "the held unit goes with the lag");
    }

    #[test]
    fn b_frames_keep_their_presentation_and_decode_times_rise() {
        let order = [0, 9000, 3000, 6000, 18_000, 12_000, 15_000];
        let mut items = vec![begin(1, 0, 0, 0)];
        items.extend(order.map(unit));
        items.push(LiveItem::End { duration_90k: 21_000 });
        items.push(begin(1, 1, 233, 21_000));
        items.extend(order.map(unit));
        let out = media(&run(items));
        assert!(out.windows(2).all(|pair| pair[0].0 < pair[1].0), "{out:?}");
        let shown: Vec<_> =
            out.iter().map(|(decode, _, offset)| *decode as i64 + i64::from(*offset)).collect();
        assert_eq!(shown[..7], order.map(i64::from));
        assert_eq!(shown[7..], order.map(|pts| i64::from(pts) + 21_000));
    }

    #[test]
    fn leading_pictures_after_a_fresh_start_are_left_out() {
        let out = run(vec![begin(1, 0, 0, 0), unit(0), unit(-6000), unit(-3000), unit(3000)]);
        assert_eq!(media(&out).len(), 2);
    }

    #[test]
    fn key_frames_alone_are_sent_at_once_and_last_until_the_next() {
        let mut mux = LiveMux::default();
        let mut out = Vec::new();
        for gop in 0..4 {
            out.extend(mux.push(begin(1, gop, i64::from(gop) * 2000, i64::from(gop) * 180_000)));
            out.extend(mux.push(unit(0)));
            out.extend(mux.flush());
            out.extend(mux.push(LiveItem::End { duration_90k: 180_000 }));
        }
        assert_eq!(media(&out)[1..], [(180_000, 180_000, 0), (360_000, 180_000, 0), (540_000, 180_000, 0)]);
    }

    fn any_item() -> impl Strategy<Value = LiveItem> {
        prop_oneof![
            (0_u64..3, 0_i64..20_000, -10_000_i64..2_000_000)
                .prop_map(|(run, at_ms, media_90k)| begin(run, 0, at_ms, media_90k)),
            (-10_000_i32..100_000).prop_map(unit),
            (0_u32..200_000).prop_map(|duration_90k| LiveItem::End { duration_90k }),
            Just(LiveItem::Absent { since: Timestamp(0), reason: GapReason::Unknown }),
            Just(LiveItem::Lagged { missed: 1 }),
        ]
    }

    proptest! {
        #[test]
        fn decode_times_rise_whatever_comes(items in prop::collection::vec(any_item(), 1..80)) {
            let out = media(&run(items));
            for pair in out.windows(2) {
                prop_assert!(pair[0].0 < pair[1].0, "{out:?}");
            }
            prop_assert!(out.iter().all(|(_, duration, _)| *duration > 0));
        }
    }
}
