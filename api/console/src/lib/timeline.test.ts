import { describe, expect, it } from 'vitest'
import { DAY, HOUR, MINUTE, SECOND } from './time'
import * as g from './timeline'

const T = Date.parse('2026-11-22T06:00:00Z')
const view = { from: T, to: T + HOUR }

describe('timeline geometry', () => {
  it('maps time to pixels and back', () => {
    for (const x of [0, 1, 333.3, 1000]) expect(g.toX(view, 1000, g.toTime(view, 1000, x))).toBeCloseTo(x, 6)
    expect(g.toX(view, 1200, T + 30 * MINUTE)).toBe(600)
  })

  it('zooms round the pointer and stops at both ends', () => {
    for (const factor of [0.5, 0.9, 1.25, 4]) {
      const zoomed = g.zoomAt(view, 1000, 250, factor)
      expect(g.toTime(zoomed, 1000, 250)).toBeCloseTo(g.toTime(view, 1000, 250), 3)
      expect(g.span(zoomed)).toBeCloseTo(HOUR * factor, 3)
    }
    expect(g.span(g.zoomAt(view, 1000, 0, 1e-9))).toBe(g.MIN_SPAN)
    expect(g.span(g.zoomAt(view, 1000, 0, 1e9))).toBe(g.MAX_SPAN)
  })

  it('pans as a hand would and follows the cursor no further than needed', () => {
    expect(g.pan(view, 1000, 100).from).toBe(T - 6 * MINUTE)
    expect(g.follow(view, T + 30 * MINUTE)).toBe(view)
    const later = g.follow(view, T + 2 * HOUR)
    expect(later.from).toBeGreaterThan(T)
    expect(g.span(later)).toBe(HOUR)
    expect(later.to).toBeGreaterThan(T + 2 * HOUR)
  })

  it('draws only what is in view, and a short gap never vanishes', () => {
    expect(g.bar(view, 1000, { from: T - HOUR, to: T })).toBeNull()
    expect(g.bar(view, 1000, { from: T + 10, to: T + 20 }, 3)?.w).toBe(3)
    const long = g.bar(view, 1000, { from: T - DAY, to: T + DAY })
    expect(long).toEqual({ x: -4, w: 1008 })
  })

  it('finds the stretch under the pointer, or a thin one beside it', () => {
    const gaps = [
      { from: T, to: T + SECOND, n: 1 },
      { from: T + MINUTE, to: T + 2 * MINUTE, n: 2 },
    ]
    expect(g.hit(gaps, T + 90 * SECOND, 0)?.n).toBe(2)
    expect(g.hit(gaps, T + 3 * SECOND, 5 * SECOND)?.n).toBe(1)
    expect(g.hit(gaps, T + 30 * SECOND, 5 * SECOND)).toBeNull()
  })

  it('knows where footage goes on', () => {
    const spans = [
      { from: T, to: T + MINUTE },
      { from: T + 2 * MINUTE, to: T + 3 * MINUTE },
    ]
    expect(g.nextFootage(spans, T + 30 * SECOND)).toBe(T + 30 * SECOND)
    expect(g.nextFootage(spans, T + 90 * SECOND)).toBe(T + 2 * MINUTE)
    expect(g.nextFootage(spans, T + HOUR)).toBeNull()
  })

  it('joins what touches and is alike', () => {
    const joined = g.merge(
      [
        { from: 10, to: 20, p: 'full' },
        { from: 0, to: 10, p: 'full' },
        { from: 20, to: 30, p: 'keyframes' },
      ],
      s => s.p,
    )
    expect(joined).toEqual([
      { from: 0, to: 20, p: 'full' },
      { from: 20, to: 30, p: 'keyframes' },
    ])
  })

  it('sets ticks on round local times, never crowded', () => {
    for (const zone of ['UTC', 'Asia/Shanghai', 'Asia/Kathmandu'])
      for (const length of [10 * SECOND, MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY, 31 * DAY]) {
        const v = { from: T, to: T + length }
        const marks = g.ticks(v, 1200, zone)
        expect(marks.length, `${zone} ${length}`).toBeGreaterThan(1)
        expect(marks.length).toBeLessThanOrEqual(16)
        expect(marks.every(m => m.at >= v.from && m.at <= v.to)).toBe(true)
      }
    expect(
      g
        .ticks({ from: T, to: T + DAY }, 1200, 'Asia/Shanghai')
        .filter(m => m.day)
        .map(m => m.label),
    ).toEqual(['11-23'])
  })

  it('keeps ticks round across a change of offset, and marks the change', () => {
    const from = Date.parse('2026-10-24T18:00:00Z')
    const v = { from, to: from + 18 * HOUR }
    expect(g.ticks(v, 1200, 'Europe/Berlin').every(m => m.day || m.label.endsWith(':00'))).toBe(true)
    expect(g.offsetChanges(v, 'Europe/Berlin')).toEqual([
      { at: Date.parse('2026-10-25T01:00:00Z'), before: 2 * HOUR, after: HOUR },
    ])
    expect(g.offsetChanges(v, 'Asia/Shanghai')).toEqual([])
  })

  it('says how long a view is', () => {
    expect([10 * SECOND, 90 * SECOND, 2 * HOUR, 7 * DAY].map(g.spanText)).toEqual([
      '10 s',
      '1.5 min',
      '2 h',
      '7 d',
    ])
  })
})
