//! What comes out is what the camera sent.

use std::collections::BTreeSet;

use sightline_ingest::{Config, Target, Transport};
use sightline_model::media::{Codec, Gop, Policy};
use sightline_sim::{CameraSpec, Clip, Fault};

use crate::bench::*;

/// NAL units of an Annex B stream.
fn nals(stream: &[u8]) -> BTreeSet<&[u8]> {
    let mut starts: Vec<usize> =
        stream.windows(3).enumerate().filter(|(_, w)| *w == [0, 0, 1]).map(|(i, _)| i).collect();
    starts.push(stream.len());
    let nal = |pair: &[usize]| {
        let nal = &stream[pair[0] + 3..pair[1]];
        &nal[..nal.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)]
    };
    starts.windows(2).map(nal).collect()
}

/// NAL units behind 4-byte lengths.
fn split(mut data: &[u8]) -> Vec<&[u8]> {
    let mut nals = Vec::new();
    while let Some((length, rest)) = data.split_first_chunk::<4>() {
        let (nal, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
        nals.push(nal);
        data = rest;
    }
    nals
}

fn check(gops: &[Gop], codec: Codec) {
    let sent = nals(file(codec));
    for (number, gop) in gops.iter().enumerate() {
        let start = &gop.start;
        assert_eq!((start.number as usize, start.part, start.policy), (number, 0, Policy::Full));
        let params = &start.params;
        assert_eq!((params.codec, params.width, params.height), (codec, 768, 576));
        let name = if codec == Codec::H264 { "avc1.64" } else { "hvc1.1." };
        assert!(params.rfc6381.starts_with(name) && params.decoder_config.first() == Some(&1), "{params:?}");
        assert_eq!(gop.units.len(), 20, "whole GOPs");
        assert_eq!(gop.duration_90k, 18_000);
        for (place, unit) in gop.units.iter().enumerate() {
            assert_eq!((unit.key, unit.pts_90k), (place == 0, 900 * i32::try_from(place).unwrap()));
            for nal in split(&unit.data) {
                assert!(sent.contains(nal), "a unit of {} bytes is not as the camera sent it", nal.len());
            }
        }
    }
    for pair in gops.windows(2) {
        let step = pair[1].start.at.micros_since(pair[0].start.at);
        assert!((196_000..=204_000).contains(&step), "{step} us from GOP to GOP");
        assert_eq!(pair[0].start.run, pair[1].start.run);
        assert_eq!(pair[1].start.media_90k - pair[0].start.media_90k, 18_000);
    }
}

#[tokio::test]
async fn both_codecs_come_byte_for_byte_over_both_transports() {
    for transport in [Transport::Tcp, Transport::Udp] {
        let cameras = vec![fast("avc", Codec::H264), fast("hevc", Codec::H265)];
        let bench = Bench::new(quick_over(transport), cameras).await;
        bench.pull(&[main_of("avc"), main_of("hevc")]);
        check(&bench.gops(main_of("avc"), 8).await, Codec::H264);
        check(&bench.gops(main_of("hevc"), 8).await, Codec::H265);
        bench.streaming(main_of("avc")).await;
        bench.streaming(main_of("hevc")).await;
        assert_eq!(bench.supervisor.metrics().packets_lost, 0);
    }
}

#[tokio::test]
async fn key_frames_alone_are_kept_when_that_is_the_policy() {
    let bench = Bench::new(quick(), vec![fast("gate", Codec::H264)]).await;
    let gate = main_of("gate");
    let keyframes = Target { policy: Policy::Keyframes, ..bench.target(gate) };
    bench.supervisor.set_targets(vec![keyframes]);
    let gops = bench.gops(gate, 5).await;
    for gop in &gops {
        assert_eq!((gop.start.policy, gop.units.len(), gop.duration_90k), (Policy::Keyframes, 1, 18_000));
    }
    bench.pull(&[gate]);
    bench.appended("full GOPs", |tape| tape.gops(gate).last().unwrap().units.len() == 20).await;
    let metrics = bench.supervisor.metrics();
    assert_eq!(metrics.connects, 1);
    assert!(metrics.units_skipped >= 5 * 19, "{metrics:?}");
}

#[tokio::test]
async fn a_changed_picture_size_begins_a_gop_with_its_own_parameter_sets() {
    let spec = CameraSpec { main: Clip::StreetH264, ..CameraSpec::new(camera("gate")) };
    let bench = Bench::new(quick(), vec![spec]).await;
    let gate = main_of("gate");
    bench.pull(&[gate]);
    bench.gops(gate, 1).await;
    bench.sim.set_fault(gate.camera, Some(Fault::ParameterChange)).unwrap();
    bench.appended("small pictures", |tape| tape.gops(gate).last().unwrap().start.params.width == 384).await;
    let gops = bench.tape.gops(gate);
    assert_eq!(gops[0].start.params.width, 768);
    assert!(gops.iter().all(|gop| gop.units[0].key));
    assert_eq!(bench.supervisor.metrics().connects, 1);
}

#[tokio::test]
async fn a_camera_clock_that_is_off_is_measured() {
    let fault = Some(Fault::ClockOffset { seconds: -7200 });
    let bench = Bench::new(quick(), vec![CameraSpec { fault, ..fast("gate", Codec::H264) }]).await;
    let gate = main_of("gate");
    bench.pull(&[gate]);
    bench
        .appended("a clock", |tape| tape.gops(gate).iter().any(|gop| gop.start.camera_clock.is_some()))
        .await;
    let clock = bench.tape.gops(gate).iter().find_map(|gop| gop.start.camera_clock).unwrap();
    let error_us = clock.offset_us + 7_200_000_000;
    assert!(error_us.abs() <= i64::from(clock.uncertainty_us), "{clock:?}");
}

#[tokio::test]
async fn long_gops_are_committed_in_parts() {
    let config = Config { part: std::time::Duration::from_millis(60), ..quick() };
    let bench = Bench::new(config, vec![fast("gate", Codec::H264)]).await;
    let gate = main_of("gate");
    bench.pull(&[gate]);
    let gops = bench.gops(gate, 8).await;
    let parts: Vec<_> = gops.iter().map(|gop| (gop.start.number, gop.start.part, gop.units.len())).collect();
    assert_eq!(parts[..5], [(0, 0, 6), (0, 1, 6), (0, 2, 6), (0, 3, 2), (1, 0, 6)]);
}
