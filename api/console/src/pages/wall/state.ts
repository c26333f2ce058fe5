// What is on the wall, as its address says it.

import type { Layout } from '../../api/types'

export interface Wall {
  layout: Layout
  /** Camera of each tile; empty text for an empty tile. */
  tiles: string[]
  /** The camera on the spot monitor. */
  spot: string | null
}

export function readWall(params: URLSearchParams, first: readonly string[]): Wall {
  const n = Number(params.get('n'))
  const layout: Layout = n === 1 || n === 9 ? n : 4
  const given = params.get('c')
  const tiles = given === null ? [...first] : given.split(',')
  return { layout, tiles: Array.from({ length: layout }, (_, i) => tiles[i] ?? ''), spot: params.get('spot') }
}

export function writeWall(wall: Wall): URLSearchParams {
  const params = new URLSearchParams({ n: String(wall.layout), c: wall.tiles.join(',') })
  if (wall.spot) params.set('spot', wall.spot)
  return params
}

/** More tiles: those there were stay, the new ones take what comes first and is not yet on. */
export function resize(wall: Wall, layout: Layout, first: readonly string[]): Wall {
  const kept = wall.tiles.slice(0, layout)
  const fresh = first.filter(id => !kept.includes(id))
  const tiles = Array.from({ length: layout }, (_, i) => kept[i] ?? fresh.shift() ?? '')
  return { layout, tiles, spot: null }
}

/** Puts a camera on a tile; if it was on another one, the two change places. */
export function place(wall: Wall, tile: number, camera: string): Wall {
  const tiles = [...wall.tiles]
  const before = tiles.indexOf(camera)
  if (before >= 0) tiles[before] = tiles[tile] ?? ''
  tiles[tile] = camera
  return { ...wall, tiles }
}

export const takeOff = (wall: Wall, tile: number): Wall => ({
  ...wall,
  tiles: wall.tiles.map((camera, i) => (i === tile ? '' : camera)),
})
