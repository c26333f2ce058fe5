// Recorded footage in one video element: playlist in, MSE out, on a time line that is wall-clock time.
//
// Media second 0 is the wall-clock time `base`; every segment is shifted to where its wall-clock time says, so gaps are
// holes in the buffer and are crossed on purpose, with a note of what was skipped.

import { MseSink } from './sink'
import { Store } from './store'
import { addSegments, parsePlaylist, segmentAt, type Segment } from './playlist'
import { crossing } from './steer'
import { codecOf, decodeTimeOf, playable, samplesOf, timescaleOf } from './mp4'

export interface RecordedState {
  phase: 'idle' | 'loading' | 'playing' | 'paused' | 'waiting' | 'end' | 'unplayable' | 'failed'
  /** Wall-clock time of the frame shown, ms. */
  at: number | null
  rate: number
  codec: string | null
  /** The stretch that was last skipped. */
  skipped: { from: number; to: number } | null
  trouble: string | null
}

export interface Source {
  /** The playlist's address for a stretch. */
  playlist: (from: number, to: number) => string
  /** Newest instant that may hold footage: now, or the end of what the ground allows. */
  until: () => number
  get: (url: string, signal: AbortSignal) => Promise<Response>
}

const WINDOW_MS = 10 * 60_000
const LEAD_S = 8

export class RecordedPlayer {
  readonly state = new Store<RecordedState>({
    phase: 'idle',
    at: null,
    rate: 1,
    codec: null,
    skipped: null,
    trouble: null,
  })
  private sink: MseSink | null = null
  private base = 0
  private plan: Segment[] = []
  private planned = 0
  private next = 0
  private init = ''
  private inits = new Map<string, { bytes: Uint8Array; timescale: number }>()
  private frame = 0.1
  private wanted = false
  private busy = false
  private target: number | null = null
  private abort = new AbortController()
  private beat: ReturnType<typeof setInterval>
  private callback = 0
  private retryAt = 0
  private lastMedia = -1
  private advancedAt = 0

  constructor(
    private video: HTMLVideoElement,
    private source: Source,
  ) {
    this.beat = setInterval(() => this.tick(), 100)
    this.watchFrames()
  }

  dispose() {
    clearInterval(this.beat)
    this.abort.abort()
    this.video.cancelVideoFrameCallback(this.callback)
    this.sink?.close()
  }

  /** Goes to a wall-clock time; plays from there when `play`. */
  seek(at: number, play: boolean) {
    this.wanted = play
    const media = (at - this.base) / 1000
    const here = this.sink?.buffered().some(r => r.start - 0.05 <= media && media < r.end - 0.05)
    this.state.set({ skipped: null, trouble: null, at })
    if (here) {
      this.target = null
      this.video.currentTime = media
      this.state.set({ phase: play ? 'playing' : 'paused' })
      this.next = this.bufferedUntil(media)
      this.obey()
    } else this.reload(at)
  }

  play() {
    const { at, phase } = this.state.get()
    if (phase === 'end' && at !== null) return this.seek(at, true)
    this.wanted = true
    this.obey()
  }

  pause() {
    this.wanted = false
    this.video.pause()
    if (['playing', 'waiting', 'end'].includes(this.state.get().phase)) this.state.set({ phase: 'paused' })
  }

  setRate(rate: number) {
    this.state.set({ rate })
    this.video.defaultPlaybackRate = rate
    this.video.playbackRate = rate
  }

  /** Moves by whole frames, paused. */
  step(frames: number) {
    this.pause()
    const at = this.state.get().at
    if (at !== null) this.seek(at + (frames * this.frame + 0.002) * 1000, false)
  }

  private reload(at: number) {
    this.abort.abort()
    this.abort = new AbortController()
    this.busy = false
    this.video.pause()
    this.sink?.close()
    this.sink = null
    this.init = ''
    this.plan = []
    this.base = at - 30_000
    this.planned = at - 4_000
    this.next = at
    this.target = at
    this.retryAt = 0
    this.state.set({ phase: 'loading' })
    void this.pump()
  }

  /** Fetches whatever comes next until enough lies ahead. */
  private async pump() {
    const { signal } = this.abort
    if (this.busy || this.state.get().phase === 'idle' || this.state.get().phase === 'unplayable') return
    this.busy = true
    try {
      while (!signal.aborted && this.wants()) {
        const segment = segmentAt(this.plan, this.next)
        if (segment) await this.load(segment, signal)
        else if (!(await this.planMore(signal))) break
      }
    } catch (error) {
      if (!signal.aborted) {
        this.state.set({ trouble: error instanceof Error ? error.message : String(error), phase: 'failed' })
        this.retryAt = performance.now() + 5000
      }
    } finally {
      if (!signal.aborted) this.busy = false
    }
  }

  private wants() {
    const head = this.target ?? this.base + this.video.currentTime * 1000
    const lead = LEAD_S * Math.max(1, this.state.get().rate) * 1000
    return this.next - head < lead && (this.sink?.pending ?? 0) < 24
  }

  private async planMore(signal: AbortSignal): Promise<boolean> {
    const until = this.source.until()
    if (this.planned >= until - 500 || performance.now() < this.retryAt) return false
    const to = Math.min(until, this.planned + WINDOW_MS)
    const url = this.source.playlist(this.planned, to)
    const response = await this.source.get(url, signal)
    const found = parsePlaylist(await response.text(), new URL(url, location.href).href)
    this.plan = addSegments(this.plan, found)
    // At the live edge the newest GOP is still growing: ask again from the last one known.
    const end = found.at(-1)?.to ?? this.planned
    const live = to >= until - 1000
    this.planned = live ? Math.max(this.planned, end) : to
    if (live && found.length === 0) this.retryAt = performance.now() + 1500
    return found.length > 0 || !live
  }

  private async load(segment: Segment, signal: AbortSignal) {
    const init = await this.initOf(segment.init, signal)
    const codec = codecOf(init.bytes)
    if (codec) this.state.set({ codec })
    if (!codec || !playable(codec)) {
      this.state.set({ phase: 'unplayable' })
      this.abort.abort()
      this.busy = false
      return
    }
    const bytes = new Uint8Array(await (await this.source.get(segment.uri, signal)).arrayBuffer())
    if (signal.aborted) return
    this.sink ??= new MseSink(this.video, detail => this.state.set({ phase: 'failed', trouble: detail }))
    const raw = (decodeTimeOf(bytes) ?? 0) / init.timescale
    const offset = (segment.from - this.base) / 1000 - raw
    if (this.init !== segment.init) {
      this.sink.type(codec)
      this.sink.append(init.bytes, offset)
      this.init = segment.init
    }
    this.sink.append(bytes, offset)
    const samples = samplesOf(bytes)
    if (samples > 0) this.frame = (segment.to - segment.from) / 1000 / samples
    this.next = segment.to
  }

  private async initOf(url: string, signal: AbortSignal) {
    let known = this.inits.get(url)
    if (!known) {
      const bytes = new Uint8Array(await (await this.source.get(url, signal)).arrayBuffer())
      known = { bytes, timescale: timescaleOf(bytes) }
      this.inits.set(url, known)
    }
    return known
  }

  private bufferedUntil(media: number) {
    const range = this.sink?.buffered().find(r => r.start - 0.05 <= media && media < r.end)
    return this.base + (range?.end ?? media) * 1000
  }

  private tick() {
    const state = this.state.get()
    if (state.phase === 'idle' || state.phase === 'unplayable') return
    if (this.target !== null) this.arrive(this.target)
    else if (this.wanted) this.crossGaps()
    if (performance.now() >= this.retryAt) void this.pump()
    this.trim()
  }

  /** After a reload: shows the first frame once it is there. */
  private arrive(target: number) {
    const wanted = (target - this.base) / 1000
    const range = this.sink?.buffered().find(r => wanted < r.end)
    if (range) {
      const media = Math.max(wanted, range.start + 0.001)
      this.video.currentTime = media
      this.target = null
      const at = this.base + media * 1000
      if (at - target > 1000) this.state.set({ skipped: { from: target, to: at } })
      this.state.set({ phase: this.wanted ? 'playing' : 'paused', at })
      this.setRate(this.state.get().rate)
      this.obey()
    } else if (!this.busy && !segmentAt(this.plan, this.next) && this.planned >= this.source.until() - 4000)
      this.state.set({ phase: 'end' })
  }

  private crossGaps() {
    const media = this.video.currentTime
    if (media !== this.lastMedia) {
      this.lastMedia = media
      this.advancedAt = performance.now()
    }
    const stalled = (performance.now() - this.advancedAt) / 1000
    const next = crossing(this.sink?.buffered() ?? [], media, stalled)
    if (next === 'go on') {
      if (this.state.get().phase !== 'playing') this.state.set({ phase: 'playing' })
      return this.obey()
    }
    if (next === 'wait') {
      const over = !segmentAt(this.plan, this.next) && this.next >= this.source.until() - 6000
      if (!this.busy) this.state.set({ phase: over ? 'end' : 'waiting' })
      return
    }
    this.video.currentTime = next.to
    const to = this.base + next.to * 1000
    if (next.skipped > 0.25) this.state.set({ skipped: { from: to - next.skipped * 1000, to } })
  }

  private obey() {
    if (this.wanted && this.target === null && this.video.paused)
      void this.video.play().catch(() => undefined)
  }

  private trim() {
    const first = this.sink?.buffered()[0]
    const keep = this.video.currentTime - 30
    if (first && first.start < keep - 30 && this.sink?.pending === 0) this.sink.remove(0, keep)
  }

  private watchFrames() {
    this.callback = this.video.requestVideoFrameCallback((_, frame) => {
      if (this.target === null) this.state.set({ at: Math.round(this.base + frame.mediaTime * 1000) })
      this.watchFrames()
    })
  }
}
