// Single pictures: a cache of recent ones, and a loader that only ever fetches the newest wish.

export interface Still {
  /** Address of the picture in memory. */
  url: string
  /** Time of the frame shown, ms. */
  frameAt: number | null
}

export type FetchStill = (at: number | 'latest', signal?: AbortSignal) => Promise<Still>

export class StillCache {
  private kept = new Map<string, Still>()

  constructor(private limit = 240) {}

  get(key: string): Still | undefined {
    const still = this.kept.get(key)
    if (still) {
      this.kept.delete(key)
      this.kept.set(key, still)
    }
    return still
  }

  put(key: string, still: Still) {
    this.kept.set(key, still)
    while (this.kept.size > this.limit) {
      const [oldest] = this.kept
      if (!oldest) return
      this.kept.delete(oldest[0])
      URL.revokeObjectURL(oldest[1].url)
    }
  }

  clear() {
    for (const still of this.kept.values()) URL.revokeObjectURL(still.url)
    this.kept.clear()
  }
}

/** Runs one job at a time and, of those that wait, only the newest. */
export class LatestWins<T> {
  private running = false
  private waiting: (() => Promise<T>) | null = null

  constructor(
    private done: (value: T) => void,
    private failed: (error: unknown) => void = () => undefined,
  ) {}

  ask(job: () => Promise<T>) {
    this.waiting = job
    if (!this.running) void this.run()
  }

  forget() {
    this.waiting = null
  }

  private async run() {
    this.running = true
    while (this.waiting) {
      const job = this.waiting
      this.waiting = null
      try {
        this.done(await job())
      } catch (error) {
        this.failed(error)
      }
    }
    this.running = false
  }
}

/** The newest key frame at or before an instant: what the gateway would show for it. Frames are sorted. */
export function snap(frames: readonly number[], at: number): number | null {
  let [low, high] = [0, frames.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((frames[middle] ?? 0) <= at) low = middle + 1
    else high = middle
  }
  return frames[low - 1] ?? frames[0] ?? null
}
