// What the playback page knows of one camera's footage: its timeline, key frames and stills.

import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { fetchStill, getKeyFrames, getTimeline } from '../../api/footage'
import type { Grant } from '../../api/types'
import { serverNow } from '../../api/http'
import { merge, span, type View } from '../../lib/timeline'
import { HOUR, MINUTE } from '../../lib/time'
import { LatestWins, StillCache, snap, type Still } from '../../players/stills'
import { useStable } from '../../ui/hooks'
import type { Bar, Hole } from './draw'

/** The part of a stretch that a grant allows. */
export function inScope(grant: Grant, from: number, to: number): { from: number; to: number } | null {
  const clipped = { from: Math.max(from, Date.parse(grant.from)), to: Math.min(to, Date.parse(grant.to)) }
  return clipped.from < clipped.to ? clipped : null
}

/** Timeline queries on a coarse raster, so that panning a little asks nothing. */
function rastered(view: View): View {
  const step = Math.max(10 * MINUTE, 2 ** Math.ceil(Math.log2(span(view))))
  return {
    from: Math.floor(view.from / step) * step - step / 2,
    to: Math.ceil(view.to / step) * step + step / 2,
  }
}

export function useTimeline(camera: string | null, grant: Grant | null, view: View) {
  const wide = rastered(view)
  const range = grant ? inScope(grant, wide.from, Math.min(wide.to, serverNow())) : null
  const asked = grant ? inScope(grant, wide.from, wide.to) : null
  return useQuery({
    queryKey: ['timeline', camera, grant?.id, asked?.from, asked?.to],
    enabled: camera !== null && range !== null,
    placeholderData: keepPreviousData,
    refetchInterval: 10_000,
    queryFn: async () => {
      const fresh = grant && inScope(grant, wide.from, Math.min(wide.to, serverNow()))
      if (!fresh || !camera || !grant) return { spans: [], gaps: [] }
      const { spans, gaps } = await getTimeline(camera, grant.id, fresh.from, fresh.to)
      return {
        spans: merge(
          spans.map((s): Bar => ({ from: Date.parse(s.from), to: Date.parse(s.to), policy: s.policy })),
          s => s.policy,
          1000,
        ),
        gaps: gaps.map((g): Hole => ({ from: Date.parse(g.from), to: Date.parse(g.to), reason: g.reason })),
      }
    },
  })
}

/** Key frames round an instant: known ones let stills be named, and so kept. */
export function useKeyFrames(camera: string | null, grant: Grant | null, at: number | null) {
  const slot = at === null ? null : Math.floor(at / (10 * MINUTE)) * 10 * MINUTE
  const range =
    grant && slot !== null ? inScope(grant, slot - MINUTE, Math.min(slot + 11 * MINUTE, serverNow())) : null
  const query = useQuery({
    queryKey: ['keyframes', camera, grant?.id, slot],
    enabled: camera !== null && range !== null,
    placeholderData: keepPreviousData,
    staleTime: 20_000,
    queryFn: () => (camera && grant && range ? getKeyFrames(camera, grant.id, range.from, range.to) : []),
  })
  return query.data ?? []
}

export interface Shown extends Still {
  /** The instant that was asked for. */
  asked: number
}

/** Stills at instants: cached, one request at a time, only the newest wish. */
export function useStills(camera: string | null, grant: Grant | null, width: number) {
  const [still, setStill] = useState<Shown | null>(null)
  const cache = useRef<StillCache | null>(null)
  const [loader] = useState(() => new LatestWins<Shown>(setStill))
  useEffect(() => {
    const made = new StillCache()
    cache.current = made
    return () => {
      loader.forget()
      made.clear()
      setStill(null)
    }
  }, [camera, grant?.id, width, loader])
  const want = useStable((at: number, frames: readonly number[], spanMs: number) => {
    if (!camera || !grant || !inScope(grant, at, at + 1)) return
    const wanted = Math.max(Date.parse(grant.from), placeOf(at, frames, spanMs))
    const kept = cache.current?.get(String(wanted))
    if (kept) {
      loader.forget()
      return setStill({ ...kept, asked: at })
    }
    const made = cache.current
    loader.ask(async () => {
      const found = await fetchStill(camera, grant.id, wanted, width)
      made?.put(String(wanted), found)
      return { ...found, asked: at }
    })
  })
  return { still, want }
}

/** The instant to ask for: the key frame that covers it where they are known; far out any one near the pixel will do. */
function placeOf(at: number, frames: readonly number[], spanMs: number): number {
  const known = frames.length > 0 && at >= (frames[0] ?? 0) && at <= (frames.at(-1) ?? 0) + 10_000
  if (known) return snap(frames, at) ?? at
  const raster = Math.max(500, spanMs / 1200)
  return Math.floor(at / raster) * raster
}

export const FIRST_SPAN = HOUR
