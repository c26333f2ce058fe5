//! Real key frames through real decoders, judged against what ffmpeg makes of them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a panic in a test is its failure report"
)]

mod common;

use common::{config, decoded, errors, gop, grey, psnr, quarter, reference, street, with_bytes};
use sightline_model::media::{Codec, Gop, StreamKey};
use sightline_picture::{Error, Pictures, Size};

async fn like_ffmpeg(names: &[&str], least_db: f64) {
    let pictures = Pictures::start(config(1)).unwrap();
    for (at, name) in (0..).zip(names) {
        let jpeg = pictures.still(street(), &gop(name, at), Size::Original).await.unwrap();
        let (picture, reference) = (decoded(&jpeg), reference(name));
        assert_eq!(picture.dimensions(), (reference.width() * 4, reference.height() * 4), "{name}");
        let db = psnr(&quarter(&picture), &reference);
        println!("{name}: {db:.1} dB");
        assert!(db > least_db, "{name}: {db:.1} dB against ffmpeg's picture");
    }
    pictures.shutdown().await;
}

#[tokio::test]
async fn street_key_frames_look_as_ffmpeg_decodes_them() {
    like_ffmpeg(&["street-h264", "street-h265"], 38.0).await;
}

#[tokio::test]
async fn streams_with_b_frames_give_their_key_frame_at_once() {
    like_ffmpeg(&["bframes-h264", "opengop-h265"], 30.0).await;
}

#[tokio::test]
async fn range_matrix_depth_and_pixel_shape_of_the_camera_are_kept() {
    like_ffmpeg(&["full709-h264", "deep-h265", "anamorphic-h264"], 30.0).await;
}

/// One decoder, two cameras in turn: nothing of the one shows in the other.
#[tokio::test]
async fn cameras_in_turn_get_their_own_picture() {
    like_ffmpeg(&["street-h264", "bframes-h264", "street-h264", "bframes-h264"], 30.0).await;
}

#[tokio::test]
async fn small_pictures_keep_shape_and_content() {
    let pictures = Pictures::start(config(1)).unwrap();
    for (name, width, expect) in [
        ("street-h264", 192, (192, 144)),
        ("street-h265", 192, (192, 144)),
        ("anamorphic-h264", 80, (80, 60)),
    ] {
        let jpeg =
            pictures.still(street(), &gop(name, width), Size::Width(u32::try_from(width).unwrap())).await;
        let picture = decoded(&jpeg.unwrap());
        assert_eq!(picture.dimensions(), expect, "{name}");
        // JPEG halves the chroma of a small picture once more: luma is what can be compared.
        let db = psnr(&grey(&picture), &grey(&reference(name)));
        println!("{name} at {width}: {db:.1} dB");
        assert!(db > 24.0, "{name} at {width}: {db:.1} dB");
    }
    let wide = pictures.still(street(), &gop("street-h264", 1), Size::Width(5_000)).await.unwrap();
    assert_eq!(decoded(&wide).dimensions(), (768, 576), "never larger than the camera sends");
    pictures.shutdown().await;
}

fn damaged(whole: &Gop, at: i64, change: impl FnOnce(&mut Vec<u8>, &mut Vec<u8>)) -> Gop {
    let mut unit = whole.units[0].data.to_vec();
    let mut decoder = whole.start.params.decoder_config.to_vec();
    change(&mut unit, &mut decoder);
    with_bytes(whole.start.params.codec, decoder.into(), unit.into(), at)
}

#[tokio::test]
async fn garbage_is_an_error_and_the_worker_lives() {
    let pictures = Pictures::start(config(1)).unwrap();
    let mut refused = 0;
    for name in ["street-h264", "street-h265"] {
        let whole = gop(name, 0);
        let noise = |n: u32| (0..n).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect::<Vec<u8>>();
        let framed = |head: &[u8], body: Vec<u8>| {
            let length = u32::try_from(head.len() + body.len()).unwrap();
            [&length.to_be_bytes(), head, &body].concat()
        };
        let slice: &[u8] = if name == "street-h264" { &[0x65] } else { &[0x26, 0x01] };
        let garbage = [
            damaged(&whole, 1, |unit, _| unit.clear()),
            damaged(&whole, 2, |unit, _| *unit = noise(5_000)),
            damaged(&whole, 3, |unit, _| unit.truncate(unit.len() / 2)),
            damaged(&whole, 4, |unit, _| *unit = framed(slice, noise(5_000))),
            damaged(&whole, 5, |unit, _| *unit = framed(slice, Vec::new())),
            damaged(&whole, 6, |_, config| config.clear()),
            damaged(&whole, 7, |_, config| config.truncate(9)),
            damaged(&whole, 8, |_, config| config.iter_mut().skip(8).for_each(|byte| *byte = !*byte)),
        ];
        for gop in garbage {
            let error = pictures.still(street(), &gop, Size::Original).await.unwrap_err();
            assert!(matches!(error, Error::Undecodable { .. }), "{name} at {}: {error}", gop.start.at);
            refused += 1;
        }
        // Flipped bits give what a player would show, or an error; never the end of the worker.
        let flipped =
            damaged(&whole, 9, |unit, _| unit.iter_mut().skip(2_000).step_by(97).for_each(|b| *b ^= 0x55));
        let _ = pictures.still(street(), &flipped, Size::Original).await;
        pictures.still(street(), &gop(name, 10), Size::Original).await.unwrap();
    }
    let metrics = pictures.metrics();
    assert_eq!((metrics.restarts, metrics.workers_up), (0, 1));
    assert!(errors(&metrics, "undecodable") >= refused, "{metrics:?}");
    pictures.shutdown().await;
}

/// Whatever a decoder makes of damaged video, the pool answers and goes on.
#[tokio::test]
async fn random_damage_never_stops_the_pool() {
    let pictures = Pictures::start(config(1)).unwrap();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |limit: usize| {
        // xorshift64: the same damage in every run.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % u64::try_from(limit).unwrap()).unwrap()
    };
    let names = ["bframes-h264", "opengop-h265", "anamorphic-h264", "full709-h264", "deep-h265"];
    for at in 0..150 {
        let whole = gop(names[below(names.len())], 0);
        let gop = damaged(&whole, at, |unit, config| {
            let (target, from) = if below(3) == 0 { (config, 8) } else { (unit, 4) };
            for _ in 0..=below(40) {
                let place = from + below(target.len() - from);
                target[place] = u8::try_from(below(256)).unwrap();
            }
        });
        let size =
            if below(2) == 0 { Size::Original } else { Size::Width(u32::try_from(below(400)).unwrap()) };
        match pictures.still(street(), &gop, size).await {
            Ok(jpeg) => drop(decoded(&jpeg)),
            Err(Error::Undecodable { .. } | Error::TooLarge { .. } | Error::WorkerDied { .. }) => {}
            Err(other) => panic!("{at}: {other}"),
        }
    }
    pictures.still(street(), &gop("street-h264", 1_000), Size::Original).await.unwrap();
    println!("{:?}", pictures.metrics());
    pictures.shutdown().await;
}

/// A sequence parameter set (Baseline, 4.0) of 16,384 by 16,384 pixels: 400 MB for a decoder that believes it.
#[tokio::test]
async fn absurd_sizes_are_refused_before_memory_is_taken() {
    let pictures = Pictures::start(config(1)).unwrap();
    // profile 66, level 40; ue(0) id, ue(0) frame_num bits, ue(2) poc type, ue(1) refs, 0 gaps, ue(1023) width,
    // ue(1023) height, 1 frames only, 1 inference, 0 crop, 0 VUI, stop bit.
    let bits = ["1", "1", "011", "010", "0", &ue(1023), &ue(1023), "1", "1", "0", "0", "1"].concat();
    let mut sps = vec![0x67, 66, 0, 40];
    sps.extend(bits.as_bytes().chunks(8).map(|byte| {
        byte.iter().enumerate().fold(0, |sum, (at, bit)| sum | u8::from(*bit == b'1') << (7 - at))
    }));
    let pps = [0x68, 0xce, 0x3c, 0x80];
    let length = |bytes: &[u8]| u16::try_from(bytes.len()).unwrap().to_be_bytes();
    let config = [&[1, 66, 0, 40, 0xff, 0xe1][..], &length(&sps), &sps, &[1], &length(&pps), &pps].concat();
    let unit = gop("street-h264", 0).units[0].data.clone();
    let gop = with_bytes(Codec::H264, config.into(), unit, 1);
    let error = pictures.still(street(), &gop, Size::Original).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { value: 16_384, .. }), "{error}");
    pictures.still(street(), &common::gop("street-h264", 2), Size::Original).await.unwrap();
    pictures.shutdown().await;
}

/// Exp-Golomb (ITU-T H.264 section 9.1).
fn ue(value: u32) -> String {
    let code = format!("{:b}", value + 1);
    "0".repeat(code.len() - 1) + &code
}

#[tokio::test]
async fn what_does_not_begin_with_a_key_frame_is_refused_at_once() {
    let pictures = Pictures::start(config(1)).unwrap();
    let mut part = gop("street-h264", 1);
    part.start.part = 2;
    let mut empty = gop("street-h264", 2);
    empty.units.clear();
    let mut late = gop("street-h264", 3);
    late.units[0].key = false;
    for gop in [part, empty, late] {
        let error = pictures.still(street(), &gop, Size::Original).await.unwrap_err();
        assert_eq!(error, Error::NoKeyFrame { part: gop.start.part });
    }
    let mut huge = gop("street-h264", 4);
    huge.units[0].data = vec![0; (16 << 20) + 1].into();
    let error = pictures.still(street(), &huge, Size::Original).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { what: "bytes", .. }), "{error}");
    pictures.shutdown().await;
}

#[tokio::test]
async fn pictures_are_made_once_and_kept() {
    let pictures = Pictures::start(config(2)).unwrap();
    let gop = gop("street-h264", 1);
    let asked: Vec<_> = (0..20)
        .map(|_| {
            let (pictures, gop) = (pictures.clone(), gop.clone());
            tokio::spawn(async move { pictures.still(street(), &gop, Size::Width(320)).await.unwrap() })
        })
        .collect();
    let mut first = None;
    for asked in asked {
        let jpeg = asked.await.unwrap();
        assert_eq!(*first.get_or_insert_with(|| jpeg.clone()), jpeg);
    }
    let metrics = pictures.metrics();
    assert_eq!((metrics.requests, metrics.decoded), (20, 1));
    assert_eq!(metrics.joined + metrics.cache_hits, 19);
    assert!(metrics.decode_seconds > 0.0 && metrics.encode_seconds > 0.0);

    assert_eq!(pictures.cached(street(), gop.start.at, Size::Width(320)), first);
    assert_eq!(pictures.cached(street(), gop.start.at, Size::Original), None);
    let other = StreamKey::main("street-2".parse().unwrap());
    pictures.still(other, &gop, Size::Width(320)).await.unwrap();
    assert_eq!(pictures.metrics().decoded, 2, "another camera's picture is another picture");
    assert!(pictures.metrics().cache_bytes > 0);
    pictures.shutdown().await;
    assert_eq!(pictures.still(other, &gop, Size::Original).await, Err(Error::Stopping));
}
