use std::time::Duration;

use proptest::prelude::*;

use super::*;

const WALL: Timestamp = Timestamp(1_795_000_000_000_000);
const FRAME_90K: i64 = 3_600;
const GOP_90K: i64 = 2 * 90_000;

/// A receiver whose clocks are moved by hand.
struct Clocks {
    start: Instant,
    passed_us: i64,
    wall_us: i64,
}

impl Clocks {
    fn new() -> Self {
        Self { start: Instant::now(), passed_us: 0, wall_us: 0 }
    }

    fn pass(&mut self, us: i64) {
        self.passed_us += us;
    }

    fn set_wall(&mut self, us: i64) {
        self.wall_us += us;
    }

    fn reading(&self) -> Reading {
        Reading {
            received: self.start + Duration::from_micros(u64::try_from(self.passed_us).unwrap()),
            wall: WALL.plus_micros(self.passed_us + self.wall_us),
        }
    }
}

#[test]
fn rtp_timestamps_unwrap_in_both_directions() {
    let mut line = Timeline::default();
    assert_eq!(line.media(u32::MAX - 10), i64::from(u32::MAX) - 10);
    assert_eq!(line.media(20), i64::from(u32::MAX) + 21);
    assert_eq!(line.media(u32::MAX), i64::from(u32::MAX), "a B-frame from before the wrap");
    assert_eq!(line.media(20), i64::from(u32::MAX) + 21);
    for lap in 1..5_i64 {
        for quarter in 0..4_u32 {
            let rtp = 20_u32.wrapping_add((quarter + 1).wrapping_mul(1 << 30));
            let expected =
                i64::from(u32::MAX) + 21 + (lap - 1) * (1 << 32) + i64::from(quarter + 1) * (1 << 30);
            assert_eq!(line.media(rtp), expected);
        }
    }
}

#[test]
fn jitter_does_not_reach_the_index() {
    let (mut line, mut clocks) = (Timeline::default(), Clocks::new());
    let mut media = 1_000;
    let first = line.begin_gop(media, clocks.reading(), None);
    assert_eq!((first.at, first.number, first.jump), (WALL, 0, None));
    let mut before = first;
    for gop in 1..200_i64 {
        media += GOP_90K;
        // Every GOP arrives up to 300 ms late, never early.
        let late = (gop * 7919) % 300_000;
        clocks.pass(2_000_000 + late);
        let placed = line.begin_gop(media, clocks.reading(), None);
        clocks.pass(-late);
        assert_eq!((placed.run, placed.jump), (first.run, None));
        let step = placed.at.micros_since(before.at);
        assert!((1_960_000..=2_040_000).contains(&step), "{step}");
        before = placed;
    }
    let error = before.at.micros_since(clocks.reading().wall);
    assert!((0..300_000).contains(&error), "{error}");
}

#[test]
fn a_media_clock_that_runs_wrong_is_followed_without_a_new_run() {
    for percent in [-1, 1] {
        let (mut line, mut clocks) = (Timeline::default(), Clocks::new());
        let mut media = 0;
        line.begin_gop(media, clocks.reading(), None);
        for _ in 0..10_000 {
            media += GOP_90K;
            clocks.pass(2_000_000 + percent * 20_000);
            let placed = line.begin_gop(media, clocks.reading(), None);
            assert_eq!(placed.jump, None);
            assert!(placed.at.micros_since(clocks.reading().wall).abs() < 1_000_000);
        }
    }
}

#[test]
fn a_set_wall_clock_starts_a_run_at_the_new_time() {
    for step in [-3_600_000_000_i64, -1_100_000, 1_100_000, 3_600_000_000] {
        let (mut line, mut clocks) = (Timeline::default(), Clocks::new());
        let first = line.begin_gop(0, clocks.reading(), None);
        clocks.pass(2_000_000);
        clocks.set_wall(step);
        let placed = line.begin_gop(GOP_90K, clocks.reading(), Some(first.at.plus_micros(2_000_000)));
        assert_eq!((placed.jump, placed.number), (Some(Jump::Wall), 0));
        assert_eq!(placed.at, clocks.reading().wall);
        assert_ne!(placed.run, first.run);
    }
    // A part of a long GOP in between follows the line and does not hide it.
    let (mut line, mut clocks) = (Timeline::default(), Clocks::new());
    line.begin_gop(0, clocks.reading(), None);
    clocks.pass(2_000_000);
    clocks.set_wall(3_600_000_000);
    let part = line.begin_part(GOP_90K, clocks.reading()).unwrap();
    assert_eq!((part.at, part.jump), (WALL.plus_micros(2_000_000), None));
    clocks.pass(2_000_000);
    assert_eq!(line.begin_gop(2 * GOP_90K, clocks.reading(), None).jump, Some(Jump::Wall));
    // NTP slews by less than 500 parts in a million; small steps are taken up slowly.
    let (mut line, mut clocks) = (Timeline::default(), Clocks::new());
    line.begin_gop(0, clocks.reading(), None);
    clocks.pass(2_000_000);
    clocks.set_wall(900_000);
    let placed = line.begin_gop(GOP_90K, clocks.reading(), None);
    assert_eq!(placed.jump, None);
    assert!(placed.at.micros_since(WALL) <= 2_040_000);
}

#[test]
fn a_media_clock_that_jumps_does_not_fit_the_run() {
    for (step_90k, fits) in [
        (FRAME_90K, true),
        (-FRAME_90K, true),
        (-3 * 90_000, false),
        (3 * 90_000, false),
        (1 << 31, false),
        (-(1 << 31), false),
    ] {
        let (mut line, mut clocks) = (Timeline::default(), Clocks::new());
        line.begin_gop(1 << 40, clocks.reading(), None);
        clocks.pass(40_000);
        assert_eq!(line.misfit((1 << 40) + FRAME_90K, clocks.reading().received), None);
        let misfit = line.misfit((1 << 40) + FRAME_90K + step_90k, clocks.reading().received);
        assert_eq!(misfit.is_none(), fits, "{step_90k}");
    }
}

#[test]
fn a_stalled_network_and_its_backlog_are_no_jump() {
    let (mut line, mut clocks) = (Timeline::default(), Clocks::new());
    line.begin_gop(0, clocks.reading(), None);
    clocks.pass(8_000_000);
    for frame in 1..200 {
        assert_eq!(line.misfit(frame * FRAME_90K, clocks.reading().received), None, "{frame}");
    }
}

#[test]
fn a_media_clock_that_stood_still_is_found_out() {
    let (mut line, mut clocks) = (Timeline::default(), Clocks::new());
    line.begin_gop(0, clocks.reading(), None);
    clocks.pass(5_000_000);
    let mut media = 0;
    let mut frames_until_found = 0;
    loop {
        media += FRAME_90K;
        clocks.pass(40_000);
        frames_until_found += 1;
        assert_eq!(line.misfit(media, clocks.reading().received), None);
        if media % GOP_90K == 0 {
            let placed = line.begin_gop(media, clocks.reading(), None);
            if placed.jump == Some(Jump::Media) {
                assert_eq!(placed.at, clocks.reading().wall);
                break;
            }
        }
    }
    assert!((250..=350).contains(&frames_until_found), "{frames_until_found}");
}

#[test]
fn a_new_session_begins_after_the_footage_before_it() {
    let (mut line, mut clocks) = (Timeline::default(), Clocks::new());
    let first = line.begin_gop(5_000, clocks.reading(), None);
    line.restart();
    let end = first.at.plus_micros(40_000);
    clocks.pass(10_000);
    let second = line.begin_gop(77, clocks.reading(), Some(end));
    assert_eq!((second.at, second.number, second.jump), (end, 0, None));
    assert_ne!(second.run, first.run);
    line.restart();
    let third = line.begin_gop(77, clocks.reading(), Some(end.plus_micros(5_000_000)));
    assert_eq!(third.at, clocks.reading().wall, "set back for real");
    assert_ne!(third.run, second.run);
}

/// What happens between one GOP and the next.
#[derive(Debug, Clone)]
enum Event {
    Gop { frames: i64, jitter_us: i64 },
    Part { frames: i64 },
    SetWall(i64),
    MediaJump(i64),
    Reconnect,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        8 => (1_i64..100, 0_i64..500_000).prop_map(|(frames, jitter_us)| Event::Gop { frames, jitter_us }),
        3 => (1_i64..100).prop_map(|frames| Event::Part { frames }),
        1 => (-10_000_000_i64..10_000_000).prop_map(Event::SetWall),
        1 => (-(1_i64 << 31)..(1 << 31)).prop_map(Event::MediaJump),
        1 => Just(Event::Reconnect),
    ];
    proptest::collection::vec(event, 1..60)
}

proptest! {
    #[test]
    fn whatever_happens_a_run_only_goes_forward_along_its_media_clock(events in events()) {
        let (mut line, mut clocks) = (Timeline::default(), Clocks::new());
        let mut media = 10_i64.pow(12);
        let mut placed: Vec<(Placed, i64, Option<Reading>)> = Vec::new();
        for event in events {
            match event {
                Event::SetWall(us) => clocks.set_wall(us),
                Event::MediaJump(ticks) => media += ticks,
                Event::Reconnect => line.restart(),
                Event::Gop { frames, .. } | Event::Part { frames } => {
                    let jitter = if let Event::Gop { jitter_us, .. } = event { jitter_us } else { 0 };
                    media += frames * FRAME_90K;
                    clocks.pass(frames * 40_000 + jitter);
                    let reading = clocks.reading();
                    let after = placed.last().map(|(p, ..)| p.at);
                    let here = if matches!(event, Event::Gop { .. }) {
                        Some(line.begin_gop(media, reading, after))
                    } else {
                        line.begin_part(media, reading)
                    };
                    let checked = matches!(event, Event::Gop { .. }).then_some(reading);
                    placed.extend(here.map(|here| (here, media, checked)));
                    clocks.pass(-jitter);
                }
            }
        }
        for pair in placed.windows(2) {
            let [(one, media_one, _), (two, media_two, reading)] = pair else { unreachable!() };
            if let Some(reading) = reading {
                let wall_error = two.at.micros_since(reading.wall);
                prop_assert!((-LATE_US..=AHEAD_US).contains(&wall_error), "{wall_error}");
            }
            if one.run == two.run {
                let step = two.at.micros_since(one.at);
                let line = ticks_to_micros(media_two - media_one);
                prop_assert!(step > 0);
                prop_assert!((step - line).abs() <= (line / 50).min(100_000), "{step} along {line}");
                prop_assert!(two.number >= one.number);
            } else {
                prop_assert_eq!(two.number, 0);
            }
        }
    }
}
