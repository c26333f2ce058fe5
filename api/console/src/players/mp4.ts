// As much of ISO/IEC 14496-12 as a player must read: time scales, decode times, codec strings.

interface Box {
  type: string
  start: number
  end: number
}

function boxes(view: DataView, from: number, to: number): Box[] {
  const out: Box[] = []
  let at = from
  while (at + 8 <= to) {
    let size = view.getUint32(at)
    let head = 8
    if (size === 1 && at + 16 <= to) {
      size = Number(view.getBigUint64(at + 8))
      head = 16
    } else if (size === 0) size = to - at
    if (size < head || at + size > to) break
    out.push({ type: fourcc(view, at + 4), start: at + head, end: at + size })
    at += size
  }
  return out
}

const fourcc = (view: DataView, at: number) =>
  String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3))

function find(view: DataView, path: string[], from = 0, to = view.byteLength): Box | null {
  const [type, ...rest] = path
  const box = boxes(view, from, to).find(b => b.type === type)
  if (!box) return null
  return rest.length === 0 ? box : find(view, rest, box.start, box.end)
}

const viewOf = (data: Uint8Array) => new DataView(data.buffer, data.byteOffset, data.byteLength)

/** Ticks a second of the first track of an initialisation segment. */
export function timescaleOf(init: Uint8Array): number {
  const view = viewOf(init)
  const mdhd = find(view, ['moov', 'trak', 'mdia', 'mdhd'])
  if (!mdhd) return 90_000
  return view.getUint32(mdhd.start + (view.getUint8(mdhd.start) === 1 ? 20 : 12)) || 90_000
}

/** Decode time, in ticks, of the first sample of a fragment. */
export function decodeTimeOf(fragment: Uint8Array): number | null {
  const view = viewOf(fragment)
  const tfdt = find(view, ['moof', 'traf', 'tfdt'])
  if (!tfdt) return null
  return view.getUint8(tfdt.start) === 1
    ? Number(view.getBigUint64(tfdt.start + 4))
    : view.getUint32(tfdt.start + 4)
}

/** Samples in a fragment. */
export function samplesOf(fragment: Uint8Array): number {
  const view = viewOf(fragment)
  const trun = find(view, ['moof', 'traf', 'trun'])
  return trun ? view.getUint32(trun.start + 4) : 0
}

/** Codec string (RFC 6381) of an initialisation segment, read from `avcC` or `hvcC`. */
export function codecOf(init: Uint8Array): string | null {
  const view = viewOf(init)
  const stsd = find(view, ['moov', 'trak', 'mdia', 'minf', 'stbl', 'stsd'])
  const entry = stsd && boxes(view, stsd.start + 8, stsd.end)[0]
  if (!entry) return null
  const config = boxes(view, entry.start + 78, entry.end).find(b => b.type === 'avcC' || b.type === 'hvcC')
  if (!config) return null
  const bytes = init.subarray(config.start, config.end)
  return config.type === 'avcC' ? avc(entry.type, bytes) : hevc(entry.type, bytes)
}

const hex = (n: number, digits = 2) => n.toString(16).toUpperCase().padStart(digits, '0')

const avc = (type: string, c: Uint8Array) => `${type}.${hex(c[1] ?? 0)}${hex(c[2] ?? 0)}${hex(c[3] ?? 0)}`

function hevc(type: string, c: Uint8Array): string {
  const first = c[1] ?? 0
  const profile = `${['', 'A', 'B', 'C'][first >> 6] ?? ''}${first & 31}`
  let flags = 0
  const given = (((c[2] ?? 0) << 24) | ((c[3] ?? 0) << 16) | ((c[4] ?? 0) << 8) | (c[5] ?? 0)) >>> 0
  for (let i = 0; i < 32; i++) if (given & (2 ** (31 - i))) flags += 2 ** i
  const tier = `${first & 32 ? 'H' : 'L'}${c[12] ?? 0}`
  const constraints = [...c.subarray(6, 12)]
  while (constraints.length > 0 && constraints.at(-1) === 0) constraints.pop()
  return [type, profile, hex(flags, 1), tier, ...constraints.map(b => hex(b, 1))].join('.')
}

/** Whether this browser plays a codec through Media Source Extensions. */
export const playable = (codec: string) =>
  typeof MediaSource !== 'undefined' && MediaSource.isTypeSupported(`video/mp4; codecs="${codec}"`)
