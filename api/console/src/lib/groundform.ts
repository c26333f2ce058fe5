// What the ground dialog sends, and what it finds missing. Pure.

import type { GrantRequest, GroundKind } from '../api/types'
import { HOUR, iso } from './time'

export type WindowChoice = 'live' | 'day' | 'live2' | 'custom'

export interface Draft {
  kind: GroundKind
  ref: string
  reason: string
  scope: 'cameras' | 'region'
  cameras: string[]
  region: string | null
  window: WindowChoice
  from: number | null
  to: number | null
}

export type Missing = 'ref' | 'reason' | 'cameras' | 'region' | 'window'

export function windowOf(draft: Draft, now: number): { from: number; to: number } | null {
  if (draft.window === 'live') return { from: now - HOUR, to: now + HOUR }
  if (draft.window === 'day') return { from: now - 23 * HOUR, to: now + HOUR }
  // A little before now, so that the newest key frame lies inside.
  if (draft.window === 'live2') return { from: now - 60_000, to: now + HOUR }
  return draft.from !== null && draft.to !== null && draft.from < draft.to
    ? { from: draft.from, to: draft.to }
    : null
}

export function missing(draft: Draft, now: number): Missing[] {
  const out: Missing[] = []
  if (!draft.ref.trim()) out.push('ref')
  if ([...draft.reason.trim()].length < 5) out.push('reason')
  if (draft.scope === 'cameras' && draft.cameras.length === 0) out.push('cameras')
  if (draft.scope === 'region' && !draft.region) out.push('region')
  if (!windowOf(draft, now)) out.push('window')
  return out
}

export function requestOf(draft: Draft, now: number): GrantRequest | null {
  const range = windowOf(draft, now)
  if (!range || missing(draft, now).length > 0) return null
  return {
    ground: { kind: draft.kind, ref: draft.ref.trim() },
    cameras: draft.scope === 'cameras' ? draft.cameras : [],
    regions: draft.scope === 'region' && draft.region ? [draft.region] : [],
    from: iso(range.from),
    to: iso(range.to),
    reason: draft.reason.trim(),
  }
}
