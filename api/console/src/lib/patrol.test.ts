import { describe, expect, it } from 'vitest'
import { claims, dwellFrom, nextUnseen, viewsOf } from './patrol'

const views = viewsOf(['a', 'b', 'c', 'd', 'e'], 4)

describe('a patrol', () => {
  it('shows every camera once', () => {
    expect(views).toEqual([['a', 'b', 'c', 'd'], ['e']])
    expect(viewsOf([], 9)).toEqual([])
  })

  it('comes back to what was skipped, and ends when all is seen', () => {
    expect(nextUnseen(views, new Set(), 0)).toBe(1)
    expect(nextUnseen(views, new Set(['e']), 1)).toBe(0)
    expect(nextUnseen(views, new Set(['e']), 0)).toBe(0)
    expect(nextUnseen(views, new Set(['a', 'b', 'c', 'd', 'e']), 0)).toBeNull()
  })

  it('counts the dwell from the last picture that came', () => {
    expect(dwellFrom(100, new Map())).toBe(100)
    const shown = new Map([
      ['a', { first: 150, frame: 1 }],
      ['b', { first: 900, frame: 1 }],
    ])
    expect(dwellFrom(100, shown)).toBe(900)
  })

  it('claims no look where there was no picture, or only an old one', () => {
    const now = 1_000_000
    const shown = new Map([
      ['a', { first: now - 6000, frame: now - 1000 }],
      ['b', { first: now - 6000, frame: now - 700_000 }],
    ])
    const made = claims(['a', 'b', 'c'], shown, now - 8000, now)
    expect(made.map(c => c.frame_at !== null)).toEqual([true, false, false])
    expect(made.every(c => Date.parse(c.shown_at) <= now - 6000)).toBe(true)
  })
})
