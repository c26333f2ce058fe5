use bytes::Bytes;
use proptest::prelude::*;
use sightline_model::media::{AccessUnit, Codec, ParameterSets};

use super::{parse, *};

fn params(codec: Codec, width: u16) -> ParameterSets {
    ParameterSets {
        codec,
        width,
        height: 288,
        rfc6381: "avc1.640015".into(),
        decoder_config: Bytes::from_static(&[1, 100, 0, 21]),
    }
}

fn unit(pts_90k: i32, key: bool, bytes: usize) -> AccessUnit {
    AccessUnit { pts_90k, key, data: Bytes::from(vec![u8::from(key); bytes]) }
}

fn decode_and_offset(pts: &[i32], duration_90k: u32) -> Vec<(u32, u32, i32)> {
    let units: Vec<_> = pts.iter().map(|pts| unit(*pts, false, 1)).collect();
    samples(&units, duration_90k)
        .into_iter()
        .map(|sample| (sample.decode_90k, sample.duration_90k, sample.composition_offset_90k))
        .collect()
}

#[test]
fn without_b_frames_decode_and_presentation_are_one() {
    assert_eq!(
        decode_and_offset(&[0, 9000, 18_000], 27_000),
        [(0, 9000, 0), (9000, 9000, 0), (18_000, 9000, 0)]
    );
}

#[test]
fn b_frames_get_signed_offsets() {
    // I P B B, as a closed GOP sends it.
    assert_eq!(decode_and_offset(&[0, 3, 1, 2], 4), [(0, 1, 0), (1, 1, 2), (2, 1, -1), (3, 1, -1)],);
}

#[test]
fn leading_pictures_of_an_open_gop_stay_inside_its_decode_times() {
    // I B B P: the first two are shown before the key frame.
    let timed = decode_and_offset(&[0, -2, -1, 1], 4);
    assert_eq!(timed, [(0, 1, 0), (1, 1, -3), (2, 1, -3), (3, 1, -2)]);
}

#[test]
fn a_key_frame_alone_lasts_as_long_as_its_gop() {
    assert_eq!(decode_and_offset(&[0], 180_000), [(0, 180_000, 0)]);
}

#[test]
fn a_part_that_counts_from_its_gop_counts_from_its_own_first_unit() {
    assert_eq!(decode_and_offset(&[90_000, 99_000], 18_000), [(0, 9000, 0), (9000, 9000, 0)]);
}

proptest! {
    #[test]
    fn decode_times_rise_and_fill_the_duration(
        pts in prop::collection::vec(-200_000_i32..2_000_000, 1..120),
        duration_90k in 0_u32..3_000_000,
    ) {
        let units: Vec<_> = pts.iter().map(|pts| unit(*pts, false, 1)).collect();
        let samples = samples(&units, duration_90k);
        prop_assert_eq!(samples.len(), pts.len());
        prop_assert_eq!(samples.iter().map(|s| u64::from(s.duration_90k)).sum::<u64>(), u64::from(duration_90k));
        prop_assert_eq!(samples[0].decode_90k, 0);
        for pair in samples.windows(2) {
            prop_assert!(pair[0].decode_90k <= pair[1].decode_90k);
            prop_assert!(pair[0].decode_90k < pair[1].decode_90k || (duration_90k as usize) < pts.len());
            prop_assert_eq!(pair[0].decode_90k + pair[0].duration_90k, pair[1].decode_90k);
        }
        for (sample, pts_90k) in samples.iter().zip(&pts) {
            let shown = i64::from(sample.decode_90k) + i64::from(sample.composition_offset_90k);
            prop_assert_eq!(shown, i64::from(*pts_90k) - i64::from(pts[0]), "presentation is never changed");
        }
    }

    #[test]
    fn a_fragment_reads_back(sizes in prop::collection::vec(0_usize..300, 1..40), base in 0_u64..1 << 53) {
        let units: Vec<_> =
            sizes.iter().zip(0..).map(|(bytes, i)| unit(i * 9000, i == 0, *bytes)).collect();
        let duration_90k = 9000 * u32::try_from(sizes.len()).unwrap();
        let given =
            Fragment { sequence: 7, base_decode_time_90k: base, duration_90k, sample_entry: 2, units: &units };
        let bytes = fragment(&given);
        let read = parse::fragment(&bytes);
        prop_assert_eq!((read.sequence, read.sample_entry, read.base_decode_time), (7, 2, base));
        prop_assert_eq!(read.samples.iter().map(|s| s.size as usize).collect::<Vec<_>>(), sizes);
        prop_assert!(read.samples.iter().enumerate().all(|(i, s)| s.key == (i == 0) && s.duration == 9000));
        let media: Vec<u8> = units.iter().flat_map(|unit| unit.data.to_vec()).collect();
        prop_assert_eq!(read.media, &media[..]);

        let mut streamed = fragment_head(&given).to_vec();
        streamed.extend_from_slice(&media);
        prop_assert_eq!(streamed, bytes.to_vec(), "head and units sent apart make the same bytes");
    }
}

#[test]
fn an_init_segment_holds_one_entry_for_each_set_of_parameters() {
    let (first, second) = (params(Codec::H264, 384), params(Codec::H265, 768));
    let options =
        InitOptions { duration_90k: Some(900_000), created: Some(sightline_model::Timestamp::from_secs(0)) };
    let init = init_segment_with(&[&first, &second], options);
    assert_eq!(parse::boxes(&init).iter().map(|b| b.kind).collect::<Vec<_>>(), ["ftyp", "moov"]);
    let stsd = parse::find(&init, "moov/trak/mdia/minf/stbl/stsd");
    assert_eq!(parse::u32_at(stsd, 4), 2);
    let entries = parse::boxes(&stsd[8..]);
    assert_eq!(entries.iter().map(|b| b.kind).collect::<Vec<_>>(), ["avc1", "hvc1"]);
    assert_eq!(parse::find(&entries[0].body[78..], "avcC"), &first.decoder_config[..]);
    assert_eq!(parse::u64_at(parse::find(&init, "moov/mvex/mehd"), 4), 900_000);
    assert_eq!(parse::u64_at(parse::find(&init, "moov/mvhd"), 4), 2_082_844_800, "counted from 1904");
}
