// Status fields as figures that people read. Unknown ones are shown too: a newer gateway may say more.

import { lengthText, stampText } from '../../lib/time'
import { ZONE } from '../../lib/zone'

export interface Figure {
  key: string
  text: string
}

export const section = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

export function bytesText(n: number): string {
  let [size, unit] = [n, 0]
  while (size >= 1000 && unit < UNITS.length - 1) {
    size /= 1000
    unit++
  }
  return `${size >= 100 || unit === 0 ? Math.round(size) : size.toFixed(1)} ${UNITS[unit]}`
}

export function figureText(key: string, value: unknown): string | null {
  if (value === null || value === undefined || typeof value === 'object') return null
  if (typeof value === 'boolean') return value ? '✓' : '–'
  if (typeof value === 'string') return /_at$/.test(key) ? stampText(Date.parse(value), ZONE) : value
  if (typeof value !== 'number') return null
  if (/(^|_)bytes(_|$)/.test(key)) return bytesText(value)
  if (/_s$/.test(key)) return lengthText(value * 1000)
  return value.toLocaleString('en-US').replaceAll(',', '\u2009')
}

export function figures(value: unknown): Figure[] {
  return Object.entries(section(value)).flatMap(([key, v]) => {
    const text = figureText(key, v)
    return text === null ? [] : [{ key, text }]
  })
}
