use std::time::Duration;

use proptest::prelude::*;
use sightline_model::media::{Codec, RunId};

use super::*;

const WALL: Timestamp = Timestamp(1_795_000_000_000_000);
const FRAME: u32 = 3_600;
const LIMITS: PartLimits = PartLimits { length_90k: 8 * 90_000, bytes: 100_000 };

fn params(width: u16) -> ParameterSets {
    ParameterSets {
        codec: Codec::H264,
        width,
        height: 480,
        rfc6381: "avc1.64001E".into(),
        decoder_config: Bytes::from_static(b"config"),
    }
}

/// A camera that sends a frame every 40 ms, and a receiver that keeps all it says.
struct Bench {
    assembler: Assembler,
    start: Instant,
    passed: Duration,
    rtp: u32,
    items: Vec<TailItem>,
    outcomes: Vec<Outcome>,
}

impl Bench {
    fn new(policy: Policy) -> Self {
        let mut assembler = Assembler::new(LIMITS, policy);
        assembler.set_params(params(640));
        Self {
            assembler,
            start: Instant::now(),
            passed: Duration::ZERO,
            rtp: u32::MAX - 10 * FRAME,
            items: Vec::new(),
            outcomes: Vec::new(),
        }
    }

    fn pass(&mut self, frames: u32) {
        self.passed += Duration::from_millis(40) * frames;
        self.rtp = self.rtp.wrapping_add(frames * FRAME);
    }

    fn send(&mut self, key: bool, lost: bool, offset: i32, bytes: usize) {
        let rtp = self.rtp.wrapping_add_signed(offset);
        let arrival = Arrival::new(rtp, self.start + self.passed, WALL + self.passed, key, lost);
        let data = || Bytes::from(vec![u8::from(key); bytes]);
        let outcome = self.assembler.push(arrival, data, &mut |item| self.items.push(item));
        self.outcomes.push(outcome);
    }

    fn frame(&mut self, key: bool) {
        self.send(key, false, 0, 100);
        self.pass(1);
    }

    fn frames(&mut self, count: usize) {
        for _ in 0..count {
            self.frame(false);
        }
    }

    fn gop(&mut self, frames: usize) {
        self.frame(true);
        self.frames(frames - 1);
    }

    fn close(&mut self) {
        self.assembler.close(&mut |item| self.items.push(item));
    }

    fn starts(&self) -> Vec<&GopStart> {
        self.items
            .iter()
            .filter_map(|item| if let TailItem::Begin(start) = item { Some(start) } else { None })
            .collect()
    }

    /// One letter an item: B, a further part P, k (key unit), u, E, A.
    fn shape(&self) -> String {
        let letter = |item: &TailItem| match item {
            TailItem::Begin(start) if start.part == 0 => 'B',
            TailItem::Begin(_) => 'P',
            TailItem::Unit(unit) if unit.key => 'k',
            TailItem::Unit(_) => 'u',
            TailItem::End { .. } => 'E',
            TailItem::Absent { .. } => 'A',
        };
        self.items.iter().map(letter).collect()
    }

    fn durations(&self) -> Vec<u32> {
        self.items
            .iter()
            .filter_map(
                |item| if let TailItem::End { duration_90k } = item { Some(*duration_90k) } else { None },
            )
            .collect()
    }

    fn gaps(&self) -> Vec<(i64, GapReason)> {
        self.items
            .iter()
            .filter_map(|item| match item {
                TailItem::Absent { since, reason } => Some((since.micros_since(WALL), *reason)),
                _ => None,
            })
            .collect()
    }
}

#[test]
fn a_stream_begins_with_its_first_key_frame_and_gops_tile() {
    let mut bench = Bench::new(Policy::Full);
    bench.frames(3);
    bench.gop(4);
    bench.gop(2);
    bench.close();
    assert_eq!(bench.shape(), "BkuuuEBkuE");
    assert_eq!(bench.durations(), [4 * FRAME, 2 * FRAME]);
    let starts = bench.starts();
    assert_eq!(starts[0].at, WALL + Duration::from_millis(120));
    assert_eq!(starts[1].at.micros_since(starts[0].at), 160_000);
    assert_eq!((starts[0].number, starts[1].number), (0, 1));
    assert_eq!(bench.outcomes.iter().filter(|o| o.kept).count(), 6);
}

#[test]
fn without_parameter_sets_there_is_nothing_to_begin_with() {
    let mut bench = Bench::new(Policy::Full);
    bench.assembler.params = None;
    bench.gop(3);
    assert_eq!(bench.shape(), "");
    bench.assembler.set_params(params(640));
    bench.gop(2);
    assert_eq!(bench.shape(), "Bku");
}

#[test]
fn key_frames_alone_are_kept_with_their_true_lengths() {
    let mut bench = Bench::new(Policy::Keyframes);
    bench.gop(50);
    bench.gop(500);
    bench.gop(50);
    bench.close();
    assert_eq!(bench.shape(), "BkEBkEBkE");
    assert_eq!(bench.durations(), [50 * FRAME, 500 * FRAME, 50 * FRAME]);
    assert_eq!(bench.starts()[0].policy, Policy::Keyframes);
}

#[test]
fn a_new_policy_and_new_parameter_sets_wait_for_a_key_frame() {
    let mut bench = Bench::new(Policy::Full);
    bench.gop(2);
    bench.assembler.set_policy(Policy::Keyframes);
    bench.assembler.set_params(params(1280));
    bench.frame(false);
    bench.gop(3);
    bench.assembler.set_params(params(1280));
    bench.gop(1);
    assert_eq!(bench.shape(), "BkuuEBkEBk");
    let starts = bench.starts();
    assert_eq!((starts[0].params.width, starts[1].params.width), (640, 1280));
    assert!(Arc::ptr_eq(&starts[1].params, &starts[2].params), "the same sets are not stored again");
}

#[test]
fn long_and_large_gops_are_cut_in_parts_that_tile() {
    let mut bench = Bench::new(Policy::Full);
    bench.gop(450);
    bench.frame(true);
    let starts = bench.starts();
    assert_eq!(
        starts.iter().map(|s| (s.number, s.part)).collect::<Vec<_>>(),
        [(0, 0), (0, 1), (0, 2), (1, 0)]
    );
    assert_eq!(bench.durations(), [200 * FRAME, 200 * FRAME, 50 * FRAME]);
    assert_eq!(starts[1].at.micros_since(starts[0].at), 8_000_000);

    let mut bench = Bench::new(Policy::Full);
    bench.frame(true);
    for _ in 0..10 {
        bench.send(false, false, 0, 40_000);
        bench.pass(1);
    }
    assert_eq!(bench.shape(), "BkuuuEPuuuEPuuuEPu");
}

#[test]
fn reordered_frames_keep_their_places_and_never_begin_a_part() {
    let mut bench = Bench::new(Policy::Full);
    bench.frame(true);
    for _ in 0..150 {
        // P three frames ahead, then the two B-frames before it.
        for offset in [2, 0, 1] {
            bench.send(false, false, offset * FRAME.cast_signed(), 10);
        }
        bench.pass(3);
    }
    let mut start = None;
    let mut newest = i64::MIN;
    for item in &bench.items {
        match item {
            TailItem::Begin(begin) => {
                assert!(
                    begin.media_90k > newest,
                    "a part begins with a frame that is shown after all before it"
                );
                start = Some(begin.clone());
            }
            TailItem::Unit(unit) => {
                newest = newest.max(start.as_ref().unwrap().media_90k + i64::from(unit.pts_90k))
            }
            _ => {}
        }
    }
    assert_eq!(bench.starts().len(), 3);
    assert!(bench.items.iter().any(|item| matches!(item, TailItem::Unit(unit) if unit.pts_90k < 0)));
}

#[test]
fn a_picture_split_by_wrong_marker_bits_stays_one_gop() {
    for (policy, shape) in [(Policy::Full, "BkkkuE"), (Policy::Keyframes, "BkkkE")] {
        let mut bench = Bench::new(policy);
        for _ in 0..3 {
            bench.send(true, false, 0, 100);
        }
        bench.pass(1);
        bench.frames(1);
        bench.close();
        assert_eq!(bench.shape(), shape);
    }
}

#[test]
fn lost_frames_are_a_gap_and_what_follows_is_kept() {
    let mut bench = Bench::new(Policy::Full);
    bench.gop(10);
    bench.pass(25);
    bench.send(false, true, 0, 100);
    bench.pass(1);
    bench.frames(2);
    bench.gop(1);
    assert_eq!(bench.shape(), "BkuuuuuuuuuEAPuuuEBk");
    assert_eq!(bench.gaps(), [(400_000, GapReason::PacketLoss)]);
    let starts = bench.starts();
    assert_eq!(starts[1].at.micros_since(WALL), 1_400_000);
    assert_eq!((starts[1].number, starts[1].part, starts[2].number, starts[2].part), (0, 1, 1, 0));
}

#[test]
fn a_short_loss_is_no_gap_and_a_lost_end_of_a_gop_is_one() {
    let mut bench = Bench::new(Policy::Full);
    bench.gop(10);
    bench.pass(3);
    bench.send(false, true, 0, 100);
    bench.pass(20);
    bench.send(true, true, 0, 100);
    assert_eq!(bench.shape(), "BkuuuuuuuuuuEABk");
    // The last frame's length is an estimate: the three lost ones make it a little longer than 40 ms.
    let [(since_us, GapReason::PacketLoss)] = bench.gaps()[..] else { panic!("{:?}", bench.gaps()) };
    assert!((560_000..580_000).contains(&since_us), "{since_us}");

    let mut bench = Bench::new(Policy::Keyframes);
    bench.gop(10);
    bench.pass(25);
    bench.send(false, true, 0, 100);
    bench.frames(2);
    bench.gop(1);
    assert_eq!(bench.shape(), "BkEABk", "the next key frame ends the gap");
}

#[test]
fn a_jump_of_the_media_clock_ends_the_run_and_waits_for_a_key_frame() {
    let mut bench = Bench::new(Policy::Full);
    bench.gop(10);
    bench.rtp = bench.rtp.wrapping_add(1 << 30);
    bench.frames(3);
    bench.gop(2);
    assert_eq!(bench.shape(), "BkuuuuuuuuuEABku");
    assert_eq!(bench.gaps(), [(400_000, GapReason::ClockJump)]);
    let starts = bench.starts();
    assert_ne!(starts[0].run, starts[1].run);
    assert_eq!((starts[1].number, starts[1].at), (0, WALL + Duration::from_millis(520)));
    assert_eq!(bench.outcomes.iter().filter(|o| o.jumped).count(), 1);

    let mut bench = Bench::new(Policy::Full);
    bench.gop(10);
    bench.rtp = bench.rtp.wrapping_sub(1 << 30);
    bench.gop(2);
    assert_eq!(bench.shape(), "BkuuuuuuuuuEBku", "nothing is lost when a key frame comes first");
}

#[test]
fn absence_is_said_once_for_each_reason_from_where_footage_ends() {
    let mut bench = Bench::new(Policy::Full);
    let start = WALL.plus_micros(-5);
    let say = |bench: &mut Bench, reason| {
        bench.assembler.absent(reason, start, &mut |item| bench.items.push(item));
    };
    say(&mut bench, GapReason::Unreachable);
    say(&mut bench, GapReason::Unreachable);
    say(&mut bench, GapReason::Unauthorized);
    bench.gop(5);
    bench.close();
    say(&mut bench, GapReason::Unauthorized);
    bench.close();
    assert_eq!(bench.shape(), "AABkuuuuEA");
    assert_eq!(
        bench.gaps(),
        [(-5, GapReason::Unreachable), (-5, GapReason::Unauthorized), (200_000, GapReason::Unauthorized)]
    );
}

#[derive(Debug, Clone, Copy)]
struct Step {
    key: bool,
    lost: bool,
    frames: u32,
    jump: u32,
    bytes: usize,
    event: u8,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let jump = prop_oneof![40 => Just(0_u32), 1 => any::<u32>()];
    let frames = prop_oneof![20 => Just(1_u32), 1 => 0_u32..300];
    let step =
        (prop::bool::weighted(0.1), prop::bool::weighted(0.1), frames, jump, 0_usize..20_000, 0_u8..60);
    let step = step.prop_map(|(key, lost, frames, jump, bytes, event)| Step {
        key,
        lost,
        frames,
        jump,
        bytes,
        event,
    });
    proptest::collection::vec(step, 1..300)
}

proptest! {
    #[test]
    fn whatever_comes_the_grammar_holds_and_times_go_forward(policy in any::<bool>(), steps in steps()) {
        let mut bench = Bench::new(if policy { Policy::Full } else { Policy::Keyframes });
        let mut sent = 0;
        for step in steps {
            match step.event {
                0 => bench.close(),
                1 => bench.assembler.absent(GapReason::Stalled, WALL, &mut |_| {}),
                2 => bench.assembler.set_policy(Policy::Keyframes),
                3 => bench.assembler.set_policy(Policy::Full),
                _ => {}
            }
            bench.rtp = bench.rtp.wrapping_add(step.jump);
            bench.send(step.key, step.lost, 0, step.bytes);
            sent += 1;
            bench.pass(step.frames);
        }
        bench.close();
        check_grammar(&bench)?;
        let kept = bench.outcomes.iter().filter(|outcome| outcome.kept).count();
        let units = bench.shape().matches(['k', 'u']).count();
        prop_assert_eq!((kept, bench.outcomes.len()), (units, sent));
        prop_assert_eq!(bench.outcomes.iter().filter(|o| o.ended).count() <= bench.durations().len(), true);
    }
}

fn check_grammar(bench: &Bench) -> Result<(), TestCaseError> {
    let mut open: Option<(GopStart, usize, usize)> = None;
    let mut last: Option<GopStart> = None;
    for item in &bench.items {
        match item {
            TailItem::Begin(start) => {
                prop_assert!(open.is_none());
                if let Some(last) = last.as_ref().filter(|last| last.run == start.run) {
                    prop_assert!(start.at > last.at);
                    let next_part = (last.number, last.part + 1);
                    let next_gop = (last.number + 1, 0);
                    prop_assert!([next_part, next_gop].contains(&(start.number, start.part)));
                } else {
                    prop_assert_eq!((start.number, start.part), (0, 0));
                    prop_assert_ne!(start.run, RunId(0));
                }
                last = Some(start.clone());
                open = Some((start.clone(), 0, 0));
            }
            TailItem::Unit(unit) => {
                let Some((start, units, bytes)) = &mut open else {
                    return Err(TestCaseError::fail("unit outside"));
                };
                prop_assert!(*units > 0 || (unit.pts_90k == 0 && (unit.key || start.part > 0)));
                prop_assert!(start.policy == Policy::Full || unit.pts_90k == 0);
                *units += 1;
                *bytes += unit.data.len();
                prop_assert!(*bytes <= LIMITS.bytes * 2 + 20_000 * 2 || unit.pts_90k == 0, "{} bytes", bytes);
            }
            TailItem::End { duration_90k } => {
                prop_assert!(open.take().is_some_and(|(_, units, _)| units > 0));
                prop_assert!(*duration_90k > 0);
            }
            TailItem::Absent { .. } => prop_assert!(open.is_none()),
        }
    }
    prop_assert!(open.is_none());
    Ok(())
}
