// Keeping a list of alerts true while changes stream in.

import type { Alert, AlertState, AlertStep, Severity } from '../api/types'

export const isClosed = (state: AlertState) => state === 'dismissed' || state === 'resolved'

/** The steps a person may take from a state, the usual one first. */
export function stepsFrom(state: AlertState): AlertStep[] {
  if (state === 'candidate') return ['confirm', 'dismiss']
  if (state === 'confirmed') return ['dispatch', 'resolve']
  if (state === 'dispatched') return ['resolve']
  return []
}

const RANK: Record<Severity, number> = { extreme: 0, severe: 1, moderate: 2, minor: 3 }
const STAGE: Record<AlertState, number> = {
  candidate: 0,
  confirmed: 1,
  dispatched: 2,
  resolved: 3,
  dismissed: 3,
}

/** What needs a person first: unjudged before judged, graver before lighter, newer before older. */
export function compareAlerts(a: Alert, b: Alert): number {
  return (
    STAGE[a.state] - STAGE[b.state] ||
    RANK[a.severity] - RANK[b.severity] ||
    Date.parse(b.raised_at) - Date.parse(a.raised_at) ||
    a.id.localeCompare(b.id)
  )
}

export type Change = 'new' | 'changed' | 'closed' | 'stale'

/** Puts one alert into a list: never lets an older revision overwrite a newer one. */
export function mergeAlert(
  list: readonly Alert[],
  alert: Alert,
  openOnly: boolean,
): { list: Alert[]; change: Change } {
  const known = list.find(a => a.id === alert.id)
  if (known && known.revision > alert.revision) return { list: [...list], change: 'stale' }
  const others = list.filter(a => a.id !== alert.id)
  if (openOnly && isClosed(alert.state)) return { list: others, change: 'closed' }
  const change = known ? (known.revision === alert.revision ? 'stale' : 'changed') : 'new'
  return { list: [...others, alert].sort(compareAlerts), change }
}

/** The alert to show after `id` has been worked: the next one below it, else the one above. */
export function neighbour(list: readonly Alert[], id: string | null, by: 1 | -1 = 1): string | null {
  const at = list.findIndex(a => a.id === id)
  if (at < 0) return list[0]?.id ?? null
  return (list[at + by] ?? list[at - by] ?? null)?.id ?? null
}
