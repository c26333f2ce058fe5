// Where a live player should be in its buffer: pure, so that every case can be tried.

export interface Range {
  start: number
  end: number
}

export interface Steer {
  /** Jump here (seconds of media). */
  seek?: number
  /** Play at this rate. */
  rate: number
  /** Forget everything before this. */
  trimBefore?: number
}

/** Buffered seconds that live playback aims for, and from which it hurries, then jumps. */
export const AIM = 0.35
export const HURRY = 0.9
export const JUMP = 3
export const KEEP = 12

export function steerLive(buffered: readonly Range[], at: number, started: boolean): Steer {
  const last = buffered.at(-1)
  if (!last) return { rate: 1 }
  const trimBefore =
    last.start < at - KEEP || (buffered[0]?.start ?? at) < at - KEEP ? at - KEEP / 2 : undefined
  const edge = Math.max(last.start, last.end - AIM)
  if (!started) return { seek: edge, rate: 1, trimBefore }
  const inside = buffered.find(r => r.start - 0.001 <= at && at < r.end)
  if (!inside) {
    // Nothing under the play head: wait at the end of the last range, else go where there is something.
    return at >= last.end && at - last.end < 1 ? { rate: 1, trimBefore } : { seek: edge, rate: 1, trimBefore }
  }
  if (inside !== last && inside.end - at < 0.05) return { seek: edge, rate: 1, trimBefore }
  const behind = last.end - at
  if (behind > JUMP) return { seek: edge, rate: 1, trimBefore }
  return { rate: behind > HURRY ? 1.08 : 1, trimBefore }
}

/** Turns media seconds into wall-clock time, over restarts of the stream within one element. */
export class WallClock {
  private epochs: { from: number; offset: number; anchors: { media: number; at: number }[] }[] = []

  /** A new stretch begins at media second `from`; its own clock is shifted by `offset`. */
  begin(from: number, offset: number) {
    this.epochs.push({ from, offset, anchors: [] })
    if (this.epochs.length > 8) this.epochs.shift()
  }

  /** The stream's own second `raw` is the wall-clock time `at` (ms). */
  anchor(raw: number, at: number) {
    const epoch = this.epochs.at(-1)
    if (!epoch) return
    epoch.anchors.push({ media: raw + epoch.offset, at })
    if (epoch.anchors.length > 16) epoch.anchors.shift()
  }

  wall(media: number): number | null {
    const epoch = this.epochs.findLast(e => e.from <= media + 0.001) ?? this.epochs[0]
    const anchor = epoch?.anchors.findLast(a => a.media <= media + 0.001) ?? epoch?.anchors[0]
    return anchor ? anchor.at + (media - anchor.media) * 1000 : null
  }
}

/** Seconds without a new picture after which one is old: twice its expected interval, never below two. */
export const staleAfter = (interval: number) => Math.max(2, 2 * interval)

/** What recorded playback does next: go on, wait for more, or cross to what follows. */
export type Crossing = 'go on' | 'wait' | { to: number; skipped: number }

/**
 * A player may come to rest a frame or two before the end of what is buffered: standing still (`stalled` seconds) near
 * an end counts as having reached it.
 */
export function crossing(buffered: readonly Range[], at: number, stalled: number): Crossing {
  const range = buffered.find(r => r.start - 0.05 <= at && at < r.end - 0.06)
  if (range && !(stalled > 0.4 && range.end - at < 0.6)) return 'go on'
  const ahead = buffered.find(r => r.start > at + 0.001 && r !== range)
  if (!ahead) return 'wait'
  const before = buffered.findLast(r => r.start <= at)
  return { to: ahead.start + 0.001, skipped: ahead.start - Math.max(at, before?.end ?? at) }
}
