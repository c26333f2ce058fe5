import { describe, expect, it } from 'vitest'
import { missing, requestOf, windowOf, type Draft } from './groundform'
import { HOUR } from './time'

const NOW = Date.parse('2026-11-22T06:00:00Z')
const draft = (more: Partial<Draft> = {}): Draft => ({
  kind: 'case',
  ref: 'DEMO-1',
  reason: '查看被盗经过',
  scope: 'cameras',
  cameras: ['cam-1'],
  region: null,
  window: 'live',
  from: null,
  to: null,
  ...more,
})

describe('a ground to be opened', () => {
  it('names what is missing and is not sent without it', () => {
    expect(missing(draft(), NOW)).toEqual([])
    const empty = draft({ ref: ' ', reason: '嗯', cameras: [], window: 'custom' })
    expect(missing(empty, NOW)).toEqual(['ref', 'reason', 'cameras', 'window'])
    expect(requestOf(empty, NOW)).toBeNull()
    expect(missing(draft({ scope: 'region' }), NOW)).toEqual(['region'])
    expect(missing(draft({ window: 'custom', from: NOW, to: NOW - 1 }), NOW)).toEqual(['window'])
  })

  it('reaches over now where live is asked for, and never over a day', () => {
    for (const window of ['live', 'day', 'live2'] as const) {
      const range = windowOf(draft({ window }), NOW)
      expect(range && range.from < NOW && NOW < range.to).toBe(true)
      expect(range && range.to - range.from).toBeLessThanOrEqual(24 * HOUR)
    }
  })

  it('sends cameras or a region, never both', () => {
    expect(requestOf(draft({ region: 'garden' }), NOW)).toMatchObject({ cameras: ['cam-1'], regions: [] })
    const wide = draft({ scope: 'region', region: 'garden' })
    expect(requestOf(wide, NOW)).toMatchObject({
      cameras: [],
      regions: ['garden'],
      ground: { kind: 'case', ref: 'DEMO-1' },
    })
  })
})
