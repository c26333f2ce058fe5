// Wall-clock times in a zone, to the second and with the offset, as they go into records.

export interface Parts {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
}

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

export const localZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'

const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      era: 'short',
    })
    formats.set(zone, format)
  }
  return format
}

/** The calendar and clock parts of an instant in a zone. */
export function partsAt(ms: number, zone: string): Parts {
  const found: Record<string, number> = {}
  for (const part of formatOf(zone).formatToParts(ms)) found[part.type] = Number(part.value)
  return {
    year: found.year ?? 0,
    month: found.month ?? 1,
    day: found.day ?? 1,
    hour: found.hour ?? 0,
    minute: found.minute ?? 0,
    second: found.second ?? 0,
  }
}

const asUtc = (p: Parts) => Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute, p.second)

/** Offset from UTC in milliseconds that a zone has at an instant. */
export function offsetAt(ms: number, zone: string): number {
  const whole = Math.floor(ms / SECOND) * SECOND
  return asUtc(partsAt(whole, zone)) - whole
}

/** `+08:00`, `-03:30`, `+00:00`. */
export function offsetText(ms: number, zone: string): string {
  const minutes = Math.round(offsetAt(ms, zone) / MINUTE)
  const size = Math.abs(minutes)
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`
}

/** The instant at which a zone's clock shows these parts (the first one, where a clock shows them twice). */
export function instantOf(parts: Parts, zone: string): number {
  const guess = asUtc(parts)
  const candidates = [offsetAt(guess - DAY, zone), offsetAt(guess, zone), offsetAt(guess + DAY, zone)]
    .map(offset => guess - offset)
    .filter(ms => guess - ms === offsetAt(ms, zone))
  return candidates.length > 0 ? Math.min(...candidates) : guess - offsetAt(guess, zone)
}

export const two = (n: number) => String(n).padStart(2, '0')

export function clockText(ms: number, zone: string): string {
  const p = partsAt(ms, zone)
  return `${two(p.hour)}:${two(p.minute)}:${two(p.second)}`
}

export function dateText(ms: number, zone: string): string {
  const p = partsAt(ms, zone)
  return `${p.year}-${two(p.month)}-${two(p.day)}`
}

/** `2026-11-22 14:03:22` */
export const stampText = (ms: number, zone: string) => `${dateText(ms, zone)} ${clockText(ms, zone)}`

/** `2026-11-22 14:03:22 +08:00`: what a record needs. */
export const fullText = (ms: number, zone: string) => `${stampText(ms, zone)} ${offsetText(ms, zone)}`

/** `HH:MM:SS` of today, with the date before it on any other day. */
export function nearText(ms: number, now: number, zone: string): string {
  return dateText(ms, zone) === dateText(now, zone) ? clockText(ms, zone) : stampText(ms, zone)
}

/** A length as digits: `0:41`, `12:05`, `3:07:09`, `2 d 03:07`. */
export function lengthText(ms: number): string {
  const all = Math.max(0, Math.round(ms / SECOND))
  const [d, h, m, s] = [
    Math.floor(all / 86400),
    Math.floor(all / 3600) % 24,
    Math.floor(all / 60) % 60,
    all % 60,
  ] as const
  if (d > 0) return `${d} d ${two(h)}:${two(m)}`
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}

/** The value of a `datetime-local` field, and back. */
export function fieldText(ms: number, zone: string): string {
  return stampText(ms, zone).replace(' ', 'T')
}

export function fieldInstant(text: string, zone: string): number | null {
  const m = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d))?/.exec(text)
  if (!m) return null
  const [year, month, day, hour, minute, second] = m.slice(1).map(n => Number(n ?? 0)) as number[]
  return instantOf(
    {
      year: year ?? 0,
      month: month ?? 1,
      day: day ?? 1,
      hour: hour ?? 0,
      minute: minute ?? 0,
      second: second || 0,
    },
    zone,
  )
}

export const iso = (ms: number) => new Date(ms).toISOString()
