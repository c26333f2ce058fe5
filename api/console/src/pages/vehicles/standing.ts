import type { HotlistEntry } from '../../api/types'

export type Standing = 'waiting' | 'active' | 'over' | 'withdrawn'

/** Where an entry stands: it matches only while approved, not withdrawn and inside its time. */
export function standing(entry: HotlistEntry, now: number): Standing {
  if (entry.withdrawn_at) return 'withdrawn'
  if (Date.parse(entry.valid_to) <= now) return 'over'
  return entry.approver ? 'active' : 'waiting'
}
