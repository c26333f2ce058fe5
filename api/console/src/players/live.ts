// One live stream in one video element: WebSocket in, MSE out. Lives outside the UI framework.

import { MseSink } from './sink'
import { Store } from './store'
import { WallClock, staleAfter, steerLive } from './steer'
import { decodeTimeOf, playable, timescaleOf } from './mp4'

export type StreamChoice = 'auto' | 'main' | 'sub'

export interface PlayerState {
  phase: 'idle' | 'connecting' | 'playing' | 'absent' | 'waiting' | 'ended' | 'unplayable'
  /** Wall-clock time of the frame shown, whole seconds, ms. */
  frameAt: number | null
  /** Seconds without a new frame, once that is too long. */
  staleFor: number | null
  absent: { since: string | null; reason: string | null } | null
  /** Why it ended or could not be reached: a stable code, and words. */
  trouble: { code: string | null; detail: string | null } | null
  stream: string | null
  codec: string | null
  size: string | null
  keyframesOnly: boolean
}

export const idleState: PlayerState = {
  phase: 'idle',
  frameAt: null,
  staleFor: null,
  absent: null,
  trouble: null,
  stream: null,
  codec: null,
  size: null,
  keyframesOnly: false,
}

type Message =
  | { type: 'init'; codec: string; width: number; height: number; stream: string }
  | { type: 'time'; at: string; decode_time_90k: number }
  | { type: 'absent'; since: string; reason: string }
  | { type: 'lagged'; missed: number }
  | { type: 'ended'; code: string | null; detail: string | null }

const BACK_OFF_S = [0.5, 1, 2, 4, 8]
/** How long a stream may take to come up before it counts as absent. */
const START_MS = 8000

const isFinal = (code: string | null) => /^(grant|ground|role)_|^not_signed_in$/.test(code ?? '')

export class LivePlayer {
  readonly state = new Store<PlayerState>(idleState)
  private socket: WebSocket | null = null
  private sink: MseSink | null = null
  private clock = new WallClock()
  private started = false
  private failures = 0
  private connectedAt = 0
  private absence: ReturnType<typeof setTimeout> | undefined
  private retry: ReturnType<typeof setTimeout> | undefined
  private beat: ReturnType<typeof setInterval> | undefined
  private frameCallback = 0
  private lastFrame = 0
  private interval = 0.1
  private lastMedia = 0
  private timescale = 90_000
  private expectInit: string | null = null
  private newStretch = false
  private offset = 0
  private anchors: { raw: number; at: number }[] = []
  private stopped = true

  constructor(
    private video: HTMLVideoElement,
    private url: (stream: StreamChoice) => string,
    private choice: StreamChoice,
  ) {}

  start() {
    if (!this.stopped) return
    this.stopped = false
    this.connect()
    this.beat = setInterval(() => this.tick(), 250)
    this.watchFrames()
    document.addEventListener('visibilitychange', this.onVisibility)
  }

  stop() {
    if (this.stopped) return
    this.stopped = true
    document.removeEventListener('visibilitychange', this.onVisibility)
    clearInterval(this.beat)
    this.disconnect()
    this.video.cancelVideoFrameCallback(this.frameCallback)
    this.sink?.close()
    this.sink = null
    this.state.set(idleState)
  }

  /** A hidden page pulls nothing. */
  private onVisibility = () => {
    if (document.hidden) this.disconnect()
    else if (!this.socket && !this.stopped) this.connect()
  }

  private connect() {
    clearTimeout(this.retry)
    this.state.set({ phase: 'connecting' })
    this.connectedAt = performance.now()
    const socket = new WebSocket(this.url(this.choice))
    socket.binaryType = 'arraybuffer'
    this.socket = socket
    socket.onmessage = event => {
      if (socket !== this.socket) return
      if (typeof event.data === 'string') this.onText(JSON.parse(event.data) as Message)
      else this.onBytes(new Uint8Array(event.data as ArrayBuffer))
    }
    socket.onclose = () => socket === this.socket && this.onClose()
  }

  private disconnect() {
    clearTimeout(this.retry)
    clearTimeout(this.absence)
    const { socket } = this
    this.socket = null
    socket?.close()
  }

  private onClose() {
    this.socket = null
    if (this.stopped || document.hidden) return
    const { phase } = this.state.get()
    if (phase === 'ended' || phase === 'unplayable') return
    this.state.set({ phase: 'waiting', absent: null })
    const wait = BACK_OFF_S[Math.min(this.failures++, BACK_OFF_S.length - 1)] ?? 8
    this.retry = setTimeout(() => this.connect(), wait * 1000)
  }

  private onText(message: Message) {
    switch (message.type) {
      case 'init':
        return this.onInit(message)
      case 'time': {
        const anchor = { raw: message.decode_time_90k / 90_000, at: Date.parse(message.at) }
        if (this.newStretch) this.anchors.push(anchor)
        else this.clock.anchor(anchor.raw, anchor.at)
        return
      }
      case 'absent':
        return this.onAbsent({ since: message.since, reason: message.reason })
      case 'lagged':
        return
      case 'ended':
        // A gateway that stops will be back; what ended with its ground will not.
        if (isFinal(message.code))
          this.state.set({ phase: 'ended', trouble: { code: message.code, detail: message.detail } })
    }
  }

  /** A sub-stream is pulled only once somebody looks: that it is not there at first is no fault. */
  private onAbsent(absent: { since: string; reason: string }) {
    const beginning = this.state.get().frameAt === null && performance.now() - this.connectedAt < START_MS
    clearTimeout(this.absence)
    if (!beginning) return this.state.set({ phase: 'absent', absent })
    this.absence = setTimeout(() => {
      if (this.state.get().phase === 'connecting') this.state.set({ phase: 'absent', absent })
    }, START_MS)
  }

  private onInit(message: Extract<Message, { type: 'init' }>) {
    this.state.set({
      codec: message.codec,
      stream: message.stream,
      size: `${message.width}×${message.height}`,
    })
    if (!playable(message.codec)) return this.cannotPlay(message.stream)
    this.expectInit = message.codec
    this.failures = 0
  }

  /** The main stream may be in a coding that the browser has not; the sub-stream seldom is. */
  private cannotPlay(stream: string) {
    this.disconnect()
    if (stream === 'main' && this.choice !== 'sub') {
      this.choice = 'sub'
      this.connect()
    } else this.state.set({ phase: 'unplayable' })
  }

  private onBytes(bytes: Uint8Array) {
    if (this.expectInit) {
      this.timescale = timescaleOf(bytes)
      this.sink ??= new MseSink(this.video, detail => this.onSinkFailure(detail))
      this.sink.type(this.expectInit)
      this.expectInit = null
      this.newStretch = true
      this.anchors = []
      this.sink.append(bytes)
      return
    }
    if (!this.sink) return
    const raw = decodeTimeOf(bytes)
    if (this.newStretch && raw !== null) this.beginStretch(raw / this.timescale)
    this.sink.append(bytes, this.offset)
    if (this.state.get().phase !== 'playing')
      this.state.set({ phase: 'playing', absent: null, trouble: null })
  }

  /** Continues the element's time line where it is, whatever clock the stream has. */
  private beginStretch(rawSeconds: number) {
    const end = this.sink?.buffered().at(-1)?.end
    const from = end === undefined ? 0 : Math.max(end, this.video.currentTime) + 0.02
    this.offset = from - rawSeconds
    this.clock.begin(from, this.offset)
    for (const anchor of this.anchors) this.clock.anchor(anchor.raw, anchor.at)
    this.anchors = []
    this.newStretch = false
  }

  private onSinkFailure(detail: string) {
    this.sink?.close()
    this.sink = null
    this.started = false
    this.clock = new WallClock()
    this.disconnect()
    this.state.set({ phase: 'waiting', trouble: { code: 'media', detail } })
    if (!this.stopped) this.retry = setTimeout(() => this.connect(), 2000)
  }

  private tick() {
    if (this.lastFrame > 0) {
      const quiet = (performance.now() - this.lastFrame) / 1000
      this.state.set({ staleFor: quiet > staleAfter(this.interval) ? Math.floor(quiet) : null })
    }
    if (!this.sink) return
    const { seek, rate, trimBefore } = steerLive(this.sink.buffered(), this.video.currentTime, this.started)
    if (seek !== undefined) {
      this.video.currentTime = seek
      this.started = true
    }
    if (this.video.playbackRate !== rate) this.video.playbackRate = rate
    if (trimBefore !== undefined && this.sink.pending === 0) this.sink.remove(0, trimBefore)
    if (this.started && this.video.paused) void this.video.play().catch(() => undefined)
  }

  private watchFrames() {
    this.frameCallback = this.video.requestVideoFrameCallback((now, frame) => {
      this.learnInterval(frame.mediaTime)
      this.lastFrame = now
      const wall = this.clock.wall(frame.mediaTime)
      this.state.set({
        staleFor: null,
        keyframesOnly: this.interval > 0.8,
        ...(wall === null ? {} : { frameAt: Math.floor(wall / 1000) * 1000 }),
      })
      if (!this.stopped) this.watchFrames()
    })
  }

  /** How far apart this stream's pictures are, smoothed; what "old" means follows from it. */
  private learnInterval(media: number) {
    const gap = media - this.lastMedia
    this.lastMedia = media
    if (gap > 0.01 && gap < 12) this.interval += (gap - this.interval) * 0.2
  }
}
