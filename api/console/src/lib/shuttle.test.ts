import { expect, it } from 'vitest'
import { shuttle, stepOver } from './shuttle'

it('goes faster with every press, and stops at once', () => {
  expect(['l', 'l', 'l', 'l', 'l', 'l'].reduce((s, k) => shuttle(k as 'l', s), 0)).toBe(16)
  expect(shuttle('j', 8)).toBe(-1)
  expect(shuttle('j', -1)).toBe(-2)
  expect(shuttle('l', -4)).toBe(1)
  expect(shuttle('k', 16)).toBe(0)
})

it('steps over gaps in both directions and stops at the ends', () => {
  const spans = [
    { from: 0, to: 100 },
    { from: 200, to: 300 },
  ]
  expect(stepOver(spans, 50, 10)).toBe(60)
  expect(stepOver(spans, 95, 10)).toBe(200)
  expect(stepOver(spans, 201, -10)).toBe(99)
  expect(stepOver(spans, 295, 10)).toBeNull()
  expect(stepOver(spans, 5, -10)).toBeNull()
})
