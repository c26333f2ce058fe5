// One SourceBuffer behind one video element, with its operations in order.

import type { Range } from './steer'

type Step = (buffer: SourceBuffer) => void

export class MseSink {
  private source = new MediaSource()
  private buffer: SourceBuffer | null = null
  private steps: Step[] = []
  private mime = ''
  private url: string
  private dead = false

  constructor(
    private video: HTMLVideoElement,
    private failed: (what: string) => void,
  ) {
    this.url = URL.createObjectURL(this.source)
    video.src = this.url
    this.source.addEventListener('sourceopen', () => this.attach())
  }

  /** Says what comes next: a first or a changed codec. */
  type(codec: string) {
    const mime = `video/mp4; codecs="${codec}"`
    if (mime === this.mime) return
    const first = this.mime === ''
    this.mime = mime
    if (first) this.attach()
    else this.push(buffer => buffer.changeType(mime))
  }

  /** Appends bytes; `offset` shifts their own clock, in seconds. */
  append(data: Uint8Array, offset?: number) {
    this.push(buffer => {
      if (offset !== undefined && Math.abs(buffer.timestampOffset - offset) > 1e-6)
        buffer.timestampOffset = offset
      buffer.appendBuffer(data as Uint8Array<ArrayBuffer>)
    })
  }

  remove(from: number, to: number) {
    if (to > from) this.push(buffer => buffer.remove(Math.max(0, from), to))
  }

  /** Drops what was not yet appended, and all that was. */
  clear() {
    this.steps = []
    if (this.buffer && !this.dead) this.push(buffer => buffer.remove(0, Infinity))
  }

  buffered(): Range[] {
    const list = this.buffer && !this.dead ? this.buffer.buffered : null
    return list
      ? Array.from({ length: list.length }, (_, i) => ({ start: list.start(i), end: list.end(i) }))
      : []
  }

  get pending() {
    return this.steps.length + (this.buffer?.updating ? 1 : 0)
  }

  close() {
    if (this.dead) return
    this.dead = true
    this.steps = []
    this.video.removeAttribute('src')
    this.video.load()
    URL.revokeObjectURL(this.url)
  }

  private attach() {
    if (this.dead || this.buffer || this.source.readyState !== 'open' || this.mime === '') return
    try {
      this.buffer = this.source.addSourceBuffer(this.mime)
    } catch (error) {
      this.failed(String(error))
      return
    }
    this.buffer.mode = 'segments'
    this.buffer.addEventListener('updateend', () => this.pump())
    this.buffer.addEventListener('error', () => this.failed('the browser refused the media'))
    this.pump()
  }

  private push(step: Step) {
    if (this.dead) return
    this.steps.push(step)
    this.pump()
  }

  private pump() {
    const { buffer } = this
    if (!buffer || this.dead || buffer.updating) return
    const step = this.steps.shift()
    if (!step) return
    try {
      step(buffer)
      if (!buffer.updating) this.pump()
    } catch (error) {
      if (error instanceof DOMException && error.name === 'QuotaExceededError') {
        this.steps.unshift(step)
        const end = Math.max(1, this.video.currentTime - 2)
        buffer.remove(0, end)
      } else this.failed(String(error))
    }
  }
}
