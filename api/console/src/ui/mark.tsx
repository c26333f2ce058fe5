// State is a shape, a word and only then a colour.

import type { ReactNode } from 'react'
import type { AlertState, Camera } from '../api/types'

export type MarkKind = 'recording' | 'stale' | 'down' | 'alarm' | 'candidate' | 'neutral'

const SHAPES: Record<MarkKind, ReactNode> = {
  recording: <circle cx="6" cy="6" r="4.4" />,
  stale: <path d="M6 1.1 11.300 10.600H.7z" />,
  down: <rect x="1.6" y="1.6" width="8.800" height="8.800" />,
  alarm: <path d="M6 .4 11.600 6 6 11.600.4 6z" />,
  candidate: <path d="M6 .6 10.700 3.300v5.400L6 11.400 1.300 8.700V3.300z" />,
  neutral: <circle cx="6" cy="6" r="3.7" fill="none" strokeWidth="1.6" stroke="currentColor" />,
}

const COLOURS: Record<MarkKind, string> = {
  recording: 'var(--recording)',
  stale: 'var(--stale)',
  down: 'var(--down)',
  alarm: 'var(--alarm)',
  candidate: 'var(--candidate)',
  neutral: 'var(--muted)',
}

export function Mark({ kind, size = 11, label }: { kind: MarkKind; size?: number; label?: string }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 12 12"
      fill="currentColor"
      style={{ color: COLOURS[kind], flex: 'none' }}
      role={label ? 'img' : undefined}
      aria-label={label}
      aria-hidden={label ? undefined : true}
    >
      {SHAPES[kind]}
    </svg>
  )
}

export type CameraCondition = 'recording' | 'late' | 'connecting' | 'down' | 'off'

/** Reasons that are no failure: it has just been switched on. */
const STARTING = ['connecting', 'starting']

/** What a camera's state amounts to. "Recording" needs evidence: a GOP on disk lately. */
export function conditionOf(camera: Pick<Camera, 'enabled' | 'state'>, now: number): CameraCondition {
  const { state } = camera
  if (!camera.enabled || state.reason === 'disabled') return 'off'
  if (!state.recording) return !state.reason || STARTING.includes(state.reason) ? 'connecting' : 'down'
  const last = state.last_gop_at ? Date.parse(state.last_gop_at) : null
  // The list is asked for every 15 s; a healthy camera's last GOP is no older than that and some.
  return last !== null && now - last > 60_000 ? 'late' : 'recording'
}

export const markOfCondition: Record<CameraCondition, MarkKind> = {
  recording: 'recording',
  late: 'stale',
  connecting: 'stale',
  down: 'down',
  off: 'neutral',
}

export const markOfAlert: Record<AlertState, MarkKind> = {
  candidate: 'candidate',
  confirmed: 'alarm',
  dispatched: 'stale',
  resolved: 'recording',
  dismissed: 'neutral',
}
