// One camera's playback: the player for video, stepping by key frames where video cannot be, and what the page shows.

import { useCallback, useEffect, useRef, useState } from 'react'
import { playlistUrl } from '../../api/footage'
import { Problem, request, serverNow } from '../../api/http'
import type { Grant } from '../../api/types'
import { nextFootage } from '../../lib/timeline'
import { shuttle, stepOver } from '../../lib/shuttle'
import { RecordedPlayer, type RecordedState } from '../../players/recorded'
import { Store } from '../../players/store'
import { useStable, useStore } from '../../ui/hooks'
import type { Bar } from './draw'

const NOTHING = new Store<RecordedState>({
  phase: 'idle',
  at: null,
  rate: 1,
  codec: null,
  skipped: null,
  trouble: null,
})

const STEP_MS = 250

export interface Playback {
  video: React.RefObject<HTMLVideoElement | null>
  ready: boolean
  state: RecordedState
  /** Shown by key-frame stills instead of video: backwards, scrubbing, or since the browser cannot play it. */
  byStills: boolean
  at: number | null
  speed: number
  go: (at: number, play: boolean) => void
  scrub: (at: number) => void
  press: (key: 'j' | 'k' | 'l') => void
  toggle: () => void
  setSpeed: (speed: number) => void
  stepFrame: (by: 1 | -1) => void
}

export function usePlayback(camera: string | null, grant: Grant | null, spans: readonly Bar[]): Playback {
  const video = useRef<HTMLVideoElement>(null)
  const [player, setPlayer] = useState<RecordedPlayer | null>(null)
  const state = useStore(player?.state ?? NOTHING)
  const [held, setHeld] = useState<number | null>(null)
  const [back, setBack] = useState<{ at: number; speed: number } | null>(null)
  const grantId = grant?.id ?? null
  const bounds = useStable(() =>
    grant ? { from: Date.parse(grant.from), to: Date.parse(grant.to) } : { from: 0, to: 0 },
  )

  useEffect(() => {
    if (!video.current || !camera || !grantId) return
    const made = new RecordedPlayer(video.current, {
      playlist: (from, to) =>
        playlistUrl(camera, grantId, Math.max(from, bounds().from), Math.min(to, bounds().to)),
      until: () => Math.min(serverNow(), bounds().to),
      get: (url, signal) => request(url, { signal }).catch(emptyWhereNothingIs),
    })
    setPlayer(made)
    return () => {
      made.dispose()
      setPlayer(null)
      setHeld(null)
      setBack(null)
    }
  }, [camera, grantId, bounds])

  const cannotPlay = state.phase === 'unplayable'
  const at = held ?? back?.at ?? state.at
  const speed = back ? back.speed : state.phase === 'playing' || state.phase === 'waiting' ? state.rate : 0

  useStepping(back, setBack, spans)

  const go = useStable((to: number, play: boolean) => {
    setHeld(null)
    const target = nextFootage(spans, to) ?? to
    if (cannotPlay) return setBack({ at: target, speed: play ? 1 : 0 })
    setBack(null)
    player?.seek(to, play)
  })
  const setSpeed = useStable((next: number) => {
    if (at === null || !player) return
    if (next <= 0 || cannotPlay) {
      player.pause()
      return setBack(next === 0 && !cannotPlay ? null : { at, speed: next })
    }
    const from = back?.at
    setBack(null)
    player.setRate(next)
    if (from !== undefined) player.seek(from, true)
    else player.play()
  })
  const press = useStable((key: 'j' | 'k' | 'l') => {
    if (key === 'k' && back && !cannotPlay) go(back.at, false)
    else setSpeed(shuttle(key, speed))
  })
  const toggle = useStable(() => {
    if (speed !== 0) press('k')
    else setSpeed(cannotPlay ? 1 : state.rate)
  })
  const stepFrame = useStable((by: 1 | -1) => {
    if (cannotPlay || back) return
    player?.step(by)
  })
  const scrub = useCallback((to: number) => setHeld(to), [])
  const ready = player !== null
  return {
    video,
    ready,
    state,
    byStills: held !== null || back !== null || cannotPlay,
    at,
    speed,
    go,
    scrub,
    press,
    toggle,
    setSpeed,
    stepFrame,
  }
}

/** Moves the head along key frames while no video plays. */
function useStepping(
  back: { at: number; speed: number } | null,
  setBack: (
    change: (now: { at: number; speed: number } | null) => { at: number; speed: number } | null,
  ) => void,
  spans: readonly Bar[],
) {
  const moving = back !== null && back.speed !== 0
  const step = useStable(() =>
    setBack(now => {
      if (!now) return now
      const at = stepOver(spans, now.at, now.speed * STEP_MS)
      return at === null ? { ...now, speed: 0 } : { ...now, at }
    }),
  )
  useEffect(() => {
    if (!moving) return
    const timer = setInterval(step, STEP_MS)
    return () => clearInterval(timer)
  }, [moving, step])
}

/** A window without footage is an empty playlist, not a failure. */
function emptyWhereNothingIs(error: unknown): Response {
  if (error instanceof Problem && error.status === 404 && error.code === 'no_footage')
    return new Response('#EXTM3U\n')
  throw error
}
