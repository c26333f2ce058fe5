// A picture that is fetched again every two seconds, for patrol walls and views that may not have video.

import { Store } from './store'
import { idleState, type PlayerState } from './live'
import type { FetchStill } from './stills'

const PERIOD_MS = 2000
/** A picture older than this when it is shown is old, whatever its interval. */
const OLD_MS = 10_000

export class StillPlayer {
  readonly state = new Store<PlayerState>(idleState)
  private timer: ReturnType<typeof setTimeout> | undefined
  private abort = new AbortController()
  private url: string | null = null
  private changed = 0
  private stopped = true

  constructor(
    private image: HTMLImageElement,
    private fetchStill: FetchStill,
    private now: () => number,
  ) {}

  start() {
    if (!this.stopped) return
    this.stopped = false
    this.state.set({ phase: 'connecting' })
    void this.round()
  }

  stop() {
    this.stopped = true
    clearTimeout(this.timer)
    this.abort.abort()
    this.image.removeAttribute('src')
    if (this.url) URL.revokeObjectURL(this.url)
    this.url = null
    this.state.set(idleState)
  }

  private async round() {
    const began = performance.now()
    if (!document.hidden) await this.refresh()
    if (this.stopped) return
    this.timer = setTimeout(() => void this.round(), Math.max(250, PERIOD_MS - (performance.now() - began)))
  }

  private async refresh() {
    this.abort = new AbortController()
    try {
      const still = await this.fetchStill('latest', this.abort.signal)
      if (this.stopped) return URL.revokeObjectURL(still.url)
      this.show(still.url, still.frameAt)
    } catch (error) {
      if (this.stopped) return
      const problem = error as { code?: string; message?: string }
      this.state.set({
        phase: this.state.get().frameAt === null ? 'waiting' : this.state.get().phase,
        trouble: { code: problem.code ?? null, detail: problem.message ?? null },
        staleFor: this.age(),
      })
    }
  }

  private show(url: string, frameAt: number | null) {
    const previous = this.url
    this.url = url
    this.image.src = url
    if (previous) setTimeout(() => URL.revokeObjectURL(previous), 500)
    if (frameAt !== this.state.get().frameAt) this.changed = performance.now()
    this.state.set({ phase: 'playing', frameAt, keyframesOnly: true, trouble: null })
    this.state.set({ staleFor: this.age() })
  }

  private age(): number | null {
    const { frameAt } = this.state.get()
    if (frameAt === null) return null
    const age = this.now() - frameAt
    const quiet = performance.now() - this.changed
    return age > OLD_MS || quiet > OLD_MS ? Math.floor(Math.max(age, quiet) / 1000) : null
  }
}
