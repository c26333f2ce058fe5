//! A made-up camera: GOPs of every shape, from a clock that jumps.

use std::sync::Arc;

use bytes::Bytes;
use rand::{RngExt, rngs::SmallRng};
use sightline_model::{
    Timestamp,
    media::{AccessUnit, CameraClock, GopStart, ParameterSets, Policy, RunId, StreamKey, ticks_to_micros},
    tail::TailItem,
};

use crate::{TailWriter, testkit};

/// What a camera has sent of its stream so far, and what it sends next.
pub(super) struct Camera {
    pub(super) key: StreamKey,
    pub(super) writer: Option<TailWriter>,
    pub(super) at: Timestamp,
    pub(super) run: u64,
    pub(super) number: u32,
    media_90k: i64,
    params: Arc<ParameterSets>,
    policy: Policy,
    clock: Option<CameraClock>,
}

/// How a GOP is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) frames: u32,
    pub(super) frame_90k: u32,
    /// Bytes of a frame beside the key frame.
    pub(super) bytes: usize,
    /// Frames come in the order I P B B.
    pub(super) reordered: bool,
    /// The source itself begins a further part after this many frames.
    pub(super) part_frames: Option<u32>,
    /// The source never says where it ends.
    pub(super) cut: bool,
}

/// A GOP as it was pushed: the truth to compare with.
#[derive(Debug, Clone)]
pub(super) struct Pushed {
    pub(super) start: GopStart,
    /// Presentation times count from the first access unit of the whole GOP.
    pub(super) units: Vec<AccessUnit>,
    /// Where it ends, once that was said.
    pub(super) end: Option<Timestamp>,
    /// Whether no frame is shown before a part that it was sent after.
    pub(super) in_order: bool,
}

impl Shape {
    pub(super) fn draw(rng: &mut SmallRng) -> Self {
        let long = rng.random_ratio(1, 8);
        let frame_90k = if long { 45_000 } else { rng.random_range(3000..20_000) };
        let frames = if long { rng.random_range(8..=60) } else { rng.random_range(1..12) };
        Self {
            frames,
            frame_90k,
            bytes: if rng.random_ratio(1, 12) { 9000 } else { rng.random_range(0..700) },
            reordered: rng.random_ratio(1, 3),
            part_frames: rng.random_ratio(1, 6).then(|| rng.random_range(1..8)),
            cut: rng.random_ratio(1, 7),
        }
    }

    /// Presentation times of all frames in decoding order, in frames: I, then P B B for each three.
    fn order(&self) -> Vec<i32> {
        let frames = i32::try_from(self.frames).unwrap();
        let mut order: Vec<i32> = (0..frames).collect();
        if self.reordered {
            for group in order.get_mut(1..).unwrap_or_default().chunks_mut(3) {
                group.rotate_right(1);
            }
        }
        order
    }
}

impl Camera {
    pub(super) fn new(key: StreamKey, start_us: i64) -> Self {
        Self {
            key,
            writer: None,
            at: Timestamp(start_us),
            run: 1,
            number: 0,
            media_90k: 0,
            params: testkit::params(0),
            policy: Policy::Full,
            clock: None,
        }
    }

    /// A new run begins `by_us` later, or earlier.
    pub(super) fn new_run(&mut self, by_us: i64) {
        self.at = self.at.plus_micros(by_us);
        self.run += 1;
        self.number = 0;
        self.media_90k = 0;
    }

    pub(super) fn change(&mut self, rng: &mut SmallRng) {
        match rng.random_range(0..3) {
            0 => self.params = testkit::params(rng.random_range(0..6)),
            1 => {
                let keyframes = self.policy == Policy::Full;
                self.policy = if keyframes { Policy::Keyframes } else { Policy::Full };
            }
            _ => {
                let offset_us = rng.random_range(-10_000_000_000..10_000_000_000);
                self.clock = rng.random::<bool>().then_some(CameraClock { offset_us, uncertainty_us: 9 });
            }
        }
    }

    fn start(&self, part: u16, at: Timestamp, media_90k: i64) -> GopStart {
        GopStart {
            run: RunId(self.run),
            number: self.number,
            part,
            at,
            camera_clock: self.clock,
            media_90k,
            policy: self.policy,
            params: Arc::clone(&self.params),
        }
    }

    /// Pushes one GOP.
    pub(super) fn push(&mut self, shape: Shape) -> Pushed {
        let Some(mut writer) = self.writer.take() else {
            unreachable!("a camera is written to when it is there")
        };
        let start = self.start(0, self.at, self.media_90k);
        let mut pushed = Pushed {
            start: start.clone(),
            units: Vec::new(),
            end: None,
            in_order: !shape.reordered || shape.part_frames.is_none(),
        };
        writer.push(TailItem::Begin(start));
        let frame_90k = i32::try_from(shape.frame_90k).unwrap();
        let (mut part, mut part_90k) = (0, 0);
        for (index, order) in shape.order().into_iter().enumerate() {
            let frame = i32::try_from(index).unwrap();
            if shape.part_frames.is_some_and(|frames| frame > 0 && frame.cast_unsigned() % frames == 0) {
                writer.push(TailItem::End { duration_90k: (frame * frame_90k - part_90k).cast_unsigned() });
                (part, part_90k) = (part + 1, frame * frame_90k);
                let at = self.at.plus_micros(ticks_to_micros(i64::from(part_90k)));
                writer.push(TailItem::Begin(self.start(part, at, self.media_90k + i64::from(part_90k))));
            }
            let mut data = format!("{}/{}/{}/{frame}:", self.key, self.run, self.number).into_bytes();
            let filler = if frame == 0 { shape.bytes * 4 } else { shape.bytes };
            data.resize(data.len() + filler, u8::try_from(frame % 251).unwrap());
            let unit = AccessUnit { pts_90k: order * frame_90k, key: frame == 0, data: Bytes::from(data) };
            writer.push(TailItem::Unit(AccessUnit { pts_90k: unit.pts_90k - part_90k, ..unit.clone() }));
            pushed.units.push(unit);
        }
        let length_90k = shape.frames * shape.frame_90k;
        let end = self.at.plus_micros(ticks_to_micros(i64::from(length_90k)));
        if !shape.cut {
            writer.push(TailItem::End { duration_90k: length_90k - part_90k.cast_unsigned() });
            pushed.end = Some(end);
        }
        self.at = end;
        self.media_90k += i64::from(length_90k);
        self.number += 1;
        self.writer = Some(writer);
        pushed
    }
}
