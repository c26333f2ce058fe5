// A patrol's views, and when a view counts as looked at. Pure.

import type { Layout, PatrolReport, Seen } from '../api/types'

export function viewsOf(cameras: readonly string[], layout: Layout): string[][] {
  const views: string[][] = []
  for (let i = 0; i < cameras.length; i += layout) views.push(cameras.slice(i, i + layout))
  return views
}

export const isSeen = (view: readonly string[], seen: ReadonlySet<string>) =>
  view.every(camera => seen.has(camera))

/** The next view with something unseen after `at`, round the end; `null` when all is seen. */
export function nextUnseen(views: readonly string[][], seen: ReadonlySet<string>, at: number): number | null {
  for (let i = 1; i <= views.length; i++) {
    const index = (at + i) % views.length
    if (!isSeen(views[index] ?? [], seen)) return index
  }
  return null
}

export const seenSet = (report: PatrolReport) => new Set(report.seen_list.map(s => s.camera))

/** What one camera has shown while its view was up. */
export interface Shown {
  /** When its first picture was shown here, ms. */
  first: number
  /** Time of the newest frame shown, ms. */
  frame: number
}

/** When the dwell began: once the last of the pictures that came was there. */
export function dwellFrom(opened: number, shown: ReadonlyMap<string, Shown>): number {
  return Math.max(opened, ...[...shown.values()].map(s => s.first))
}

/** A picture older than this is no look at what is going on there. */
const OLD_MS = 60_000

export function claims(
  view: readonly string[],
  shown: ReadonlyMap<string, Shown>,
  opened: number,
  now: number,
) {
  return view.map(camera => {
    const one = shown.get(camera)
    const fresh = one !== undefined && now - one.frame < OLD_MS
    return {
      camera,
      shown_at: new Date(fresh ? one.first : opened).toISOString(),
      frame_at: fresh ? new Date(Math.min(one.frame, now)).toISOString() : null,
    }
  })
}

/** How long each camera was looked at, ms. */
export const lookedFor = (seen: Seen) => Date.parse(seen.seen_at) - Date.parse(seen.shown_at)
