// Geometry of the timeline: what lies at which pixel, where the ticks stand, what the pointer is over. No drawing.

import { DAY, HOUR, MINUTE, SECOND, instantOf, offsetAt, partsAt, clockText, dateText, two } from './time'

export interface View {
  /** Instant at the left edge, ms. */
  from: number
  /** Instant at the right edge, ms. */
  to: number
}

export interface Stretch {
  from: number
  to: number
}

export const MIN_SPAN = 4 * SECOND
export const MAX_SPAN = 35 * DAY

export const span = (v: View) => v.to - v.from
export const toX = (v: View, width: number, ms: number) => ((ms - v.from) / span(v)) * width
export const toTime = (v: View, width: number, x: number) => v.from + (x / width) * span(v)

/** Zooms by `factor` (above 1: more time) so that the instant under `x` stays under `x`. */
export function zoomAt(v: View, width: number, x: number, factor: number): View {
  const length = Math.min(MAX_SPAN, Math.max(MIN_SPAN, span(v) * factor))
  const pivot = toTime(v, width, x)
  const from = pivot - (x / width) * length
  return { from, to: from + length }
}

/** Moves by pixels: positive pulls earlier time into view, as a hand would. */
export function pan(v: View, width: number, dx: number): View {
  const shift = (dx / width) * span(v)
  return { from: v.from - shift, to: v.to - shift }
}

export function centre(v: View, ms: number): View {
  const half = span(v) / 2
  return { from: ms - half, to: ms + half }
}

/** Keeps an instant in view with a margin, moving no more than needed. */
export function follow(v: View, ms: number): View {
  const margin = span(v) * 0.08
  if (ms < v.from + margin) return { from: ms - margin, to: ms - margin + span(v) }
  if (ms > v.to - margin) return { from: ms + margin - span(v), to: ms + margin }
  return v
}

/** The part of a stretch that is in view, in pixels, never thinner than `least`. */
export function bar(v: View, width: number, s: Stretch, least = 1): { x: number; w: number } | null {
  if (s.to <= v.from || s.from >= v.to) return null
  const left = Math.max(-4, toX(v, width, s.from))
  const right = Math.min(width + 4, toX(v, width, s.to))
  return { x: left, w: Math.max(least, right - left) }
}

/** The stretch at an instant, or the nearest one within `slack` ms, so that a thin gap can be hovered. */
export function hit<T extends Stretch>(stretches: readonly T[], ms: number, slack: number): T | null {
  let best: T | null = null
  let distance = slack
  for (const s of stretches) {
    if (s.from <= ms && ms < s.to) return s
    const d = ms < s.from ? s.from - ms : ms - s.to
    if (d <= distance) {
      best = s
      distance = d
    }
  }
  return best
}

/** The first instant at or after `ms` that has footage, or `null` when none follows. */
export function nextFootage(spans: readonly Stretch[], ms: number): number | null {
  let best: number | null = null
  for (const s of spans) {
    if (s.to <= ms) continue
    const at = Math.max(s.from, ms)
    if (best === null || at < best) best = at
  }
  return best
}

/** Joins stretches that touch (within `slack` ms) and have equal `key`, in time order. */
export function merge<T extends Stretch>(stretches: readonly T[], key: (s: T) => string, slack = 0): T[] {
  const sorted = [...stretches].sort((a, b) => a.from - b.from)
  const out: T[] = []
  for (const s of sorted) {
    const last = out.at(-1)
    if (last && key(last) === key(s) && s.from - last.to <= slack) last.to = Math.max(last.to, s.to)
    else out.push({ ...s })
  }
  return out
}

const STEPS = [
  SECOND,
  2 * SECOND,
  5 * SECOND,
  10 * SECOND,
  30 * SECOND,
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  2 * DAY,
  7 * DAY,
]

export interface Tick {
  at: number
  label: string
  /** Midnight: drawn stronger, labelled with the date. */
  day: boolean
}

export function stepFor(v: View, width: number, minPx = 84): number {
  const wanted = (span(v) / width) * minPx
  return STEPS.find(step => step >= wanted) ?? 7 * DAY
}

/** Ticks at round times of the zone's own clock, also across a change of offset. */
export function ticks(v: View, width: number, zone: string, minPx = 84): Tick[] {
  const step = stepFor(v, width, minPx)
  const out: Tick[] = []
  if (step >= DAY) {
    const first = partsAt(v.from, zone)
    for (let i = 0; i < 400; i += step / DAY) {
      const at = instantOf({ ...dayPlus(first, i), hour: 0, minute: 0, second: 0 }, zone)
      if (at > v.to) break
      if (at >= v.from) out.push({ at, label: dateText(at, zone).slice(5), day: true })
    }
    return out
  }
  // Round on the local clock: shift by the offset that holds there.
  let at = Math.ceil((v.from + offsetAt(v.from, zone)) / step) * step - offsetAt(v.from, zone)
  for (let i = 0; at <= v.to && i < 1000; i++) {
    const midnight = isMidnight(at, zone)
    const label = midnight ? dateText(at, zone).slice(5) : tickLabel(at, step, zone)
    out.push({ at, label, day: midnight })
    const before = offsetAt(at, zone)
    at += step
    const change = offsetAt(at, zone) - before
    if (change !== 0 && step > Math.abs(change)) at -= change
  }
  return out
}

function tickLabel(at: number, step: number, zone: string): string {
  return step < MINUTE ? clockText(at, zone) : clockText(at, zone).slice(0, 5)
}

function isMidnight(at: number, zone: string): boolean {
  const p = partsAt(at, zone)
  return p.hour === 0 && p.minute === 0 && p.second === 0
}

function dayPlus(p: { year: number; month: number; day: number }, days: number) {
  const d = new Date(Date.UTC(p.year, p.month - 1, p.day + days))
  return { year: d.getUTCFullYear(), month: d.getUTCMonth() + 1, day: d.getUTCDate() }
}

/** Instants in view at which the zone's offset changes, with the offsets before and after (ms). */
export function offsetChanges(v: View, zone: string): { at: number; before: number; after: number }[] {
  const out = []
  const stride = Math.max(HOUR, span(v) / 400)
  for (let t = v.from; t < v.to; t += stride) {
    const [a, b] = [offsetAt(t, zone), offsetAt(Math.min(v.to, t + stride), zone)]
    if (a === b) continue
    let [low, high] = [t, Math.min(v.to, t + stride)]
    while (high - low > SECOND) {
      const middle = (low + high) / 2
      if (offsetAt(middle, zone) === a) low = middle
      else high = middle
    }
    out.push({ at: Math.round(high / SECOND) * SECOND, before: a, after: b })
  }
  return out
}

/** How long the view is, for its label: `2 h`, `30 min`, `7 d`. */
export function spanText(ms: number): string {
  if (ms >= 2 * DAY) return `${trim(ms / DAY)} d`
  if (ms >= HOUR) return `${trim(ms / HOUR)} h`
  if (ms >= MINUTE) return `${trim(ms / MINUTE)} min`
  return `${trim(ms / SECOND)} s`
}

const trim = (n: number) => String(n >= 10 ? Math.round(n) : Math.round(n * 10) / 10)

/** Offset in ms as `+08:00`. */
export function offsetLabel(ms: number): string {
  const m = Math.round(Math.abs(ms) / MINUTE)
  return `${ms < 0 ? '-' : '+'}${two(Math.floor(m / 60))}:${two(m % 60)}`
}
