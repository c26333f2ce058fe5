import { describe, expect, it } from 'vitest'
import { AIM, HURRY, JUMP, KEEP, WallClock, crossing, staleAfter, steerLive } from './steer'

describe('a live player', () => {
  it('starts near the edge, not at second zero', () => {
    expect(steerLive([], 0, false)).toEqual({ rate: 1 })
    expect(steerLive([{ start: 5000, end: 5002 }], 0, false).seek).toBeCloseTo(5002 - AIM)
  })

  it('plays on, hurries when behind, jumps when far behind', () => {
    const at = 100
    expect(steerLive([{ start: 90, end: at + 0.3 }], at, true)).toEqual({ rate: 1, trimBefore: undefined })
    expect(steerLive([{ start: 90, end: at + HURRY + 0.1 }], at, true).rate).toBeGreaterThan(1)
    expect(steerLive([{ start: 90, end: at + JUMP + 1 }], at, true).seek).toBeCloseTo(at + JUMP + 1 - AIM)
  })

  it('waits at the edge for what comes, and crosses a hole when more has come', () => {
    expect(steerLive([{ start: 90, end: 100 }], 100, true).seek).toBeUndefined()
    expect(
      steerLive(
        [
          { start: 90, end: 100 },
          { start: 104, end: 105 },
        ],
        99.99,
        true,
      ).seek,
    ).toBeCloseTo(105 - AIM)
    expect(steerLive([{ start: 104, end: 105 }], 100, true).seek).toBeCloseTo(105 - AIM)
  })

  it('forgets what is long over', () => {
    const { trimBefore } = steerLive([{ start: 0, end: 100.3 }], 100, true)
    expect(trimBefore).toBeLessThan(100)
    expect(trimBefore).toBeGreaterThanOrEqual(100 - KEEP)
  })

  it('always ends inside what is buffered, from anywhere', () => {
    for (let at = 0; at < 40; at += 0.37)
      for (let end = 10; end < 30; end += 1.3) {
        const buffered = [
          { start: 5, end: 8 },
          { start: 9, end },
        ]
        const { seek } = steerLive(buffered, at, true)
        if (seek !== undefined) expect(buffered.some(r => r.start <= seek && seek <= r.end)).toBe(true)
      }
  })
})

describe('the time of the frame shown', () => {
  it('follows the newest anchor before the frame', () => {
    const clock = new WallClock()
    expect(clock.wall(1)).toBeNull()
    clock.begin(10, 0)
    clock.anchor(10, 1_000_000)
    clock.anchor(12, 1_002_050)
    expect(clock.wall(11)).toBe(1_001_000)
    expect(clock.wall(12.5)).toBe(1_002_550)
  })

  it('stays right over a restart that set the camera back to zero', () => {
    const clock = new WallClock()
    clock.begin(500, 0)
    clock.anchor(500, 1_000_000)
    clock.begin(510, 510)
    clock.anchor(0, 1_060_000)
    expect(clock.wall(509)).toBe(1_009_000)
    expect(clock.wall(511)).toBe(1_061_000)
  })

  it('is old after twice the expected interval', () => {
    expect(staleAfter(0.1)).toBe(2)
    expect(staleAfter(4)).toBe(8)
  })
})

describe('recorded playback', () => {
  const buffered = [
    { start: 10, end: 20 },
    { start: 34, end: 36 },
  ]

  it('goes on inside, waits at the end, crosses a hole and says how long it was', () => {
    expect(crossing(buffered, 15, 0)).toBe('go on')
    expect(crossing(buffered, 36, 0)).toBe('wait')
    expect(crossing(buffered, 19.97, 0)).toMatchObject({ to: 34.001, skipped: 14 })
    expect(crossing(buffered, 25, 0)).toMatchObject({ to: 34.001, skipped: 9 })
  })

  it('crosses too when the picture came to rest just before the end', () => {
    expect(crossing(buffered, 19.8, 0.2)).toBe('go on')
    expect(crossing(buffered, 19.8, 0.5)).toMatchObject({ to: 34.001, skipped: 14 })
    expect(crossing(buffered, 15, 5)).toBe('go on')
    expect(crossing(buffered.slice(0, 1), 19.8, 0.5)).toBe('wait')
  })
})
