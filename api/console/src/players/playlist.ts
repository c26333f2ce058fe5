// Reading the media playlists (RFC 8216) that the gateway writes for recorded footage.

export interface Segment {
  /** Wall-clock time of its first frame, ms. */
  from: number
  to: number
  uri: string
  /** Initialisation segment it needs. */
  init: string
  /** Footage is missing before it, or another run begins. */
  discontinuity: boolean
}

export function parsePlaylist(text: string, base: string): Segment[] {
  const out: Segment[] = []
  let init = ''
  let length = 0
  let at: number | null = null
  let discontinuity = false
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trim()
    if (line.startsWith('#EXT-X-MAP:')) init = new URL(/URI="([^"]*)"/.exec(line)?.[1] ?? '', base).href
    else if (line.startsWith('#EXTINF:')) length = Number.parseFloat(line.slice(8)) * 1000
    else if (line.startsWith('#EXT-X-PROGRAM-DATE-TIME:')) at = Date.parse(line.slice(25))
    else if (line === '#EXT-X-DISCONTINUITY') discontinuity = true
    else if (line !== '' && !line.startsWith('#') && at !== null) {
      out.push({ from: at, to: at + length, uri: new URL(line, base).href, init, discontinuity })
      at += length
      discontinuity = false
    }
  }
  return out
}

/** Adds segments to a plan kept in time order; the later answer wins where both name the same segment. */
export function addSegments(plan: readonly Segment[], more: readonly Segment[]): Segment[] {
  const byStart = new Map(plan.map(s => [Math.round(s.from), s]))
  for (const s of more) byStart.set(Math.round(s.from), s)
  return [...byStart.values()].sort((a, b) => a.from - b.from)
}

/** The segment that holds an instant, else the first one after it. */
export function segmentAt(plan: readonly Segment[], ms: number): Segment | null {
  return plan.find(s => ms < s.to - 1) ?? null
}
