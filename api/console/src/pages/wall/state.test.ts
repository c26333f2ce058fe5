import { expect, it } from 'vitest'
import { place, readWall, resize, takeOff, writeWall } from './state'

const first = ['a', 'b', 'c', 'd', 'e']

it('comes back from its address as it was, holes and all', () => {
  const wall = takeOff(readWall(new URLSearchParams(), first), 1)
  expect(wall.tiles).toEqual(['a', '', 'c', 'd'])
  expect(readWall(writeWall({ ...wall, spot: 'c' }), [])).toEqual({ ...wall, spot: 'c' })
})

it('changes places, never doubles a camera', () => {
  const wall = readWall(new URLSearchParams('n=4&c=a,b,c,d'), [])
  expect(place(wall, 0, 'd').tiles).toEqual(['d', 'b', 'c', 'a'])
  expect(place(wall, 0, 'x').tiles).toEqual(['x', 'b', 'c', 'd'])
})

it('keeps what is on when it grows or shrinks', () => {
  const wall = readWall(new URLSearchParams('n=4&c=d,,b,a'), [])
  expect(resize(wall, 9, first).tiles).toEqual(['d', '', 'b', 'a', 'c', 'e', '', '', ''])
  expect(resize(wall, 1, first).tiles).toEqual(['d'])
})
